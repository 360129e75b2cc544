//! Repetitions, and the growing random pauses between them.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::Trouble;

/// How long a request is repeated, so that a caller is told within the time that he waits.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
/// The first pause before a repetition, at most; each is up to twice as long as the one before.
const PAUSE_FIRST: Duration = Duration::from_millis(10);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(320);

/// Attempts until it succeeds, or cannot, or the time is up.
pub(super) async fn repeated<T, F>(
    is_idempotent: bool,
    mut once: impl FnMut() -> F,
) -> Result<T, Trouble>
where
    F: Future<Output = Result<T, Trouble>>,
{
    let mut pauses = Pauses::begin();
    loop {
        match once().await {
            Ok(done) => return Ok(done),
            Err(trouble) if trouble.is_worth_repeating(is_idempotent) => {
                pauses.pause_or(|| trouble).await?;
            }
            Err(trouble) => return Err(trouble),
        }
    }
}

/// Growing pauses between repetitions, each of random length so that nodes that met once do not meet
/// again, until the time of an operation is up.
#[derive(Debug)]
pub(crate) struct Pauses {
    until: Instant,
    next: Duration,
}

impl Pauses {
    /// The time of the operation begins.
    pub(crate) fn begin() -> Self {
        Self { until: Instant::now() + OPERATION_TIMEOUT, next: PAUSE_FIRST }
    }

    /// Pauses, or fails if there is no time left for another attempt.
    pub(crate) async fn pause_or<E>(&mut self, failure: impl FnOnce() -> E) -> Result<(), E> {
        let pause = self.next.mul_f64(random_share());
        if Instant::now() + pause >= self.until {
            return Err(failure());
        }
        sleep(pause).await;
        self.next = (self.next * 2).min(PAUSE_MAX);
        Ok(())
    }
}

/// From 0 to 1. It spreads attempts and keeps no secret, so the seeds of hash maps will do.
pub(crate) fn random_share() -> f64 {
    random() as f64 / u64::MAX as f64
}

/// A number that no other process has, for what must be told apart and not be kept secret.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
