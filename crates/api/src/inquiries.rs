//! `POST /v1/inquiries`: "I did not get my reward", answered at once from the evidence.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::{EnrollmentId, StepId};
use domain::inquire::Answer;
use engine::Inquiry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Caller, OnBehalf};
use crate::extract::{Body, Command, UserParams};
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::Api;

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(inquire))
}

/// What the user asks about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InquiryDoc {
    /// His run.
    enrollment_id: String,
    /// The step inside it whose reward he misses.
    step_id: u32,
    /// His own words; without control characters other than line ends.
    #[serde(default)]
    #[schema(max_length = 500)]
    message: Option<String>,
}

/// What the evidence says. What does not belong to the answer is `null`.
#[derive(Serialize, ToSchema)]
pub(crate) struct InquiryAnswerDoc {
    /// The run.
    enrollment_id: String,
    /// The step.
    step_id: u32,
    /// `answered`, or `open` where somebody has to look at it.
    status: &'static str,
    /// A stable code: `paid`, `on_hold`, `counting`, `waiting_for_step`, `waiting_for_budget`,
    /// `not_seen_yet`, `not_done`, `too_late`, `did_not_count`, `taken_back` or `needs_support`.
    answer: &'static str,
    /// Why it did not count, or what has to be looked at; a stable code.
    reason: Option<&'static str>,
    /// What was found and what can be done, in plain words.
    sentence: String,
    /// The points that are paid, on hold, owed or taken back.
    points: Option<i64>,
    /// When they were booked; with `too_late`, when the time for the step ended.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// When the hold ends, until when a report may still come, or until when the step can be done.
    #[schema(format = DateTime)]
    until: Option<String>,
    /// How far the step has come.
    progress: Option<InquiryProgressDoc>,
    /// The step that has to be done first.
    needs_step_id: Option<u32>,
}

/// How far a step has come, in its own units: events, days, or micro-units of revenue.
#[derive(Serialize, ToSchema)]
struct InquiryProgressDoc {
    /// What has been counted.
    done: u64,
    /// What one occurrence needs.
    need: u64,
}

/// Ask why a step's reward is missing.
#[utoipa::path(
    post, path = "/v1/inquiries", tag = "end user",
    security(("session" = []), ("app_key" = [])),
    params(OnBehalf),
    request_body = InquiryDoc,
    responses((status = 201, body = InquiryAnswerDoc)),
)]
async fn inquire(
    State(api): State<Arc<Api>>,
    Command(ctx): Command,
    Caller(viewer): Caller,
    UserParams(()): UserParams<()>,
    Body(asked): Body<InquiryDoc>,
) -> Result<(StatusCode, Json<InquiryAnswerDoc>), Problem> {
    let enrollment = EnrollmentId::parse(&asked.enrollment_id);
    let enrollment = enrollment.ok_or_else(|| Problem::not_found("enrollment"))?;
    let step = StepId(asked.step_id);
    let inquiry = Inquiry { enrollment, step, message: asked.message };
    let answer = api.engine().inquire(&ctx, &viewer, inquiry).await?;
    Ok((StatusCode::CREATED, Json(InquiryAnswerDoc::of(enrollment, step, &answer))))
}

impl InquiryAnswerDoc {
    fn of(enrollment: EnrollmentId, step: StepId, answer: &Answer) -> Self {
        Self {
            enrollment_id: enrollment.to_string(),
            step_id: step.0,
            status: answer.finding.status(),
            answer: answer.finding.code(),
            reason: answer.reason.map(|reason| reason.code()),
            sentence: answer.sentence(),
            points: answer.points.map(|points| points.0),
            at: answer.at.map(rfc3339),
            until: answer.until.map(rfc3339),
            progress: answer.progress.map(|(done, need)| InquiryProgressDoc { done, need }),
            needs_step_id: answer.needs.map(|step| step.0),
        }
    }
}
