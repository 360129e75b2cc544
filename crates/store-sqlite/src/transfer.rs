//! `Transfer`: the file as an end of a move.
//!
//! The phase stands in `meta`, and the writer reads it in each group's own transaction. So whoever
//! else has set it, no group is committed afterwards that it does not let in: that is SQLite's own
//! lock. A store that is open only for reading sets it on a connection of its own, since a server
//! may have the file; it writes nothing else. Filling takes the server's lock, as any writing does.
//!
//! | verb | round trips | statements |
//! |---|---|---|
//! | `phase`, `touched`, `users`, `users_of` | 1 | 1, or 1 a user |
//! | `budget_rows` | 1 | 1, and 1 a budget |
//! | `delivery_rows` | 1 | 1, and 1 a delivery for its words |
//! | `delivery_rows_of` | 1 | 2 a delivery |
//! | `put_users`, `put_budgets` | 1 to the writer | 1 a row, or a day |
//! | `put_records` | 1 to the writer | 1 a record, 2 a user, 3 a message |
//! | `put_deliveries` | 1 to the writer | 4 a delivery |

mod phase;
mod put;
mod rows;

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};
use store::{BudgetRow, Claimed, Phase, Seq, StoreError, Stored, Transfer, UserRow};

use crate::{SqliteStore, outbox};

pub(crate) use phase::read_phase;

#[async_trait]
impl Transfer for SqliteStore {
    async fn phase(&self) -> Result<Phase, StoreError> {
        self.readers().point(read_phase)
    }

    async fn set_phase(&self, phase: Phase) -> Result<(), StoreError> {
        if self.is_read_only() {
            return phase::set_beside(&self.path, phase).await;
        }
        self.ask(phase::SetPhase(phase)).await
    }

    async fn touched(&self, after: Seq, limit: usize) -> Result<(Vec<UserKey>, Seq), StoreError> {
        self.readers().scan(move |conn| phase::touched(conn, after, limit)).await
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

    async fn put_users(&self, rows: Vec<UserRow>) -> Result<(), StoreError> {
        self.ask(put::PutUsers::from(rows)).await
    }

    async fn put_records(&self, records: Vec<Stored>) -> Result<(), StoreError> {
        self.ask(put::PutRecords::from(records)).await
    }

    async fn put_budgets(&self, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        self.ask(put::PutBudgets(rows)).await
    }

    async fn put_deliveries(&self, rows: Vec<Claimed>) -> Result<(), StoreError> {
        self.ask(outbox::PutDeliveries(rows)).await
    }
}
