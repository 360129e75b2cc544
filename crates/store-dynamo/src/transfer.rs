//! `Transfer`: both ends of a move.
//!
//! | verb | requests |
//! |---|---|
//! | `phase` | 1 read |
//! | `take_over` | 2 reads and 1 write, and 1 for each head and queue |
//! | `set_phase` | 1 read; `Filling`, and `Live` after `Moved` or `Filling`: 1 transaction. `Watched`, `Moved`, and `Live` after `Watched`: 1 for each head and queue, and 1 |
//! | `touched` | 1 read, 1 of the heads, 1 query of the groups of each shard with news, 1 read and 1 write of the place |
//! | `users`, `users_of` | the directory; the users in batches |
//! | `budget_rows` | as `levels`, and 1 query for each budget with old days |
//! | `delivery_rows` | the journal, and the deliveries in batches |
//! | `delivery_rows_of` | the deliveries in batches |
//! | `put_order` | 1 read |
//! | `put_users` | 1 read, writes in batches, transactions by shard |
//! | `put_budgets` | transactions |
//! | `put_records` | 2 reads, writes in batches, transactions by shard, and 1 transaction |
//! | `put_deliveries` | 1 read, and as a replay |
//!
//! While nodes write, a transaction on all heads would hardly ever find them all at rest, so the
//! phases under which they do are set shard by shard. The store says that it is in a phase once every
//! shard is.

mod notes;
mod rows;
mod run;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};
use futures_util::future::try_join_all;
use store::{BudgetRow, Claimed, Phase, RunNumber, Seq, StoreError, Stored, Transfer, UserRow};

use crate::DynamoStore;
use crate::base::Base;
use crate::budgets::budget_items;
use crate::client::Pauses;
use crate::error::Failed;
use crate::keys::{self, Key, PHASE, PHASE_WORDS};
use crate::phase;
use crate::requests::Request;
use crate::write::Write;

use run::Puts;
pub(crate) use run::{IS_LATEST, number_of};

impl Base {
    pub(crate) async fn read_phase(&self) -> Result<Phase, Failed> {
        Ok(self.read_standing().await?.0)
    }

    async fn write_phase(&self, run: RunNumber, to: &Phase) -> Result<(), Failed> {
        // A run that was taken over does not even begin, although each of its writes would be refused.
        let (from, latest) = self.read_standing().await?;
        run.check(latest)?;
        let meta = phase_write(keys::meta(), run, to);
        let do_nodes_write = match to {
            Phase::Watched | Phase::Moved(_) => true,
            Phase::Live => from == Phase::Watched,
            Phase::Filling => false,
        };
        if !do_nodes_write {
            let parts = self.fences().map(|key| phase_write(key, run, to));
            return self.write_as(Request::WritePhase, parts.chain([meta]).collect()).await;
        }
        let one = |key| self.write_as(Request::WritePhase, vec![phase_write(key, run, to)]);
        try_join_all(self.fences().map(one)).await?;
        if *to == Phase::Watched {
            self.begin_notes(run).await?;
        }
        self.write_as(Request::WritePhase, vec![meta]).await
    }

    /// Writes what may be written twice, again if the answer is lost.
    pub(crate) async fn write_again(
        &self,
        request: Request,
        writes: Vec<Write>,
    ) -> Result<(), Failed> {
        let mut pauses = Pauses::begin();
        loop {
            match self.db.transact(request, writes.clone()).await {
                Err(failed @ Failed::Unknown(_)) => pauses.pause_or(|| failed).await?,
                done => return done,
            }
        }
    }
}

fn phase_write(key: Key, run: RunNumber, to: &Phase) -> Write {
    let mut attributes = phase::to_attributes(to);
    let mut values = Vec::new();
    for (name, value) in [(PHASE, ":phase"), (PHASE_WORDS, ":words")] {
        if let Some(attribute) = attributes.remove(name) {
            values.push((format!("#{name} = {value}"), value, attribute));
        }
    }
    let set: Vec<&str> = values.iter().map(|(set, _, _)| set.as_str()).collect();
    let remove = if set.len() < 2 { format!(" REMOVE #{PHASE_WORDS}") } else { String::new() };
    let write = Write::update(key, format!("SET {}{remove}", set.join(", ")));
    let write = write.when(IS_LATEST).with(":run", number_of(run));
    values.into_iter().fold(write, |write, (_, name, value)| write.with(name, value))
}

/// More than an item of a budget takes.
const BUDGET_BYTES: usize = 4_000;

#[async_trait]
impl Transfer for DynamoStore {
    async fn phase(&self) -> Result<Phase, StoreError> {
        Ok(self.base.read_phase().await?)
    }

    async fn take_over(&self) -> Result<(RunNumber, Phase), StoreError> {
        Ok(self.base.next_run().await?)
    }

    async fn set_phase(&self, run: RunNumber, phase: Phase) -> Result<(), StoreError> {
        Ok(self.base.write_phase(run, &phase).await?)
    }

    async fn touched(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), StoreError> {
        run.check(self.base.read_standing().await?.1)?;
        Ok(self.base.read_notes(run, after, limit).await?)
    }

    async fn users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserRow>, StoreError> {
        let found = self.base.scan_users(after, limit).await?;
        Ok(found.into_iter().map(rows::user_row).collect())
    }

    async fn users_of(&self, keys: &[UserKey]) -> Result<Vec<UserRow>, StoreError> {
        let found = self.base.load_users(keys).await?;
        Ok(found.into_iter().map(rows::user_row).collect())
    }

    async fn budget_rows(&self) -> Result<Vec<BudgetRow>, StoreError> {
        Ok(self.base.budget_rows().await?)
    }

    async fn delivery_rows(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.base.moved_deliveries(after, limit).await?)
    }

    async fn delivery_rows_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.base.moved_deliveries_of(places).await?)
    }

    async fn put_order(&self, run: RunNumber, _is_total: bool) -> Result<(), StoreError> {
        // It has no total order, whatever it is filled with.
        Ok(self.base.must_be_filling(run).await?)
    }

    async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), StoreError> {
        self.base.must_be_filling(run).await?;
        rows.iter().for_each(|row| self.parts.forget(&row.key));
        Ok(self.base.put_users(run, rows).await?)
    }

    async fn put_records(&self, run: RunNumber, records: Vec<Stored>) -> Result<(), StoreError> {
        Ok(self.base.put_records(run, records).await?)
    }

    async fn put_budgets(&self, run: RunNumber, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        // Of a budget that comes twice the later row holds, and a transaction names an item once.
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.line_item, row)).collect();
        let mut puts = Puts::default();
        for item in rows.into_values().flat_map(budget_items) {
            puts.add(Write::put(item), BUDGET_BYTES);
        }
        Ok(self.base.put_fenced(run, keys::meta(), puts).await?)
    }

    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError> {
        self.base.must_be_filling(run).await?;
        Ok(self.base.put_deliveries(run, rows).await?)
    }
}
