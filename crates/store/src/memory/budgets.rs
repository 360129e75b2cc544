//! `Budgets` in memory.
//!
//! A line item whose limits were never set has nothing to spend: a `Start` or an `Extra` of any size
//! is refused with a level of zeroes. A `Free` move is booked all the same, because it gives back or
//! captures what somebody was promised; it counts as soon as limits are set.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::budget::{BudgetMove, Level, Limits, Used, check};
use domain::ids::LineItemId;
use domain::journal::Record;
use domain::time::{Day, Timestamp};

use super::{Inner, MemoryState};
use crate::{
    BudgetRow, Budgets, FreshLevels, LevelsMark, LimitsOutcome, Outcome, StoreError, Writing,
};

/// Limits and totals by line item, and what stands against each of its days.
#[derive(Debug, Default)]
pub(super) struct BudgetRows {
    rows: BTreeMap<LineItemId, Row>,
    days: BTreeMap<(LineItemId, Day), Used>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    limits: Option<Limits>,
    total: Used,
}

/// What a change leaves behind in the budgets, checked but not written.
#[derive(Debug, Default)]
pub(super) struct Plan {
    totals: BTreeMap<LineItemId, Used>,
    days: BTreeMap<(LineItemId, Day), Used>,
}

impl BudgetRows {
    /// Checks the moves one after the other, each on top of those before it.
    pub(super) fn plan(&self, moves: &[BudgetMove]) -> Result<Plan, Outcome> {
        let mut plan = Plan::default();
        for by in moves {
            let (line_item, day) = (by.line_item, by.day);
            let row = self.rows.get(&line_item).copied().unwrap_or_default();
            let total = plan.totals.get(&line_item).copied().unwrap_or(row.total);
            let of_day =
                plan.days.get(&(line_item, day)).or_else(|| self.days.get(&(line_item, day)));
            let of_day = of_day.copied().unwrap_or_default();
            if let Err(breach) = check(row.limits.as_ref(), &total, &of_day, by) {
                return Err(Outcome::OverBudget {
                    line_item,
                    breach,
                    level: self.level(line_item),
                });
            }
            plan.totals.insert(line_item, total.moved(by));
            plan.days.insert((line_item, day), of_day.moved(by));
        }
        Ok(plan)
    }

    /// Writes a plan and says how the budgets that it touches stand now.
    pub(super) fn apply(&mut self, plan: Plan) -> Vec<Level> {
        self.days.extend(plan.days);
        for (line_item, total) in &plan.totals {
            self.rows.entry(*line_item).or_default().total = *total;
        }
        plan.totals.keys().map(|line_item| self.level(*line_item)).collect()
    }

    /// Every budget as a move carries it.
    pub(super) fn carried(&self) -> Vec<BudgetRow> {
        let rows = self.rows.iter().map(|(line_item, row)| BudgetRow {
            line_item: *line_item,
            limits: row.limits,
            total: row.total,
            days: self.days_of(*line_item).collect(),
        });
        rows.collect()
    }

    /// Writes a budget as it is.
    pub(super) fn put_row(&mut self, row: BudgetRow) {
        let BudgetRow { line_item, limits, total, days } = row;
        self.rows.insert(line_item, Row { limits, total });
        self.days.extend(days.into_iter().map(|(day, used)| ((line_item, day), used)));
    }

    fn days_of(&self, line_item: LineItemId) -> impl DoubleEndedIterator<Item = (Day, Used)> {
        let of_item = (line_item, Day(i32::MIN))..=(line_item, Day(i32::MAX));
        self.days.range(of_item).map(|(key, used)| (key.1, *used))
    }

    fn level(&self, line_item: LineItemId) -> Level {
        let row = self.rows.get(&line_item).copied().unwrap_or_default();
        let (day, today) = self.days_of(line_item).next_back().unwrap_or_default();
        Level { line_item, limits: row.limits.unwrap_or_default(), total: row.total, day, today }
    }

    fn known_level(&self, line_item: LineItemId) -> Option<Level> {
        let row = self.rows.get(&line_item)?;
        row.limits.map(|_| self.level(line_item))
    }
}

impl Inner {
    fn set_limits(
        &mut self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> LimitsOutcome {
        let row = self.budgets.rows.get(&line_item).copied().unwrap_or_default();
        if row.limits == Some(limits) {
            return LimitsOutcome::Set(self.budgets.level(line_item));
        }
        if !limits.may_follow(row.limits.as_ref(), &row.total) {
            return LimitsOutcome::BelowCommitted(self.budgets.level(line_item));
        }
        self.budgets.rows.insert(line_item, Row { limits: Some(limits), ..row });
        self.trace(Record::of_limits(line_item, limits, now));
        LimitsOutcome::Set(self.budgets.level(line_item))
    }
}

#[async_trait]
impl Budgets for MemoryState {
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError> {
        let mut inner = self.lock();
        inner.phase.permit(Writing::Change)?;
        Ok(inner.set_limits(line_item, limits, now))
    }

    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError> {
        Ok(self.lock().budgets.known_level(line_item))
    }

    async fn levels(&self) -> Result<Vec<Level>, StoreError> {
        let inner = self.lock();
        let known = inner.budgets.rows.keys().filter_map(|id| inner.budgets.known_level(*id));
        Ok(known.collect())
    }

    async fn levels_since(&self, _known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError> {
        Ok(FreshLevels::whole(self.levels().await?))
    }
}
