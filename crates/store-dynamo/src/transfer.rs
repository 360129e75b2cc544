//! `Transfer`: both ends of a move.
//!
//! | verb | requests |
//! |---|---|
//! | `phase` | 1 read |
//! | `set_phase` | `Filling`, and `Live` after `Moved` or `Filling`: 1 transaction. `Watched`, `Moved`, and `Live` after `Watched`: 1 for each head and queue, and 1 |
//! | `touched` | 1 read of the heads, 1 query of the groups of each shard with news, 1 read and 1 write of the place |
//! | `users`, `users_of` | the directory; the users in batches |
//! | `budget_rows` | as `levels`, and 1 query for each budget with old days |
//! | `delivery_rows` | the journal, and the deliveries in batches |
//! | `delivery_rows_of` | the deliveries in batches |
//! | `put_users`, `put_budgets` | writes in batches |
//! | `put_records` | writes in batches, and 1 transaction |
//! | `put_deliveries` | as a replay |
//!
//! While nodes write, a transaction on all heads would hardly ever find them all at rest, so the
//! phases under which they do are set shard by shard. The store says that it is in a phase once every
//! shard is.

mod notes;
mod rows;

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};
use futures_util::future::try_join_all;
use store::{BudgetRow, Claimed, Phase, Seq, StoreError, Stored, Transfer, UserRow, Writing};

use crate::DynamoStore;
use crate::base::Base;
use crate::client::Pauses;
use crate::error::Failed;
use crate::keys::{self, Key, PHASE, PHASE_WORDS};
use crate::phase;
use crate::requests::Request;
use crate::write::Write;

impl Base {
    async fn read_phase(&self) -> Result<Phase, Failed> {
        let meta = self.db.get(Request::ReadMeta, &keys::meta()).await?;
        phase::from_item(&meta.ok_or_else(|| Failed::corrupt("the meta item is gone"))?)
    }

    async fn write_phase(&self, to: &Phase) -> Result<(), Failed> {
        let shards = 0..self.shards;
        let parts: Vec<Key> =
            shards.flat_map(|shard| [keys::head(shard), keys::queue(shard)]).collect();
        let meta = phase_write(keys::meta(), to);
        let do_nodes_write = match to {
            Phase::Watched | Phase::Moved(_) => true,
            Phase::Live => self.read_phase().await? == Phase::Watched,
            Phase::Filling => false,
        };
        if !do_nodes_write {
            let parts = parts.into_iter().map(|key| phase_write(key, to));
            return self.write_again(Request::WritePhase, parts.chain([meta]).collect()).await;
        }
        let one = |key| self.write_again(Request::WritePhase, vec![phase_write(key, to)]);
        try_join_all(parts.into_iter().map(one)).await?;
        if *to == Phase::Watched {
            self.begin_notes().await?;
        }
        self.write_again(Request::WritePhase, vec![meta]).await
    }

    /// Writes what may be written twice, again if the answer is lost.
    async fn write_again(&self, request: Request, writes: Vec<Write>) -> Result<(), Failed> {
        let mut pauses = Pauses::begin();
        loop {
            match self.db.transact(request, writes.clone()).await {
                Err(failed @ Failed::Unknown(_)) => pauses.pause_or(|| failed).await?,
                done => return done,
            }
        }
    }

    async fn must_be_filling(&self) -> Result<(), Failed> {
        Ok(self.read_phase().await?.permit(Writing::Copy)?)
    }
}

fn phase_write(key: Key, to: &Phase) -> Write {
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
    values.into_iter().fold(write, |write, (_, name, value)| write.with(name, value))
}

#[async_trait]
impl Transfer for DynamoStore {
    async fn phase(&self) -> Result<Phase, StoreError> {
        Ok(self.base.read_phase().await?)
    }

    async fn set_phase(&self, phase: Phase) -> Result<(), StoreError> {
        Ok(self.base.write_phase(&phase).await?)
    }

    async fn touched(&self, after: Seq, limit: usize) -> Result<(Vec<UserKey>, Seq), StoreError> {
        Ok(self.base.read_notes(after, limit).await?)
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

    async fn put_users(&self, rows: Vec<UserRow>) -> Result<(), StoreError> {
        self.base.must_be_filling().await?;
        rows.iter().for_each(|row| self.parts.forget(&row.key));
        Ok(self.base.put_users(rows).await?)
    }

    async fn put_records(&self, records: Vec<Stored>) -> Result<(), StoreError> {
        self.base.must_be_filling().await?;
        Ok(self.base.put_records(records).await?)
    }

    async fn put_budgets(&self, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        self.base.must_be_filling().await?;
        Ok(self.base.put_budgets(rows).await?)
    }

    async fn put_deliveries(&self, rows: Vec<Claimed>) -> Result<(), StoreError> {
        self.base.must_be_filling().await?;
        Ok(self.base.put_deliveries(rows).await?)
    }
}
