//! What is tried with which budgets, and what may never be seen of them.

use domain::budget::{Level, Limits};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::time::Day;

use super::Dice;
use crate::contract::Checked;
use crate::contract::sample::{TODAY, Terms};

/// Line items that everybody spends of: enough to tell apart, few enough to be fought for.
pub(super) const LINE_ITEMS: u32 = 4;
/// Stretches of work with a checkpoint after each. Every one begins a day, and raises what may be
/// spent, so that there is always something left to fight for.
pub(super) const PHASES: usize = 10;
/// Days that participations are spread over in each stretch.
const DAYS: usize = 3;
/// The largest payout of one reward, in micro-units.
const PAYOUT_MAX: i64 = 20;
/// The most grace, in micro-units.
const GRACE: i64 = 25;

/// The size of a run. All budgets follow from it, so that they are scarce in a short run as well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// What is tried in all.
    pub(super) operations: usize,
}

impl Plan {
    /// About how often each line item is asked for something in one stretch.
    fn unit(self) -> i64 {
        (self.operations / PHASES / LINE_ITEMS as usize).max(16) as i64
    }

    /// Limits that may hold in a stretch; about a third of what users would like, and now and then
    /// less than they have. Odd line items have a daily budget, and the later half counts
    /// participations.
    pub(super) fn limits(self, line_item: LineItemId, phase: usize, dice: &mut Dice) -> Limits {
        let (unit, stretches) = (self.unit(), phase as i64 + 1);
        let (has_daily, counts) = kind(line_item);
        let total = if dice.below(4) > 0 { 3 } else { 2 } * unit * stretches + dice.amount(unit);
        let daily = 3 * unit / 2 + dice.amount(unit / 2);
        let starts = (unit / 6 * stretches + dice.amount(unit / 12)) as u32;
        let daily_starts = (unit / 8 + dice.amount(unit / 16)) as u32;
        Limits {
            total: Micros(total),
            daily: has_daily.then_some(Micros(daily)),
            grace: Micros(dice.amount(2) * GRACE),
            starts: counts.then_some(starts),
            daily_starts: counts.then_some(daily_starts),
        }
    }

    /// Whether such a level may be seen at any moment. Only the total is never lowered below what is
    /// used; grace that was taken stays taken, and the other limits hold as wide as they ever were.
    pub(super) fn check(self, level: &Level) -> Checked {
        let unit = self.unit();
        let (has_daily, counts) = kind(level.line_item);
        let Level { limits, total, today, .. } = level;
        let most = limits.total.0 + GRACE;
        ensure!(total.committed().0 <= most, "more than {most} is used: {level:?}");
        if has_daily {
            let most = 2 * unit + GRACE;
            ensure!(today.committed().0 <= most, "more than {most} is used of a day: {level:?}");
        }
        if counts {
            let most = unit / 6 * PHASES as i64 + unit / 12;
            ensure!(i64::from(total.starts) <= most, "more than {most} participated: {level:?}");
            let most = unit / 8 + unit / 16;
            ensure!(i64::from(today.starts) <= most, "more than {most} on a day: {level:?}");
        }
        let parts = [total.booked, total.held, today.booked, today.held];
        ensure!(parts.iter().all(|part| part.0 >= 0), "more was given back than taken: {level:?}");
        Ok(())
    }

    /// What somebody participates in, what is held for him, and what pacing allows of the day. Some
    /// holds cover no reward at all, some several, most not the last.
    pub(super) fn wish(self, phase: usize, dice: &mut Dice) -> (Terms, i64, Option<Micros>) {
        let payout = 1 + dice.amount(PAYOUT_MAX);
        let terms = Terms {
            line_item: LineItemId(1 + dice.below(LINE_ITEMS as usize) as u32),
            day: Day(TODAY.0 + (phase + dice.below(DAYS)) as i32),
            payout: Micros(payout),
        };
        let held = payout * dice.amount(4) + dice.amount(3);
        let is_paced = dice.below(4) == 0;
        (terms, held, is_paced.then(|| Micros(dice.amount(2 * self.unit()))))
    }
}

/// Every line item.
pub(super) fn line_items() -> impl Iterator<Item = LineItemId> {
    (1..=LINE_ITEMS).map(LineItemId)
}

/// Whether it has a daily budget, and whether it counts participations.
fn kind(line_item: LineItemId) -> (bool, bool) {
    (line_item.0 % 2 == 1, line_item.0 > LINE_ITEMS / 2)
}
