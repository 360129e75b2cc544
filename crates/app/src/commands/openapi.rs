//! `guerdon openapi`: the document that `/openapi.json` serves, without a server.

/// Prints the document as JSON, whether or not JSON was asked for.
pub(crate) fn run() -> anyhow::Result<()> {
    crate::output::print(&serde_json::to_string_pretty(&api::openapi())?)
}
