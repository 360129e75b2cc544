//! A state store that follows its state to another store while the node runs.
//!
//! A node is configured with the store that has the state now, and perhaps with the one that it is
//! going to be moved to. It uses the first until that is `Moved`, and the second once that is `Live`;
//! in between everybody is answered [`StoreError::Moving`]. It never goes back, and a call goes to one store.
//!
//! **No answer is stale.** A moved store can still be read, and another node may be writing to the new
//! one already. So the phase is looked at every [`LOOK_EVERY`], and a read goes to the old store only
//! if it was not moved [`READ_WITHIN`] ago; the mover lets that time pass before the new store is
//! `Live`. A change needs no such care: a moved store refuses it.
//!
//! **A wrong neighbour is found out.** The new store must hold the old one's newest record, at the
//! same place.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::budget::{Level, Limits};
use domain::change::{Change, Loaded};
use domain::ids::{DeliveryId, LineItemId, UserKey, UserPrefix};
use domain::journal::Record;
use domain::time::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::{
    AttemptNote, Budgets, Claim, Claimed, Delivery, DeliveryFilter, DeliveryState, FreshLevels,
    Glance, Journal, LedgerPage, LevelsMark, LimitsOutcome, Movable, Outbox, Outcome, Phase,
    Replay, Seq, Settled, Settlement, StateStore, StoreError, Stored, Users,
};

/// How often the phase is looked at, while there are calls; one of them waits for it.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);
/// For how long a store is read after it was seen not to have moved.
pub const READ_WITHIN: Duration = Duration::from_millis(250);

/// For how long callers are told that the state is moving; what takes longer is a failure.
pub const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Opens the store that the state is going to be moved to.
#[async_trait]
pub trait Opener: Send + Sync {
    /// Opens it. Called when the state has moved, again and again until it is `Live`: a store that
    /// is still being filled is given back at once.
    async fn open(&self) -> Result<Movable, StoreError>;
}

/// Two state stores of which one has the state; see the module's words.
pub struct Switch {
    current: Movable,
    opener: Option<Box<dyn Opener>>,
    next: OnceLock<Movable>,
    begun: Instant,
    /// Microseconds from `begun` to the latest moment at which `current` had certainly not moved,
    /// and one more; 0 if it was never looked at.
    looked: AtomicU64,
    /// One call looks, and others that cannot do without wait for it.
    looking: Mutex<Looks>,
}

/// What was seen by those who looked.
#[derive(Default)]
struct Looks {
    /// What callers are told until it is time to look again.
    refusal: Option<(Instant, StoreError)>,
    /// Since when `current` refuses changes as moved.
    moved_at: Option<Instant>,
}

impl Looks {
    /// What callers are told while the state is between the stores.
    fn between(&mut self, to: &str, why: &str) -> StoreError {
        let since = self.moved_at.get_or_insert_with(Instant::now).elapsed();
        match since < PAUSE_MAX {
            true => StoreError::Moving(format!("{to}; try again in a moment ({why})")),
            false => StoreError::Unavailable(format!(
                "the state has been on its way to {to} for {} seconds ({why}); if nobody is moving \
                 it any more, run the move again to finish it",
                since.as_secs()
            )),
        }
    }
}

impl Switch {
    /// Begins with `current`. Without a store to go on to, a store that has moved is used no more.
    #[must_use]
    pub fn new(current: Movable, opener: Option<Box<dyn Opener>>) -> Self {
        Self {
            current,
            opener,
            next: OnceLock::new(),
            begun: Instant::now(),
            looked: AtomicU64::new(0),
            looking: Mutex::default(),
        }
    }

    /// Whether the state has moved, and this node with it.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.next.get().is_some()
    }

    /// The store that has the state.
    async fn at(&self) -> Result<&dyn StateStore, StoreError> {
        if let Some(next) = self.next.get() {
            return Ok(&*next.state);
        }
        let age = self.age();
        if age < LOOK_EVERY {
            return Ok(&*self.current.state);
        }
        match self.looking.try_lock() {
            Ok(mut looks) => self.look(&mut looks).await,
            // Somebody is looking, and there is still time.
            Err(_) if age < READ_WITHIN => Ok(&*self.current.state),
            Err(_) => self.look(&mut *self.looking.lock().await).await,
        }
    }

    /// The store that has the state after a change was refused as moved.
    async fn after_move(&self) -> Result<&dyn StateStore, StoreError> {
        // Whoever is looking may have begun before the refusal, so what he sees is not enough.
        let mut looks = self.looking.lock().await;
        self.looked.store(0, Ordering::Release);
        self.look(&mut looks).await
    }

    /// What a second refusal as moved means. The phase said otherwise in between: a store of many
    /// parts moves part by part.
    async fn refused_again(&self, to: String) -> StoreError {
        if self.opener.is_none() || self.has_moved() {
            return StoreError::Moved(to);
        }
        self.looking.lock().await.between(&to, "a part of the old store has moved")
    }

    /// For how long it has not been certain that `current` has not moved.
    fn age(&self) -> Duration {
        match self.looked.load(Ordering::Acquire) {
            0 => Duration::MAX,
            looked => self.begun.elapsed().saturating_sub(Duration::from_micros(looked - 1)),
        }
    }

    /// Looks at the phase, unless somebody else just has.
    async fn look(&self, looks: &mut Looks) -> Result<&dyn StateStore, StoreError> {
        if let Some(next) = self.next.get() {
            return Ok(&*next.state);
        }
        if self.age() < LOOK_EVERY {
            return Ok(&*self.current.state);
        }
        // Whoever has waited is told so as well, instead of finding it out after all before him.
        if let Some((at, error)) = &looks.refusal
            && at.elapsed() < LOOK_EVERY
        {
            return Err(error.clone());
        }
        match self.look_now(looks).await {
            Ok(store) => {
                looks.refusal = None;
                Ok(store)
            }
            Err(error) => {
                // Nothing was asked to change anything yet.
                let error = match error {
                    StoreError::Unknown(why) => StoreError::Unavailable(why),
                    other => other,
                };
                looks.refusal = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn look_now(&self, looks: &mut Looks) -> Result<&dyn StateStore, StoreError> {
        let now = self.begun.elapsed();
        match self.current.transfer.phase().await? {
            phase @ (Phase::Live | Phase::Watched) => {
                if phase == Phase::Live {
                    looks.moved_at = None;
                }
                let micros = u64::try_from(now.as_micros()).unwrap_or(u64::MAX - 1);
                self.looked.store(micros + 1, Ordering::Release);
                Ok(&*self.current.state)
            }
            Phase::Moved(to) => {
                let next = self.follow(&to, looks).await?;
                Ok(&*self.next.get_or_init(|| next).state)
            }
            Phase::Filling => Err(StoreError::Unavailable(FILLING.to_owned())),
        }
    }

    /// Opens the next store, if it is the one and has all of the state.
    async fn follow(&self, to: &str, looks: &mut Looks) -> Result<Movable, StoreError> {
        let Some(opener) = &self.opener else { return Err(StoreError::Moved(to.to_owned())) };
        let next = match opener.open().await {
            Ok(next) => next,
            Err(StoreError::Unavailable(why) | StoreError::Unknown(why)) => {
                return Err(looks.between(to, &why));
            }
            Err(error) => return Err(error),
        };
        match next.transfer.phase().await? {
            Phase::Live | Phase::Watched => {}
            Phase::Moved(further) => return Err(StoreError::Moved(further)),
            Phase::Filling => return Err(looks.between(to, "it is not whole yet")),
        }
        let head = self.current.state.head().await?;
        let before = head.saturating_sub(1);
        let newest = self.current.state.read(before, 1).await?;
        if newest != next.state.read(before, 1).await? {
            return Err(StoreError::Corrupt(format!(
                "the state has moved to {to}, but the store that this node is to go on with lacks \
                 record {head} of it; correct the configuration"
            )));
        }
        Ok(next)
    }
}

const FILLING: &str = "the state is being moved into this store and is not whole yet; \
                       try again in a moment";

/// Makes a change where the state is: again in the next store if this one refuses it as moved.
macro_rules! change {
    ($self:ident, $store:ident => $call:expr, $again:expr) => {{
        let $store = $self.at().await?;
        match $call.await {
            Err(StoreError::Moved(_)) => {
                let $store = $self.after_move().await?;
                match $again.await {
                    Err(StoreError::Moved(to)) => Err($self.refused_again(to).await),
                    answered => answered,
                }
            }
            answered => answered,
        }
    }};
}

#[async_trait]
impl Users for Switch {
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError> {
        self.at().await?.load(user).await
    }

    /// Nothing is known while the phase has to be looked at, which the next read does.
    fn glance(&self, user: UserKey) -> Option<Glance> {
        match self.next.get() {
            Some(next) => next.state.glance(user),
            None if self.age() < LOOK_EVERY => self.current.state.glance(user),
            None => None,
        }
    }

    async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        let again = change.clone();
        change!(self, store => store.commit(change), store.commit(again))
    }

    async fn ledger(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, StoreError> {
        self.at().await?.ledger(user, before, limit).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError> {
        self.at().await?.due(now, limit).await
    }

    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError> {
        self.at().await?.find(prefix).await
    }

    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError> {
        self.at().await?.scan(after, limit).await
    }
}

#[async_trait]
impl Budgets for Switch {
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError> {
        change!(self, store => store.set_limits(line_item, limits, now),
            store.set_limits(line_item, limits, now))
    }

    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError> {
        self.at().await?.level(line_item).await
    }

    async fn levels(&self) -> Result<Vec<Level>, StoreError> {
        self.at().await?.levels().await
    }

    /// A mark of the old store is none to the next one, which then gives all.
    async fn levels_since(&self, known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError> {
        self.at().await?.levels_since(known).await
    }
}

#[async_trait]
impl Outbox for Switch {
    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>, StoreError> {
        let again = claim.clone();
        change!(self, store => store.claim(claim), store.claim(again))
    }

    async fn settle(
        &self,
        id: DeliveryId,
        fence: u64,
        settlement: Settlement,
        note: AttemptNote,
    ) -> Result<Settled, StoreError> {
        let again = (settlement.clone(), note.clone());
        change!(self, store => store.settle(id, fence, settlement, note),
            store.settle(id, fence, again.0, again.1))
    }

    async fn replay(&self, which: Replay, now: Timestamp) -> Result<u64, StoreError> {
        let again = which.clone();
        change!(self, store => store.replay(which, now), store.replay(again, now))
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        self.at().await?.deliveries(filter).await
    }

    async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, StoreError> {
        self.at().await?.deliveries_of(ids).await
    }

    async fn backlog(&self) -> Result<(Vec<(DeliveryState, u64)>, Option<Timestamp>), StoreError> {
        self.at().await?.backlog().await
    }
}

#[async_trait]
impl Journal for Switch {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        let again = trace.clone();
        change!(self, store => store.append(trace), store.append(again))
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        self.at().await?.read(after, limit).await
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        self.at().await?.head().await
    }

    fn is_total_order(&self) -> bool {
        self.next.get().unwrap_or(&self.current).state.is_total_order()
    }
}
