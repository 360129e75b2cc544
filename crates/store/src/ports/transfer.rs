//! Moving the whole state from one store to another while both live.
//!
//! A move goes through [`Phase`]s of the two stores. The old one is first `Watched`: it notes every
//! user that a change touches, so that what was copied too early is copied again. Then it is
//! `Moved`: from the moment that this is durable no change is made there any more, by any node,
//! however late. The new one is `Filling` from the beginning, and refuses everybody but the mover;
//! it becomes `Live` last. As long as it is `Filling`, the mover may take `Moved` back.
//!
//! There is one mover at a time, which the stores see to: a run first takes both ends over, the new one
//! first, and gets a number from each. Whatever it changes afterwards bears that number, and is refused
//! once another run has taken the store over, however late it comes (ADR 0014). Because the new store is
//! always taken over first, whoever finds it not `Live` knows that it will not become so behind him.

use std::sync::Arc;

use async_trait::async_trait;
use domain::budget::{Limits, Used};
use domain::change::Loaded;
use domain::ids::{ChangeId, LineItemId, UserKey};
use domain::time::Day;

use super::StateStore;
use super::identity::Identity;
use super::journal::{Seq, Stored};
use super::outbox::Claimed;
use crate::StoreError;

/// What a state store may be used for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// Everything.
    #[default]
    Live,
    /// Everything but `Outbox::replay`, which answers as unavailable; touched users are noted.
    Watched,
    /// Reading only: every change answers [`StoreError::Moved`] with these words, which say where
    /// to.
    Moved(String),
    /// Only what this port does: every other write answers as unavailable.
    Filling,
}

/// The number of a run, which a store has given it; the next run has the next number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct RunNumber(pub u64);

impl RunNumber {
    /// Whether this is still the run that has the store, which is that of the number given.
    ///
    /// # Errors
    /// [`StoreError::TakenOver`]: another one has.
    pub fn check(self, latest: Self) -> Result<(), StoreError> {
        if self == latest { Ok(()) } else { Err(StoreError::TakenOver) }
    }
}

/// Who wants to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writing {
    /// Somebody who commits, appends, sets limits, claims or settles.
    Change,
    /// Somebody who replays deliveries.
    Replay,
    /// The mover, who fills the store.
    Copy,
}

impl Phase {
    /// Whether a store in this phase takes such a write.
    ///
    /// # Errors
    /// What the writer is answered instead.
    pub fn permit(&self, what: Writing) -> Result<(), StoreError> {
        match (self, what) {
            (Self::Live, Writing::Change | Writing::Replay)
            | (Self::Watched, Writing::Change)
            | (Self::Filling, Writing::Copy) => Ok(()),
            (Self::Moved(to), _) => Err(StoreError::Moved(to.clone())),
            (Self::Watched, Writing::Replay) => Err(unavailable(NO_REPLAY)),
            (Self::Filling, _) => Err(unavailable(FILLING)),
            (_, Writing::Copy) => Err(unavailable(NOT_FILLING)),
        }
    }
}

const NO_REPLAY: &str = "deliveries are not replayed while the state is being moved to another \
                         store; try again once it has been";
const FILLING: &str = "the state is being moved into this store and is not whole yet";
const NOT_FILLING: &str = "this store is not being filled, so nothing is copied into it";

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

/// A state store that can be moved: the same store by its ports and as an end of a move.
#[derive(Clone)]
pub struct Movable {
    /// Users, budgets, outbox and journal.
    pub state: Arc<dyn StateStore>,
    /// An end of a move.
    pub transfer: Arc<dyn Transfer>,
    /// Which state it has.
    pub identity: Arc<dyn Identity>,
}

impl Movable {
    /// All faces of one store.
    #[must_use]
    pub fn of<T: StateStore + Transfer + Identity + 'static>(store: &Arc<T>) -> Self {
        Self {
            state: Arc::clone(store) as _,
            transfer: Arc::clone(store) as _,
            identity: Arc::clone(store) as _,
        }
    }
}

/// A user as a move carries him.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserRow {
    /// Who.
    pub key: UserKey,
    /// His state, version and chain.
    pub loaded: Loaded,
    /// His latest change, so that asking again after the move is still recognised.
    pub latest: ChangeId,
}

/// A budget as a move carries it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BudgetRow {
    /// Whose.
    pub line_item: LineItemId,
    /// What it may spend; `None` if that was never set.
    pub limits: Option<Limits>,
    /// What stands against the total.
    pub total: Used,
    /// What stands against each day that was ever moved, in order.
    pub days: Vec<(Day, Used)>,
}

/// Both ends of a move. Putting the same row twice is putting it once; a later one replaces. A store
/// that can tell refuses to be put anything while it is not `Filling`.
///
/// Whatever is given the number of a run answers [`StoreError::TakenOver`], and changes nothing, once
/// another run has taken the store over.
#[async_trait]
pub trait Transfer: Send + Sync {
    /// What the store may be used for.
    async fn phase(&self) -> Result<Phase, StoreError>;

    /// Gives the store to a new run, durably, and says what it may be used for at that moment. Taking
    /// it over a second time, after a lost answer, is one run more. [`StoreError::TakenOver`] if another
    /// run does so at the same time.
    async fn take_over(&self) -> Result<(RunNumber, Phase), StoreError>;

    /// Changes what it may be used for, durably. When `Moved` returns, every commit that will ever be
    /// acknowledged has been, and can be read. `Watched` begins with nothing noted, so a run sets it
    /// before it reads anything.
    async fn set_phase(&self, run: RunNumber, phase: Phase) -> Result<(), StoreError>;

    /// Users touched since the store is watched, after the place `after` in the notes, at most
    /// `limit`, with the place to go on from. A user may come more than once.
    async fn touched(
        &self,
        run: RunNumber,
        after: Seq,
        limit: usize,
    ) -> Result<(Vec<UserKey>, Seq), StoreError>;

    /// Users in order of their keys, after `after`, at most `limit`. Users of whom only traces are
    /// known are not among them.
    async fn users(&self, after: Option<UserKey>, limit: usize)
    -> Result<Vec<UserRow>, StoreError>;

    /// These users, in any order; one who was never seen is left out. At most 100 are asked for.
    async fn users_of(&self, keys: &[UserKey]) -> Result<Vec<UserRow>, StoreError>;

    /// Every budget, in order of the line items' numbers.
    async fn budget_rows(&self) -> Result<Vec<BudgetRow>, StoreError>;

    /// Deliveries that are not in their first state any more (tried, leased or ended), by place and
    /// id after `after`, at most `limit`. `Claimed::fence` is the latest lease's number, 0 if none.
    /// One that is leased is due at the end of its lease.
    async fn delivery_rows(
        &self,
        after: Option<(Seq, domain::ids::DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// The same of these, by place and id, in any order; those in their first state, and unknown ones,
    /// are left out. At most 1,000 are asked for.
    async fn delivery_rows_of(
        &self,
        places: &[(Seq, domain::ids::DeliveryId)],
    ) -> Result<Vec<Claimed>, StoreError>;

    /// Says whether the order of what is put is total, which from then on is what
    /// `Journal::is_total_order` answers, also of what follows: a journal of which a part has no
    /// total order has none as a whole. A store that never has one keeps to that. Another process
    /// that has the store open may go on with what it knew.
    async fn put_order(&self, run: RunNumber, is_total: bool) -> Result<(), StoreError>;

    /// Writes users as they are.
    async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), StoreError>;

    /// Writes records at their places, which follow the newest or repeat older ones, and the
    /// deliveries of their messages as queued. Moves and states are not applied. A repeated record
    /// changes nothing, and its deliveries stay as far as they have come.
    async fn put_records(&self, run: RunNumber, records: Vec<Stored>) -> Result<(), StoreError>;

    /// Writes budgets as they are.
    async fn put_budgets(&self, run: RunNumber, rows: Vec<BudgetRow>) -> Result<(), StoreError>;

    /// Writes how far deliveries have come; their records are there, and nothing is concluded from
    /// one about another. Leases are not carried: a delivery that was being tried becomes due when
    /// its lease would have ended.
    async fn put_deliveries(&self, run: RunNumber, rows: Vec<Claimed>) -> Result<(), StoreError>;
}
