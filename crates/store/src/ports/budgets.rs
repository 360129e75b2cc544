//! What line items may spend and have spent. Spending itself happens only inside `Users::commit`.

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
}
