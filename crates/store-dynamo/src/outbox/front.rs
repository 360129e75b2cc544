//! The index: what can be tried next, by endpoint and time, without what endpoints do not get now.
//!
//! | partition | sort key | |
//! |---|---|---|
//! | `D#shard` | `endpoint#ready#booked#spot#id` | can be tried at `ready` |
//! | `D#shard` | `endpoint#w#booked#spot#id` | waits for its grant |
//! | `P#shard` | `endpoint#s#spot#id` or `endpoint#p#spot#id` | stopped or parked |
//!
//! Each shard's partition is skipped through: of each endpoint what is due and asked for, then on to
//! the next endpoint. So a claim costs a query for each page of what it gets and for each endpoint
//! that has more, however long the backlog of another is.

use std::collections::HashSet;

use domain::ids::DeliveryId;
use domain::time::Timestamp;
use futures_util::future::try_join_all;
use store::{DeliveryState, Endpoint};

use super::row::{Row, parse_endpoint};
use crate::base::Base;
use crate::client::Query;
use crate::error::Failed;
use crate::keys::{self, INDEX_SK, Key, LAST, Spot};
use crate::requests::Request;
use crate::value::Read as _;

/// Entries of one query: a few KB, and more than most claims take.
const PAGE: usize = 100;
/// Where the part of the key begins that differs within an endpoint.
const ENDPOINT_LEN: usize = 10;

/// An entry of the index: what sorts first is tried first within an endpoint and shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Entry {
    pub(super) ready_at: Timestamp,
    pub(super) booked_at: Timestamp,
    pub(super) spot: Spot,
    pub(super) id: DeliveryId,
    pub(super) shard: u32,
    pub(super) endpoint: Endpoint,
}

impl Entry {
    fn moments(&self) -> (Timestamp, Timestamp) {
        (self.ready_at, self.booked_at)
    }
}

/// What is looked for at the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// What is ready at this moment.
    pub(super) now: Timestamp,
    /// Most of one endpoint.
    pub(super) per_endpoint: usize,
    /// Endpoints that get nothing.
    pub(super) skip: &'a [Endpoint],
    /// Deliveries that were looked at already.
    pub(super) seen: &'a HashSet<DeliveryId>,
}

pub(super) fn due_key(row: &Row, shard: u32, at: Timestamp) -> Key {
    let booked = keys::moment(row.message.booked_at);
    let rest = format!("{}#{booked}#{}", keys::moment(at), spot_and_id(row));
    Key::new(keys::due_deliveries(shard), keys::endpoint(row.endpoint()) + &rest)
}

/// Sorts after every moment, so that the front of an endpoint is what time decides.
pub(super) fn waiting_key(row: &Row, shard: u32) -> Key {
    let booked = keys::moment(row.message.booked_at);
    let rest = format!("w#{booked}#{}", spot_and_id(row));
    Key::new(keys::due_deliveries(shard), keys::endpoint(row.endpoint()) + &rest)
}

pub(super) fn bad_key(row: &Row, shard: u32) -> Key {
    let key = bad_prefix(row.endpoint(), row.state) + &spot_and_id(row);
    Key::new(keys::bad_deliveries(shard), key)
}

fn bad_prefix(endpoint: Endpoint, state: DeliveryState) -> String {
    let letter = if state == DeliveryState::Parked { 'p' } else { 's' };
    format!("{}{letter}#", keys::endpoint(endpoint))
}

fn spot_and_id(row: &Row) -> String {
    format!("{}#{}", row.spot.text(), keys::hex(&row.id().0))
}

impl Base {
    /// What is at the front of every endpoint, in the order in which it is tried.
    pub(super) async fn front(&self, wanted: Wanted<'_>) -> Result<Vec<Entry>, Failed> {
        let shards = (0..self.shards).map(|shard| self.front_of(shard, wanted));
        let mut found: Vec<Entry> = try_join_all(shards).await?.into_iter().flatten().collect();
        found.sort_unstable();
        for tied in found.chunk_by_mut(|one, other| one.moments() == other.moments()) {
            if tied.iter().any(|entry| entry.shard != tied[0].shard) {
                self.sort_by_place(tied).await?;
            }
        }
        Ok(found)
    }

    /// What time does not tell apart is tried in the order of places, which only shards that tie need
    /// to be asked for: within one that is the order of spots.
    async fn sort_by_place(&self, tied: &mut [Entry]) -> Result<(), Failed> {
        let spots: Vec<_> = tied.iter().map(|entry| (entry.shard, entry.spot)).collect();
        let places = self.places_of(&spots).await?;
        let mut sorted: Vec<_> = places.into_iter().zip(tied.iter().copied()).collect();
        sorted.sort_unstable_by_key(|(place, entry)| (*place, entry.id));
        for (slot, (_, entry)) in tied.iter_mut().zip(sorted) {
            *slot = entry;
        }
        Ok(())
    }

    async fn front_of(&self, shard: u32, wanted: Wanted<'_>) -> Result<Vec<Entry>, Failed> {
        let mut walk = Walk { wanted, found: Vec::new(), of_endpoint: 0, current: None };
        let mut query = Query::of(keys::due_deliveries(shard)).in_index().limit(PAGE);
        loop {
            let page = self.db.query(Request::FindDue, &query).await?;
            let mut skip_to = String::new();
            for item in &page {
                let key = item.get_text(INDEX_SK)?;
                if key < skip_to.as_str() {
                    continue;
                }
                if walk.meet(shard, key)? == Met::EndOfEndpoint {
                    skip_to = format!("{}{LAST}", &key[..ENDPOINT_LEN]);
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => {
                    let last = last.get_text(INDEX_SK)?;
                    query = if last < skip_to.as_str() {
                        query.from(skip_to)
                    } else {
                        query.after(last)
                    };
                }
                _ => return Ok(walk.found),
            }
        }
    }

    /// Entries of an endpoint that are in this open or badly ended state, or may be, by shard: where
    /// their records are after these spots, and their ids.
    pub(super) async fn entries_in(
        &self,
        endpoint: Endpoint,
        state: DeliveryState,
        after: &[Spot],
    ) -> Result<Vec<(u32, Spot, DeliveryId)>, Failed> {
        let shards = (0..self.shards).zip(after);
        let found = shards.map(|(shard, after)| self.entries_of(shard, endpoint, state, *after));
        Ok(try_join_all(found).await?.into_iter().flatten().collect())
    }

    async fn entries_of(
        &self,
        shard: u32,
        endpoint: Endpoint,
        state: DeliveryState,
        after: Spot,
    ) -> Result<Vec<(u32, Spot, DeliveryId)>, Failed> {
        let query = if state.is_open() {
            Query::of(keys::due_deliveries(shard)).beginning(&keys::endpoint(endpoint))
        } else {
            let prefix = bad_prefix(endpoint, state);
            let from = format!("{prefix}{}{LAST}", after.text());
            Query::of(keys::bad_deliveries(shard)).beginning(&prefix).from(from)
        };
        let found = self.db.query(Request::FindDeliveries, &query.in_index()).await?;
        let mut entries = Vec::new();
        for item in &found {
            let key = item.get_text(INDEX_SK)?;
            let (spot, id) = parse_end(key).ok_or_else(|| bad(key))?;
            if spot > after {
                entries.push((shard, spot, id));
            }
        }
        Ok(entries)
    }
}

/// A walk through the entries of a shard.
struct Walk<'a> {
    wanted: Wanted<'a>,
    found: Vec<Entry>,
    of_endpoint: usize,
    current: Option<Endpoint>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Met {
    /// There may be more of the same endpoint.
    Entry,
    /// Nothing of this endpoint is wanted any more.
    EndOfEndpoint,
}

impl Walk<'_> {
    fn meet(&mut self, shard: u32, key: &str) -> Result<Met, Failed> {
        let (endpoint, rest) = key.split_at_checked(ENDPOINT_LEN).ok_or_else(|| bad(key))?;
        let endpoint = parse_endpoint(endpoint).ok_or_else(|| bad(key))?;
        if self.current != Some(endpoint) {
            (self.current, self.of_endpoint) = (Some(endpoint), 0);
        }
        let is_full = self.of_endpoint >= self.wanted.per_endpoint;
        if is_full || rest.starts_with('w') || self.wanted.skip.contains(&endpoint) {
            return Ok(Met::EndOfEndpoint);
        }
        let entry = parse_due(shard, endpoint, rest).ok_or_else(|| bad(key))?;
        if entry.ready_at > self.wanted.now {
            return Ok(Met::EndOfEndpoint);
        }
        if !self.wanted.seen.contains(&entry.id) {
            self.of_endpoint += 1;
            self.found.push(entry);
        }
        Ok(Met::Entry)
    }
}

fn parse_due(shard: u32, endpoint: Endpoint, rest: &str) -> Option<Entry> {
    let mut parts = rest.split('#');
    let ready_at = parts.next().and_then(keys::parse_moment)?;
    let booked_at = parts.next().and_then(keys::parse_moment)?;
    let (spot, id) = parse_end(rest)?;
    Some(Entry { ready_at, booked_at, spot, id, shard, endpoint })
}

/// The spot and id that a key ends with.
fn parse_end(key: &str) -> Option<(Spot, DeliveryId)> {
    let mut parts = key.rsplit('#');
    let id = parts.next().and_then(keys::parse_hex)?;
    Some((parts.next().and_then(Spot::parse)?, DeliveryId(id)))
}

fn bad(key: &str) -> Failed {
    Failed::corrupt(format!("the key {key} of the index"))
}
