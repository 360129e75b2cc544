//! Memory stores that break one rule each.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::budget::{Guard, Level, Limits};
use domain::catalog::{Catalog, Edit};
use domain::change::{Change, Loaded};
use domain::ids::{ChangeId, DeliveryId, LineItemId, UserKey, UserPrefix};
use domain::journal::Record;
use domain::time::{Day, Timestamp};
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};
use store::{
    AttemptNote, Budgets, CatalogStore, Claim, Claimed, DayFigures, Delivery, DeliveryFilter,
    DeliveryState, Journal, LedgerPage, LimitsOutcome, Outbox, Outcome, Replay, ReportKey, Reports,
    Saved, SavedRevision, Seq, Settled, Settlement, StoreError, Stored, Users,
};

/// The rule that is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// None: the wrapper by itself breaks nothing.
    None,
    /// Whatever version a change was decided on, it is applied.
    IgnoresVersions,
    /// No budget move is ever refused.
    IgnoresGuards,
    /// A change is applied, and applied once more.
    AppliesTwice,
    /// A change's messages are not queued.
    LosesMessages,
    /// A lease does not keep others away.
    LeasesTwice,
    /// Any settlement counts as one under the present lease.
    IgnoresFences,
    /// A reversal does not know of its grant.
    ForgetsWhoWaits,
    /// A page of the journal lacks its first record.
    SkipsRecords,
    /// Whatever revision an edit was made on, it is saved.
    IgnoresRevisions,
    /// Records are added however often they come.
    AddsTwice,
}

impl Fault {
    /// Every fault.
    pub(crate) const ALL: [Self; 10] = [
        Self::IgnoresVersions,
        Self::IgnoresGuards,
        Self::AppliesTwice,
        Self::LosesMessages,
        Self::LeasesTwice,
        Self::IgnoresFences,
        Self::ForgetsWhoWaits,
        Self::SkipsRecords,
        Self::IgnoresRevisions,
        Self::AddsTwice,
    ];
}

/// A state store with a fault.
pub(crate) struct BrokenState {
    fault: Fault,
    inner: MemoryState,
    fences: Mutex<HashMap<DeliveryId, u64>>,
}

impl BrokenState {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, inner: MemoryState::new(), fences: Mutex::default() }
    }

    /// The latest fence of each delivery.
    fn fences(&self) -> MutexGuard<'_, HashMap<DeliveryId, u64>> {
        self.fences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn broken(&self, mut change: Change) -> Result<Change, StoreError> {
        let messages = change.record.iter_mut().flat_map(|record| &mut record.messages);
        match self.fault {
            Fault::IgnoresVersions => {
                change.base = self.inner.load(change.state.key()).await?.version;
            }
            Fault::IgnoresGuards => {
                let moves = change.record.iter_mut().flat_map(|record| &mut record.moves);
                moves.for_each(|by| by.guard = Guard::Free);
            }
            Fault::ForgetsWhoWaits => messages.for_each(|message| message.after = None),
            Fault::LosesMessages => {
                change.record.iter_mut().for_each(|record| record.messages.clear());
            }
            _ => {}
        }
        Ok(change)
    }
}

/// The same once more, as a change that the store does not recognise.
fn once_more(mut change: Change) -> Change {
    change.record.iter_mut().for_each(|record| record.messages.clear());
    Change { id: ChangeId::default(), base: change.base + 1, ..change }
}

#[async_trait]
impl Users for BrokenState {
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError> {
        self.inner.load(user).await
    }

    async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        let change = self.broken(change).await?;
        let outcome = self.inner.commit(change.clone()).await?;
        if self.fault == Fault::AppliesTwice && matches!(outcome, Outcome::Applied(_)) {
            self.inner.commit(once_more(change)).await?;
        }
        Ok(outcome)
    }

    async fn ledger(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, StoreError> {
        self.inner.ledger(user, before, limit).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError> {
        self.inner.find(prefix).await
    }

    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError> {
        self.inner.scan(after, limit).await
    }
}

#[async_trait]
impl Budgets for BrokenState {
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError> {
        self.inner.set_limits(line_item, limits, now).await
    }

    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError> {
        self.inner.level(line_item).await
    }

    async fn levels(&self) -> Result<Vec<Level>, StoreError> {
        self.inner.levels().await
    }
}

#[async_trait]
impl Outbox for BrokenState {
    async fn claim(&self, mut claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        if self.fault == Fault::LeasesTwice {
            claim.lease_until = claim.now;
        }
        let claimed = self.inner.claim(claim).await?;
        let fences = claimed.iter().map(|one| (one.delivery.message.id, one.fence));
        self.fences().extend(fences);
        Ok(claimed)
    }

    async fn settle(
        &self,
        id: DeliveryId,
        fence: u64,
        settlement: Settlement,
        note: AttemptNote,
    ) -> Result<Settled, StoreError> {
        if self.fault != Fault::IgnoresFences {
            return self.inner.settle(id, fence, settlement, note).await;
        }
        let fence = self.fences().get(&id).copied().unwrap_or(fence);
        self.inner.settle(id, fence, settlement, note).await?;
        Ok(Settled::Done)
    }

    async fn replay(&self, which: Replay, now: Timestamp) -> Result<u64, StoreError> {
        self.inner.replay(which, now).await
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.inner.deliveries(filter).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.inner.delivery(id).await
    }

    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError> {
        self.inner.backlog().await
    }
}

#[async_trait]
impl Journal for BrokenState {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        self.inner.append(trace).await
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let skipped = usize::from(self.fault == Fault::SkipsRecords);
        Ok(self.inner.read(after, limit).await?.into_iter().skip(skipped).collect())
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        self.inner.head().await
    }
}

/// A catalogue with a fault.
pub(crate) struct BrokenCatalog {
    fault: Fault,
    inner: MemoryCatalog,
}

impl BrokenCatalog {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, inner: MemoryCatalog::new() }
    }
}

#[async_trait]
impl CatalogStore for BrokenCatalog {
    async fn snapshot(&self, known: Option<u64>) -> Result<Option<Catalog>, StoreError> {
        self.inner.snapshot(known).await
    }

    async fn save(
        &self,
        base: u64,
        edits: Vec<Edit>,
        by: &str,
        at: Timestamp,
    ) -> Result<Saved, StoreError> {
        let found = self.inner.snapshot(None).await?.map_or(base, |catalog| catalog.revision);
        let base = if self.fault == Fault::IgnoresRevisions { found } else { base };
        self.inner.save(base, edits, by, at).await
    }

    async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SavedRevision>, StoreError> {
        self.inner.history(before, limit).await
    }
}

/// Figures with a fault.
pub(crate) struct BrokenReports {
    fault: Fault,
    inner: MemoryReports,
}

impl BrokenReports {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, inner: MemoryReports::new() }
    }
}

#[async_trait]
impl Reports for BrokenReports {
    async fn cursor(&self) -> Result<Seq, StoreError> {
        self.inner.cursor().await
    }

    async fn add(&self, records: &[Stored]) -> Result<Seq, StoreError> {
        if self.fault != Fault::AddsTwice {
            return self.inner.add(records).await;
        }
        let next = self.inner.cursor().await? + 1;
        let anew = records.iter().zip(next..).map(|(one, seq)| Stored { seq, ..one.clone() });
        self.inner.add(&anew.collect::<Vec<_>>()).await
    }

    async fn figures(
        &self,
        from: Day,
        to: Day,
    ) -> Result<Vec<(ReportKey, DayFigures)>, StoreError> {
        self.inner.figures(from, to).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.inner.clear().await
    }
}
