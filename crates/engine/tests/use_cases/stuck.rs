//! A store whose transfer stops at a given call, mostly for good: the run that makes it is as good as
//! killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};
use store::memory::MemoryState;
use store::{
    BudgetRow, Claimed, Movable, Phase, RunNumber, Seq, StoreError, Stored, Transfer, UserRow,
};
use tokio::sync::Notify;

/// Counts the calls of both ends of a run.
pub(crate) struct Fate {
    calls: AtomicU64,
    /// Whether calls are counted already.
    is_counting: AtomicBool,
    /// At which call the run ends: an even number, before call number half of it is made; an odd
    /// one, after.
    end: u64,
    /// Told when it has come to that.
    pub(crate) reached: Notify,
    /// Lets the run go on all the same.
    pub(crate) woken: Notify,
}

impl Fate {
    pub(crate) fn at(end: u64) -> Arc<Self> {
        Self::new(end, true)
    }

    /// Counts from the beginning of the pause.
    pub(crate) fn in_pause(end: u64) -> Arc<Self> {
        Self::new(end, false)
    }

    fn new(end: u64, is_counting: bool) -> Arc<Self> {
        let (calls, is_counting) = (AtomicU64::new(0), AtomicBool::new(is_counting));
        let [reached, woken] = [(); 2].map(|()| Notify::new());
        Arc::new(Self { calls, is_counting, end, reached, woken })
    }

    async fn moment(&self) {
        // Others go on between any two calls.
        tokio::task::yield_now().await;
        if !self.is_counting.load(Ordering::Relaxed) {
            return;
        }
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.end {
            self.reached.notify_one();
            self.woken.notified().await;
        }
    }
}

/// One end of a run that has a fate.
pub(crate) struct Stuck {
    inner: Arc<MemoryState>,
    fate: Arc<Fate>,
}

impl Stuck {
    pub(crate) fn end(inner: &Arc<MemoryState>, fate: &Arc<Fate>) -> Movable {
        let stuck = Self { inner: Arc::clone(inner), fate: Arc::clone(fate) };
        Movable { transfer: Arc::new(stuck), ..Movable::of(inner) }
    }

    async fn call<T>(&self, call: impl Future<Output = T>) -> T {
        self.fate.moment().await;
        let answer = call.await;
        self.fate.moment().await;
        answer
    }
}

#[async_trait]
impl Transfer for Stuck {
    async fn phase(&self) -> Result<Phase, StoreError> {
        self.call(self.inner.phase()).await
    }

    async fn take_over(&self) -> Result<(RunNumber, Phase), StoreError> {
        self.call(self.inner.take_over()).await
    }

    async fn set_phase(&self, run: RunNumber, phase: Phase) -> Result<(), StoreError> {
        if matches!(phase, Phase::Moved(_)) {
            self.fate.is_counting.store(true, Ordering::Relaxed);
        }
        self.call(self.inner.set_phase(run, phase)).await
    }

    async fn touched(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), StoreError> {
        // Small pages, so that there are many moments to be killed at.
        self.call(self.inner.touched(run, after, limit.min(40))).await
    }

    async fn users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserRow>, StoreError> {
        self.call(self.inner.users(after, limit.min(20))).await
    }

    async fn users_of(&self, keys: &[UserKey]) -> Result<Vec<UserRow>, StoreError> {
        self.call(self.inner.users_of(keys)).await
    }

    async fn budget_rows(&self) -> Result<Vec<BudgetRow>, StoreError> {
        self.call(self.inner.budget_rows()).await
    }

    async fn delivery_rows(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.call(self.inner.delivery_rows(after, limit.min(20))).await
    }

    async fn delivery_rows_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError> {
        self.call(self.inner.delivery_rows_of(places)).await
    }

    async fn put_order(&self, run: RunNumber, is_total: bool) -> Result<(), StoreError> {
        self.call(self.inner.put_order(run, is_total)).await
    }

    async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), StoreError> {
        // One after the other, as a store does that cannot write them at once.
        for row in rows {
            self.call(self.inner.put_users(run, vec![row])).await?;
        }
        Ok(())
    }

    async fn put_records(&self, run: RunNumber, records: Vec<Stored>) -> Result<(), StoreError> {
        self.call(self.inner.put_records(run, records)).await
    }

    async fn put_budgets(&self, run: RunNumber, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        self.call(self.inner.put_budgets(run, rows)).await
    }

    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError> {
        for row in rows {
            self.call(self.inner.put_deliveries(run, vec![row])).await?;
        }
        Ok(())
    }
}
