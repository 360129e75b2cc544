//! `Journal`: written by lanes, read in the order of places.
//!
//! | verb | requests |
//! |---|---|
//! | `append` | a part of a lane's group |
//! | `head` | places |
//! | `read` | places; 1 query of the merges that the page meets, and 1 of the groups of each shard; 1 read for each 100 records |
//!
//! Places are 1 read, and 1 write where something is new ([`crate::merge`]).

use std::collections::BTreeMap;
use std::ops::Range;

use async_trait::async_trait;
use domain::journal::{Chain, Record};
use futures_util::future::try_join_all;
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

/// Consecutive places and positions of a run.
struct Piece {
    run: Run,
    /// The first place.
    seq: Seq,
    /// The position of its record.
    position: u64,
    /// How many.
    len: u64,
}

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
                    let last = head.seq.min(next.saturating_add(room as Seq - 1));
                    self.locate_merged(next, last).await?
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

    /// Whose the records at these places are. What a page has of one shard stands in one piece, however
    /// many merges have given it its places.
    async fn locate_merged(&self, first: Seq, last: Seq) -> Result<Vec<Located>, Failed> {
        let mut by_shard: BTreeMap<u32, Vec<Piece>> = BTreeMap::new();
        for entry in self.merges_in(first, last).await? {
            let runs = entry.runs.iter().filter(|run| run.seq <= last && run.end() > first);
            for run in runs {
                let (from, to) = (run.seq.max(first), run.end().min(last + 1));
                let position = run.from + (from - run.seq);
                let piece = Piece { run: *run, seq: from, position, len: to - from };
                by_shard.entry(run.shard).or_default().push(piece);
            }
        }
        let located = by_shard.into_values().map(|pieces| self.locate(pieces));
        let mut located: Vec<_> = try_join_all(located).await?.into_iter().flatten().collect();
        located.sort_unstable_by_key(|one| one.seq);
        Ok(located)
    }

    /// Whose the records of pieces that follow each other in one shard are.
    async fn locate(&self, pieces: Vec<Piece>) -> Result<Vec<Located>, Failed> {
        let (Some(begin), Some(last)) = (pieces.first(), pieces.last()) else {
            return Ok(Vec::new());
        };
        let (shard, first, end) = (begin.run.shard, begin.position, last.position + last.len);
        let group = self.places.group_of(&begin.run, first);
        let owners = self.owners(shard, (group, last.run.to_group), first..end).await?;
        let places = pieces.iter().flat_map(|piece| (piece.seq..).take(piece.len as usize));
        let located = places.zip(first..).zip(owners);
        let located = located.map(|((seq, position), owner)| Located {
            seq,
            spot: Spot::At(position),
            owner,
        });
        Ok(located.collect())
    }

    /// The owners of a shard's records at these positions, which are in these groups.
    async fn owners(
        &self,
        shard: u32,
        (mut group, to_group): (u64, u64),
        positions: Range<u64>,
    ) -> Result<Vec<Owned>, Failed> {
        let mut found = Vec::new();
        // The group of the last record that was found.
        let mut holder = group;
        while (found.len() as u64) < positions.end - positions.start {
            let last = keys::last_of_bucket(group).min(to_group);
            let (from_key, to_key) = (keys::group(shard, group), keys::group(shard, last));
            let query = Query::of(from_key.pk).from(from_key.sk).to(to_key.sk).limit(GROUPS_MAX);
            let items = self.db.query(Request::ReadGroups, &query).await?;
            for item in &items {
                for (owner, position) in in_group(Group::from_item(item)?) {
                    if positions.contains(&position) {
                        found.push(owner);
                        holder = group;
                    }
                }
                group += 1;
            }
            if items.is_empty() {
                return Err(Failed::corrupt(format!("group {group} of shard {shard} is gone")));
            }
        }
        self.places.found(shard, positions.end, holder);
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
