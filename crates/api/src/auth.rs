//! Who calls: an operator, a publisher's server, or an end user's page.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum_extra::extract::cookie::CookieJar;
use domain::ids::{AppId, Mode, UnitId};
use engine::{Ctx, Engine, Viewer};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::extract::Params;
use crate::problem::Problem;
use crate::state::{AdminKey, Api, Role};

/// The cookie in which the mission page keeps its session.
pub(crate) const SESSION_COOKIE: &str = "guerdon_session";

/// An operator who may read.
pub(crate) struct Reader;

/// An operator who may edit the catalogue.
pub(crate) struct Editor(pub(crate) AdminKey);

/// An operator who may help users: audiences, deliveries.
pub(crate) struct Supporter;

/// A publisher's server.
pub(crate) struct AppCaller {
    pub(crate) app: AppId,
    pub(crate) mode: Mode,
}

/// A user: his page by its session, or his publisher's server on his behalf.
pub(crate) struct Caller(pub(crate) Viewer);

/// How a publisher's server says for whom it asks. With a session token neither is sent.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OnBehalf {
    /// With an app key: the publisher's own id of the user.
    #[param(max_length = 255)]
    pub(crate) user_id: Option<String>,
    /// With an app key: the placement.
    pub(crate) unit_id: Option<u32>,
}

impl FromRequestParts<Arc<Api>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        operator(parts, api).map(|_| Self)
    }
}

impl FromRequestParts<Arc<Api>> for Editor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let key = operator(parts, api)?;
        match key.role {
            Role::Admin | Role::AdOps => Ok(Self(key)),
            Role::Finance | Role::Support | Role::ReadOnly => Err(forbidden("admin or ad_ops")),
        }
    }
}

impl FromRequestParts<Arc<Api>> for Supporter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        match operator(parts, api)?.role {
            Role::Admin | Role::Support | Role::AdOps => Ok(Self),
            Role::Finance | Role::ReadOnly => Err(forbidden("admin, ad_ops or support")),
        }
    }
}

impl FromRequestParts<Arc<Api>> for AppCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let key = bearer(&parts.headers)
            .ok_or_else(|| Problem::unauthenticated("Send the app key: Authorization: Bearer …"))?;
        app_of_key(api.engine(), key)
            .ok_or_else(|| Problem::unauthenticated("This app key is not known; check it."))
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        viewer(api, &Ctx::at(api.now()), parts).map(Self)
    }
}

/// Whose missions a request is about.
pub(crate) fn viewer(api: &Api, ctx: &Ctx, parts: &Parts) -> Result<Viewer, Problem> {
    let engine = api.engine();
    let on_behalf = OnBehalf::read(parts.uri.query().unwrap_or_default())?;
    let token = match bearer(&parts.headers) {
        Some(token) => Cow::Borrowed(token),
        None => Cow::Owned(cookie(parts, &api.given.public_url)?),
    };
    if let Some(session) = engine.session(ctx, &token) {
        return Ok(Viewer::of(&session));
    }
    let app = app_of_key(engine, &token).ok_or_else(Problem::no_session)?;
    let (user_id, unit_id) = on_behalf.required()?;
    Ok(engine.viewer(app.app, app.mode, UnitId(unit_id), &user_id)?)
}

impl OnBehalf {
    fn read(query: &str) -> Result<Self, Problem> {
        let mut found = Self { user_id: None, unit_id: None };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let is_repeated = match name.as_ref() {
                "user_id" => found.user_id.replace(value.into_owned()).is_some(),
                "unit_id" => {
                    let number = value.parse();
                    let number =
                        number.map_err(|_| Params::<()>::bad("unit_id", "is no number"))?;
                    found.unit_id.replace(number).is_some()
                }
                _ => false,
            };
            if is_repeated {
                return Err(Params::<()>::bad(&name, "is given twice"));
            }
        }
        Ok(found)
    }

    fn required(self) -> Result<(String, u32), Problem> {
        let missing = |name| Params::<()>::bad(name, "is needed with an app key");
        let user_id = self.user_id.ok_or_else(|| missing("user_id"))?;
        Ok((user_id, self.unit_id.ok_or_else(|| missing("unit_id"))?))
    }
}

fn operator(parts: &Parts, api: &Api) -> Result<AdminKey, Problem> {
    let key = bearer(&parts.headers)
        .ok_or_else(|| Problem::unauthenticated("Send the admin key: Authorization: Bearer …"))?;
    let known = api.admin(key).cloned();
    known.ok_or_else(|| Problem::unauthenticated("This admin key is not known; check it."))
}

fn forbidden(roles: &str) -> Problem {
    let detail = format!("This needs a key with the role {roles}.");
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

fn app_of_key(engine: &Engine, key: &str) -> Option<AppCaller> {
    engine.app_of_key(key).map(|(app, mode)| AppCaller { app, mode })
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session of the page's cookie. Something is changed only for a request that our own page made:
/// a foreign page can have the cookie sent, but not the headers that tell where it stands.
fn cookie(parts: &Parts, public_url: &str) -> Result<String, Problem> {
    let jar = CookieJar::from_headers(&parts.headers);
    let detail = "Send the session token: Authorization: Bearer …";
    let token = jar.get(SESSION_COOKIE).ok_or_else(|| Problem::unauthenticated(detail))?;
    let is_safe = matches!(parts.method, Method::GET | Method::HEAD);
    if is_safe || is_same_origin(&parts.headers, public_url) {
        return Ok(token.value().to_owned());
    }
    let detail = "A page of another origin may not do this with the session's cookie.";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail))
}

fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match said("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => said("origin") == Some(public_url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_once() {
        let read = |query| OnBehalf::read(query).and_then(OnBehalf::required).ok();
        assert_eq!(read("user_id=a%20b&unit_id=7&limit=1"), Some(("a b".to_owned(), 7)));
        for query in
            ["", "user_id=a", "unit_id=7", "user_id=a&unit_id=x", "user_id=a&user_id=b&unit_id=7"]
        {
            assert_eq!(read(query), None, "{query}");
        }
    }

    #[test]
    fn the_bearer_scheme_is_required() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(read("bearer abc ").as_deref(), Some("abc"));
        assert_eq!(read("Basic abc"), None);
        assert_eq!(read("abc"), None);
    }
}
