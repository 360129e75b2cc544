//! `GET /v1/enrollments` and `GET /v1/enrollments/{id}`: a user's runs, and one with its timeline.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::ids::EnrollmentId;
use domain::time::Timestamp;
use domain::view;
use engine::{RunLine, TrailLine};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Caller, OnBehalf};
use crate::extract::{Command, Path, UserParams};
use crate::missions::{StepDoc, steps_of_run, title};
use crate::paging::{self, PageParams};
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::Api;

/// Name of the list in its cursors.
const LIST: &str = "enrollments";

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list_enrollments)).routes(routes!(show_enrollment))
}

/// A page of runs, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrollmentsDoc<'a> {
    enrollments: Vec<EnrollmentDoc<'a>>,
    /// Gives the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// One user's one run of one mission.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrollmentDoc<'a> {
    /// Its id.
    id: String,
    /// The mission.
    mission_id: u32,
    /// The version whose terms are locked.
    mission_version: u32,
    /// The mission's name.
    title: &'a str,
    /// `started`, `in_progress`, `completed`, `expired`, `closed` or `voided`.
    state: &'static str,
    /// When it began.
    #[schema(format = DateTime)]
    started_at: String,
    /// Until when steps can be done.
    #[schema(format = DateTime)]
    deadline: String,
    /// Points of it that have reached the wallet and were not taken back; those on hold have not.
    earned: i64,
    /// Its steps by position.
    steps: Vec<StepDoc<'a>>,
}

/// A run with everything that happened in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct EnrollmentDetailDoc<'a> {
    #[serde(flatten)]
    enrollment: EnrollmentDoc<'a>,
    /// What happened, oldest first.
    timeline: Vec<HappeningDoc<'a>>,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct HappeningDoc<'a> {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What sort of thing: `participation`, `refusal`, `event`, `completion`, `inquiry`, `grant`,
    /// `capture`, `reversal`.
    what: &'static str,
    /// The transaction.
    id: Option<&'a str>,
    /// What became of an event; of an inquiry, `answered` or `open`.
    verdict: Option<&'static str>,
    /// Why; a stable code.
    reason: Option<&'static str>,
    /// What happened, in a sentence.
    sentence: &'a str,
}

/// List a user's runs.
#[utoipa::path(
    get, path = "/v1/enrollments", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(OnBehalf, PageParams),
    responses((status = 200, body = EnrollmentsDoc)),
)]
async fn list_enrollments(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Caller(viewer): Caller,
    UserParams(page): UserParams<PageParams>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after(LIST)?.unwrap_or(0));
    let (lines, loaded) = api.engine().list_enrollments(&ctx, &viewer, after, limit).await?;
    let language = loaded.state.profile.language.as_str();
    let end = after + limit;
    let has_more = end < loaded.state.enrollments.len();
    let document = EnrollmentsDoc {
        enrollments: lines.iter().map(|line| EnrollmentDoc::of(line, language, ctx.now)).collect(),
        next_cursor: has_more.then(|| paging::cursor(LIST, end)),
    };
    Ok(Json(document).into_response())
}

/// Show one of a user's runs with its timeline.
#[utoipa::path(
    get, path = "/v1/enrollments/{id}", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(("id" = String, Path, description = "The run."), OnBehalf),
    responses((status = 200, body = EnrollmentDetailDoc)),
)]
async fn show_enrollment(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Caller(viewer): Caller,
    UserParams(()): UserParams<()>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = EnrollmentId::parse(&id).ok_or_else(|| Problem::not_found("enrollment"))?;
    let (line, loaded, timeline) = api.engine().show_enrollment(&ctx, &viewer, id).await?;
    let language = loaded.state.profile.language.as_str();
    let document = EnrollmentDetailDoc {
        enrollment: EnrollmentDoc::of(&line, language, ctx.now),
        timeline: timeline.iter().map(HappeningDoc::of).collect(),
    };
    Ok(Json(document).into_response())
}

impl<'a> EnrollmentDoc<'a> {
    fn of(line: &'a RunLine, language: &str, now: Timestamp) -> Self {
        let RunLine { run, mission } = line;
        Self {
            id: run.id.to_string(),
            mission_id: run.mission.0,
            mission_version: run.version,
            title: title(mission, language),
            state: view::run_state(run, now).name(),
            started_at: rfc3339(run.started_at),
            deadline: rfc3339(run.deadline),
            earned: run.earned().0,
            steps: steps_of_run(mission, run, language, now),
        }
    }
}

impl<'a> HappeningDoc<'a> {
    fn of(line: &'a TrailLine) -> Self {
        Self {
            at: rfc3339(line.at),
            what: line.what,
            id: line.id.as_deref(),
            verdict: line.verdict.map(|(verdict, _)| verdict),
            reason: line.verdict.map(|(_, reason)| reason),
            sentence: &line.sentence,
        }
    }
}
