//! Work that is done again and again, whatever happens to it.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use engine::EngineError;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::metric::Metric;

/// The pause after a first failure.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// The longest pause after failures: a store that returns is found again soon.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Whether some work goes well. The first failure is logged and so is its end; those between are
/// only counted.
pub(crate) struct Mood {
    job: &'static str,
    is_failing: AtomicBool,
}

impl Mood {
    /// The mood of the work of that name.
    pub(crate) fn new(job: &'static str) -> Self {
        Self { job, is_failing: AtomicBool::new(false) }
    }

    /// The work went well.
    pub(crate) fn well(&self) {
        if self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!(job.name = self.job, "background work goes on");
        }
    }

    /// The work failed.
    pub(crate) fn failed(&self, error: &anyhow::Error) {
        metrics::counter!(Metric::JobFailures.name(), "job" => self.job).increment(1);
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                job.name = self.job,
                error = format!("{error:#}"),
                "background work has failed; it is tried again until it succeeds"
            );
        }
    }
}

/// How long to wait after so many failures in a row (1 or more).
pub(crate) fn pause_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    PAUSE_MIN.saturating_mul(1 << doublings).min(PAUSE_MAX)
}

/// Does `work` once; a panic in it is an error.
pub(crate) async fn caught<T>(
    work: impl Future<Output = Result<T, EngineError>>,
) -> anyhow::Result<T> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => Ok(result?),
        Err(_) => Err(anyhow!("it panicked")),
    }
}

/// Does `work` at once and then every `period` until `stop`. Failures are waited out.
pub(crate) async fn every<Work>(
    job: &'static str,
    period: Duration,
    stop: &CancellationToken,
    work: impl Fn() -> Work,
) where
    Work: Future<Output = Result<(), EngineError>>,
{
    let rhythm = Rhythm { job, period, stop };
    rhythm.or_when(std::future::pending::<()>, work).await;
}

/// How often some work is done.
pub(crate) struct Rhythm<'a> {
    pub(crate) job: &'static str,
    /// The rest between two rounds that go well.
    pub(crate) period: Duration,
    pub(crate) stop: &'a CancellationToken,
}

impl Rhythm<'_> {
    /// Does `work` at once and then every period until the stop, and sooner when `wake` ends. Failures
    /// are waited out; nothing wakes from that.
    pub(crate) async fn or_when<Wake, Work>(self, wake: impl Fn() -> Wake, work: impl Fn() -> Work)
    where
        Wake: Future<Output = ()>,
        Work: Future<Output = Result<(), EngineError>>,
    {
        let Self { job, period, stop } = self;
        let mood = Mood::new(job);
        let mut failures = 0;
        while !stop.is_cancelled() {
            let pause = match caught(work()).await {
                Ok(()) => {
                    mood.well();
                    failures = 0;
                    period
                }
                Err(error) => {
                    mood.failed(&error);
                    failures += 1;
                    pause_after(failures).max(period)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                () = wake(), if failures == 0 => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_end() {
        let table = [(1, 100), (2, 200), (3, 400), (6, 3_200), (7, 5_000), (u32::MAX, 5_000)];
        for (failures, millis) in table {
            assert_eq!(pause_after(failures), Duration::from_millis(millis), "{failures}");
        }
    }
}
