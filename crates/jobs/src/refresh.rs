//! The catalogue and the budgets in this node's memory are kept fresh: as often as configured, and at
//! once when another node hints that it has edited the catalogue. A hint that is lost is made up for
//! by the next look.
//!
//! | step | store calls |
//! |---|---|
//! | [`engine::Engine::refresh_catalog`] | 2, and 1 for each limit that is mended |

use std::sync::Arc;

use engine::EngineError;
use tokio_util::sync::CancellationToken;

use crate::schedule::Rhythm;
use crate::worker::Shared;

/// Refreshes until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let rhythm = Rhythm { job: "refresh", period: shared.settings.refresh_every, stop: &stop };
    rhythm.or_when(|| shared.engine.catalog_hint(), || refresh(&shared)).await;
}

async fn refresh(shared: &Shared) -> Result<(), EngineError> {
    if shared.engine.refresh_catalog(&shared.ctx()).await? {
        let revision = shared.engine.snapshot().revision();
        tracing::info!(catalog.revision = revision, "a newer catalogue is in use");
    }
    Ok(())
}
