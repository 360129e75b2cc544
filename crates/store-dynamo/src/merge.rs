//! Places: one order over all shards, given when somebody first asks.
//!
//! A commit gives its record a position in its shard and touches nothing that others touch. Whoever
//! reads the journal first **merges**: the new records of each shard become a run of consecutive
//! places after the newest, in one transaction on the merge head that only one of several racers
//! makes. Runs are never changed, so a place once given is for ever, there are no gaps, and within a
//! shard, hence for a user, the order of places is that of the commits. Across shards it is arbitrary:
//! what was not asked for in between may be in any order.
//!
//! A merge reads every head, so what was acknowledged before it began has a place after it. Callers
//! that come while one is under way wait for the next and share it.
//!
//! Imported records keep their places, which come before all runs.

mod known;
mod run;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::try_join_all;
use store::Seq;

use crate::base::Base;
use crate::client::{Pauses, Query};
use crate::error::Failed;
use crate::keys::{self, GROUP, POSITION, Spot};
use crate::requests::Request;
use crate::value::{Read as _, number};
use crate::write::Write;

use known::Known;
pub(crate) use run::{Entry, Mark, MergeHead, Run};

/// Merges that are read at once: some tens of KB.
const ENTRIES_MAX: usize = 500;

/// What is known of places, and the merge that is under way.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Merges begun so far.
    begun: AtomicU64,
    /// Held by the one that is under way: the number of the latest, and what it led to.
    turn: tokio::sync::Mutex<(u64, MergeHead)>,
    known: Known,
}

impl Places {
    /// Remembers, for whoever reads on from there, that a position is in that group or after it.
    pub(crate) fn found(&self, shard: u32, position: u64, group: u64) {
        self.known.found(shard, position, group);
    }

    /// The first group of a run in which that position can be.
    pub(crate) fn group_of(&self, run: &Run, position: u64) -> u64 {
        self.known.group_of(run, position)
    }
}

impl Base {
    /// Gives places to all records that were acknowledged before this was called, and says how far
    /// they go.
    pub(crate) async fn merge(&self) -> Result<MergeHead, Failed> {
        let asked = self.places.begun.load(Ordering::Acquire);
        let mut turn = self.places.turn.lock().await;
        if turn.0 <= asked {
            let number = self.places.begun.fetch_add(1, Ordering::AcqRel) + 1;
            *turn = (number, self.merge_now().await?);
        }
        Ok(turn.1.clone())
    }

    async fn merge_now(&self) -> Result<MergeHead, Failed> {
        let mut pauses = Pauses::begin();
        loop {
            let (head, marks) = self.read_heads().await?;
            let Some(entry) = head.next(&marks) else {
                self.places.known.reach(&head);
                return Ok(head);
            };
            let after = head.after(&entry);
            match self.write_merge(&head, &after, &entry).await {
                Ok(()) => {
                    self.places.known.add(entry);
                    self.places.known.reach(&after);
                    return Ok(after);
                }
                // Somebody else was faster, or it was made after all: the heads tell.
                Err(failed @ (Failed::Refused(_) | Failed::Unknown(_))) => {
                    pauses.pause_or(|| failed).await?;
                }
                Err(failed) => return Err(failed),
            }
        }
    }

    /// How far the shards are merged, and how far each of them goes.
    pub(crate) async fn read_heads(&self) -> Result<(MergeHead, Vec<Mark>), Failed> {
        let heads = (0..self.shards).map(keys::head);
        let wanted: Vec<_> = [keys::merge_head()].into_iter().chain(heads).collect();
        let found = self.db.batch_get(Request::ReadHeads, &wanted, true).await?;
        let mut found = found.into_iter();
        let missing = || Failed::corrupt("the head of a shard is gone");
        let head = MergeHead::from_item(&found.next().flatten().ok_or_else(missing)?)?;
        let marks = found.map(|item| {
            let item = item.ok_or_else(missing)?;
            Ok(Mark { position: item.get_number(POSITION)?, group: item.get_number(GROUP)? })
        });
        Ok((head, marks.collect::<Result<_, Failed>>()?))
    }

    /// Whether there are records without a place. If not, it is remembered how far places go, so that
    /// nobody has to give any.
    pub(crate) async fn look_for_news(&self) -> Result<bool, Failed> {
        let (head, marks) = self.read_heads().await?;
        let has_news = head.next(&marks).is_some();
        if !has_news {
            self.places.known.reach(&head);
        }
        Ok(has_news)
    }

    async fn write_merge(
        &self,
        before: &MergeHead,
        after: &MergeHead,
        entry: &Entry,
    ) -> Result<(), Failed> {
        let head = Write::put(after.to_item());
        let head = head.when("#v = :v").with(":v", number(before.version));
        let runs = entry.runs.iter().map(|run| Write::put_new(run.to_item()));
        let writes = [head, Write::put_new(entry.to_item())].into_iter().chain(runs);
        self.db.transact(Request::WriteMerge, writes.collect()).await
    }

    /// The places of records by shard and spot, in the same order; records without one get one.
    pub(crate) async fn places_of(&self, wanted: &[(u32, Spot)]) -> Result<Vec<Seq>, Failed> {
        if !wanted.iter().all(|(shard, spot)| self.places.known.is_merged(*shard, *spot)) {
            self.merge().await?;
        }
        try_join_all(wanted.iter().map(|(shard, spot)| self.place_of(*shard, *spot))).await
    }

    async fn place_of(&self, shard: u32, spot: Spot) -> Result<Seq, Failed> {
        match spot {
            Spot::Imported(seq) => Ok(seq),
            Spot::At(position) => {
                let run = self.run_at(shard, position).await?;
                Ok(run.seq + (position - run.from))
            }
        }
    }

    /// The run that a merged position is in.
    async fn run_at(&self, shard: u32, position: u64) -> Result<Run, Failed> {
        if let Some(run) = self.places.known.run_at(shard, position) {
            return Ok(run);
        }
        let key = keys::run(shard, position);
        let query = Query::of(key.pk).to(key.sk).backwards().limit(1);
        let found = self.db.query(Request::FindRun, &query).await?;
        let run = found.first().map(|item| Run::from_item(shard, item)).transpose()?;
        let run = run.filter(|run| run.holds(position));
        let missing =
            || Failed::corrupt(format!("position {position} of shard {shard} has no place"));
        let run = run.ok_or_else(missing)?;
        self.places.known.add_run(run);
        Ok(run)
    }

    /// The merge that gave a place, which must have been given by one.
    pub(crate) async fn entry_at(&self, seq: Seq) -> Result<Arc<Entry>, Failed> {
        if let Some(entry) = self.places.known.entry_at(seq) {
            return Ok(entry);
        }
        let key = keys::merge_entry(seq);
        let query = Query::of(key.pk).beginning("E#").to(key.sk).backwards().limit(1);
        let found = self.db.query(Request::FindRun, &query).await?;
        let entry = found.first().map(Entry::from_item).transpose()?;
        let entry = entry.filter(|entry| entry.holds(seq));
        let missing = || Failed::corrupt(format!("the place {seq} is in no run"));
        Ok(self.places.known.add(entry.ok_or_else(missing)?))
    }

    /// The merges that gave these places, in order.
    pub(crate) async fn merges_in(&self, first: Seq, last: Seq) -> Result<Vec<Arc<Entry>>, Failed> {
        let mut entries = vec![self.entry_at(first).await?];
        while let Some(next) = entries.last().map(|entry| entry.end()).filter(|end| *end <= last) {
            match self.places.known.entry_at(next) {
                Some(entry) => entries.push(entry),
                None => entries.extend(self.read_entries(next, last).await?),
            }
        }
        Ok(entries)
    }

    /// Reads some merges, from the one that begins at the first place on.
    async fn read_entries(&self, first: Seq, last: Seq) -> Result<Vec<Arc<Entry>>, Failed> {
        let (from, to) = (keys::merge_entry(first), keys::merge_entry(last));
        let query = Query::of(from.pk).from(from.sk).to(to.sk).limit(ENTRIES_MAX);
        let found = self.db.query(Request::FindRun, &query).await?;
        let read = |item| Ok(self.places.known.add(Entry::from_item(item)?));
        let entries = found.iter().map(read).collect::<Result<Vec<_>, Failed>>()?;
        if entries.first().is_none_or(|entry| entry.seq != first) {
            return Err(Failed::corrupt(format!("the place {first} is in no run")));
        }
        Ok(entries)
    }

    /// For each shard the last spot whose place is not after `seq`.
    pub(crate) async fn spots_at(&self, head: &MergeHead, seq: Seq) -> Result<Vec<Spot>, Failed> {
        if seq < head.imported {
            return Ok(head.marks.iter().map(|_| Spot::Imported(seq)).collect());
        }
        if seq >= head.seq {
            return Ok(head.marks.iter().map(|mark| Spot::At(mark.position)).collect());
        }
        if seq == head.imported {
            return Ok(head.marks.iter().map(|_| Spot::At(0)).collect());
        }
        let entry = self.entry_at(seq).await?;
        Ok(entry.positions_at(seq).into_iter().map(Spot::At).collect())
    }
}
