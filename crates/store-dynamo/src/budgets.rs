//! `Budgets`: limits are set in a lane's group, levels are read from the slots.
//!
//! | verb | requests |
//! |---|---|
//! | `set_limits` | a share of the lane's transaction, and 1 read of the budget |
//! | `level` | 1 query |
//! | `levels` | 1 query of the directory, the limits and the slots in batches |
//! | `levels_since` | the heads in 1 batch, the limits and the slots of changed budgets in batches |
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

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::budget::{Level, Limits};
use domain::ids::LineItemId;
use domain::time::Timestamp;
use store::{FreshLevels, LevelsMark, LimitsOutcome, StoreError};

use crate::DynamoStore;
use crate::head::Head;
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
        Ok(levels_of(&Budget::look_at_all(&self.base.db).await?))
    }

    /// A mark has the newest group of each shard. The heads are read before the budgets, so what
    /// changes meanwhile is read again next time.
    async fn levels_since(&self, known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError> {
        let heads = self.base.read_shards().await?;
        let changed = changed(&heads, self.marks.at(known));
        let is_whole = changed.is_none();
        let budgets = match changed {
            None => Budget::look_at_all(&self.base.db).await?,
            Some(changed) => {
                Budget::look_at_these(&self.base.db, changed.into_iter().collect()).await?
            }
        };
        let mark = Some(self.marks.mark(heads.iter().map(|head| head.group).collect()));
        Ok(FreshLevels { levels: levels_of(&budgets), is_whole, mark })
    }
}

/// Of budgets whose limits were ever set.
fn levels_of(budgets: &[(LineItemId, Budget)]) -> Vec<Level> {
    let set = budgets.iter().filter(|(_, budget)| budget.limits.is_some());
    set.map(|(line_item, budget)| budget.level(*line_item)).collect()
}

/// What was changed in any shard since those groups; `None` if that is not known.
fn changed(heads: &[Head], known: Option<&[u64]>) -> Option<BTreeSet<LineItemId>> {
    let known = known.filter(|known| known.len() == heads.len())?;
    let mut changed = BTreeSet::new();
    for (head, group) in heads.iter().zip(known) {
        changed.extend(head.changes.since(*group)?);
    }
    Some(changed)
}
