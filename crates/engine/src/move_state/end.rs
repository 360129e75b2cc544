//! One end of a move, with patience: whatever is asked of it can be asked again.

use std::fmt;
use std::time::Duration;

use domain::ids::{DeliveryId, UserKey};
use store::{
    BudgetRow, Claimed, Delivery, DeliveryFilter, DeliveryState, Movable, Phase, RunNumber, Seq,
    StateId, StoreError, Stored, UserRow,
};

use super::MoveError;

/// How often a call is made before its failure is the run's: with the waits in between, six seconds.
const ATTEMPTS_MAX: u32 = 8;
/// The first wait; each is twice as long as the one before.
const WAIT: Duration = Duration::from_millis(50);

/// Which end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The store that has the state.
    Old,
    /// The store that gets it.
    New,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "the old store",
            Self::New => "the new store",
        })
    }
}

/// One end.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    side: Side,
    store: &'a Movable,
    /// Which run this is to the store, once that was taken over.
    run: RunNumber,
}

impl<'a> End<'a> {
    pub(super) fn new(side: Side, store: &'a Movable) -> Self {
        Self { side, store, run: RunNumber::default() }
    }

    /// Asks until there is an answer. Every call of a move reads, or may be made twice.
    async fn ask<T, F>(&self, call: impl Fn(&'a Movable) -> F) -> Result<T, MoveError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let (mut attempt, mut wait) = (1, WAIT);
        loop {
            match call(self.store).await {
                Err(StoreError::Unavailable(_) | StoreError::Unknown(_))
                    if attempt < ATTEMPTS_MAX =>
                {
                    tokio::time::sleep(wait).await;
                    (attempt, wait) = (attempt + 1, wait * 2);
                }
                answer => {
                    let side = self.side;
                    return answer.map_err(|error| match error {
                        StoreError::TakenOver => MoveError::TakenOver,
                        error => MoveError::Store { side, error },
                    });
                }
            }
        }
    }

    pub(super) async fn phase(&self) -> Result<Phase, MoveError> {
        self.ask(|store| store.transfer.phase()).await
    }

    /// Takes it over for this run, and says what it may be used for at that moment.
    pub(super) async fn take_over(&mut self) -> Result<Phase, MoveError> {
        let (run, phase) = self.ask(|store| store.transfer.take_over()).await?;
        self.run = run;
        Ok(phase)
    }

    pub(super) async fn set_phase(&self, phase: Phase) -> Result<(), MoveError> {
        self.ask(|store| store.transfer.set_phase(self.run, phase.clone())).await
    }

    pub(super) async fn head(&self) -> Result<Seq, MoveError> {
        self.ask(|store| store.state.head()).await
    }

    /// Whether its journal is in the order of the commits.
    pub(super) fn is_total_order(&self) -> bool {
        self.store.state.is_total_order()
    }

    /// The identity of the state that it has, if that was given one.
    pub(super) async fn identity(&self) -> Result<Option<StateId>, MoveError> {
        self.ask(|store| store.identity.get()).await
    }

    pub(super) async fn put_identity(&self, id: StateId) -> Result<(), MoveError> {
        self.ask(|store| store.identity.put(self.run, id)).await
    }

    pub(super) async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, MoveError> {
        self.ask(|store| store.state.read(after, limit)).await
    }

    pub(super) async fn touched(
        &self,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), MoveError> {
        self.ask(|store| store.transfer.touched(self.run, after, limit)).await
    }

    pub(super) async fn users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserRow>, MoveError> {
        self.ask(|store| store.transfer.users(after, limit)).await
    }

    /// Users by their keys, in order.
    pub(super) async fn users_of(&self, keys: &'a [UserKey]) -> Result<Vec<UserRow>, MoveError> {
        let mut rows = self.ask(|store| store.transfer.users_of(keys)).await?;
        rows.sort_unstable_by_key(|row| row.key);
        Ok(rows)
    }

    pub(super) async fn budget_rows(&self) -> Result<Vec<BudgetRow>, MoveError> {
        self.ask(|store| store.transfer.budget_rows()).await
    }

    pub(super) async fn delivery_rows(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, MoveError> {
        self.ask(|store| store.transfer.delivery_rows(after, limit)).await
    }

    /// Deliveries by their places, in order; those in their first state are left out.
    pub(super) async fn delivery_rows_of(
        &self,
        places: &'a [(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, MoveError> {
        let mut rows = self.ask(|store| store.transfer.delivery_rows_of(places)).await?;
        rows.sort_unstable_by_key(|row| (row.delivery.seq, row.delivery.message.id));
        Ok(rows)
    }

    pub(super) async fn deliveries(
        &self,
        filter: &DeliveryFilter,
    ) -> Result<Vec<Delivery>, MoveError> {
        self.ask(|store| store.state.deliveries(filter.clone())).await
    }

    /// How many deliveries are in each state.
    pub(super) async fn counts(&self) -> Result<Vec<(DeliveryState, u64)>, MoveError> {
        let mut counts = self.ask(|store| store.state.backlog()).await?.0;
        counts.sort_unstable();
        Ok(counts)
    }

    pub(super) async fn put_order(&self, is_total: bool) -> Result<(), MoveError> {
        self.ask(|store| store.transfer.put_order(self.run, is_total)).await
    }

    pub(super) async fn put_users(&self, rows: Vec<UserRow>) -> Result<(), MoveError> {
        self.ask(|store| store.transfer.put_users(self.run, rows.clone())).await
    }

    pub(super) async fn put_records(&self, records: Vec<Stored>) -> Result<(), MoveError> {
        self.ask(|store| store.transfer.put_records(self.run, records.clone())).await
    }

    pub(super) async fn put_budgets(&self, rows: Vec<BudgetRow>) -> Result<(), MoveError> {
        self.ask(|store| store.transfer.put_budgets(self.run, rows.clone())).await
    }

    pub(super) async fn put_deliveries(&self, rows: Vec<Claimed>) -> Result<(), MoveError> {
        self.ask(|store| store.transfer.put_deliveries(self.run, rows.clone())).await
    }

    /// Whether nothing was ever written to it.
    pub(super) async fn is_empty(&self) -> Result<bool, MoveError> {
        Ok(self.head().await? == 0
            && self.users(None, 1).await?.is_empty()
            && self.budget_rows().await?.is_empty())
    }
}
