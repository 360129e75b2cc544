//! A store that does not say what it may be used for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::ids::{DeliveryId, UserKey};
use store::memory::MemoryState;
use store::{
    BudgetRow, Claimed, Movable, Phase, RunNumber, Seq, StoreError, Stored, Transfer, UserRow,
};

/// How long nothing is heard of it before it fails.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);

/// While it is silent, asking for its phase takes [`SILENCE`] and fails.
pub(crate) struct Silent {
    inner: Arc<MemoryState>,
    pub(crate) is_silent: AtomicBool,
    /// How often it was asked.
    pub(crate) asked: AtomicU32,
}

impl Silent {
    pub(crate) fn new(inner: Arc<MemoryState>) -> Arc<Self> {
        Arc::new(Self { inner, is_silent: AtomicBool::new(true), asked: AtomicU32::new(0) })
    }

    pub(crate) fn movable(self: &Arc<Self>) -> Movable {
        let transfer = Arc::clone(self) as _;
        Movable { transfer, ..Movable::of(&self.inner) }
    }
}

#[async_trait]
impl Transfer for Silent {
    async fn phase(&self) -> Result<Phase, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_silent.load(Ordering::SeqCst) {
            tokio::time::sleep(SILENCE).await;
            return Err(StoreError::Unknown("nothing was heard of it".to_owned()));
        }
        self.inner.phase().await
    }

    async fn take_over(&self) -> Result<(RunNumber, Phase), StoreError> {
        self.inner.take_over().await
    }

    async fn set_phase(&self, run: RunNumber, phase: Phase) -> Result<(), StoreError> {
        self.inner.set_phase(run, phase).await
    }

    async fn touched(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), StoreError> {
        self.inner.touched(run, after, limit).await
    }

    async fn users(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<UserRow>, StoreError> {
        self.inner.users(after, limit).await
    }

    async fn users_of(&self, keys: &[UserKey]) -> Result<Vec<UserRow>, StoreError> {
        self.inner.users_of(keys).await
    }

    async fn budget_rows(&self) -> Result<Vec<BudgetRow>, StoreError> {
        self.inner.budget_rows().await
    }

    async fn delivery_rows(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.inner.delivery_rows(after, limit).await
    }

    async fn delivery_rows_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError> {
        self.inner.delivery_rows_of(places).await
    }

    async fn put_order(&self, run: RunNumber, is_total: bool) -> Result<(), StoreError> {
        self.inner.put_order(run, is_total).await
    }

    async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), StoreError> {
        self.inner.put_users(run, rows).await
    }

    async fn put_records(&self, run: RunNumber, records: Vec<Stored>) -> Result<(), StoreError> {
        self.inner.put_records(run, records).await
    }

    async fn put_budgets(&self, run: RunNumber, rows: Vec<BudgetRow>) -> Result<(), StoreError> {
        self.inner.put_budgets(run, rows).await
    }

    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError> {
        self.inner.put_deliveries(run, rows).await
    }
}
