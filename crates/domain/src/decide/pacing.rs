//! What a participation holds of the budget, and how a daily budget is spread over its day.

use crate::budget::{BudgetMove, Guard};
use crate::catalog::{HoldPolicy, LineItem, Mission, Pacing};
use crate::money::{Micros, PPM_WHOLE};
use crate::time::{Day, Timestamp};

/// Part of an evenly paced daily budget that is open from the first moment, in thousandths of it
/// (about a quarter of an hour's worth). Without it a day would begin with almost every line item
/// shut, and its last minutes' worth could never be spent, because a day is never over while it is
/// today.
pub const HEAD_START_PERMILLE: i64 = 10;

/// What is held when a user starts `mission`: all that it may pay, or the expected share of it.
///
/// A share is rounded up and never 0 for a mission that pays, so that every start stands against
/// the budget, and never more than the whole.
#[must_use]
pub fn hold_for(line_item: &LineItem, mission: &Mission) -> Micros {
    let whole = mission.payout_max();
    match line_item.hold {
        HoldPolicy::Full => whole,
        HoldPolicy::Expected { share, .. } => {
            let whole_ppm = i128::from(PPM_WHOLE);
            let product = i128::from(whole.0) * i128::from(share.0.min(PPM_WHOLE));
            // At most the whole, so it fits.
            let part = (product + whole_ppm - 1).div_euclid(whole_ppm) as i64;
            Micros(if whole.0 > 0 { part.max(1) } else { part })
        }
    }
}

/// How much of an evenly paced daily budget may be committed by `now`, or `None` if the line item is
/// not paced: the elapsed part of its day plus [`HEAD_START_PERMILLE`], at most all of it.
///
/// What one participation may do on top of that is said by [`starting_move`].
#[must_use]
pub fn paced_ceiling(line_item: &LineItem, now: Timestamp) -> Option<Micros> {
    let daily = line_item.daily_budget?;
    if line_item.pacing != Pacing::Even {
        return None;
    }
    let elapsed = Day::elapsed_permille(now, line_item.utc_offset);
    let open = (elapsed + HEAD_START_PERMILLE).min(1_000);
    // Thousandths of an i64 fit an i64.
    Some(Micros((i128::from(daily.0) * i128::from(open) / 1_000) as i64))
}

/// When the clock may next change what a line item's budget allows: its next thousandth of the day if
/// it is paced, the end of its day otherwise.
pub(crate) fn budget_changes_at(line_item: &LineItem, now: Timestamp) -> Timestamp {
    match line_item.pacing {
        Pacing::Even => Day::next_permille(now, line_item.utc_offset),
        Pacing::Asap => Day::of(now, line_item.utc_offset).ends_at(line_item.utc_offset),
    }
}

/// The budget move of one participation in `mission` on `day`, the line item's day of `now`.
///
/// Both the list and the participation check this very move, so they agree. Its paced limit is the
/// ceiling plus its own hold: a user may start whenever what was committed *before* him is within
/// the ceiling. So one hold always fits a day that is still untouched, however large it is, and a
/// budget of two holds serves one user at midnight and one at noon instead of both at the day's end.
/// The daily budget itself is a limit of its own and is never exceeded by this.
#[must_use]
pub fn starting_move(
    line_item: &LineItem,
    mission: &Mission,
    day: Day,
    now: Timestamp,
) -> BudgetMove {
    start_holding(hold_for(line_item, mission), line_item, day, now)
}

/// The same where it is known what the participation holds.
pub(crate) fn start_holding(
    held: Micros,
    line_item: &LineItem,
    day: Day,
    now: Timestamp,
) -> BudgetMove {
    let paced = paced_ceiling(line_item, now).map(|open| Micros(open.0.saturating_add(held.0)));
    BudgetMove {
        line_item: line_item.id,
        day,
        held,
        booked: Micros(0),
        starts: 1,
        guard: Guard::Start { paced },
    }
}
