//! `Transfer` in memory: the phase and the run are checked under the one lock, so nothing slips past a
//! change of either.

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};

use super::{Inner, MemoryState};
use crate::{
    BudgetRow, Claimed, Phase, RunNumber, Seq, StoreError, Stored, Transfer, UserRow, Writing,
};

impl Inner {
    fn set_phase(&mut self, phase: Phase) {
        if phase == Phase::Watched {
            self.touched.clear();
        }
        self.phase = phase;
    }

    fn touched_after(&self, after: Seq, limit: usize) -> (Vec<UserKey>, Seq) {
        let first = usize::try_from(after).unwrap_or(usize::MAX);
        let users: Vec<_> = self.touched.iter().skip(first).take(limit).copied().collect();
        let place = after + users.len() as Seq;
        (users, place)
    }

    fn put_record(&mut self, stored: Stored) {
        if stored.seq > self.journal.head() {
            let user = stored.record.user.unwrap_or_default();
            self.outbox.queue(stored.seq, user, &stored.record);
            self.journal.put(stored);
        }
    }
}

impl MemoryState {
    pub(super) fn fill(
        &self,
        run: RunNumber,
        write: impl FnOnce(&mut Inner),
    ) -> Result<(), StoreError> {
        let mut inner = self.lock();
        run.check(inner.run)?;
        inner.phase.permit(Writing::Copy)?;
        write(&mut inner);
        Ok(())
    }
}

#[async_trait]
impl Transfer for MemoryState {
    async fn phase(&self) -> Result<Phase, StoreError> {
        Ok(self.lock().phase.clone())
    }

    async fn take_over(&self) -> Result<(RunNumber, Phase), StoreError> {
        let mut inner = self.lock();
        inner.run.0 += 1;
        Ok((inner.run, inner.phase.clone()))
    }

    async fn set_phase(&self, run: RunNumber, phase: Phase) -> Result<(), StoreError> {
        let mut inner = self.lock();
        run.check(inner.run)?;
        inner.set_phase(phase);
        Ok(())
    }

    async fn touched(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), StoreError> {
        let inner = self.lock();
        run.check(inner.run)?;
        Ok(inner.touched_after(after, limit))
    }

    async fn users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserRow>, StoreError> {
        Ok(self.lock().users.page(after, limit).collect())
    }

    async fn users_of(&self, keys: &[UserKey]) -> Result<Vec<UserRow>, StoreError> {
        let inner = self.lock();
        Ok(keys.iter().filter_map(|key| inner.users.row(key)).collect())
    }

    async fn budget_rows(&self) -> Result<Vec<BudgetRow>, StoreError> {
        Ok(self.lock().budgets.carried())
    }

    async fn delivery_rows(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.lock().outbox.carried(after, limit))
    }

    async fn delivery_rows_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.lock().outbox.carried_of(places))
    }

    async fn put_order(&self, run: RunNumber, is_total: bool) -> Result<(), StoreError> {
        self.fill(run, |inner| inner.is_unordered = !is_total)
    }

    async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), StoreError> {
        self.fill(run, |inner| rows.into_iter().for_each(|row| inner.users.put_row(row)))
    }

    async fn put_records(&self, run: RunNumber, records: Vec<Stored>) -> Result<(), StoreError> {
        self.fill(run, |inner| records.into_iter().for_each(|stored| inner.put_record(stored)))
    }

    async fn put_budgets(&self, run: RunNumber, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        self.fill(run, |inner| rows.into_iter().for_each(|row| inner.budgets.put_row(row)))
    }

    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError> {
        self.fill(run, |inner| rows.into_iter().for_each(|row| inner.outbox.put_row(row)))
    }
}
