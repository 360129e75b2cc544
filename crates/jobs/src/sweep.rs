//! Holds and deadlines: what time alone does to users.
//!
//! | step | store calls |
//! |---|---|
//! | [`engine::Engine::sweep`] on a batch of users who are due | 1 + 2 for each |

use std::sync::Arc;

use engine::EngineError;
use tokio_util::sync::CancellationToken;

use crate::metric::Metric;
use crate::schedule::every;
use crate::worker::Shared;

/// Users of one batch; a stop waits for one batch at most.
const BATCH: usize = 100;

/// Most batches between two pauses: users who cannot be brought up to date stay due and must not
/// keep this loop busy.
const BATCHES_MAX: usize = 100;

/// Sweeps until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let period = shared.settings.sweep_every;
    every("sweep", period, &stop, || sweep(&shared, &stop)).await;
}

async fn sweep(shared: &Shared, stop: &CancellationToken) -> Result<(), EngineError> {
    for _ in 0..BATCHES_MAX {
        let swept = shared.engine.sweep(&shared.ctx(), BATCH).await?;
        metrics::counter!(Metric::Swept.name()).increment(swept as u64);
        if swept < BATCH || stop.is_cancelled() {
            break;
        }
    }
    Ok(())
}
