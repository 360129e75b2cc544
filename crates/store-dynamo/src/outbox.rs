//! `Outbox`: deliveries with their users, found by an index of what is due.
//!
//! A commit writes each message as a delivery into its user's partition, where its id alone finds it,
//! and an entry into its endpoint's list. The one index says what can be tried and when; it may be a
//! moment late, so it only finds candidates, and what becomes of them is decided by conditional
//! writes of the deliveries themselves.
//!
//! | verb | requests |
//! |---|---|
//! | `claim` | for each shard a query or a few; 1 read; 1 write for each shard; places |
//! | `settle` | 1 query and 1 write; 1 read more for a grant with a reversal, and the other way round |
//! | `replay` | the same, for each delivery |
//! | `deliveries` | places; for each shard a query or a few; 1 read for each 100 |
//! | `delivery` | 1 read, and places |
//! | `backlog` | 1 read; for each shard a query or a few; 1 read |
//!
//! Places are 1 read where something is new or unknown, and 1 write to give them ([`crate::merge`]).
//!
//! A reversal and its grant belong to one user and stand in one shard. It waits (D6) by its place in
//! the index: a claim that meets one too early sets it aside, on the condition that the grant is
//! still what it was, and the grant's settlement lets it go in its own transaction.

mod birth;
mod claim;
mod front;
mod list;
mod moved;
mod queue;
mod replay;
mod row;
mod settle;

use std::collections::HashSet;

use async_trait::async_trait;
use domain::ids::DeliveryId;
use domain::time::Timestamp;
use store::{
    AttemptNote, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Outbox, Replay, Settled,
    Settlement, StoreError,
};

pub(crate) use birth::births;
pub(crate) use queue::Queues;

use crate::DynamoStore;
use crate::base::Base;
use crate::error::Failed;
use crate::keys::{self, QUEUED};
use crate::requests::Request;
use crate::value::Read as _;
use front::Wanted;
use queue::Counts;
use settle::Attempt;

impl Base {
    /// How many deliveries are in each state: what commits have queued, and how they moved since.
    pub(crate) async fn counts(&self) -> Result<Counts, Failed> {
        let shards = 0..self.shards;
        let keys: Vec<_> = shards.clone().map(keys::head).chain(shards.map(keys::queue)).collect();
        let mut found = self.db.batch_get(Request::ReadCounts, &keys, true).await?;
        let queues = found.split_off(self.shards as usize);
        let mut counts = Counts::default();
        for head in found.into_iter().flatten() {
            counts.add(DeliveryState::Queued, head.get_number(QUEUED)?);
        }
        for queue in queues.into_iter().flatten() {
            counts.add_item(&queue)?;
        }
        Ok(counts)
    }

    /// Looks at what can be tried at this moment, and leaves it as it is.
    pub(crate) async fn look_at_front(&self, now: Timestamp, limit: usize) -> Result<(), Failed> {
        let seen = HashSet::new();
        self.front(Wanted { now, per_endpoint: limit, skip: &[], seen: &seen }).await?;
        Ok(())
    }

    /// Looks at a delivery and what hangs on it.
    pub(crate) async fn look_at_family(&self, id: DeliveryId) -> Result<(), Failed> {
        self.family(id).await?;
        Ok(())
    }
}

#[async_trait]
impl Outbox for DynamoStore {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.base.claim(&claim).await?)
    }

    async fn settle(
        &self,
        id: DeliveryId,
        fence: u64,
        settlement: Settlement,
        note: AttemptNote,
    ) -> Result<Settled, StoreError> {
        let attempt = Attempt { id, fence, settlement, note };
        Ok(self.base.settle(&attempt).await?)
    }

    async fn replay(&self, which: Replay, now: Timestamp) -> Result<u64, StoreError> {
        let base = &self.base;
        match which {
            Replay::One(id) => Ok(base.replay_one(id, None, now).await?.len() as u64),
            Replay::Range { app, mode, state, from, to } => {
                let of = DeliveryFilter { app, mode, state: Some(state), after: None, limit: 0 };
                Ok(base.replay_range(replay::Range { of, state, from, to }, now).await?)
            }
        }
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        Ok(self.base.deliveries(&filter).await?)
    }

    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        // In a box of its own, because the compiler follows futures in futures only so far.
        Ok(Box::pin(self.base.deliveries_of(ids)).await?)
    }

    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError> {
        let base = &self.base;
        let moment = base.next_moment().await?;
        let counts = base.counts().await?;
        Ok((DeliveryState::ALL.map(|state| (state, counts.of(state))).to_vec(), moment))
    }
}
