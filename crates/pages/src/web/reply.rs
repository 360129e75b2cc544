//! Answers: pages, redirects, and the headers of both.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    LOCATION, VARY,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::asked::Asked;
use crate::page::{CachePolicy, Page, Rendered, SECURITY_HEADERS, render};

/// What an answer depends on beside its address.
const VARIES_BY: &str = "cookie, accept-language";

/// A page, or only the news that the browser's copy is still right.
pub(crate) fn page<P: Page>(asked: &Asked, page: &P) -> Response {
    let mut response = written(page);
    let is_held = response.headers().get(ETAG).is_some_and(|etag| {
        let held = asked.held.as_deref().unwrap_or_default();
        held.split(',').any(|one| one.trim().trim_start_matches("W/").as_bytes() == etag.as_bytes())
    });
    if is_held {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
    }
    response
}

/// A page without a look at the request.
pub(crate) fn written<P: Page>(page: &P) -> Response {
    match render(page) {
        Ok(rendered) => html(rendered),
        Err(error) => {
            tracing::error!(page = P::NAME, %error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Leads a browser on. After a form this makes a reload harmless.
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    put(&mut response, LOCATION, location);
    put(&mut response, CACHE_CONTROL, CachePolicy::NoStore.header());
    secure(&mut response);
    response
}

/// A file whose address changes with its content.
pub(crate) fn immutable_css(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    put(&mut response, CONTENT_TYPE, "text/css; charset=utf-8");
    put(&mut response, CACHE_CONTROL, crate::assets::IMMUTABLE);
    secure(&mut response);
    response
}

/// Says that the content is packed with gzip.
pub(crate) fn packed(mut response: Response) -> Response {
    put(&mut response, CONTENT_ENCODING, "gzip");
    varied(response)
}

/// Says that others may get the same packed in another way.
pub(crate) fn varied(mut response: Response) -> Response {
    put(&mut response, VARY, "accept-encoding");
    response
}

/// An answer without content, and how long it may be kept.
pub(crate) fn nothing(cache: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    put(&mut response, CACHE_CONTROL, cache);
    secure(&mut response);
    response
}

fn html(rendered: Rendered) -> Response {
    let mut response = rendered.body.into_response();
    *response.status_mut() =
        StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    put(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    put(&mut response, CACHE_CONTROL, rendered.cache_control);
    put(&mut response, CONTENT_SECURITY_POLICY, &rendered.policy);
    put(&mut response, VARY, VARIES_BY);
    if let Some(etag) = &rendered.etag {
        put(&mut response, ETAG, etag);
    }
    secure(&mut response);
    response
}

fn secure(response: &mut Response) {
    for (name, value) in SECURITY_HEADERS {
        put(response, HeaderName::from_static(name), value);
    }
}

/// Every value is ours or was checked to be an address, so none is refused; one that were would be
/// left out.
fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
