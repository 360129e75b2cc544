//! `Transfer`: the file as an end of a move.
//!
//! The phase stands in `meta`, and the writer reads it in each group's own transaction. So whoever
//! else has set it, no group is committed afterwards that it does not let in: that is SQLite's own
//! lock. So does the number of the run that has the file, which is read with whatever a run changes. A
//! store that is open only for reading sets both on a connection of its own, since a server
//! may have the file; it writes nothing else. Filling takes the server's lock, as any writing does.
//!
//! | verb | round trips | statements |
//! |---|---|---|
//! | `phase`, `touched`, `users`, `users_of` | 1 | 1 or 2, or 1 a user |
//! | `take_over`, `set_phase` | 1 to the writer | 3 |
//! | `budget_rows` | 1 | 1, and 1 a budget |
//! | `delivery_rows` | 1 | 1, and 1 a delivery for its words |
//! | `delivery_rows_of` | 1 | 2 a delivery |
//! | `put_order` | 1 to the writer | 1 |
//! | `put_users`, `put_budgets` | 1 to the writer | 1 a row, or a day |
//! | `put_records` | 1 to the writer | 1 a record, 2 a user, 3 a message |
//! | `put_deliveries` | 1 to the writer | 4 a delivery |

mod phase;
mod put;
mod rows;

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};
use store::{BudgetRow, Claimed, Phase, RunNumber, Seq, StoreError, Stored, Transfer, UserRow};

use crate::{SqliteStore, outbox};

pub(crate) use phase::{ByRun, read_phase, read_run};

#[async_trait]
impl Transfer for SqliteStore {
    async fn phase(&self) -> Result<Phase, StoreError> {
        self.readers().point(read_phase)
    }

    async fn take_over(&self) -> Result<(RunNumber, Phase), StoreError> {
        if self.is_read_only() {
            return phase::beside(&self.path, phase::next_run).await;
        }
        self.ask(phase::TakeOver).await
    }

    async fn set_phase(&self, run: RunNumber, phase: Phase) -> Result<(), StoreError> {
        if self.is_read_only() {
            return phase::set_beside(&self.path, run, phase).await;
        }
        self.ask(ByRun(run, phase::SetPhase(phase))).await
    }

    async fn touched(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), StoreError> {
        self.readers().scan(move |conn| phase::touched(conn, run, after, limit)).await
    }

    async fn users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserRow>, StoreError> {
        self.readers().scan(move |conn| rows::users(conn, after, limit)).await
    }

    async fn users_of(&self, keys: &[UserKey]) -> Result<Vec<UserRow>, StoreError> {
        let keys = keys.to_vec();
        self.readers().scan(move |conn| rows::users_of(conn, &keys)).await
    }

    async fn budget_rows(&self) -> Result<Vec<BudgetRow>, StoreError> {
        self.readers().scan(rows::budgets).await
    }

    async fn delivery_rows(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.readers().scan(move |conn| outbox::carried(conn, after, limit)).await
    }

    async fn delivery_rows_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError> {
        let places = places.to_vec();
        self.readers().scan(move |conn| outbox::carried_of(conn, &places)).await
    }

    async fn put_order(&self, run: RunNumber, is_total: bool) -> Result<(), StoreError> {
        self.ask(ByRun(run, put::PutOrder(is_total))).await?;
        self.has_total_order.store(is_total, Ordering::Relaxed);
        Ok(())
    }

    async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), StoreError> {
        self.ask(ByRun(run, put::PutUsers::from(rows))).await
    }

    async fn put_records(&self, run: RunNumber, records: Vec<Stored>) -> Result<(), StoreError> {
        self.ask(ByRun(run, put::PutRecords::from(records))).await
    }

    async fn put_budgets(&self, run: RunNumber, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        self.ask(ByRun(run, put::PutBudgets(rows))).await
    }

    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError> {
        self.ask(ByRun(run, outbox::PutDeliveries(rows))).await
    }
}
