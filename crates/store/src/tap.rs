//! A state store with somebody listening on the line: the one wrapper behind [`crate::counting`] and
//! [`crate::fault`]. It changes nothing itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::budget::{Level, Limits};
use domain::change::{Change, Loaded};
use domain::ids::{DeliveryId, LineItemId, UserKey, UserPrefix};
use domain::journal::Record;
use domain::time::Timestamp;

use crate::fault::Fault;
use crate::{
    AttemptNote, Budgets, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, FreshLevels,
    Glance, Journal, LedgerPage, LevelsMark, LimitsOutcome, Outbox, Outcome, Replay, Seq, Settled,
    Settlement, StateStore, StoreError, Stored, Users,
};

/// A method of the state store: one round trip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Method {
    /// `Users::load`.
    Load,
    /// `Users::commit`.
    Commit,
    /// `Users::ledger`.
    Ledger,
    /// `Users::due`.
    Due,
    /// `Users::find`.
    Find,
    /// `Users::scan`.
    Scan,
    /// `Budgets::set_limits`.
    SetLimits,
    /// `Budgets::level`.
    Level,
    /// `Budgets::levels`.
    Levels,
    /// `Budgets::levels_since`.
    LevelsSince,
    /// `Outbox::claim`.
    Claim,
    /// `Outbox::settle`.
    Settle,
    /// `Outbox::replay`.
    Replay,
    /// `Outbox::deliveries`.
    Deliveries,
    /// `Outbox::deliveries_of`.
    DeliveriesOf,
    /// `Outbox::backlog`.
    Backlog,
    /// `Journal::append`.
    Append,
    /// `Journal::read`.
    Read,
    /// `Journal::head`.
    Head,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 19] = [
        Self::Load,
        Self::Commit,
        Self::Ledger,
        Self::Due,
        Self::Find,
        Self::Scan,
        Self::SetLimits,
        Self::Level,
        Self::Levels,
        Self::LevelsSince,
        Self::Claim,
        Self::Settle,
        Self::Replay,
        Self::Deliveries,
        Self::DeliveriesOf,
        Self::Backlog,
        Self::Append,
        Self::Read,
        Self::Head,
    ];
}

/// How often each method was called.
#[derive(Debug, Default)]
pub struct Calls([AtomicU64; Method::ALL.len()]);

impl Calls {
    /// Counts a call and says which one it is, from 1.
    pub fn count(&self, method: Method) -> u64 {
        self.0[method as usize].fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Calls of that method so far.
    #[must_use]
    pub fn of(&self, method: Method) -> u64 {
        self.0[method as usize].load(Ordering::Relaxed)
    }

    /// Calls of every method so far: the round trips.
    #[must_use]
    pub fn total(&self) -> u64 {
        Method::ALL.into_iter().map(|method| self.of(method)).sum()
    }

    /// Starts again from 0.
    pub fn reset(&self) {
        self.0.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }
}

/// Somebody who hears of every call before it is made.
pub trait Tap: Send + Sync {
    /// Told of a call; may make it fail.
    fn heard(&self, method: Method) -> Option<Fault>;
}

/// A state store whose calls a [`Tap`] hears.
pub struct Tapped<T> {
    inner: Arc<dyn StateStore>,
    pub(crate) tap: T,
}

impl<T: Tap> Tapped<T> {
    /// Puts the tap on the line to `inner`.
    pub(crate) fn with(inner: Arc<dyn StateStore>, tap: T) -> Self {
        Self { inner, tap }
    }

    /// The store behind it, to look at without being heard.
    #[must_use]
    pub fn inner(&self) -> &Arc<dyn StateStore> {
        &self.inner
    }

    /// Makes a call, or lets it fail. `refused` is what a lost race looks like for this method.
    async fn run<R: Send>(
        &self,
        method: Method,
        refused: Option<R>,
        call: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> Result<R, StoreError> {
        let unknown = || StoreError::Unknown(format!("injected into {method:?}"));
        match (self.tap.heard(method), refused) {
            (Some(Fault::Unavailable), _) => {
                Err(StoreError::Unavailable(format!("injected into {method:?}")))
            }
            (Some(Fault::UnknownApplied), _) => call.await.and(Err(unknown())),
            (Some(Fault::UnknownNotApplied), _) => Err(unknown()),
            (Some(Fault::Stale), Some(refused)) => Ok(refused),
            (Some(Fault::Stale), None) | (None, _) => call.await,
        }
    }
}

#[async_trait]
impl<T: Tap> Users for Tapped<T> {
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError> {
        self.run(Method::Load, None, self.inner.load(user)).await
    }

    /// No round trip, so nobody hears of it.
    fn glance(&self, user: UserKey) -> Option<Glance> {
        self.inner.glance(user)
    }

    async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        self.run(Method::Commit, Some(Outcome::Stale), self.inner.commit(change)).await
    }

    async fn ledger(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, StoreError> {
        self.run(Method::Ledger, None, self.inner.ledger(user, before, limit)).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError> {
        self.run(Method::Due, None, self.inner.due(now, limit)).await
    }

    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError> {
        self.run(Method::Find, None, self.inner.find(prefix)).await
    }

    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError> {
        self.run(Method::Scan, None, self.inner.scan(after, limit)).await
    }
}

#[async_trait]
impl<T: Tap> Budgets for Tapped<T> {
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError> {
        self.run(Method::SetLimits, None, self.inner.set_limits(line_item, limits, now)).await
    }

    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError> {
        self.run(Method::Level, None, self.inner.level(line_item)).await
    }

    async fn levels(&self) -> Result<Vec<Level>, StoreError> {
        self.run(Method::Levels, None, self.inner.levels()).await
    }

    async fn levels_since(&self, known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError> {
        self.run(Method::LevelsSince, None, self.inner.levels_since(known)).await
    }
}

#[async_trait]
impl<T: Tap> Outbox for Tapped<T> {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        self.run(Method::Claim, None, self.inner.claim(claim)).await
    }

    async fn settle(
        &self,
        id: DeliveryId,
        fence: u64,
        settlement: Settlement,
        note: AttemptNote,
    ) -> Result<Settled, StoreError> {
        let call = self.inner.settle(id, fence, settlement, note);
        self.run(Method::Settle, Some(Settled::Fenced), call).await
    }

    async fn replay(&self, which: Replay, now: Timestamp) -> Result<u64, StoreError> {
        self.run(Method::Replay, None, self.inner.replay(which, now)).await
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.run(Method::Deliveries, None, self.inner.deliveries(filter)).await
    }

    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.run(Method::DeliveriesOf, None, self.inner.deliveries_of(ids)).await
    }

    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError> {
        self.run(Method::Backlog, None, self.inner.backlog()).await
    }
}

#[async_trait]
impl<T: Tap> Journal for Tapped<T> {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        self.run(Method::Append, None, self.inner.append(trace)).await
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        self.run(Method::Read, None, self.inner.read(after, limit)).await
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        self.run(Method::Head, None, self.inner.head()).await
    }

    /// No round trip, so nobody hears of it.
    fn is_total_order(&self) -> bool {
        self.inner.is_total_order()
    }
}
