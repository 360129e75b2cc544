//! User state: one keyed read, one conditional write.

use async_trait::async_trait;
use domain::budget::{Breach, Level};
use domain::change::{Change, Loaded};
use domain::ids::{AppId, ChangeId, LineItemId, UserKey, UserPrefix};
use domain::time::Timestamp;

use super::journal::{Seq, Stored};
use crate::StoreError;

/// What became of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is durable.
    Applied(Committed),
    /// This very change was applied before; it is durable.
    Replayed,
    /// The state is at another version; load it again and decide again.
    Stale,
    /// A budget move would break a limit; nothing was changed.
    OverBudget {
        /// Whose budget.
        line_item: LineItemId,
        /// Which limit.
        breach: Breach,
        /// The budget as it stands.
        level: Level,
    },
}

impl Outcome {
    /// What the change `id` of version `base` is answered where the user is at another version, whose
    /// change is the latest; `None` if it may be made.
    #[must_use]
    pub fn refusal(
        (version, latest): (u64, Option<ChangeId>),
        base: u64,
        id: ChangeId,
    ) -> Option<Self> {
        match version == base {
            true => None,
            false if latest == Some(id) => Some(Self::Replayed),
            false => Some(Self::Stale),
        }
    }
}

/// What an applied change left behind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// The budgets that it moved, as they stand now.
    pub levels: Vec<Level>,
}

/// What a store may know of a user without reading him. None of his sessions was ever ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glance {
    /// His version; never 0.
    pub version: u64,
    /// The app that he belongs to.
    pub app: AppId,
}

/// A part of a user's own journal, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LedgerPage {
    /// The records.
    pub records: Vec<Stored>,
    /// Where the next page begins: records before this one. `None` at the end.
    pub before: Option<Seq>,
}

/// The state of users.
#[async_trait]
pub trait Users: Send + Sync {
    /// Reads one user; a user who was never seen is the empty state at version 0.
    ///
    /// A read after an acknowledged commit sees it (S3).
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError>;

    /// What is known of the user without a round trip, and as true as what [`Self::load`] would say (S3).
    /// Only a store that nobody else writes can know anything.
    fn glance(&self, _user: UserKey) -> Option<Glance> {
        None
    }

    /// Writes the next state, its journal record, its budget moves and its messages as one atomic
    /// unit, durable when this returns. The guards of the moves are checked inside it, last.
    async fn commit(&self, change: Change) -> Result<Outcome, StoreError>;

    /// The user's records before `before` (or the newest), at most `limit`, newest first.
    async fn ledger(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, StoreError>;

    /// Users for whom time alone changes something at or before `now`, earliest first.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError>;

    /// All users whose ids begin with `prefix`: nearly always one or none.
    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError>;

    /// Users in order of their keys, after `after`, at most `limit`; for verification and moves.
    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError>;
}
