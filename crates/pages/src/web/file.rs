//! Stylesheets.

use axum::extract::Path;
use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::reply;
use crate::assets;
use crate::theme::Theme;

/// The stylesheet of this release, packed for whoever can unpack it.
pub(crate) async fn stylesheet(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match assets::find(&name) {
        Some(asset) if takes_gzip(&headers) => {
            reply::packed(reply::immutable_css(asset.gzip.as_slice()))
        }
        Some(asset) => reply::varied(reply::immutable_css(asset.body.as_str())),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Whether a browser says that it can unpack gzip, and does not weigh that with zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight: f32| weight > 0.0)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_who_can_unpack_it() {
        for (line, expected) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=nonsense", false),
            ("br", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, line.parse().unwrap())]);
            assert_eq!(takes_gzip(&headers), expected, "{line}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn the_stylesheet_goes_out_packed() {
        let name = assets::stylesheet().name.clone();
        for (accepted, encoding) in [("gzip", Some("gzip")), ("br", None)] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, accepted.parse().unwrap())]);
            let response = stylesheet(Path(name.clone()), headers).await;
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(header("content-encoding"), encoding);
            assert_eq!(header("vary"), Some("accept-encoding"));
            assert_eq!(header("content-type"), Some("text/css; charset=utf-8"));
        }
    }
}
