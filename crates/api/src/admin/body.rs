//! Bodies of operators, which may be larger than anybody else's.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use format::catalog::Syntax;
use serde::de::DeserializeOwned;

use crate::extract::{is_json, media_type, read_body, read_json, require_json};
use crate::problem::Problem;
use crate::state::Api;
use axum::http::StatusCode;

/// Most bytes of one row or one list of users: a mission of fifty steps in forty languages, or a
/// thousand users with the longest ids.
const ROW_BODY_MAX: usize = 2 * 1024 * 1024;
/// Most bytes of a whole catalogue: some ten thousand missions.
const CATALOG_BODY_MAX: usize = 16 * 1024 * 1024;

/// A JSON body that may be large.
pub(super) struct LargeBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for LargeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read_body(request, ROW_BODY_MAX).await?;
        if bytes.is_empty() {
            return Err(Problem::bad_request("empty_body", "Send a JSON object as the body."));
        }
        read_json(&bytes).map(Self)
    }
}

/// The text of a catalogue file.
pub(super) struct CatalogText {
    pub(super) syntax: Syntax,
    pub(super) text: String,
}

impl FromRequest<Arc<Api>> for CatalogText {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Problem> {
        let syntax = match media_type(request.headers()).as_deref() {
            Some("application/toml") => Syntax::Toml,
            _ if is_json(request.headers()) => Syntax::Json,
            _ => {
                let detail = "Send the catalogue with the header Content-Type: application/toml or \
                              application/json.";
                let (status, code) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type");
                return Err(Problem::new(status, code, detail));
            }
        };
        let bytes = read_body(request, CATALOG_BODY_MAX).await?;
        let text = String::from_utf8(bytes.into())
            .map_err(|_| Problem::bad_request("bad_text", "The body is not UTF-8."))?;
        Ok(Self { syntax, text })
    }
}
