//! `guerdon openapi`: the document that `/openapi.json` serves, without a server.

pub(crate) fn run() -> anyhow::Result<()> {
    crate::output::print(&serde_json::to_string_pretty(&api::openapi())?)
}
