//! `Outbox`: deliveries, derived from the journal off the hot transaction.
//!
//! A commit only appends its record. The messages in it become rows when somebody asks for
//! deliveries: every verb first **absorbs** the journal up to where it durably stood when the verb
//! was called, so nothing that was acknowledged before is ever missed (D1, D5). The cursor moves in
//! the same transaction as the rows, so a crash in between repeats nothing. The words of a message
//! stay in the journal; a row holds only how far it has come.
//!
//! | verb | round trips |
//! |---|---|
//! | `claim`, `settle` | 1 to the writer, and 1 for each [`absorb::RECORDS_MAX`] new records |
//! | `replay` of one | the same |
//! | `replay` of a range | 1 read and 1 write for each [`replay::CHUNK`] deliveries |
//! | `deliveries`, `delivery`, `backlog` | 1 read, and absorbing |
//!
//! A row's `ready_at` is when it can be claimed. It is empty while a reversal waits for its grant
//! (D6) and once a delivery has ended, and it is the end of the lease while one is under way (D4).

mod absorb;
mod carry;
mod claim;
mod list;
mod replay;
mod row;
mod settle;

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use domain::ids::DeliveryId;
use domain::time::Timestamp;
use store::{
    AttemptNote, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, Outbox, Replay, Settled,
    Settlement, StoreError,
};

use crate::SqliteStore;

pub(crate) use absorb::absorb_all;
pub(crate) use carry::{PutDeliveries, carried, carried_of, queue};

impl SqliteStore {
    /// Takes the messages of every record committed so far into the outbox, and says whether all are
    /// in it.
    ///
    /// A store that was opened only for reading, or whose state has moved, cannot; its list adds
    /// what is not absorbed yet.
    async fn absorb(&self) -> Result<bool, StoreError> {
        let head = self.marks().head.load(Ordering::Acquire);
        if self.is_read_only() {
            return Ok(false);
        }
        while self.marks().absorbed.load(Ordering::Acquire) < head {
            if !self.ask(absorb::AbsorbMessages).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.absorb().await?;
        self.ask(claim::ClaimReady(claim)).await
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
        self.absorb().await?;
        match which {
            Replay::One(id) => self.ask(replay::ReplayOne { id, now }).await,
            Replay::Range { app, mode, state, from, to } => {
                let range = replay::Range { app, mode, state, from, to };
                self.replay_range(range, now).await
            }
        }
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        let list = match self.absorb().await? {
            true => list::deliveries,
            false => list::deliveries_and_tail,
        };
        self.readers().scan(move |conn| list(conn, &filter)).await
    }

    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.absorb().await?;
        if let [id] = *ids {
            return self.readers().point(|conn| Ok(Vec::from_iter(list::delivery(conn, id)?)));
        }
        let ids = ids.to_vec();
        self.readers().scan(move |conn| list::deliveries_of(conn, &ids)).await
    }

    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError> {
        let backlog = match self.absorb().await? {
            true => list::backlog,
            false => list::backlog_and_tail,
        };
        self.readers().scan(backlog).await
    }
}
