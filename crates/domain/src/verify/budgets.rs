//! One line item's budget, moved as the journal moves it (M2).

use std::collections::BTreeMap;

use super::{Order, Report};
use crate::budget::{Breach, BudgetMove, Guard, Level, Limits, Used};
use crate::ids::LineItemId;
use crate::money::Micros;
use crate::time::Day;
use crate::words::counted;

/// Beyond this a sum of two amounts could overflow; no catalogue comes near it (M7).
const AMOUNT_MAX: u64 = i64::MAX as u64 / 4;

/// What the records so far leave of a budget.
#[derive(Debug, Default)]
pub(super) struct Budget {
    limits: Option<Limits>,
    /// The widest of all that it ever had, each by itself.
    widest: Option<Limits>,
    total: Used,
    days: BTreeMap<Day, Used>,
    is_stored: bool,
}

impl Budget {
    pub(super) fn set(&mut self, limits: Limits) {
        self.limits = Some(limits);
        self.widest = Some(self.widest.map_or(limits, |widest| wider(&widest, &limits)));
    }

    /// Makes a move, and says if it must not have been made, as far as the order tells.
    pub(super) fn add(
        &mut self,
        by: &BudgetMove,
        order: Order,
        subject: &str,
        report: &mut Report,
    ) {
        let line_item = by.line_item;
        let of_day = self.days.get(&by.day).copied().unwrap_or_default();
        let (Some(total), Some(day)) = (moved(&self.total, by), moved(&of_day, by)) else {
            report.add("M7", subject, format!("the budget of line item {line_item} overflows"));
            return;
        };
        let grows = by.held.0 + by.booked.0 > 0 || by.starts > 0;
        if by.guard == Guard::Free && grows {
            report.add("M2", subject, format!("line item {line_item} grows unguarded"));
        }
        if order == Order::Total {
            self.judge(by, (&total, &day), subject, report);
        }
        self.total = total;
        self.days.insert(by.day, day);
    }

    /// What is wrong with a move by what was used at its moment, and what is used after it.
    fn judge(&self, by: &BudgetMove, after: (&Used, &Used), subject: &str, report: &mut Report) {
        let line_item = by.line_item;
        let of_day = self.days.get(&by.day).copied().unwrap_or_default();
        let limits = self.limits.unwrap_or_default();
        if let Err(breach) = limits.check(&self.total, &of_day, by) {
            let figures = beyond(breach, &limits, after, by.guard);
            let what = breach.words();
            report.add(
                "M2",
                subject,
                format!("line item {line_item} goes beyond {what}: {figures}"),
            );
        }
        if [after.0, after.1].iter().any(|used| used.held.0 < 0 || used.booked.0 < 0) {
            let detail = format!("line item {line_item} gives back more than it had");
            report.add("M2", subject, detail);
        }
    }

    pub(super) fn compare(&mut self, level: &Level, report: &mut Report) {
        self.is_stored = true;
        let latest = self.days.iter().next_back();
        let (day, today) = latest.map_or_else(Default::default, |(day, used)| (*day, *used));
        let limits = self.limits.unwrap_or_default();
        let derived = Level { line_item: level.line_item, limits, total: self.total, day, today };
        if derived != *level {
            report.add("M2", subject(level.line_item), differences(level, &derived));
        }
    }

    pub(super) fn finish(&self, line_item: LineItemId, order: Order, report: &mut Report) {
        if self.limits.is_some() && !self.is_stored {
            report.add("M2", subject(line_item), "its budget is not stored");
        }
        if order == Order::ByUser {
            self.judge_end(line_item, report);
        }
    }

    /// What is wrong with where it ends. The total is never set below what is used, so it holds at
    /// the end; the other limits may be, and grace that was taken may be.
    fn judge_end(&self, line_item: LineItemId, report: &mut Report) {
        let used = self.days.values().chain([&self.total]);
        if used.into_iter().any(|used| used.held.0 < 0 || used.booked.0 < 0) {
            report.add("M2", subject(line_item), "it has given back more than it had");
        }
        let (Some(limits), Some(widest)) = (self.limits, self.widest) else { return };
        let mut add = |breach: Breach, limits: &Limits, day: &Used| {
            let figures = beyond(breach, limits, (&self.total, day), Guard::Extra);
            report.add(
                "M2",
                subject(line_item),
                format!("it is beyond {}: {figures}", breach.words()),
            );
        };
        let limits = Limits { grace: widest.grace, ..limits };
        if self.total.committed().0 > limits.total.0 + limits.grace.0 {
            add(Breach::Total, &limits, &Used::default());
        }
        if widest.starts.is_some_and(|most| self.total.starts > most) {
            add(Breach::Starts, &widest, &Used::default());
        }
        for day in self.days.values() {
            if widest.daily.is_some_and(|daily| day.committed().0 > daily.0 + widest.grace.0) {
                add(Breach::Daily, &widest, day);
            }
            if widest.daily_starts.is_some_and(|most| day.starts > most) {
                add(Breach::DailyStarts, &widest, day);
            }
        }
    }
}

/// The wider of both in everything; no limit is the widest.
fn wider(one: &Limits, other: &Limits) -> Limits {
    Limits {
        total: one.total.max(other.total),
        daily: one.daily.zip(other.daily).map(|(one, other)| one.max(other)),
        grace: one.grace.max(other.grace),
        starts: one.starts.zip(other.starts).map(|(one, other)| one.max(other)),
        daily_starts: one.daily_starts.zip(other.daily_starts).map(|(one, other)| one.max(other)),
    }
}

fn subject(line_item: LineItemId) -> String {
    format!("line item {line_item}")
}

/// What was used after a move that broke a limit, and what there may be.
fn beyond(breach: Breach, limits: &Limits, after: (&Used, &Used), guard: Guard) -> String {
    let (total, day) = after;
    let grace = if guard == Guard::Extra { limits.grace.0 } else { 0 };
    let paced = match guard {
        Guard::Start { paced } => paced,
        Guard::Extra | Guard::Free => None,
    };
    let money = |used: &Used, most: i64| {
        format!("{} micro-units are booked and held, and {most} may be", used.committed().0)
    };
    let starts = |used: &Used, most: Option<u32>| {
        let most = most.unwrap_or_default();
        format!("{} where {most} may be", counted(used.starts, "participation"))
    };
    match breach {
        Breach::Total => money(total, limits.total.0 + grace),
        Breach::Daily => money(day, limits.daily.unwrap_or_default().0 + grace),
        Breach::Paced => money(day, paced.unwrap_or_default().0),
        Breach::Starts => starts(total, limits.starts),
        Breach::DailyStarts => starts(day, limits.daily_starts),
    }
}

/// The figures in which two levels differ.
fn differences(stored: &Level, derived: &Level) -> String {
    let (stored, derived) = (figures(stored), figures(derived));
    let pairs = stored.into_iter().zip(derived).filter(|(stored, derived)| stored != derived);
    let texts = pairs.map(|((what, stored), (_, derived))| {
        format!("{what}: stored is {stored}, the journal makes {derived}")
    });
    texts.collect::<Vec<_>>().join("; ")
}

/// Every figure of a level with its name; amounts are in micro-units.
fn figures(level: &Level) -> [(&'static str, String); 12] {
    let Level { limits, total, day, today, .. } = level;
    let or_none = |limit: Option<String>| limit.unwrap_or_else(|| "no limit".to_owned());
    [
        ("the budget", limits.total.0.to_string()),
        ("the budget of a day", or_none(limits.daily.map(|one| one.0.to_string()))),
        ("the grace", limits.grace.0.to_string()),
        ("the most participations", or_none(limits.starts.map(|one| one.to_string()))),
        (
            "the most participations of a day",
            or_none(limits.daily_starts.map(|one| one.to_string())),
        ),
        ("booked", total.booked.0.to_string()),
        ("held", total.held.0.to_string()),
        ("participations", total.starts.to_string()),
        ("the latest day", day.to_string()),
        ("booked on that day", today.booked.0.to_string()),
        ("held on that day", today.held.0.to_string()),
        ("participations on that day", today.starts.to_string()),
    ]
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
