//! Making deliveries due now, with a fresh plan of attempts.
//!
//! Replaying a grant also replays the reversal that was parked behind it, in the same transaction.
//! One that is being tried at this moment stays with its worker.

use std::collections::{BTreeMap, HashSet};

use domain::ids::DeliveryId;
use domain::time::Timestamp;
use futures_util::future::try_join_all;
use store::{DeliveryFilter, DeliveryState, Writing};

use super::queue::{Counts, Family};
use super::row::Row;
use super::settle::tell_waiting;
use crate::base::Base;
use crate::client::Pauses;
use crate::error::Failed;
use crate::write::Write;

/// Deliveries that are looked for at a time. A replay that fails half way is finished by asking
/// again.
const CHUNK: usize = 500;

/// Which deliveries: of an endpoint in a state, booked from one moment until before another.
pub(super) struct Range {
    pub(super) of: DeliveryFilter,
    pub(super) state: DeliveryState,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// What one transaction restarts, and what it writes.
type Plan = (Vec<DeliveryId>, Counts, Vec<Write>);

impl Base {
    /// One delivery, in whatever state or only in that one. Says which were restarted.
    pub(super) async fn replay_one(
        &self,
        id: DeliveryId,
        only: Option<DeliveryState>,
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, Failed> {
        let shard = self.shard_of_delivery(id);
        let _turn = self.turn(shard).await;
        let mut pauses = Pauses::begin();
        let mut maybe = Vec::new();
        loop {
            let Some(family) = self.family(id).await? else { return Ok(Vec::new()) };
            if !maybe.is_empty() && family.row.is_restarted(now) {
                return Ok(maybe);
            }
            if only.is_some_and(|only| family.row.state != only) {
                return Ok(Vec::new());
            }
            let Some((ids, counts, writes)) = plan(shard, &family, now) else {
                return Ok(Vec::new());
            };
            match self.write_rows(shard, Writing::Replay, counts, writes).await {
                Ok(()) => return Ok(ids),
                Err(failed @ Failed::Refused(_)) => pauses.pause_or(|| failed).await?,
                Err(failed @ Failed::Unknown(_)) => {
                    maybe = ids;
                    pauses.pause_or(|| failed).await?;
                }
                Err(failed) => return Err(failed),
            }
        }
    }

    /// All of a range, those of each shard one after the other. Says how many were restarted.
    pub(super) async fn replay_range(&self, range: Range, now: Timestamp) -> Result<u64, Failed> {
        let mut done: HashSet<DeliveryId> = HashSet::new();
        let mut filter = DeliveryFilter { limit: CHUNK, ..range.of };
        loop {
            let page = self.deliveries(&filter).await?;
            let Some(last) = page.last() else { return Ok(done.len() as u64) };
            filter.after = Some((last.seq, last.message.id));
            let mut by_shard: BTreeMap<u32, Vec<DeliveryId>> = BTreeMap::new();
            // Within one record a reversal may come before its grant, by which it is revived.
            let (reversals, grants): (Vec<_>, Vec<_>) =
                page.iter().partition(|one| one.message.after.is_some());
            for one in grants.into_iter().chain(reversals) {
                let booked_at = one.message.booked_at;
                if booked_at >= range.from
                    && booked_at < range.to
                    && !done.contains(&one.message.id)
                {
                    by_shard.entry(self.shard_of(&one.user)).or_default().push(one.message.id);
                }
            }
            let shards = by_shard.into_values().map(|ids| self.replay_all(ids, range.state, now));
            done.extend(try_join_all(shards).await?.into_iter().flatten());
        }
    }

    async fn replay_all(
        &self,
        ids: Vec<DeliveryId>,
        state: DeliveryState,
        now: Timestamp,
    ) -> Result<HashSet<DeliveryId>, Failed> {
        let mut done = HashSet::new();
        for id in ids {
            if !done.contains(&id) {
                done.extend(self.replay_one(id, Some(state), now).await?);
            }
        }
        Ok(done)
    }
}

/// Restarts a delivery and what was parked behind it; `None` if there is nothing to restart.
fn plan(shard: u32, family: &Family, now: Timestamp) -> Option<Plan> {
    let grant = family.grant.as_ref();
    if family.row.is_leased(now) || grant.is_some_and(Row::is_lost) {
        return revive_only(shard, family, now);
    }
    let (mut ids, mut counts) = (vec![family.row.id()], Counts::default());
    let mut row = family.row.clone();
    row.restart(now);
    row.waits = grant.is_some_and(|grant| grant.state.is_open());
    counts.moved(family.row.state, row.state);
    let (parked, others): (Vec<_>, Vec<_>) =
        family.reversals.iter().cloned().partition(|one| one.state == DeliveryState::Parked);
    let mut writes = tell_waiting(shard, &row, &others, &mut counts);
    for mut reversal in parked {
        counts.moved(reversal.state, DeliveryState::Queued);
        ids.push(reversal.id());
        reversal.restart(now);
        reversal.waits = true;
        writes.push(reversal.rewrite(shard));
    }
    writes.push(row.rewrite(shard));
    writes.extend(grant.map(Row::unchanged));
    Some((ids, counts, writes))
}

/// The grant is being tried at this moment: what was parked behind it waits for that attempt. Nothing
/// is behind a reversal.
fn revive_only(shard: u32, family: &Family, now: Timestamp) -> Option<Plan> {
    let (mut ids, mut counts) = (Vec::new(), Counts::default());
    let mut writes = vec![family.row.unchanged()];
    for reversal in family.reversals.iter().filter(|one| one.state == DeliveryState::Parked) {
        let mut row = reversal.clone();
        counts.moved(row.state, DeliveryState::Queued);
        ids.push(row.id());
        row.restart(now);
        row.waits = family.row.state.is_open();
        writes.push(row.rewrite(shard));
    }
    (!ids.is_empty()).then_some((ids, counts, writes))
}

impl Row {
    /// Whether it stands as a replay at that moment leaves it.
    fn is_restarted(&self, now: Timestamp) -> bool {
        let fresh = (DeliveryState::Queued, 0, Some(now), None);
        (self.state, self.attempts, self.due_at, self.lease_until) == fresh
    }
}
