//! Since when this node has not seen the catalogue's store.
//!
//! A node that cannot reach it goes on with the catalogue in its memory: offers may be shown that are
//! gone, and nothing wrong is booked, because budgets are guarded where they are spent. Whoever runs
//! it has to know all the same.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::catalog::{Catalog, Edit};
use domain::time::Timestamp;
use store::{CatalogStore, Saved, SavedRevision, StateId, StoreError};

use crate::clock;

/// How long a catalogue may go unchecked before it counts as stale, in milliseconds: a few rounds of
/// looking, so that one that came late is no news.
const STALE_AFTER_MS: i64 = 5_000;

/// A catalogue's store that remembers when it last answered.
pub(crate) struct Freshness {
    inner: Arc<dyn CatalogStore>,
    checked_at: AtomicI64,
    error: Mutex<Option<String>>,
}

impl Freshness {
    /// Watches a store, which has not been asked yet.
    pub(crate) fn of(inner: Arc<dyn CatalogStore>) -> Arc<Self> {
        let checked_at = AtomicI64::new(clock::now().0);
        Arc::new(Self { inner, checked_at, error: Mutex::default() })
    }

    /// What is wrong with the catalogue at that moment, in a sentence.
    pub(crate) fn problem(&self, now: Timestamp) -> Option<String> {
        let checked_at = Timestamp(self.checked_at.load(Ordering::Relaxed));
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_late = now.since(checked_at) > STALE_AFTER_MS;
        if error.is_none() && !is_late {
            return None;
        }
        let error = error.unwrap_or_else(|| "nobody has looked since".to_owned());
        Some(format!("stale since {}: {error}", told(checked_at)))
    }

    fn note<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        let error = match &answer {
            Ok(_) => {
                self.checked_at.store(clock::now().0, Ordering::Relaxed);
                None
            }
            Err(error) => Some(error.to_string()),
        };
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        answer
    }
}

/// A moment for people.
fn told(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

#[async_trait]
impl CatalogStore for Freshness {
    async fn snapshot(&self, known: Option<&Catalog>) -> Result<Option<Catalog>, StoreError> {
        self.note(self.inner.snapshot(known).await)
    }

    async fn save(
        &self,
        base: u64,
        edits: Vec<Edit>,
        by: &str,
        at: Timestamp,
    ) -> Result<Saved, StoreError> {
        self.inner.save(base, edits, by, at).await
    }

    async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SavedRevision>, StoreError> {
        self.inner.history(before, limit).await
    }

    async fn take_over(
        &self,
        catalog: &Catalog,
        history: &[SavedRevision],
    ) -> Result<bool, StoreError> {
        self.inner.take_over(catalog, history).await
    }

    async fn state(&self) -> Result<Option<StateId>, StoreError> {
        self.inner.state().await
    }

    async fn adopt(&self, state: StateId) -> Result<StateId, StoreError> {
        self.inner.adopt(state).await
    }
}

#[cfg(test)]
mod tests {
    use store::memory::MemoryCatalog;

    use super::*;

    #[tokio::test]
    async fn a_catalogue_that_nobody_looks_at_is_stale() {
        let well = Freshness::of(Arc::new(MemoryCatalog::new()));
        well.snapshot(None).await.unwrap();
        let now = clock::now();
        assert_eq!(well.problem(now), None);
        let later = well.problem(now.plus_seconds(60)).unwrap();
        assert!(later.contains("stale since 20") && later.contains("nobody"), "{later}");
    }
}
