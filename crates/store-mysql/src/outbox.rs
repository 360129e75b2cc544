//! `Outbox`: deliveries, made in the commits of their records (D1).
//!
//! The words of a message stay in the journal; a row holds only how far it has come. Whatever looks
//! for deliveries reads beside the writer, and whatever changes them is a unit of work that finds
//! them by id and looks again under the lock, so that the lock is never held for a search.
//!
//! | verb | round trips |
//! |---|---|
//! | `claim` | 2 reads to find what is due, 1 to the writer, 1 read for the words; again if others were faster |
//! | `settle`, `replay` of one | 1 to the writer |
//! | `replay` of a range | 1 read and 1 to the writer for each [`replay::CHUNK`] deliveries |
//! | `deliveries`, `delivery` | 1 read |
//! | `backlog` | 1 read, and 1 more while anything is open |
//!
//! A row's `ready_at` is when it can be claimed. It is empty while a reversal waits for its grant
//! (D6) and once a delivery has ended, and it is the end of the lease while one is under way (D4).

mod claim;
mod desk;
mod list;
mod replay;
mod row;
mod settle;

use async_trait::async_trait;
use domain::ids::DeliveryId;
use domain::time::Timestamp;
use store::{
    AttemptNote, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Outbox, Replay, Settled,
    Settlement, StoreError,
};

pub(crate) use desk::{Desk, Post};
pub(crate) use list::{After, delivery_of};
pub(crate) use row::DeliveryRow;

use crate::MysqlStore;

#[async_trait]
impl Outbox for MysqlStore {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.claim_ready(claim).await
    }

    async fn settle(
        &self,
        id: DeliveryId,
        fence: u64,
        settlement: Settlement,
        note: AttemptNote,
    ) -> Result<Settled, StoreError> {
        self.ask(settle::SettleAttempt { id, fence, settlement, note }).await
    }

    async fn replay(&self, which: Replay, now: Timestamp) -> Result<u64, StoreError> {
        match which {
            Replay::One(id) => self.ask(replay::ReplayOne { id, now }).await,
            Replay::Range { app, mode, state, from, to } => {
                let range = replay::Range { app, mode, state, from, to };
                self.replay_range(range, now).await
            }
        }
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.list(filter).await
    }

    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.find_deliveries(ids).await
    }

    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError> {
        self.count_backlog().await
    }
}
