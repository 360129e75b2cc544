//! `CatalogStore` in memory.

use std::sync::Mutex;

use async_trait::async_trait;
use domain::catalog::{Catalog, Edit};
use domain::time::Timestamp;

use super::lock;
use crate::summary::summary_of;
use crate::{CatalogStore, Saved, SavedRevision, StateId, StoreError};

/// The catalogue in memory.
#[derive(Debug, Default)]
pub struct MemoryCatalog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    catalog: Catalog,
    /// Oldest first.
    history: Vec<SavedRevision>,
    state: Option<StateId>,
}

impl MemoryCatalog {
    /// An empty catalogue at revision 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl CatalogStore for MemoryCatalog {
    async fn snapshot(&self, known: Option<&Catalog>) -> Result<Option<Catalog>, StoreError> {
        let inner = lock(&self.inner);
        let is_known = known.is_some_and(|known| known.revision == inner.catalog.revision);
        Ok((!is_known).then(|| inner.catalog.clone()))
    }

    async fn save(
        &self,
        base: u64,
        edits: Vec<Edit>,
        by: &str,
        at: Timestamp,
    ) -> Result<Saved, StoreError> {
        let mut inner = lock(&self.inner);
        if inner.catalog.revision != base {
            return Ok(Saved::Conflict(inner.catalog.revision));
        }
        inner.catalog = inner.catalog.edited(&edits);
        let revision = inner.catalog.revision;
        let (by, summary) = (by.to_owned(), summary_of(&edits));
        inner.history.push(SavedRevision { revision, at, by, summary });
        Ok(Saved::At(revision))
    }

    async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SavedRevision>, StoreError> {
        let inner = lock(&self.inner);
        let newest_first = inner.history.iter().rev();
        let older = newest_first.filter(|one| before.is_none_or(|before| one.revision < before));
        Ok(older.take(limit).cloned().collect())
    }

    async fn take_over(
        &self,
        catalog: &Catalog,
        history: &[SavedRevision],
    ) -> Result<bool, StoreError> {
        let mut inner = lock(&self.inner);
        if inner.catalog.revision != 0 {
            return Ok(false);
        }
        inner.catalog = catalog.clone();
        inner.history = history.to_vec();
        inner.history.sort_by_key(|one| one.revision);
        Ok(true)
    }

    async fn state(&self) -> Result<Option<StateId>, StoreError> {
        Ok(lock(&self.inner).state)
    }

    async fn adopt(&self, state: StateId) -> Result<StateId, StoreError> {
        Ok(*lock(&self.inner).state.get_or_insert(state))
    }
}
