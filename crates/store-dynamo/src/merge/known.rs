//! Runs and merges that were met lately. They never change, so what is remembered stays true.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Seq;

use super::{Entry, Mark, MergeHead, Run};
use crate::keys::Spot;

/// Most runs, and most merges, that are remembered: about a megabyte. The oldest are forgotten first,
/// since most questions are about what is new.
const REMEMBERED_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Known {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    marks: Vec<Mark>,
    entries: BTreeMap<Seq, Arc<Entry>>,
    /// By place, with the places of each shard's runs by position.
    runs: BTreeMap<Seq, Run>,
    positions: BTreeMap<(u32, u64), Seq>,
    /// The group in which a position is, or after which it is, by shard and position.
    groups: BTreeMap<(u32, u64), u64>,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers how far everything is merged.
    pub(super) fn reach(&self, head: &MergeHead) {
        self.lock().marks.clone_from(&head.marks);
    }

    /// Whether a record is known to have a place.
    pub(super) fn is_merged(&self, shard: u32, spot: Spot) -> bool {
        let Spot::At(position) = spot else { return true };
        self.lock().marks.get(shard as usize).is_some_and(|mark| position <= mark.position)
    }

    pub(super) fn add(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        for run in &entry.runs {
            self.add_run(*run);
        }
        let mut inner = self.lock();
        inner.entries.insert(entry.seq, Arc::clone(&entry));
        if inner.entries.len() > REMEMBERED_MAX {
            inner.entries.pop_first();
        }
        entry
    }

    pub(super) fn add_run(&self, run: Run) {
        let mut inner = self.lock();
        inner.runs.insert(run.seq, run);
        inner.positions.insert((run.shard, run.from), run.seq);
        if inner.runs.len() > REMEMBERED_MAX
            && let Some((_, oldest)) = inner.runs.pop_first()
        {
            inner.positions.remove(&(oldest.shard, oldest.from));
        }
    }

    pub(super) fn run_at(&self, shard: u32, position: u64) -> Option<Run> {
        let inner = self.lock();
        let (_, seq) = inner.positions.range((shard, 0)..=(shard, position)).next_back()?;
        inner.runs.get(seq).copied().filter(|run| run.holds(position))
    }

    /// Remembers that a position is in that group or after it.
    pub(super) fn found(&self, shard: u32, position: u64, group: u64) {
        let mut inner = self.lock();
        if inner.groups.len() >= REMEMBERED_MAX {
            inner.groups.clear();
        }
        inner.groups.insert((shard, position), group);
    }

    /// The first group of a run in which that position can be.
    pub(super) fn group_of(&self, run: &Run, position: u64) -> u64 {
        let known = self.lock().groups.get(&(run.shard, position)).copied();
        known.unwrap_or_default().max(run.from_group)
    }

    pub(super) fn entry_at(&self, seq: Seq) -> Option<Arc<Entry>> {
        let inner = self.lock();
        let (_, entry) = inner.entries.range(..=seq).next_back()?;
        Some(Arc::clone(entry)).filter(|entry| entry.holds(seq))
    }
}
