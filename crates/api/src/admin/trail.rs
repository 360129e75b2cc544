//! `GET /v1/admin/trail/{id}`: the money trail of anything that has an id.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use engine::{Trail, TrailLine};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Reader;
use crate::extract::{Command, Params, Path};
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::Api;

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(show_trail))
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

/// Show the trail of a click, enrollment, transaction, delivery or user key.
#[utoipa::path(
    get, path = "/v1/admin/trail/{id}", tag = "operator", security(("admin_key" = [])),
    params(("id" = String, Path, description = "The id.", min_length = 1, max_length = 128)),
    responses((status = 200, body = TrailDoc)),
)]
async fn show_trail(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Path(id): Path<String>,
    Params(()): Params<()>,
) -> Result<Json<TrailDoc>, Problem> {
    Ok(Json(TrailDoc::from(api.engine().trail(&ctx, &id).await?)))
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
