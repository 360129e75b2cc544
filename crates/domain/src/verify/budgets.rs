//! One line item's budget, moved as the journal moves it (M2).

use std::collections::BTreeMap;

use super::Report;
use crate::budget::{BudgetMove, Guard, Level, Limits, Used};
use crate::ids::LineItemId;
use crate::money::Micros;
use crate::time::Day;

/// Beyond this a sum of two amounts could overflow; no catalogue comes near it (M7).
const AMOUNT_MAX: u64 = i64::MAX as u64 / 4;

/// What the records so far leave of a budget.
#[derive(Debug, Default)]
pub(super) struct Budget {
    limits: Option<Limits>,
    total: Used,
    days: BTreeMap<Day, Used>,
    is_stored: bool,
}

impl Budget {
    pub(super) fn set(&mut self, limits: Limits) {
        self.limits = Some(limits);
    }

    /// Makes a move, and says if it must not have been made.
    pub(super) fn add(&mut self, by: &BudgetMove, subject: &str, report: &mut Report) {
        let line_item = by.line_item;
        let of_day = self.days.get(&by.day).copied().unwrap_or_default();
        let (Some(total), Some(day)) = (moved(&self.total, by), moved(&of_day, by)) else {
            report.add("M7", subject, format!("the budget of line item {line_item} overflows"));
            return;
        };
        let limits = self.limits.unwrap_or_default();
        if let Err(breach) = limits.check(&self.total, &of_day, by) {
            let detail = format!("line item {line_item} goes beyond its limit: {breach:?}");
            report.add("M2", subject, detail);
        }
        let grows = by.held.0 + by.booked.0 > 0 || by.starts > 0;
        if by.guard == Guard::Free && grows {
            report.add("M2", subject, format!("line item {line_item} grows unguarded"));
        }
        if [total, day].iter().any(|used| used.held.0 < 0 || used.booked.0 < 0) {
            let detail = format!("line item {line_item} gives back more than it had");
            report.add("M2", subject, detail);
        }
        self.total = total;
        self.days.insert(by.day, day);
    }

    pub(super) fn compare(&mut self, level: &Level, report: &mut Report) {
        self.is_stored = true;
        let latest = self.days.iter().next_back();
        let (day, today) = latest.map_or_else(Default::default, |(day, used)| (*day, *used));
        let limits = self.limits.unwrap_or_default();
        let derived = Level { line_item: level.line_item, limits, total: self.total, day, today };
        if derived != *level {
            let detail = format!("stored is {level:?}, the journal makes {derived:?}");
            report.add("M2", subject(level.line_item), detail);
        }
    }

    pub(super) fn finish(&self, line_item: LineItemId, report: &mut Report) {
        if self.limits.is_some() && !self.is_stored {
            report.add("M2", subject(line_item), "its budget is not stored");
        }
    }
}

fn subject(line_item: LineItemId) -> String {
    format!("line item {line_item}")
}

fn moved(used: &Used, by: &BudgetMove) -> Option<Used> {
    let sum = |one: Micros, other: Micros| {
        let sum = one.0.checked_add(other.0)?;
        let is_small = sum.unsigned_abs() < AMOUNT_MAX && other.0.unsigned_abs() < AMOUNT_MAX;
        is_small.then_some(Micros(sum))
    };
    Some(Used {
        booked: sum(used.booked, by.booked)?,
        held: sum(used.held, by.held)?,
        starts: used.starts.checked_add(by.starts)?,
    })
}
