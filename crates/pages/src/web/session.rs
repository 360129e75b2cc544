//! Who is looking: the session's token, from the cookie or from the address.
//!
//! A page is opened at `/m/s/<token>`, the address that the publisher's server got. To take the
//! token out of the address bar we set a cookie and look whether it comes back:
//!
//! 1. `/m/s/<token>` sets the cookie and leads to itself with `?c=1`.
//! 2. The cookie has come back: on to `/m`, and the token is in no address any more.
//! 3. It has not: on to `/m/u/<token>`, where every link and form carries the token.
//!
//! The cookie is `SameSite=Lax`, so in another site's frame it is never set nor sent, and the second
//! way is taken there in every browser, whatever it thinks of third-party cookies. The address of a
//! frame is in no address bar, and our pages tell it to nobody (`Referrer-Policy`). WebViews are
//! top-level pages and take the first way. The one redirect more is paid once, when a page is opened.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, RawPathParams, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use engine::Viewer;

use super::Params;
use super::asked::Asked;
use super::fault::Fault;
use super::reply;
use super::shared::Shared;
use crate::paths::{self, Links};

/// Name of the cookie. Its path keeps it from the API.
const COOKIE: &str = "guerdon_session";

/// Somebody with a session.
pub(crate) struct Visitor {
    pub(crate) viewer: Viewer,
    pub(crate) token: String,
    pub(crate) links: Links,
    pub(crate) asked: Asked,
}

impl Visitor {
    /// Whether his pages may be in another site's frame, where an advertiser's page must not open.
    pub(crate) fn may_be_framed(&self) -> bool {
        self.links != Links::default()
    }
}

impl FromRequestParts<Arc<Shared>> for Visitor {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Fault> {
        let asked = match Asked::from_request_parts(parts, shared).await {
            Ok(asked) => asked,
            Err(never) => match never {},
        };
        let in_address = token_in_address(parts, shared).await;
        let links = in_address.as_deref().map(Links::with_token).unwrap_or_default();
        let token =
            in_address.or_else(|| token_in_cookie(&CookieJar::from_headers(&parts.headers)));
        let session = token.as_deref().and_then(|token| shared.engine.session(&asked.ctx, token));
        match (session, token) {
            (Some(session), Some(token)) => {
                Ok(Self { viewer: Viewer::of(&session), token, links, asked })
            }
            _ => Err(Fault::no_session(&asked)),
        }
    }
}

/// Opens the page: see the module's description.
pub(crate) async fn open(
    State(shared): State<Arc<Shared>>,
    asked: Asked,
    Path(token): Path<String>,
    params: Params,
    jar: CookieJar,
) -> Result<Response, Fault> {
    if shared.engine.session(&asked.ctx, &token).is_none() {
        return Err(Fault::no_session(&asked));
    }
    if token_in_cookie(&jar).as_deref() == Some(&token) {
        return Ok(reply::see_other(paths::ROOT));
    }
    if params.get("c").is_some() {
        return Ok(reply::see_other(&Links::with_token(&token).list()));
    }
    let probe = format!("{}?c=1", paths::session_path(&token));
    let cookie = Cookie::build((COOKIE, token))
        .path(paths::ROOT)
        .http_only(true)
        .secure(shared.is_https)
        .same_site(SameSite::Lax);
    Ok((jar.add(cookie), reply::see_other(&probe)).into_response())
}

async fn token_in_address(parts: &mut Parts, shared: &Arc<Shared>) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, shared).await.ok()?;
    params.iter().find(|(name, _)| *name == "token").map(|(_, token)| token.to_owned())
}

fn token_in_cookie(jar: &CookieJar) -> Option<String> {
    jar.get(COOKIE).map(|cookie| cookie.value().to_owned())
}
