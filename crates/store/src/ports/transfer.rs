//! Moving the whole state from one store to another while both live.
//!
//! A move goes through [`Phase`]s of the two stores. The old one is first `Watched`: it notes every
//! user that a change touches, so that what was copied too early is copied again. Then it is
//! `Moved`: from the moment that this is durable no change is made there any more, by any node,
//! however late. The new one is `Filling` from the beginning, and refuses everybody but the mover;
//! it becomes `Live` last.

use async_trait::async_trait;
use domain::budget::{Limits, Used};
use domain::change::Loaded;
use domain::ids::{ChangeId, LineItemId, UserKey};
use domain::time::Day;

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

/// Both ends of a move. Putting the same row twice is putting it once; a later one replaces.
#[async_trait]
pub trait Transfer: Send + Sync {
    /// What the store may be used for.
    async fn phase(&self) -> Result<Phase, StoreError>;

    /// Changes that, durably. When `Moved` returns, every commit that will ever be acknowledged has
    /// been, and can be read. `Watched` begins with nothing noted.
    async fn set_phase(&self, phase: Phase) -> Result<(), StoreError>;

    /// Users touched since the store is watched, after the place `after` in the notes, at most
    /// `limit`, with the place to go on from. A user may come more than once.
    async fn touched(&self, after: Seq, limit: usize) -> Result<(Vec<UserKey>, Seq), StoreError>;

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
    async fn delivery_rows(
        &self,
        after: Option<(Seq, domain::ids::DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// Writes users as they are.
    async fn put_users(&self, rows: Vec<UserRow>) -> Result<(), StoreError>;

    /// Writes records at their places, which follow the newest or repeat older ones, and the
    /// deliveries of their messages as queued. Moves and states are not applied.
    async fn put_records(&self, records: Vec<Stored>) -> Result<(), StoreError>;

    /// Writes budgets as they are.
    async fn put_budgets(&self, rows: Vec<BudgetRow>) -> Result<(), StoreError>;

    /// Writes how far deliveries have come; their records are there. Leases are not carried: a
    /// delivery that was being tried becomes due when its lease would have ended.
    async fn put_deliveries(&self, rows: Vec<Claimed>) -> Result<(), StoreError>;
}
