//! `GET /v1/missions` and `GET /v1/missions/{id}`: what a user may do, and how far he is.
//!
//! The list is the hot path. It costs one keyed read of the user. Only his own runs are written for a
//! request; what he can start was written once for everybody of his class, from fragments that were
//! written once for the catalogue's revision ([`fragments`]), and is sent from there ([`pieces`]).

mod document;
mod fragments;
mod list;
mod pieces;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ids::MissionId;
use engine::{Ctx, ListTag, ListView};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::around::around_known;
use crate::auth::{Caller, OnBehalf, viewer};
use crate::extract::{Command, Params, Path, UserParams, has_kept, user_params};
use crate::hex::append_hex;
use crate::limits::ClientAddress;
use crate::paging;
use crate::problem::Problem;
use crate::state::Api;

use document::{ListDoc, MissionDetailDoc, write_detail};
pub(crate) use document::{StepDoc, steps_of_run, title};
pub(crate) use fragments::Fragments;
use list::{Page, write_list};
use pieces::Pieces;

/// Missions of a page unless the caller wants another number: more than a user ever scrolls to.
const LIST_DEFAULT: u32 = 200;
/// Most missions of a page; each has about half a kilobyte.
const LIST_MAX: u32 = 500;
/// Room for a tag.
const ETAG_BYTES: usize = 96;
/// Where it is.
const LIST_PATH: &str = "/v1/missions";
/// Name of the list in its cursors; that of the operator's missions is another.
const LIST: &str = "offers";
/// A user's answers are his own and must be asked for again each time.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_missions)).routes(routes!(show_mission))
}

/// Which part of the list is asked for.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Most missions that are not started yet, 1 to 500; 200 by default.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List the missions that a user may see.
#[utoipa::path(
    get, path = "/v1/missions", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(
        OnBehalf,
        ListParams,
        ("If-None-Match" = Option<String>, Header, description = "`ETag` of the list that the caller has."),
    ),
    responses(
        (status = 200, body = ListDoc, headers(("ETag" = String), ("Server-Timing" = String))),
        (
            status = 304, description = "Nothing has changed since that `If-None-Match`.",
            headers(("ETag" = String), ("Server-Timing" = String)),
        ),
    ),
)]
async fn list_missions(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    parts: Parts,
) -> Result<Response, Problem> {
    list(&api, &ctx, &parts).await
}

/// Whether a request is for the list, as almost all are.
pub(crate) fn is_list<B>(request: &Request<B>) -> bool {
    request.method() == Method::GET && request.uri().path() == LIST_PATH
}

/// Answers a request for the list.
pub(crate) async fn answer_list(
    api: &Api,
    parts: &Parts,
    address: Option<ClientAddress>,
) -> Response {
    let answer = async |ctx: &Ctx| list(api, ctx, parts).await.into_response();
    around_known(api, LIST_PATH, &parts.headers, address, answer).await
}

async fn list(api: &Api, ctx: &Ctx, parts: &Parts) -> Result<Response, Problem> {
    let viewer = viewer(api, ctx, parts)?;
    let page = page_of(&user_params(parts.uri.query().unwrap_or_default())?)?;
    let unchanged = parts.headers.contains_key(header::IF_NONE_MATCH).then_some(|tag: ListTag| {
        let etag = etag(&tag, &page);
        has_kept(&parts.headers, &etag).then(|| answer(etag, None))
    });
    let write = |view: &ListView<'_>| {
        let body = write_list(&api.fragments, &viewer, view, &page);
        answer(etag(&view.tag, &page), Some(body))
    };
    Ok(api.engine().list_missions_unless(ctx, &viewer, unchanged, write).await?)
}

/// Show one mission with everything about it.
#[utoipa::path(
    get, path = "/v1/missions/{id}", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(("id" = u32, Path, description = "The mission.", minimum = 0), OnBehalf),
    responses((status = 200, body = MissionDetailDoc)),
)]
async fn show_mission(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Caller(viewer): Caller,
    UserParams(()): UserParams<()>,
    Path(id): Path<u32>,
) -> Result<Response, Problem> {
    let now = ctx.now;
    let written = api.engine().show_mission(&ctx, &viewer, MissionId(id), |view, loaded| {
        write_detail(view, &loaded.state.profile.language, now)
    });
    let body = written.await?;
    let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, PRIVATE)];
    Ok((headers, body).into_response())
}

fn page_of(params: &ListParams) -> Result<Page, Problem> {
    let limit = params.limit.unwrap_or(LIST_DEFAULT);
    if !(1..=LIST_MAX).contains(&limit) {
        return Err(Params::<()>::bad("limit", format!("must be from 1 to {LIST_MAX}")));
    }
    let after = paging::after((paging::CURSOR, params.cursor.as_deref()), LIST)?;
    Ok(Page { limit: limit as usize, after })
}

/// The list's own tag, and the page's, since pages of one list differ.
fn etag(list: &ListTag, page: &Page) -> String {
    let mut text = String::with_capacity(ETAG_BYTES);
    text.push('"');
    let ListTag { revision, version, epoch, bucket, user, unit } = *list;
    for part in [revision, version, epoch, bucket, user] {
        append_hex(part, &mut text);
        text.push('-');
    }
    append_hex(unit.into(), &mut text);
    if page.limit != LIST_DEFAULT as usize || page.after.is_some() {
        for part in [page.limit as u64, page.after.map_or(0, |after| u64::from(after) + 1)] {
            text.push('-');
            append_hex(part, &mut text);
        }
    }
    text.push('"');
    text
}

fn answer(etag: String, body: Option<Pieces>) -> Response {
    let status = if body.is_some() { StatusCode::OK } else { StatusCode::NOT_MODIFIED };
    let is_full = body.is_some();
    let mut response =
        Response::new(body.map_or_else(Body::empty, |body| Body::new(body.into_body())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if is_full {
        headers.insert(header::CONTENT_TYPE, JSON);
    }
    headers.insert(header::CACHE_CONTROL, PRIVATE);
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}
