//! What line items may spend and have spent. Spending itself happens only inside `Users::commit`.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::budget::{Level, Limits};
use domain::ids::LineItemId;
use domain::time::Timestamp;

use crate::StoreError;

/// What became of a change of limits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LimitsOutcome {
    /// They hold from now on.
    Set(Level),
    /// They are below what is already booked and held; the old ones hold.
    BelowCommitted(Level),
}

/// Up to which change somebody knows the budgets of a store. It means something to the opened store that
/// gave it and to no other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LevelsMark {
    giver: u64,
    at: Vec<u64>,
}

/// Gives marks, and knows its own. Every opened store that counts changes of budgets has one.
#[derive(Debug)]
pub struct MarkGiver(u64);

impl MarkGiver {
    /// One like no other in this process.
    #[must_use]
    pub fn new() -> Self {
        static GIVEN: AtomicU64 = AtomicU64::new(0);
        Self(GIVEN.fetch_add(1, Ordering::Relaxed))
    }

    /// The mark of whoever knows the budgets up to that change, one for each part of a store that counts
    /// by itself.
    #[must_use]
    pub fn mark(&self, at: Vec<u64>) -> LevelsMark {
        LevelsMark { giver: self.0, at }
    }

    /// Up to which change the budgets are known to somebody with this mark; `None` if it is another's.
    #[must_use]
    pub fn at<'a>(&self, mark: Option<&'a LevelsMark>) -> Option<&'a [u64]> {
        mark.filter(|mark| mark.giver == self.0).map(|mark| &mark.at[..])
    }
}

impl Default for MarkGiver {
    fn default() -> Self {
        Self::new()
    }
}

/// Budgets that have changed since a mark, and perhaps others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FreshLevels {
    /// In order of the line items' numbers.
    pub levels: Vec<Level>,
    /// Whether these are all that there are.
    pub is_whole: bool,
    /// What to ask with next time; `None` from a store that does not count changes.
    pub mark: Option<LevelsMark>,
}

impl FreshLevels {
    /// All budgets of a store that does not count changes.
    #[must_use]
    pub fn whole(levels: Vec<Level>) -> Self {
        Self { levels, is_whole: true, mark: None }
    }
}

/// Budgets of line items.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// Sets what a line item may spend, and journals it if anything differs. Refused if the total is
    /// lowered to below what is booked and held; setting the same limits again changes nothing.
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError>;

    /// One budget; `None` if its limits were never set.
    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError>;

    /// All budgets, in order of the line items' numbers.
    async fn levels(&self) -> Result<Vec<Level>, StoreError>;

    /// The budgets that have changed since the mark, at least; all of them without one, or with a
    /// mark of another store. Nodes ask every second, so a store that can tell what has changed says so.
    async fn levels_since(&self, known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError>;
}
