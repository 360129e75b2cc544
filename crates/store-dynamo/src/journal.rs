//! `Journal`: written by lanes, read in the order of places.
//!
//! | verb | requests |
//! |---|---|
//! | `append` | a part of a lane's group |
//! | `head` | places |
//! | `read` | places; for each run that the page meets 1 query of its groups; 1 read for each 100 records |
//!
//! Places are 1 read, and 1 write where something is new ([`crate::merge`]).

use async_trait::async_trait;
use domain::journal::{Chain, Record};
use store::{Journal, Seq, StoreError, Stored};

use crate::DynamoStore;
use crate::base::Base;
use crate::client::Query;
use crate::error::Failed;
use crate::group::{Group, Owned, record_from_bytes, stored_from_item};
use crate::keys::{self, Key, Spot};
use crate::merge::Run;
use crate::requests::Request;
use crate::work::Work;

/// Groups of one query: some hundred KB at most.
const GROUPS_MAX: usize = 100;

/// A record whose owner is known, before it is read.
struct Located {
    seq: Seq,
    spot: Spot,
    owner: Owned,
}

impl Base {
    /// Records after a place, in order.
    pub(crate) async fn read_records(
        &self,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Stored>, Failed> {
        let head = self.merge().await?;
        let mut located = Vec::new();
        let mut next = after.saturating_add(1);
        while located.len() < limit && next <= head.seq {
            let room = limit - located.len();
            let found = match next <= head.imported {
                true => self.locate_imported(next, head.imported, room).await?,
                false => {
                    let entry = self.entry_at(next).await?;
                    let run = entry.runs.iter().find(|run| run.gives(next));
                    let run = run.ok_or_else(|| Failed::corrupt(format!("{next} is in no run")))?;
                    self.locate(run, next, room).await?
                }
            };
            let Some(last) = found.last() else {
                return Err(Failed::corrupt(format!("the record {next} is gone")));
            };
            next = last.seq + 1;
            located.extend(found);
        }
        self.fetch(located).await
    }

    /// Whose the records of a run are, from a place on.
    async fn locate(&self, run: &Run, from: Seq, limit: usize) -> Result<Vec<Located>, Failed> {
        let first = run.from + (from - run.seq);
        let end = (run.from + run.len).min(first.saturating_add(limit as u64));
        let mut found: Vec<Located> = Vec::new();
        let mut group = self.places.group_of(run, first);
        // The group of the last record that was found.
        let mut holder = group;
        while group <= run.to_group && found.len() < (end - first) as usize {
            let last = keys::last_of_bucket(group).min(run.to_group);
            let (from_key, to_key) = (keys::group(run.shard, group), keys::group(run.shard, last));
            let query = Query::of(from_key.pk).from(from_key.sk).to(to_key.sk).limit(GROUPS_MAX);
            let items = self.db.query(Request::ReadGroups, &query).await?;
            for item in &items {
                for (owner, position) in in_group(Group::from_item(item)?) {
                    if position >= first && position < end {
                        let seq = run.seq + (position - run.from);
                        found.push(Located { seq, spot: Spot::At(position), owner });
                        holder = group;
                    }
                }
                group += 1;
            }
            if items.is_empty() {
                return Err(Failed::corrupt(format!(
                    "group {group} of shard {} is gone",
                    run.shard
                )));
            }
        }
        self.places.found(run.shard, end, holder);
        Ok(found)
    }

    /// Imported records to the last that counts: a move that was killed may have left some behind it.
    async fn locate_imported(
        &self,
        from: Seq,
        last: Seq,
        limit: usize,
    ) -> Result<Vec<Located>, Failed> {
        let (first, last) = (keys::imported(from), keys::imported(last));
        let query = Query::of(first.pk).from(first.sk).to(last.sk).limit(limit);
        let items = self.db.query(Request::ReadImported, &query).await?;
        let read = |item| {
            let (seq, owner) = Owned::from_imported(item)?;
            Ok(Located { seq, spot: Spot::Imported(seq), owner })
        };
        items.iter().map(read).collect()
    }

    /// Reads the records themselves. They never change, so a read that may be late is good enough
    /// for all that it finds, at half the price.
    async fn fetch(&self, located: Vec<Located>) -> Result<Vec<Stored>, Failed> {
        let key = |one: &Located| match &one.owner {
            Owned::By(user) => Some(keys::record(user, one.spot)),
            Owned::ByNobody(_) => None,
        };
        let wanted: Vec<Key> = located.iter().filter_map(key).collect();
        let mut found = self.db.batch_get(Request::ReadRecords, &wanted, false).await?;
        let missing = wanted.iter().zip(&found).filter(|(_, item)| item.is_none());
        let missing: Vec<Key> = missing.map(|(key, _)| key.clone()).collect();
        let mut again = self.db.batch_get(Request::ReadRecords, &missing, true).await?.into_iter();
        for item in found.iter_mut().filter(|item| item.is_none()) {
            *item = again.next().flatten();
        }
        let mut found = found.into_iter();
        let read = |one: Located| match one.owner {
            Owned::ByNobody(body) => {
                let record = record_from_bytes(&body)?;
                Ok(Stored { seq: one.seq, chain: Chain::default(), record })
            }
            Owned::By(user) => {
                let gone = || Failed::corrupt(format!("record {} of {user} is gone", one.seq));
                stored_from_item(one.seq, &found.next().flatten().ok_or_else(gone)?)
            }
        };
        located.into_iter().map(read).collect()
    }
}

/// The owners of a group's records, with the positions.
fn in_group(group: Group) -> impl Iterator<Item = (Owned, u64)> {
    group.records.into_iter().zip(group.first..)
}

#[async_trait]
impl Journal for DynamoStore {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        let shard = match &trace.user {
            Some(user) => self.base.shard_of(user),
            None => self.base.any_shard(),
        };
        self.lanes.ask(shard, Work::Append(Box::new(trace))).await?;
        Ok(())
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        Ok(self.base.read_records(after, limit).await?)
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(self.base.merge().await?.seq)
    }

    fn is_total_order(&self) -> bool {
        false
    }
}
