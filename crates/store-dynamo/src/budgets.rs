//! `Budgets`: limits are set in a lane's group, levels are read from the slots.
//!
//! | verb | requests |
//! |---|---|
//! | `set_limits` | a share of the lane's transaction, and 1 read of the budget |
//! | `level` | 1 query |
//! | `levels`, `levels_since` | 1 query of the directory, the limits and the slots in batches |
//!
//! A budget is split into slots ([`slot`]), each of which a lane writes alone as long as it can, and
//! decided as a whole when it cannot ([`budget`]). A level that is only looked at is a sum of slots
//! that were read one after the other, so while they are written it may be a moment's mixture; it is
//! exact at rest, and whoever is refused is told what stood at one instant.

mod books;
mod budget;
mod carry;
mod item;
mod read;
mod slot;

use async_trait::async_trait;
use domain::budget::{Level, Limits};
use domain::ids::LineItemId;
use domain::time::Timestamp;
use store::{FreshLevels, LevelsMark, LimitsOutcome, StoreError};

use crate::DynamoStore;
use crate::users::other_answer;
use crate::work::{Answer, Work};

pub(crate) use books::{Books, Fresh, Needs, Stop, Trial, ask_for_quiet};
pub(crate) use budget::Budget;
pub(crate) use carry::budget_items;

#[async_trait]
impl store::Budgets for DynamoStore {
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError> {
        let shard = line_item.0 % self.base.shards;
        match self.lanes.ask(shard, Work::SetLimits(line_item, limits, now)).await? {
            Answer::Limits(outcome) => Ok(outcome),
            Answer::Outcome(_) | Answer::Appended => Err(other_answer()),
        }
    }

    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError> {
        let budget = Budget::look(&self.base.db, line_item).await?;
        Ok(budget.limits.map(|_| budget.level(line_item)))
    }

    async fn levels(&self) -> Result<Vec<Level>, StoreError> {
        let budgets = Budget::look_at_all(&self.base.db).await?;
        let set = budgets.iter().filter(|(_, budget)| budget.limits.is_some());
        Ok(set.map(|(line_item, budget)| budget.level(*line_item)).collect())
    }

    async fn levels_since(&self, _known: Option<LevelsMark>) -> Result<FreshLevels, StoreError> {
        Ok(FreshLevels::whole(self.levels().await?))
    }
}
