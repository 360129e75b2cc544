//! `Journal` in memory.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::ids::UserKey;
use domain::journal::{Chain, Record};

use super::MemoryState;
use crate::{Journal, LedgerPage, Seq, StoreError, Stored, Writing};

/// The records in order, and where each user's are. A store that was filled from another one has its
/// places, so a record is looked for by its place and not by its index.
#[derive(Debug, Default)]
pub(super) struct Log {
    records: Vec<Stored>,
    by_user: HashMap<UserKey, Vec<Seq>>,
}

impl Log {
    /// Adds a record and says where it is. Places are counted from 1.
    pub(super) fn push(&mut self, chain: Chain, record: Record) -> Seq {
        let seq = self.head() + 1;
        self.put(Stored { seq, chain, record });
        seq
    }

    /// Adds a record at a place behind all others.
    pub(super) fn put(&mut self, stored: Stored) {
        if let Some(user) = stored.record.user {
            self.by_user.entry(user).or_default().push(stored.seq);
        }
        self.records.push(stored);
    }

    /// A user's records before `before`, newest first.
    pub(super) fn ledger(&self, user: &UserKey, before: Option<Seq>, limit: usize) -> LedgerPage {
        let places = self.by_user.get(user).map_or(&[][..], Vec::as_slice);
        let end = before.map_or(places.len(), |before| places.partition_point(|&at| at < before));
        let start = end.saturating_sub(limit);
        let page = places[start..end].iter().rev();
        LedgerPage {
            records: page.filter_map(|&seq| self.get(seq)).cloned().collect(),
            before: places[start..end].first().copied().filter(|_| start > 0),
        }
    }

    fn get(&self, seq: Seq) -> Option<&Stored> {
        let found = self.records.binary_search_by_key(&seq, |stored| stored.seq);
        found.ok().map(|index| &self.records[index])
    }

    fn read(&self, after: Seq, limit: usize) -> Vec<Stored> {
        let first = self.records.partition_point(|stored| stored.seq <= after);
        self.records[first..].iter().take(limit).cloned().collect()
    }

    /// The place of the newest record.
    pub(super) fn head(&self) -> Seq {
        self.records.last().map_or(0, |stored| stored.seq)
    }
}

#[async_trait]
impl Journal for MemoryState {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.phase.permit(Writing::Change)?;
        inner.trace(trace);
        Ok(())
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        Ok(self.lock().journal.read(after, limit))
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(self.lock().journal.head())
    }

    fn is_total_order(&self) -> bool {
        !self.lock().is_unordered
    }
}
