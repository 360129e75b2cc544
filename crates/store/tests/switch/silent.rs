//! A store that does not say what it may be used for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use store::contract::Between;
use store::memory::MemoryState;
use store::{Movable, Phase, StoreError, Transfer};

/// How long nothing is heard of it before it fails.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);

/// While it is silent, asking for its phase takes [`SILENCE`] and fails.
pub(crate) struct Silent {
    inner: Arc<MemoryState>,
    pub(crate) is_silent: AtomicBool,
    /// How often it was asked.
    pub(crate) asked: AtomicU32,
}

impl Silent {
    pub(crate) fn new(inner: Arc<MemoryState>) -> Arc<Self> {
        Arc::new(Self { inner, is_silent: AtomicBool::new(true), asked: AtomicU32::new(0) })
    }

    pub(crate) fn movable(self: &Arc<Self>) -> Movable {
        let transfer = Arc::clone(self) as _;
        Movable { transfer, ..Movable::of(&self.inner) }
    }
}

#[async_trait]
impl Between for Silent {
    fn inner(&self) -> &dyn Transfer {
        &*self.inner
    }

    async fn phase(&self) -> Result<Phase, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_silent.load(Ordering::SeqCst) {
            tokio::time::sleep(SILENCE).await;
            return Err(StoreError::Unknown("nothing was heard of it".to_owned()));
        }
        self.inner.phase().await
    }
}
