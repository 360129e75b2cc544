//! One attempt to tell a publisher's server of one reward, and its settlement.
//!
//! | step | store calls |
//! |---|---|
//! | settle the attempt | 1 |
//!
//! The endpoint is the one that the catalogue names at this moment, so an operator who mends it mends
//! every delivery that waits. Nothing of a message, an address or a user is logged.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use domain::dialect::{Dialect, Method};
use domain::snapshot::Snapshot;
use domain::time::Timestamp;
use engine::{
    AttemptNote, AttemptOutcome, Claimed, Delivery, Endpoint, Finished, SecretOwner, Settled,
    Settlement,
};
use futures_util::FutureExt;

use crate::metric::Metric;
use crate::outbound::{Attempt, Outcome, Prepared, RenderError, Secrets, Why, render};
use crate::schedule::pause_after;
use crate::worker::Shared;

/// How often settling is tried before the attempt is left to its lease, about eleven seconds in all:
/// a settlement that is lost costs the publisher a second call.
const SETTLE_TRIES_MAX: u32 = 8;

/// An attempt that is over.
pub(crate) struct Done {
    /// Whom it called.
    pub(crate) endpoint: Endpoint,
    /// Whether it was called and did not answer.
    pub(crate) is_silent: bool,
}

/// Makes one attempt and settles it. A panic on the way is an attempt that failed, so a delivery
/// that breaks Guerdon is set aside after as many attempts as any other (O2).
pub(crate) async fn deliver(shared: Arc<Shared>, claimed: Claimed) -> Done {
    let endpoint = claimed.delivery.endpoint;
    let snapshot = shared.engine.snapshot();
    let tried = AssertUnwindSafe(attempt(&shared, &snapshot, &claimed)).catch_unwind().await;
    let tried = tried.unwrap_or_else(|_| Tried::broken(shared.now()));
    let is_silent = why(&tried.attempt).is_some_and(Why::is_silence);
    let fallback = Dialect::new("none", Method::Post);
    let dialect = snapshot
        .catalog()
        .apps
        .get(&endpoint.app)
        .and_then(|app| app.endpoint(endpoint.mode))
        .map_or(&fallback, |named| &named.dialect);
    settle(&shared, dialect, claimed, tried).await;
    Done { endpoint, is_silent }
}

/// An attempt as it is settled.
struct Tried {
    at: Timestamp,
    attempt: Attempt,
    jitter: u16,
}

impl Tried {
    fn broken(at: Timestamp) -> Self {
        Self { at, attempt: Attempt::failed(Why::Panicked, 0, None), jitter: 0 }
    }
}

async fn attempt(shared: &Shared, snapshot: &Snapshot, claimed: &Claimed) -> Tried {
    let jitter = (shared.jitter)();
    let at = shared.now();
    measure_wait(&claimed.delivery, at);
    let attempt = match prepare(shared, snapshot, &claimed.delivery, at) {
        Ok(Some(prepared)) => shared.sender.attempt(&prepared, at).await,
        Ok(None) => Attempt::failed(Why::NoEndpoint, 0, None),
        Err(error) => Attempt::from(error),
    };
    Tried { at, attempt, jitter }
}

/// The request; `None` if the app is gone or has no endpoint for this mode.
fn prepare(
    shared: &Shared,
    snapshot: &Snapshot,
    delivery: &Delivery,
    at: Timestamp,
) -> Result<Option<Prepared>, RenderError> {
    let app = snapshot.catalog().apps.get(&delivery.endpoint.app);
    let endpoint = app.and_then(|app| app.endpoint(delivery.endpoint.mode));
    let Some(endpoint) = endpoint else { return Ok(None) };
    let owner = SecretOwner::App(delivery.endpoint.app, delivery.endpoint.mode);
    let secrets = Secrets::open(endpoint, owner, shared.engine.vault())?;
    render(endpoint, &secrets, &delivery.message, at).map(Some)
}

/// The first attempt says how long a reward has waited to be told; a replay has had one.
fn measure_wait(delivery: &Delivery, at: Timestamp) {
    if delivery.last.is_none() {
        let waited = at.since(delivery.message.booked_at).max(0);
        metrics::histogram!(Metric::FirstAttempt.name()).record(seconds(waited as f64));
    }
}

/// Settles; while the store fails it is tried again under the same lease.
async fn settle(shared: &Shared, dialect: &Dialect, claimed: Claimed, tried: Tried) {
    let finished = finished(claimed, &tried);
    for failures in 1..=SETTLE_TRIES_MAX {
        let settling =
            shared.engine.finish_delivery(&shared.ctx(), dialect, finished.clone()).await;
        match settling {
            Ok((settlement, settled)) => {
                shared.settling.well();
                let outcome = match settled {
                    Settled::Done => name_of(&settlement),
                    Settled::Fenced => "fenced",
                };
                return report(&finished, &tried.attempt, outcome);
            }
            Err(error) => shared.settling.failed(&error.into()),
        }
        tokio::time::sleep(pause_after(failures)).await;
    }
    report(&finished, &tried.attempt, "unsettled");
}

fn finished(claimed: Claimed, tried: &Tried) -> Finished {
    let attempt = &tried.attempt;
    let outcome = match attempt.outcome {
        Outcome::Delivered => AttemptOutcome::Delivered,
        Outcome::Retry { after_s, .. } => AttemptOutcome::Retry { after_seconds: after_s },
        Outcome::Stop { .. } => AttemptOutcome::Stop,
    };
    let note = AttemptNote {
        at: tried.at,
        status: attempt.status,
        note: attempt.note(),
        duration_ms: attempt.duration_ms,
    };
    Finished { claimed, outcome, note, jitter: tried.jitter }
}

fn name_of(settlement: &Settlement) -> &'static str {
    match settlement {
        Settlement::Delivered => "delivered",
        Settlement::RetryAt(_) => "retrying",
        Settlement::Stopped => "stopped",
        Settlement::Parked => "parked",
    }
}

/// Counts the attempt and logs it: quietly, unless the delivery has ended untold.
fn report(finished: &Finished, attempt: &Attempt, outcome: &'static str) {
    let reason = why(attempt).map_or("ok", Why::code);
    let duration = seconds(attempt.duration_ms.into());
    metrics::counter!(Metric::Attempts.name(), "outcome" => outcome, "reason" => reason)
        .increment(1);
    metrics::histogram!(Metric::AttemptTime.name()).record(duration);
    let delivery = &finished.claimed.delivery;
    macro_rules! log {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                delivery.id = %delivery.message.id,
                app.id = delivery.endpoint.app.0,
                mode = delivery.endpoint.mode.name(),
                attempt = delivery.attempts + 1,
                status = attempt.status,
                duration_ms = attempt.duration_ms,
                reason,
                outcome,
                $message
            )
        };
    }
    match outcome {
        "stopped" | "parked" => log!(warn, "a reward could not be told to its publisher"),
        _ => log!(debug, "an attempt to tell a reward is over"),
    }
}

fn why(attempt: &Attempt) -> Option<&Why> {
    match &attempt.outcome {
        Outcome::Delivered => None,
        Outcome::Retry { why, .. } | Outcome::Stop { why } => Some(why),
    }
}

fn seconds(millis: f64) -> f64 {
    millis / 1_000.0
}
