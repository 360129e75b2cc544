//! `Transfer`: moving the state into this database or out of it.
//!
//! The phase stands in the row that every writer locks, so a change of it is in order with all
//! commits: the group that makes the store `Moved` is behind every group that was ever acknowledged,
//! and whatever a forgotten node tries later finds it so. The number of the run that has the store
//! stands there too, so a run that was taken over writes nothing behind the other one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use domain::ids::{ChangeId, DeliveryId, LineItemId, UserKey};
use domain::time::Day;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use store::{
    BudgetRow, Claimed, Phase, RunNumber, Seq, StoreError, Stored, Transfer, UserRow, Writing,
};

use crate::ask::Ask;
use crate::books::{Books, Entry, UserWrite, Wants, limits_of, phase_of, run_of, used_of};
use crate::codec::{bytes_of, loaded_of, record_to_bytes, rows, state_to_bytes};
use crate::error::Failure;
use crate::options::{POINT_MAX, SCAN_MAX};
use crate::outbox::{After, DeliveryRow, Post, delivery_of};
use crate::writer::Work;
use crate::{MysqlStore, sql};

struct TakeOver;

impl Work for TakeOver {
    type Answer = (RunNumber, Phase);

    const WRITING: Option<Writing> = None;

    fn wants(&self, _: &mut Wants) {}

    fn run(&self, books: &mut Books) -> Result<Self::Answer, StoreError> {
        Ok((books.take_over(), books.phase().clone()))
    }
}

/// Work that is done for a run, and refused once another one has the store.
struct ByRun<W>(RunNumber, W);

impl<W: Work> Work for ByRun<W> {
    type Answer = W::Answer;

    const WRITING: Option<Writing> = W::WRITING;

    fn mover(&self) -> Option<RunNumber> {
        Some(self.0)
    }

    fn wants(&self, wants: &mut Wants) {
        self.1.wants(wants);
    }

    fn run(&self, books: &mut Books) -> Result<W::Answer, StoreError> {
        self.1.run(books)
    }
}

struct SetPhase(Phase);

impl Work for SetPhase {
    type Answer = ();

    const WRITING: Option<Writing> = None;

    fn wants(&self, _: &mut Wants) {}

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        books.set_phase(self.0.clone());
        Ok(())
    }
}

/// Notes of touched users that are forgotten at once, while everybody's commits wait.
const FORGOTTEN_MAX: u64 = 10_000;

struct ForgetTouched(Seq);

impl Work for ForgetTouched {
    type Answer = ();

    const WRITING: Option<Writing> = None;

    fn wants(&self, _: &mut Wants) {}

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        books.forget_touched(self.0);
        Ok(())
    }
}

impl MysqlStore {
    /// Forgets what an earlier move noted, piece by piece, but for the last piece.
    async fn forget_most(&self, run: RunNumber) -> Result<(), StoreError> {
        let found = self.readers().row(&Ask::new(sql::TOUCHED_ENDS), POINT_MAX).await?;
        let end = |column| match &found {
            Some(row) => {
                Ok::<_, Failure>(row.try_get::<Option<u64>, _>(column)?.unwrap_or_default())
            }
            None => Ok(0),
        };
        let (mut next, newest) = (end(0)?, end(1)?);
        while newest - next > FORGOTTEN_MAX {
            next += FORGOTTEN_MAX;
            self.ask(ByRun(run, ForgetTouched(next))).await?;
        }
        Ok(())
    }
}

struct PutOrder(bool);

impl Work for PutOrder {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn wants(&self, _: &mut Wants) {}

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        books.put_order(self.0);
        Ok(())
    }
}

struct PutUsers(Vec<(UserKey, UserWrite)>);

impl Work for PutUsers {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn wants(&self, _: &mut Wants) {}

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        self.0.iter().for_each(|(key, write)| books.put_user(*key, write.clone()));
        Ok(())
    }
}

impl From<Vec<UserRow>> for PutUsers {
    fn from(rows: Vec<UserRow>) -> Self {
        let write = |row: &UserRow| UserWrite {
            version: row.loaded.version,
            change: row.latest,
            chain: row.loaded.chain,
            due_at: row.loaded.state.due_at(),
            state: state_to_bytes(&row.loaded.state).into(),
        };
        Self(rows.iter().map(|row| (row.key, write(row))).collect())
    }
}

struct PutRecords(Vec<(Entry, Post)>);

impl Work for PutRecords {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn wants(&self, wants: &mut Wants) {
        for (_, post) in &self.0 {
            post.grants().for_each(|grant| wants.delivery(grant));
        }
    }

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        for (entry, post) in &self.0 {
            if books.put_record(entry.clone()) {
                books.desk.queue(entry.seq, post);
            }
        }
        Ok(())
    }
}

impl From<Vec<Stored>> for PutRecords {
    fn from(records: Vec<Stored>) -> Self {
        let put = |stored: &Stored| {
            let body: Arc<[u8]> = record_to_bytes(&stored.record).into();
            let user = stored.record.user;
            let entry = Entry { seq: stored.seq, user, chain: stored.chain, body };
            (entry, Post::from(&stored.record))
        };
        Self(records.iter().map(put).collect())
    }
}

struct PutBudgets(Vec<BudgetRow>);

impl Work for PutBudgets {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn wants(&self, wants: &mut Wants) {
        self.0.iter().for_each(|row| wants.budget(row.line_item));
    }

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        self.0.iter().for_each(|row| books.put_budget(row));
        Ok(())
    }
}

struct PutDeliveries(Vec<Claimed>);

impl Work for PutDeliveries {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn wants(&self, wants: &mut Wants) {
        self.0.iter().for_each(|row| wants.delivery(row.delivery.message.id));
    }

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        for Claimed { delivery, fence } in &self.0 {
            let Some(found) = books.desk.find(delivery.message.id).cloned() else { continue };
            let row = DeliveryRow {
                state: delivery.state,
                attempts: delivery.attempts,
                due_at: delivery.due_at,
                lease_until: None,
                fence: *fence,
                last: delivery.last.clone(),
                ..found
            };
            let number = row.number;
            books.desk.write(row);
            // Whether they can be claimed depends on it; where they stand does not.
            books.desk.waiting(number).into_iter().for_each(|row| books.desk.write(row));
        }
        Ok(())
    }
}

/// Reads `version, chain, state, user_key, change_id`.
fn user_of(row: &MySqlRow) -> Result<UserRow, Failure> {
    let (key, latest) = (UserKey(bytes_of(row, 3)?), ChangeId(bytes_of(row, 4)?));
    Ok(UserRow { key, loaded: loaded_of(row)?, latest })
}

/// Reads a delivery that is carried, due at the end of its lease if it has one.
fn carried_of(row: &MySqlRow) -> Result<Claimed, Failure> {
    let DeliveryRow { fence, lease_until, .. } = DeliveryRow::of(row)?;
    let mut delivery = delivery_of(row)?;
    delivery.due_at = lease_until.or(delivery.due_at);
    Ok(Claimed { delivery, fence })
}

/// Reads budgets, each over as many rows as it has days, and one if it has none.
fn budgets_of(found: &[MySqlRow]) -> Result<Vec<BudgetRow>, Failure> {
    let mut budgets: BTreeMap<LineItemId, BudgetRow> = BTreeMap::new();
    for row in found {
        let line_item = LineItemId(row.try_get(0)?);
        let is_set = row.try_get::<i8, _>(1)? != 0;
        let limits = is_set.then(|| limits_of(row, 2)).transpose()?;
        let total = used_of(row, 7)?;
        let days = Vec::new();
        let budget =
            budgets.entry(line_item).or_insert(BudgetRow { line_item, limits, total, days });
        if let Some(day) = row.try_get::<Option<i32>, _>(10)? {
            budget.days.push((Day(day), used_of(row, 11)?));
        }
    }
    Ok(budgets.into_values().collect())
}

#[async_trait]
impl Transfer for MysqlStore {
    async fn phase(&self) -> Result<Phase, StoreError> {
        Ok(phase_of(&self.readers().head().await?)?)
    }

    async fn take_over(&self) -> Result<(RunNumber, Phase), StoreError> {
        self.ask(TakeOver).await
    }

    async fn set_phase(&self, run: RunNumber, phase: Phase) -> Result<(), StoreError> {
        if phase == Phase::Watched {
            self.forget_most(run).await?;
        }
        self.ask(ByRun(run, SetPhase(phase))).await
    }

    async fn touched(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), StoreError> {
        run.check(run_of(&self.readers().head().await?, 5)?)?;
        let ask = Ask::new(sql::TOUCHED_READ).bind(after).bind(rows(limit));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        let place = found.last().map(|row| row.try_get(0)).transpose().map_err(Failure::from)?;
        let users = found.iter().map(|row| bytes_of(row, 1).map(UserKey));
        Ok((users.collect::<Result<_, _>>()?, place.unwrap_or(after)))
    }

    async fn users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserRow>, StoreError> {
        let after = after.map(|user| user.0.to_vec()).unwrap_or_default();
        let ask = Ask::new(sql::USERS_SCAN).bind(after).bind(rows(limit));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        Ok(found.iter().map(user_of).collect::<Result<_, _>>()?)
    }

    async fn users_of(&self, keys: &[UserKey]) -> Result<Vec<UserRow>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = Ask::many(format!("{}{}", sql::USERS_OF, sql::list_of(keys.len())));
        keys.iter().for_each(|key| ask.push(&key.0[..]));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        Ok(found.iter().map(user_of).collect::<Result<_, _>>()?)
    }

    async fn budget_rows(&self) -> Result<Vec<BudgetRow>, StoreError> {
        let found = self.readers().rows(&Ask::new(sql::BUDGETS_WHOLE), SCAN_MAX).await?;
        Ok(budgets_of(&found)?)
    }

    async fn delivery_rows(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        let After { first, last, id } = After::of(after);
        let ask = Ask::new(sql::DELIVERIES_MOVED).bind(first).bind(last);
        let ask = ask.bind(&id.0[..]).bind(rows(limit));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        Ok(found.iter().map(carried_of).collect::<Result<_, _>>()?)
    }

    async fn delivery_rows_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = Ask::many(format!("{}{}", sql::DELIVERIES_OF, sql::list_of(places.len())));
        places.iter().for_each(|(_, id)| ask.push(&id.0[..]));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        Ok(found.iter().map(carried_of).collect::<Result<_, _>>()?)
    }

    async fn put_order(&self, run: RunNumber, is_total: bool) -> Result<(), StoreError> {
        self.ask(ByRun(run, PutOrder(is_total))).await?;
        self.has_total_order.store(is_total, Ordering::Relaxed);
        Ok(())
    }

    async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), StoreError> {
        self.ask(ByRun(run, PutUsers::from(rows))).await
    }

    async fn put_records(&self, run: RunNumber, records: Vec<Stored>) -> Result<(), StoreError> {
        self.ask(ByRun(run, PutRecords::from(records))).await
    }

    async fn put_budgets(&self, run: RunNumber, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        self.ask(ByRun(run, PutBudgets(rows))).await
    }

    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError> {
        self.ask(ByRun(run, PutDeliveries(rows))).await
    }
}
