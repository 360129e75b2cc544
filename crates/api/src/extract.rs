//! What was sent, read strictly: an unknown, repeated or missing field is named in the answer.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use engine::Ctx;
use serde::de::DeserializeOwned;

use crate::problem::{FieldProblem, Problem};
use crate::state::Api;

/// Most bytes of a body, unless a route takes more.
pub(crate) const BODY_MAX: usize = 64 * 1024;

/// When the request is carried out and what it costs; set by [`crate::around`].
pub(crate) struct Command(pub(crate) Arc<Ctx>);

impl FromRequestParts<Arc<Api>> for Command {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        let ctx = parts.extensions.get::<Arc<Ctx>>().cloned();
        ctx.map(Self).ok_or_else(|| Problem::internal("no command was begun"))
    }
}

/// Whether a client has kept the answer of this tag (RFC 9110, section 13.1.2). Only the first line of
/// the tags is looked at: to be told again what one has is no error.
pub(crate) fn has_kept(headers: &HeaderMap, etag: &str) -> bool {
    let kept = headers.get(header::IF_NONE_MATCH).and_then(|kept| kept.to_str().ok());
    let is_it = |one: &str| one.trim().trim_start_matches("W/") == etag;
    kept.is_some_and(|kept| kept.trim() == "*" || kept.split(',').any(is_it))
}

/// What the path names.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Api>> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let read = axum::extract::Path::from_request_parts(parts, api).await;
        // What stands in a path may be a secret, so it is not repeated (X3).
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|_| {
            let detail =
                "A part of the path is no number of 32 bits where it has to be one, or no UTF-8.";
            Problem::bad_request("bad_path", detail)
        })
    }
}

/// The parameters of the query.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Api>> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        read_query(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

impl<T> Params<T> {
    /// A parameter that is wrong.
    pub(crate) fn bad(name: &str, message: impl Into<String>) -> Problem {
        let errors = vec![FieldProblem::new(name, message)];
        Problem::bad_request("bad_parameter", "A parameter of the query cannot be read.")
            .with_errors(errors)
    }
}

/// The parameters of a route that an app key may also call: `user_id` and `unit_id` say for whom, and
/// are read by [`crate::auth::Caller`].
pub(crate) struct UserParams<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequestParts<Arc<Api>> for UserParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        user_params(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// The parameters of such a route.
pub(crate) fn user_params<T: DeserializeOwned + Default>(query: &str) -> Result<T, Problem> {
    let is_of_caller = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = form_urlencoded_parse(name).next().unwrap_or_default().0;
        name == "user_id" || name == "unit_id"
    };
    let mut rest = query.split('&').filter(|pair| !is_of_caller(pair)).peekable();
    if rest.peek().is_none() {
        return Ok(T::default());
    }
    read_query(&rest.collect::<Vec<_>>().join("&"))
}

fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded_parse(query));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let message = error.inner().to_string();
        Params::<T>::bad(&field_of(&error.path().to_string(), &message), message)
    })
}

fn form_urlencoded_parse(query: &str) -> url::form_urlencoded::Parse<'_> {
    url::form_urlencoded::parse(query.as_bytes())
}

/// A JSON body that must be there.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read_body(request, BODY_MAX).await?;
        if bytes.is_empty() {
            return Err(Problem::bad_request("empty_body", "Send a JSON object as the body."));
        }
        read_json(&bytes).map(Self)
    }
}

/// A JSON body that may be left out: then it has no fields.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<Api>> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Api>) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let bytes = read_body(request, BODY_MAX).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&headers)?;
        read_json(&bytes).map(Self)
    }
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read_body(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let too_large = || {
        let detail = format!("The body is larger than {limit} bytes.");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    if announced.is_some_and(|bytes| bytes > limit as u64) {
        return Err(too_large());
    }
    to_bytes(request.into_body(), limit).await.map_err(|error| {
        use http_body_util::LengthLimitError;
        let error = error.into_inner();
        if error.is::<LengthLimitError>() {
            return too_large();
        }
        Problem::bad_request("broken_body", "The body ended before it was whole.")
    })
}

/// Whether the body says it is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind == "application/json" || kind.ends_with("+json"))
}

/// The media type of the body without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}

/// Refuses a body that does not say it is JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    if is_json(headers) {
        return Ok(());
    }
    let detail = "Send the body as JSON, with the header Content-Type: application/json.";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

/// Reads JSON; what is no JSON at all is told apart from what does not fit.
pub(crate) fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        bad_json(&path, error.inner())
    })?;
    reader.end().map_err(|error| bad_json("", &error))?;
    Ok(value)
}

/// The field that an error of serde is about. A field that is missing has no place of its own: the
/// path ends at what should hold it, and only the message names it.
pub(crate) fn field_of(path: &str, message: &str) -> String {
    let path = if path == "." { "" } else { path };
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    match missing {
        Some((name, _)) if path.is_empty() => name.to_owned(),
        Some((name, _)) => format!("{path}.{name}"),
        None => path.to_owned(),
    }
}

fn bad_json(path: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    if !error.is_data() {
        return Problem::bad_request("bad_json", format!("The body is not JSON: {message}."));
    }
    let field = field_of(path, &message);
    let problem = FieldProblem { line: Some(error.line()), ..FieldProblem::new(field, message) };
    Problem::invalid("invalid_field", "A field of the body is not as it has to be.")
        .with_errors(vec![problem])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_tags_are_compared_weakly() {
        let has = |kept: Option<&'static str>| {
            let kept = kept.map(|kept| (header::IF_NONE_MATCH, kept.parse().unwrap()));
            has_kept(&kept.into_iter().collect(), "\"a\"")
        };
        for kept in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", " * "] {
            assert!(has(Some(kept)), "{kept}");
        }
        for kept in ["", "a", "\"ab\"", "\"b\", W/\"c\""] {
            assert!(!has(Some(kept)), "{kept}");
        }
        assert!(!has(None));
    }

    #[test]
    fn a_missing_field_is_named_with_its_path() {
        let cases = [
            (".", "missing field `unit_id` at line 1 column 2", "unit_id"),
            ("profile", "missing field `country`", "profile.country"),
            ("steps[1]", "missing field `id`", "steps[1].id"),
            ("profile.age", "invalid type: string \"x\", expected u8", "profile.age"),
            (".", "expected value", ""),
        ];
        for (path, message, field) in cases {
            assert_eq!(field_of(path, message), field, "{path}: {message}");
        }
    }
}
