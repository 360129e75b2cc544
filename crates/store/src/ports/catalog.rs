//! The catalogue: loaded whole, edited by compare-and-set on its revision.

use async_trait::async_trait;
use domain::catalog::{Catalog, Edit};
use domain::time::Timestamp;

use super::identity::StateId;
use crate::StoreError;

/// What became of an edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Saved {
    /// It is durable at this revision.
    At(u64),
    /// Somebody else's edit came first; the catalogue is at this revision.
    Conflict(u64),
}

/// One saved edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedRevision {
    /// The revision it led to.
    pub revision: u64,
    /// When.
    pub at: Timestamp,
    /// Who, as the admin key or the command line names itself.
    pub by: String,
    /// What, in one line.
    pub summary: String,
}

/// The catalogue's store.
#[async_trait]
pub trait CatalogStore: Send + Sync {
    /// The catalogue, unless it is still at the revision of `known`. Somebody who has another one of this
    /// store gives it, so that a store may read only what is newer.
    async fn snapshot(&self, known: Option<&Catalog>) -> Result<Option<Catalog>, StoreError>;

    /// Saves `edits` on top of revision `base` as one atomic unit; mission versions are given here.
    async fn save(
        &self,
        base: u64,
        edits: Vec<Edit>,
        by: &str,
        at: Timestamp,
    ) -> Result<Saved, StoreError>;

    /// Saved edits before revision `before` (or the newest), newest first.
    async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SavedRevision>, StoreError>;

    /// Fills a store that was never edited with another one's catalogue, as one atomic unit: its
    /// rows, what was deleted, every mission version, its revision, and `history`, the saved edits
    /// that led there, in any order. `false` if the store has been edited; then nothing changes.
    async fn take_over(
        &self,
        catalog: &Catalog,
        history: &[SavedRevision],
    ) -> Result<bool, StoreError>;

    /// The state that belongs to the catalogue; `None` if it was never served with one. No edit
    /// changes that, and a catalogue that was taken over brings none.
    async fn state(&self) -> Result<Option<StateId>, StoreError>;

    /// Lets this state belong to the catalogue unless one does, and says which does.
    async fn adopt(&self, state: StateId) -> Result<StateId, StoreError>;
}
