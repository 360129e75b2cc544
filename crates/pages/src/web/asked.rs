//! What every answer needs to know of its request.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT_LANGUAGE, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};
use engine::Ctx;

use super::shared::Shared;

/// Set by whatever stands before us, and told to the user for his questions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id that is taken over.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// The request.
pub(crate) struct Asked {
    /// The moment, and the meter of store calls.
    pub(crate) ctx: Arc<Ctx>,
    /// Languages that the browser asks for.
    pub(crate) accept: String,
    /// The entity tag that the browser holds.
    pub(crate) held: Option<String>,
    /// Its own address, if asking for it again is harmless.
    pub(crate) again: Option<String>,
    /// Names it in the log.
    pub(crate) id: String,
}

impl FromRequestParts<Arc<Shared>> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Arc<Shared>,
    ) -> Result<Self, Infallible> {
        let address = parts.uri.path_and_query().map(ToString::to_string);
        Ok(Self {
            ctx: command(parts, shared),
            accept: text(&parts.headers, &ACCEPT_LANGUAGE).unwrap_or_default().to_owned(),
            held: text(&parts.headers, &IF_NONE_MATCH).map(str::to_owned),
            again: address.filter(|_| parts.method == Method::GET),
            id: request_id(&parts.headers, shared),
        })
    }
}

/// The command that was begun around the request, so that what the page costs is counted with it; one
/// of its own where nothing is around it.
fn command(parts: &Parts, shared: &Shared) -> Arc<Ctx> {
    let begun = parts.extensions.get::<Arc<Ctx>>().cloned();
    begun.unwrap_or_else(|| Arc::new(Ctx::at((shared.clock)())))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn request_id(headers: &HeaderMap, shared: &Shared) -> String {
    let given = text(headers, &REQUEST_ID).filter(|id| id.len() <= REQUEST_ID_BYTES_MAX);
    let own = || shared.random()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    given.map_or_else(own, str::to_owned)
}
