//! What moves add up to, in plain arithmetic.

use std::collections::BTreeMap;

use domain::budget::{BudgetMove, Level, Limits, Used};
use domain::ids::LineItemId;
use domain::time::Day;

use crate::BudgetRow;

/// What stands against each line item and day that was ever moved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sums(BTreeMap<(LineItemId, Day), Used>);

impl Sums {
    pub(super) fn add(&mut self, by: &BudgetMove) {
        let used = self.0.entry((by.line_item, by.day)).or_default();
        *used = used.moved(by);
    }

    /// Takes in what somebody else has moved.
    pub(super) fn merge(&mut self, other: Self) {
        for (key, more) in other.0 {
            let used = self.0.entry(key).or_default();
            *used = plus(used, &more);
        }
    }

    pub(super) fn total(&self, line_item: LineItemId) -> Used {
        self.days(line_item).iter().fold(Used::default(), |sum, (_, used)| plus(&sum, used))
    }

    pub(super) fn day(&self, line_item: LineItemId, day: Day) -> Used {
        self.0.get(&(line_item, day)).copied().unwrap_or_default()
    }

    /// The budget with these limits.
    pub(super) fn level(&self, line_item: LineItemId, limits: Limits) -> Level {
        let (day, today) = self.days(line_item).pop().unwrap_or_default();
        Level { line_item, limits, total: self.total(line_item), day, today }
    }

    /// The same with every day.
    pub(super) fn row(&self, line_item: LineItemId, limits: Limits) -> BudgetRow {
        let (total, days) = (self.total(line_item), self.days(line_item));
        BudgetRow { line_item, limits: Some(limits), total, days }
    }

    fn days(&self, line_item: LineItemId) -> Vec<(Day, Used)> {
        let of_item = (line_item, Day(i32::MIN))..=(line_item, Day(i32::MAX));
        self.0.range(of_item).map(|((_, day), used)| (*day, *used)).collect()
    }
}

fn plus(one: &Used, other: &Used) -> Used {
    let mut sum = *one;
    sum.booked.0 += other.booked.0;
    sum.held.0 += other.held.0;
    sum.starts += other.starts;
    sum
}
