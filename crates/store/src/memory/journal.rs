//! `Journal` in memory.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::ids::UserKey;
use domain::journal::{Chain, Record};

use super::MemoryState;
use crate::{Journal, LedgerPage, Seq, StoreError, Stored};

/// The records in order, and where each user's are.
#[derive(Debug, Default)]
pub(super) struct Log {
    records: Vec<Stored>,
    by_user: HashMap<UserKey, Vec<Seq>>,
}

impl Log {
    /// Adds a record and says where it is. Places are counted from 1, as indices are from 0.
    pub(super) fn push(&mut self, chain: Chain, record: Record) -> Seq {
        let seq = self.head() + 1;
        if let Some(user) = record.user {
            self.by_user.entry(user).or_default().push(seq);
        }
        self.records.push(Stored { seq, chain, record });
        seq
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
        self.records.get(index(seq.checked_sub(1)?))
    }

    fn read(&self, after: Seq, limit: usize) -> Vec<Stored> {
        self.records.iter().skip(index(after)).take(limit).cloned().collect()
    }

    fn head(&self) -> Seq {
        self.records.len() as Seq
    }
}

/// A place beyond what the machine can address is beyond the end of every list.
fn index(seq: Seq) -> usize {
    usize::try_from(seq).unwrap_or(usize::MAX)
}

#[async_trait]
impl Journal for MemoryState {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        self.lock().trace(trace);
        Ok(())
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        Ok(self.lock().journal.read(after, limit))
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(self.lock().journal.head())
    }
}
