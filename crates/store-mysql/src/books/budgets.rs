//! Budgets: moves are checked one on top of the other, and made together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use domain::budget::{BudgetMove, Level, Limits, Used, check};
use domain::ids::LineItemId;
use domain::time::Day;
use store::{BudgetRow, Outcome};

use super::Books;

/// One line item's budget.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budget {
    /// Whether limits were ever set.
    pub(crate) is_set: bool,
    /// What it may spend; nothing if never set.
    pub(crate) limits: Limits,
    /// What stands against the total.
    pub(crate) total: Used,
    /// The latest day with any move.
    pub(crate) latest: Option<Day>,
    /// What stood against the total when the row was read; `None` if there was no row.
    pub(super) was: Option<Used>,
    pub(super) is_dirty: bool,
    pub(super) days: BTreeMap<Day, DayUse>,
}

/// What stands against one day.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DayUse {
    pub(super) used: Used,
    pub(super) is_dirty: bool,
}

/// Moves that have been checked but not made.
#[derive(Default)]
struct Trial {
    totals: BTreeMap<LineItemId, Used>,
    days: BTreeMap<(LineItemId, Day), Used>,
}

impl Budget {
    /// What it may spend; `None` if that was never set.
    pub(crate) fn limits(&self) -> Option<&Limits> {
        self.is_set.then_some(&self.limits)
    }

    fn on(&self, day: Day) -> Used {
        self.days.get(&day).map(|one| one.used).unwrap_or_default()
    }
}

impl Books {
    /// The budget of a line item; all zero if it was never touched.
    pub(crate) fn budget(&mut self, line_item: LineItemId) -> &mut Budget {
        self.budgets.entry(line_item).or_default()
    }

    /// A line item has new limits.
    pub(crate) fn set_limits(&mut self, line_item: LineItemId, limits: Limits) {
        let budget = self.budget(line_item);
        (budget.is_set, budget.limits, budget.is_dirty) = (true, limits, true);
    }

    /// A line item's budget as this group leaves it.
    pub(crate) fn level(&self, line_item: LineItemId) -> Level {
        let Some(budget) = self.budgets.get(&line_item) else {
            return level_of(line_item, &Budget::default());
        };
        level_of(line_item, budget)
    }

    /// Makes all moves, or none: the first breach is the answer. Each move is checked on top of the
    /// ones before it.
    pub(crate) fn spend(&mut self, moves: &[BudgetMove]) -> Option<Outcome> {
        let mut trial = Trial::default();
        for by in moves {
            let (line_item, day) = (by.line_item, by.day);
            let budget = self.budget(line_item);
            let total = trial.totals.get(&line_item).copied().unwrap_or(budget.total);
            let of_day = trial.days.get(&(line_item, day)).copied();
            let of_day = of_day.unwrap_or_else(|| budget.on(day));
            if let Err(breach) = check(budget.limits(), &total, &of_day, by) {
                let level = self.level(line_item);
                return Some(Outcome::OverBudget { line_item, breach, level });
            }
            trial.totals.insert(line_item, total.moved(by));
            trial.days.insert((line_item, day), of_day.moved(by));
        }
        self.apply(trial);
        None
    }

    /// The budgets that these moves touched, in order of the line items' numbers.
    pub(crate) fn levels(&self, moves: &[BudgetMove]) -> Vec<Level> {
        let touched: BTreeSet<LineItemId> = moves.iter().map(|by| by.line_item).collect();
        touched.into_iter().map(|line_item| self.level(line_item)).collect()
    }

    fn apply(&mut self, trial: Trial) {
        for (line_item, total) in trial.totals {
            let budget = self.budget(line_item);
            (budget.total, budget.is_dirty) = (total, true);
        }
        for ((line_item, day), used) in trial.days {
            self.budget(line_item).put_day(day, used);
        }
    }

    /// Writes a budget as it is elsewhere.
    pub(crate) fn put_budget(&mut self, row: &BudgetRow) {
        let budget = self.budget(row.line_item);
        budget.is_set = row.limits.is_some();
        budget.limits = row.limits.unwrap_or_default();
        (budget.total, budget.is_dirty) = (row.total, true);
        for (day, used) in &row.days {
            budget.put_day(*day, *used);
        }
    }
}

impl Budget {
    fn put_day(&mut self, day: Day, used: Used) {
        self.days.insert(day, DayUse { used, is_dirty: true });
        self.latest = self.latest.max(Some(day));
    }
}

fn level_of(line_item: LineItemId, budget: &Budget) -> Level {
    let day = budget.latest.unwrap_or_default();
    let today = budget.latest.map(|latest| budget.on(latest)).unwrap_or_default();
    Level { line_item, limits: budget.limits, total: budget.total, day, today }
}
