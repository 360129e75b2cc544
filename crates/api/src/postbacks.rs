//! `GET|POST /v1/postbacks/{partner_token}`: conversions, as partners send them.
//!
//! Partners repeat what is not answered with 2xx, so whatever is well-formed gets 200 and its verdict,
//! also when it earns nothing. 404 is for an unknown token, 401 for a bad signature, 503 with
//! `Retry-After` for an event of which nothing was recorded.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use domain::ids::bearer_digest;
use domain::recipe::read::Fields;
use engine::{ConversionAnswer, ConversionError, Postback};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::extract::{BODY_MAX, Command, Path, is_json, media_type, read_body};
use crate::problem::{Problem, wrong_method};
use crate::state::Api;
use crate::strict_json::Flat;

/// Most fields of a postback; the richest partner's macros are about sixty.
const FIELDS_MAX: usize = 500;

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(receive_by_get)).routes(routes!(receive_by_post))
}

/// What became of a postback.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerdictDoc {
    /// `rewarded`, `pending`, `duplicate`, `parked`, `ignored` or `rejected`.
    verdict: &'static str,
    /// Why; a stable code.
    reason: &'static str,
    /// The reward that it booked, now or when it first came.
    transaction_id: Option<String>,
}

/// Receive a conversion as a query.
#[utoipa::path(
    get, path = "/v1/postbacks/{partner_token}", tag = "partner",
    params(("partner_token" = String, Path, description = "The connection's secret.")),
    responses((status = 200, body = VerdictDoc)),
)]
async fn receive_by_get(
    state: State<Arc<Api>>,
    command: Command,
    token: Path<String>,
    request: Request,
) -> Result<Json<VerdictDoc>, Problem> {
    receive(state, command, token, request).await
}

/// Receive a conversion as a form or JSON; the recipe names the fields.
#[utoipa::path(
    post, path = "/v1/postbacks/{partner_token}", tag = "partner",
    params(("partner_token" = String, Path, description = "The connection's secret.")),
    request_body(content(
        (serde_json::Value = "application/json"),
        (String = "application/x-www-form-urlencoded"),
    )),
    responses((status = 200, body = VerdictDoc)),
)]
async fn receive_by_post(
    state: State<Arc<Api>>,
    command: Command,
    token: Path<String>,
    request: Request,
) -> Result<Json<VerdictDoc>, Problem> {
    receive(state, command, token, request).await
}

async fn receive(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Path(token): Path<String>,
    request: Request,
) -> Result<Json<VerdictDoc>, Problem> {
    if request.method() == Method::HEAD {
        return Err(wrong_method().await);
    }
    let takes_query = takes_query(&api, &token)?;
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = read_body(request, BODY_MAX).await?;
    let query = if takes_query || method == Method::GET { query.as_str() } else { "" };
    let fields = fields(query, &headers, &body)?;
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let postback = Postback { token: &token, fields: &fields, header: &header, body: &body };
    let answer = api.engine().receive_conversion(&ctx, &postback).await.map_err(refused)?;
    Ok(Json(VerdictDoc::from(answer)))
}

/// Whether fields of the query count beside those of a body. Nothing is read for a token that is
/// not known.
fn takes_query(api: &Api, token: &str) -> Result<bool, Problem> {
    let snapshot = api.engine().snapshot();
    let partner = snapshot.partner_by_token(&bearer_digest(token));
    partner.map(|partner| partner.recipe.takes_query()).ok_or_else(unknown_partner)
}

fn fields(query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Fields, Problem> {
    let mut pairs = decoded(query.as_bytes());
    if !body.is_empty() {
        let is_form =
            media_type(headers).is_none_or(|kind| kind == "application/x-www-form-urlencoded");
        if is_json(headers) {
            let Flat(found) = serde_json::from_slice(body).map_err(|error| {
                Problem::bad_request("bad_json", format!("The body is not JSON: {error}."))
            })?;
            pairs.extend(found);
        } else if is_form {
            pairs.extend(decoded(body));
        } else {
            let detail = "Send the body as application/json or application/x-www-form-urlencoded.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "unsupported_media_type", detail));
        }
    }
    if pairs.len() > FIELDS_MAX {
        let detail = format!("A postback has at most {FIELDS_MAX} fields.");
        return Err(Problem::bad_request("too_many_fields", detail));
    }
    Ok(Fields::new(pairs))
}

/// Names and values, percent-decoded once. Bytes that are not UTF-8 become replacement characters,
/// so the field is kept and does not match anything.
fn decoded(bytes: &[u8]) -> Vec<(String, String)> {
    let pairs = url::form_urlencoded::parse(bytes).take(FIELDS_MAX + 1);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn unknown_partner() -> Problem {
    let detail = "No partner connection has this token; check the last part of the address.";
    Problem::new(StatusCode::NOT_FOUND, "unknown_partner", detail)
}

fn refused(error: ConversionError) -> Problem {
    match error {
        ConversionError::UnknownPartner => unknown_partner(),
        ConversionError::BadSignature => {
            let detail = "The postback's signature is missing or wrong; nothing was booked.";
            Problem::new(StatusCode::UNAUTHORIZED, "bad_signature", detail)
        }
        ConversionError::Engine(error) => error.into(),
    }
}

impl From<ConversionAnswer> for VerdictDoc {
    fn from(answer: ConversionAnswer) -> Self {
        Self {
            verdict: answer.verdict.name(),
            reason: answer.reason.code(),
            transaction_id: answer.transaction.map(|id| id.to_string()),
        }
    }
}
