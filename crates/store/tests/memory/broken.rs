//! Memory stores that break one rule each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    DeliveryState, FreshLevels, Journal, LedgerPage, LevelsMark, LimitsOutcome, Movable, Outbox,
    Outcome, Replay, ReportKey, Reports, Saved, SavedRevision, Seq, Settled, Settlement, StateId,
    StoreError, Stored, Users,
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
    /// Budget moves are judged before the change is made, and not inside it.
    JudgesEarly,
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
    /// Neighbours of different users are the wrong way round in the journal.
    SwapsUsers,
    /// Whatever revision an edit was made on, it is saved.
    IgnoresRevisions,
    /// Records are added however often they come.
    AddsTwice,
    /// Of a catalogue that is taken over only what is in force comes along.
    ForgetsFrozenTerms,
}

impl Fault {
    /// Every fault.
    pub(crate) const ALL: [Self; 13] = [
        Self::IgnoresVersions,
        Self::IgnoresGuards,
        Self::JudgesEarly,
        Self::AppliesTwice,
        Self::LosesMessages,
        Self::LeasesTwice,
        Self::IgnoresFences,
        Self::ForgetsWhoWaits,
        Self::SkipsRecords,
        Self::SwapsUsers,
        Self::IgnoresRevisions,
        Self::AddsTwice,
        Self::ForgetsFrozenTerms,
    ];
}

/// A state store with a fault.
pub(crate) struct BrokenState {
    fault: Fault,
    inner: Arc<MemoryState>,
    fences: Mutex<HashMap<DeliveryId, u64>>,
}

impl BrokenState {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, inner: Arc::default(), fences: Mutex::default() }
    }

    /// The same store as an end of a move, which has no fault.
    pub(crate) fn movable(self) -> Movable {
        let whole = Movable::of(&self.inner);
        Movable { state: Arc::new(self), ..whole }
    }

    /// The latest fence of each delivery.
    fn fences(&self) -> MutexGuard<'_, HashMap<DeliveryId, u64>> {
        self.fences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn broken(&self, mut change: Change) -> Result<Change, StoreError> {
        if self.fault == Fault::JudgesEarly {
            self.judge(&mut change).await?;
        }
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

    /// Lets through what fits into the budget as it stands now. Somebody else may be faster.
    async fn judge(&self, change: &mut Change) -> Result<(), StoreError> {
        for by in change.record.iter_mut().flat_map(|record| &mut record.moves) {
            let level = self.inner.level(by.line_item).await?;
            tokio::task::yield_now().await;
            let fits = |level: Level| level.limits.check(&level.total, &level.on(by.day), by);
            if level.is_some_and(|level| fits(level).is_ok()) {
                by.guard = Guard::Free;
            }
        }
        Ok(())
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

    async fn levels_since(&self, known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError> {
        self.inner.levels_since(known).await
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

    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.inner.deliveries_of(ids).await
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
        let mut found = self.inner.read(after, limit).await?;
        match self.fault {
            Fault::SkipsRecords => drop(found.drain(..1.min(found.len()))),
            Fault::SwapsUsers => found.chunks_mut(2).for_each(swap_users),
            _ => {}
        }
        Ok(found)
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        self.inner.head().await
    }

    fn is_total_order(&self) -> bool {
        self.inner.is_total_order()
    }
}

fn swap_users(pair: &mut [Stored]) {
    if let [first, second] = pair
        && first.record.user != second.record.user
    {
        std::mem::swap(first, second);
        std::mem::swap(&mut first.seq, &mut second.seq);
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
    async fn snapshot(&self, known: Option<&Catalog>) -> Result<Option<Catalog>, StoreError> {
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

    async fn take_over(
        &self,
        catalog: &Catalog,
        history: &[SavedRevision],
    ) -> Result<bool, StoreError> {
        let mut catalog = catalog.clone();
        if self.fault == Fault::ForgetsFrozenTerms {
            let missions = catalog.missions.values();
            catalog.mission_versions =
                missions.map(|one| ((one.id, one.version), Arc::clone(one))).collect();
            catalog.retired.clear();
        }
        self.inner.take_over(&catalog, history).await
    }

    async fn state(&self) -> Result<Option<StateId>, StoreError> {
        self.inner.state().await
    }

    async fn adopt(&self, state: StateId) -> Result<StateId, StoreError> {
        self.inner.adopt(state).await
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
