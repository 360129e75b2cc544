//! Figures by day follow the journal.
//!
//! | step | store calls |
//! |---|---|
//! | [`engine::Engine::absorb_reports`] on a batch of records | 2 or 3 |

use std::sync::Arc;
use std::time::Duration;

use engine::{EngineError, REPORT_BATCH};
use tokio_util::sync::CancellationToken;

use crate::metric::Metric;
use crate::schedule::every;
use crate::worker::Shared;

/// How often the journal is looked at. A report catches up by itself when it is asked for; this
/// only keeps that short.
const PERIOD: Duration = Duration::from_secs(1);

/// Adds to the reports until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    every("reports", PERIOD, &stop, || absorb(&shared, &stop)).await;
}

async fn absorb(shared: &Shared, stop: &CancellationToken) -> Result<(), EngineError> {
    while !stop.is_cancelled() {
        let added = shared.engine.absorb_reports(&shared.ctx()).await?;
        metrics::counter!(Metric::Reported.name()).increment(added as u64);
        if added < REPORT_BATCH {
            break;
        }
    }
    Ok(())
}
