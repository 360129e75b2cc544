//! `/v1/admin/verify`: whether the books are right, and when that was last checked.
//!
//! One verification runs at a time; whoever asks meanwhile waits for it and gets its result, if it
//! began after he asked.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use domain::time::Timestamp;
use engine::Ctx;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Reader;
use crate::extract::{Command, Params};
use crate::problem::Problem;
use crate::stamp::rfc3339;
use crate::state::{Api, Verified};

pub(super) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(last_verification, verify_now))
}

/// What a verification found.
#[derive(Serialize, ToSchema)]
struct VerifiedDoc {
    /// When it began.
    #[schema(format = DateTime)]
    checked_at: String,
    /// How long it took, in milliseconds.
    duration_ms: u64,
    /// Whether every invariant holds.
    sound: bool,
    /// Records of the journal that were read.
    records: u64,
    /// Entries of the books that were added up.
    entries: u64,
    /// Users whose state was derived anew.
    users: u64,
    /// Deliveries that were compared with the journal.
    deliveries: u64,
    /// What does not hold.
    findings: Vec<FindingDoc>,
    /// Findings beyond those that are listed.
    unlisted: u64,
}

/// One thing that does not hold.
#[derive(Serialize, ToSchema)]
struct FindingDoc {
    /// The invariant, such as `M6`.
    invariant: String,
    /// What it is about.
    subject: String,
    /// What was found.
    detail: String,
}

/// Show the latest verification; the first one is made for the asking.
#[utoipa::path(
    get, path = "/v1/admin/verify", tag = "operator", security(("admin_key" = [])),
    responses((status = 200, body = VerifiedDoc)),
)]
async fn last_verification(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Params(()): Params<()>,
) -> Result<Json<VerifiedDoc>, Problem> {
    verified_since(&api, ctx, Timestamp(i64::MIN)).await.map(Json)
}

/// Verify the books now.
#[utoipa::path(
    post, path = "/v1/admin/verify", tag = "operator", security(("admin_key" = [])),
    responses((status = 200, body = VerifiedDoc)),
)]
async fn verify_now(
    State(api): State<Arc<Api>>,
    _: Reader,
    Command(ctx): Command,
    Params(()): Params<()>,
) -> Result<Json<VerifiedDoc>, Problem> {
    let now = ctx.now;
    verified_since(&api, ctx, now).await.map(Json)
}

/// The latest verification if it began after that moment, or else a new one.
async fn verified_since(
    api: &Api,
    ctx: Arc<Ctx>,
    moment: Timestamp,
) -> Result<VerifiedDoc, Problem> {
    let mut latest = api.verified.lock().await;
    if let Some(verified) = latest.as_ref().filter(|one| one.at > moment) {
        return Ok(VerifiedDoc::of(verified));
    }
    let (at, begun) = (api.now(), Instant::now());
    let report = (api.given.verify)(ctx).await.map_err(Problem::unavailable)?;
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(VerifiedDoc::of(latest.insert(Verified { at, duration_ms, report })))
}

impl VerifiedDoc {
    fn of(verified: &Verified) -> Self {
        let report = &verified.report;
        let findings = report.findings.iter().map(|finding| FindingDoc {
            invariant: finding.invariant.to_owned(),
            subject: finding.subject.clone(),
            detail: finding.detail.clone(),
        });
        Self {
            checked_at: rfc3339(verified.at),
            duration_ms: verified.duration_ms,
            sound: report.findings.is_empty(),
            records: report.records,
            entries: report.entries_checked,
            users: report.users,
            deliveries: report.deliveries,
            findings: findings.collect(),
            unlisted: report.unlisted,
        }
    }
}
