//! `GET /v1/admin/trail/{id}`: the money trail of anything that has an id, and of users by the ids
//! that their publishers give them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::AppId;
use engine::{EngineError, Trail, TrailLine};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::explain::ModeParam;
use crate::auth::Reader;
use crate::extract::{Command, Params, Path};
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::Api;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(show_trail))
}

/// Whose id it is.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TrailParams {
    /// The id is the one by which the publisher of this app knows a user.
    #[param(minimum = 1)]
    app_id: Option<u32>,
    /// With `app_id`: whether he is a real user; `live` by default.
    #[param(inline)]
    mode: Option<ModeParam>,
}

/// Everything that happened around an id, oldest first.
#[derive(Serialize, ToSchema)]
struct TrailDoc {
    /// Key of the user whom it belongs to; it has a trail too.
    user_key: String,
    /// What the id named: `click`, `enrollment`, `transaction`, `delivery` or `user`.
    kind: &'static str,
    lines: Vec<TrailLineDoc>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
struct TrailLineDoc {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Place in the journal; 0 for a delivery's state.
    seq: u64,
    /// What sort of thing: `participation`, `refusal`, `event`, `completion`, `inquiry`, `grant`,
    /// `capture`, `reversal` or `delivery`.
    what: &'static str,
    /// The run that it belongs to.
    enrollment_id: Option<String>,
    /// The transaction or delivery that it is about.
    id: Option<String>,
    /// What became of an event; of an inquiry, `answered` or `open`.
    verdict: Option<&'static str>,
    /// Why; a stable code.
    reason: Option<&'static str>,
    /// What happened, in a sentence.
    sentence: String,
    /// The raw event as it came, without secrets; of an inquiry, the user's message.
    raw: Option<String>,
}

/// Show the trail of a click, enrollment, transaction, delivery or user.
///
/// With `app_id` the id is the publisher's own id of a user; without it, any id of ours.
#[utoipa::path(
    get, path = "/v1/admin/trail/{id}", tag = "operator", security(("admin_key" = [])),
    params(
        ("id" = String, Path, description = "The id.", min_length = 1, max_length = 255),
        TrailParams,
    ),
    responses((status = 200, body = TrailDoc)),
)]
async fn show_trail(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Path(id): Path<String>,
    Params(whose): Params<TrailParams>,
) -> Result<Json<TrailDoc>, Problem> {
    let engine = api.engine();
    let trail = match (whose.app_id, whose.mode) {
        (Some(app), mode) => {
            let mode = mode.unwrap_or_default().into();
            engine.trail_of_user(&ctx, AppId(app), mode, &id).await
        }
        (None, None) => engine.trail(&ctx, &id).await,
        (None, Some(_)) => {
            return Err(Params::<()>::bad("mode", "it goes with app_id: ids of ours have a mode"));
        }
    };
    Ok(Json(TrailDoc::from(trail.map_err(unfound)?)))
}

/// An operator sees everything, so he is told what he can look for.
fn unfound(error: EngineError) -> Problem {
    let detail = match error {
        EngineError::NotFound("user") => {
            "No user of this app and mode has this id; mode=test looks among the test users."
        }
        EngineError::NotFound(_) => {
            "Nothing has this id. It can be a click id, the id of an enrollment, a transaction or a \
             delivery, or a user key; with app_id (and mode) it is the publisher's own id of a user."
        }
        error => return error.into(),
    };
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}

impl From<Trail> for TrailDoc {
    fn from(trail: Trail) -> Self {
        Self {
            user_key: trail.user.to_string(),
            kind: trail.kind,
            lines: trail.lines.into_iter().map(TrailLineDoc::from).collect(),
        }
    }
}

impl From<TrailLine> for TrailLineDoc {
    fn from(line: TrailLine) -> Self {
        Self {
            at: rfc3339(line.at),
            seq: line.seq,
            what: line.what,
            enrollment_id: line.enrollment.map(|run| run.to_string()),
            id: line.id,
            verdict: line.verdict.map(|(verdict, _)| verdict),
            reason: line.verdict.map(|(_, reason)| reason),
            sentence: line.sentence,
            raw: line.raw,
        }
    }
}
