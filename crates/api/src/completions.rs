//! `POST /v1/missions/{id}/steps/{step_id}/completions`: steps that we verify ourselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::catalog::Rule;
use domain::complete::{Completion, Evidence};
use domain::ids::{MissionId, StepId};
use engine::CompletionAnswer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Caller, OnBehalf};
use crate::extract::{Command, OptionalBody, Path, UserParams};
use crate::problem::{FieldProblem, Problem};
use crate::state::Api;

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(complete_step))
}

/// What the user shows. A visit and a check-in need nothing: being there is enough. A visit is
/// reported twice, at its beginning and when it has lasted long enough.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CompletionDoc {
    /// For a quiz: the place of the chosen answer, from 0.
    #[schema(maximum = 255)]
    answer: Option<u8>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CompletedDoc {
    /// `rewarded`, `pending`, `duplicate`, `parked`, `ignored` or `rejected`.
    verdict: &'static str,
    /// Why; a stable code.
    reason: &'static str,
    /// What happened and what can be done, in a sentence.
    sentence: &'static str,
    /// The reward.
    transaction_id: Option<String>,
    /// For a visit: how many seconds it still has to last.
    wait_seconds: Option<u32>,
    /// For a quiz: attempts that are left.
    attempts_left: Option<u8>,
}

/// Complete a step that is verified here.
#[utoipa::path(
    post, path = "/v1/missions/{id}/steps/{step_id}/completions", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(
        ("id" = u32, Path, description = "The mission.", minimum = 0),
        ("step_id" = u32, Path, description = "The step inside it.", minimum = 0),
        OnBehalf,
    ),
    request_body = Option<CompletionDoc>,
    responses((status = 200, body = CompletedDoc)),
)]
async fn complete_step(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Caller(viewer): Caller,
    place: (UserParams<()>, Path<(u32, u32)>),
    OptionalBody(shown): OptionalBody<CompletionDoc>,
) -> Result<Json<CompletedDoc>, Problem> {
    let (UserParams(()), Path((mission, step))) = place;
    let (mission, step) = (MissionId(mission), StepId(step));
    let evidence = evidence(&api, mission, step, shown.answer)?;
    let wish = Completion { mission, step, evidence };
    let answer = api.engine().complete_step(&ctx, &viewer, wish).await?;
    Ok(Json(CompletedDoc::from(answer)))
}

/// What has to be shown is the same in all versions of a step, so the latest tells.
fn evidence(
    api: &Api,
    mission: MissionId,
    step: StepId,
    answer: Option<u8>,
) -> Result<Evidence, Problem> {
    let snapshot = api.engine().snapshot();
    let versions = &snapshot.catalog().mission_versions;
    let mut versions = versions.range((mission, 0)..=(mission, u32::MAX)).rev();
    let step = versions.find_map(|(_, mission)| mission.step(step));
    let wrong = |message: &str| {
        let errors = vec![FieldProblem::new("answer", message)];
        Problem::invalid("invalid_field", "The completion does not fit the step.")
            .with_errors(errors)
    };
    match (step.map(|step| &step.rule), answer) {
        (None, _) => Err(Problem::not_found("step")),
        (Some(Rule::Quiz { .. }), Some(answer)) => Ok(Evidence::Quiz(answer)),
        (Some(Rule::Quiz { .. }), None) => Err(wrong("is needed: the place of the choice, from 0")),
        (Some(_), Some(_)) => Err(wrong("is only for a quiz")),
        (Some(Rule::CheckIn), None) => Ok(Evidence::CheckIn),
        (Some(Rule::Visit { .. } | Rule::Event { .. }), None) => Ok(Evidence::Visit),
    }
}

impl From<CompletionAnswer> for CompletedDoc {
    fn from(answer: CompletionAnswer) -> Self {
        Self {
            verdict: answer.verdict.name(),
            reason: answer.reason.code(),
            sentence: answer.reason.sentence(),
            transaction_id: answer.transaction.map(|id| id.to_string()),
            wait_seconds: answer.wait_seconds,
            attempts_left: answer.attempts_left,
        }
    }
}
