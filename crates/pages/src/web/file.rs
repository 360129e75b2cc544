//! Stylesheets.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::reply;
use crate::assets;
use crate::theme::Theme;

/// The stylesheet of this release.
pub(crate) async fn stylesheet(Path(name): Path<String>) -> Response {
    match assets::find(&name) {
        Some(asset) => reply::immutable_css(asset.body.clone()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Browsers ask every server for an icon; ours has none, and says so for a long time.
pub(crate) async fn no_icon() -> Response {
    reply::nothing(assets::NO_ICON)
}

/// A publisher's look. Its name says all of it, so nobody has to be asked.
pub(crate) async fn theme(Path(name): Path<String>) -> Response {
    match Theme::from_name(&name) {
        Some(theme) => reply::immutable_css(theme.css()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
