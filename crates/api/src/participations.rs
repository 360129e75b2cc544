//! `POST /v1/missions/{id}/participations`: the tap.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::catalog::Landing;
use domain::ids::MissionId;
use domain::verdict::Refusal;
use engine::{Started, TapRefused};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Caller, OnBehalf};
use crate::extract::{Command, OptionalBody, Path, UserParams};
use crate::missions::{StepDoc, steps_of_run};
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::Api;

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(participate))
}

/// A tap carries nothing yet; a body, where there is one, is an empty object.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TapDoc {}

/// A run that the user can go on with.
#[derive(Serialize, ToSchema)]
pub(crate) struct StartedDoc<'a> {
    /// The run; the same again for the same user and mission.
    enrollment_id: String,
    /// The sealed click id, for the advertiser's partner.
    click_id: &'a str,
    /// Where to send the user.
    landing_url: &'a str,
    /// Whether that opens outside the app.
    open: OpenDoc,
    /// Until when steps can be done.
    #[schema(format = DateTime)]
    deadline: String,
    /// The steps with their locked rewards.
    steps: Vec<StepDoc<'a>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OpenDoc {
    ExternalBrowser,
    InApp,
}

/// Start a mission, or go on with it.
#[utoipa::path(
    post, path = "/v1/missions/{id}/participations", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(("id" = u32, Path, description = "The mission.", minimum = 0), OnBehalf),
    request_body = Option<TapDoc>,
    responses(
        (status = 201, body = StartedDoc, description = "The run begins; its terms are locked."),
        (status = 200, body = StartedDoc, description = "The user has started before."),
    ),
)]
async fn participate(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Caller(viewer): Caller,
    place: (UserParams<()>, Path<u32>),
    OptionalBody(TapDoc {}): OptionalBody<TapDoc>,
) -> Result<Response, Problem> {
    let (UserParams(()), Path(id)) = place;
    let answer = api.engine().participate(&ctx, &viewer, MissionId(id)).await?;
    let started = answer.map_err(refused)?;
    let status = if started.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(StartedDoc::of(&started, ctx.now))).into_response())
}

impl<'a> StartedDoc<'a> {
    fn of(started: &'a Started, now: domain::time::Timestamp) -> Self {
        Self {
            enrollment_id: started.run.id.to_string(),
            click_id: &started.click_id,
            landing_url: &started.landing_url,
            open: match started.open {
                Landing::ExternalBrowser => OpenDoc::ExternalBrowser,
                Landing::InApp => OpenDoc::InApp,
            },
            deadline: rfc3339(started.run.deadline),
            steps: steps_of_run(&started.mission, &started.run, &started.language, now),
        }
    }
}

/// A user who does not fit is told apart from a mission that has gone.
fn refused(refused: TapRefused) -> Problem {
    let status = match refused.refusal {
        Refusal::NotEligible | Refusal::Blocked => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::AlreadyDone | Refusal::Exhausted | Refusal::Closed => StatusCode::CONFLICT,
    };
    Problem::new(status, refused.refusal.code(), refused.refusal.sentence())
}
