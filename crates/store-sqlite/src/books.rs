//! What the writer remembers between statements and groups: the journal's end, the budgets that
//! have moved, the counts of deliveries.
//!
//! Guards are checked here with the domain's own rule, and each touched row is written once per
//! group instead of once per move. A failed group drops what it touched; it is read again from the
//! file when next needed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::budget::{BudgetMove, Level, Limits, Used, check};
use domain::ids::LineItemId;
use domain::time::Day;
use rusqlite::{Connection, OptionalExtension, params};
use store::{BudgetRow, DeliveryState, Outcome};

use crate::codec::{int, state_to_column, uint};
use crate::error::Failure;
use crate::writer::Marks;
use crate::{budgets, sql};

/// Days of one budget that stay in memory between groups. Bookings charge the day of their
/// participation, nearly always one of the last few.
const DAYS_KEPT: usize = 8;

/// The writer's memory.
#[derive(Debug)]
pub(crate) struct Books {
    now: Places,
    committed: Places,
    budgets: HashMap<LineItemId, Budget>,
    dirty: BTreeSet<LineItemId>,
    counts: [i64; DeliveryState::ALL.len()],
}

/// Places in the journal.
#[derive(Clone, Copy, Debug)]
struct Places {
    head: u64,
    absorbed: u64,
    absorbed_moved: bool,
}

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
    days: BTreeMap<Day, DayUse>,
}

#[derive(Clone, Copy, Debug, Default)]
struct DayUse {
    used: Used,
    dirty: bool,
}

impl Books {
    /// Reads where the file stands.
    pub(crate) fn open(conn: &Connection) -> rusqlite::Result<Self> {
        let head: i64 = conn.query_row(sql::JOURNAL_HEAD, [], |row| row.get(0))?;
        let absorbed: i64 = conn.query_row(sql::META_GET, ["absorbed"], |row| row.get(0))?;
        let places = Places { head: uint(head), absorbed: uint(absorbed), absorbed_moved: false };
        Ok(Self {
            now: places,
            committed: places,
            budgets: HashMap::new(),
            dirty: BTreeSet::new(),
            counts: Default::default(),
        })
    }

    /// The place of the next record, which is taken with this.
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.now.head += 1;
        self.now.head
    }

    /// The place of the newest record.
    pub(crate) fn head(&self) -> u64 {
        self.now.head
    }

    /// The newest record was put at this place.
    pub(crate) fn put_head(&mut self, seq: u64) {
        self.now.head = seq;
    }

    /// How far messages are in the outbox.
    pub(crate) fn absorbed(&self) -> u64 {
        self.now.absorbed
    }

    /// Messages are in the outbox up to here.
    pub(crate) fn set_absorbed(&mut self, seq: u64) {
        self.now.absorbed = seq;
        self.now.absorbed_moved = true;
    }

    /// A delivery came into a state, or left it.
    pub(crate) fn count(&mut self, state: DeliveryState, by: i64) {
        self.counts[state_to_column(state)] += by;
    }

    /// The budgets that the group has touched.
    pub(crate) fn touched(&self) -> impl Iterator<Item = LineItemId> {
        self.dirty.iter().copied()
    }

    /// The group is durable.
    pub(crate) fn keep(&mut self) {
        self.now.absorbed_moved = false;
        self.committed = self.now;
        self.dirty.clear();
    }

    /// The group is undone: what it touched is read again when it is next needed.
    pub(crate) fn forget(&mut self) {
        self.now = self.committed;
        self.counts = Default::default();
        for line_item in std::mem::take(&mut self.dirty) {
            self.budgets.remove(&line_item);
        }
    }

    /// Tells readers where the durable journal ends.
    pub(crate) fn publish(&self, marks: &Marks) {
        marks.set(self.committed.head, self.committed.absorbed);
    }

    /// The budget of a line item, all zero if it was never touched.
    pub(crate) fn budget(
        &mut self,
        conn: &Connection,
        line_item: LineItemId,
    ) -> Result<&mut Budget, Failure> {
        match self.budgets.entry(line_item) {
            std::collections::hash_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::hash_map::Entry::Vacant(entry) => {
                Ok(entry.insert(read_budget(conn, line_item)?))
            }
        }
    }

    /// What stands against a day of a line item.
    fn day(&mut self, conn: &Connection, line_item: LineItemId, day: Day) -> Result<Used, Failure> {
        let budget = self.budget(conn, line_item)?;
        if let Some(known) = budget.days.get(&day) {
            return Ok(known.used);
        }
        let used = read_day(conn, line_item, day)?;
        budget.days.insert(day, DayUse { used, dirty: false });
        Ok(used)
    }

    /// A line item has new limits.
    pub(crate) fn set_limits(
        &mut self,
        conn: &Connection,
        line_item: LineItemId,
        limits: Limits,
    ) -> Result<(), Failure> {
        let budget = self.budget(conn, line_item)?;
        (budget.is_set, budget.limits) = (true, limits);
        self.dirty.insert(line_item);
        Ok(())
    }

    /// A line item's budget is as a move carries it.
    pub(crate) fn put_budget(&mut self, row: &BudgetRow) {
        let days = row.days.iter().map(|(day, used)| (*day, DayUse { used: *used, dirty: true }));
        let budget = Budget {
            is_set: row.limits.is_some(),
            limits: row.limits.unwrap_or_default(),
            total: row.total,
            latest: row.days.iter().map(|(day, _)| *day).max(),
            days: days.collect(),
        };
        self.budgets.insert(row.line_item, budget);
        self.dirty.insert(row.line_item);
    }

    /// A line item's budget as this group leaves it.
    pub(crate) fn level(
        &mut self,
        conn: &Connection,
        line_item: LineItemId,
    ) -> Result<Level, Failure> {
        let budget = self.budget(conn, line_item)?;
        let (limits, total, latest) = (budget.limits, budget.total, budget.latest);
        let today = match latest {
            Some(day) => self.day(conn, line_item, day)?,
            None => Used::default(),
        };
        Ok(Level { line_item, limits, total, day: latest.unwrap_or_default(), today })
    }

    /// Makes all moves, or none: the first breach is the answer. Each move is checked on top of the
    /// ones before it.
    pub(crate) fn spend(
        &mut self,
        conn: &Connection,
        moves: &[BudgetMove],
    ) -> Result<Option<Outcome>, Failure> {
        let mut trial = Trial::default();
        for by in moves {
            let total = match trial.totals.get(&by.line_item) {
                Some(used) => *used,
                None => self.budget(conn, by.line_item)?.total,
            };
            let day = match trial.days.get(&(by.line_item, by.day)) {
                Some(used) => *used,
                None => self.day(conn, by.line_item, by.day)?,
            };
            let limits = self.budget(conn, by.line_item)?.limits();
            if let Err(breach) = check(limits, &total, &day, by) {
                let level = self.level(conn, by.line_item)?;
                return Ok(Some(Outcome::OverBudget { line_item: by.line_item, breach, level }));
            }
            trial.totals.insert(by.line_item, total.moved(by));
            trial.days.insert((by.line_item, by.day), day.moved(by));
        }
        self.apply(trial);
        Ok(None)
    }

    /// The budgets that these moves touched, in order of the line items' numbers.
    pub(crate) fn levels(
        &mut self,
        conn: &Connection,
        moves: &[BudgetMove],
    ) -> Result<Vec<Level>, Failure> {
        let touched: BTreeSet<LineItemId> = moves.iter().map(|by| by.line_item).collect();
        touched.into_iter().map(|line_item| self.level(conn, line_item)).collect()
    }

    fn apply(&mut self, trial: Trial) {
        for (line_item, total) in trial.totals {
            self.budgets.entry(line_item).or_default().total = total;
            self.dirty.insert(line_item);
        }
        for ((line_item, day), used) in trial.days {
            let budget = self.budgets.entry(line_item).or_default();
            budget.days.insert(day, DayUse { used, dirty: true });
            budget.latest = budget.latest.max(Some(day));
        }
    }

    /// Writes back what the group touched; the last thing before its commit.
    pub(crate) fn flush(&mut self, conn: &Connection) -> Result<(), Failure> {
        for line_item in &self.dirty {
            if let Some(budget) = self.budgets.get_mut(line_item) {
                budget.flush(conn, *line_item)?;
            }
        }
        for (state, by) in self.counts.iter_mut().enumerate().filter(|(_, by)| **by != 0) {
            conn.prepare_cached(sql::COUNTS_ADD)?.execute(params![state as i64, *by])?;
            *by = 0;
        }
        if self.now.absorbed_moved {
            let absorbed = int(self.now.absorbed);
            conn.prepare_cached(sql::META_SET)?.execute(params!["absorbed", absorbed])?;
        }
        Ok(())
    }
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

    fn flush(&mut self, conn: &Connection, line_item: LineItemId) -> Result<(), Failure> {
        let (limits, total) = (&self.limits, &self.total);
        conn.prepare_cached(sql::BUDGET_PUT)?.execute(params![
            line_item.0,
            self.is_set,
            limits.total.0,
            limits.daily.map(|daily| daily.0),
            limits.grace.0,
            limits.starts,
            limits.daily_starts,
            total.booked.0,
            total.held.0,
            total.starts,
            self.latest.map(|day| day.0),
        ])?;
        for (day, one) in self.days.iter_mut().filter(|(_, one)| one.dirty) {
            conn.prepare_cached(sql::BUDGET_DAY_PUT)?.execute(params![
                line_item.0,
                day.0,
                one.used.booked.0,
                one.used.held.0,
                one.used.starts,
            ])?;
            one.dirty = false;
        }
        while self.days.len() > DAYS_KEPT {
            self.days.pop_first();
        }
        Ok(())
    }
}

fn read_budget(conn: &Connection, line_item: LineItemId) -> Result<Budget, Failure> {
    let mut select = conn.prepare_cached(sql::BUDGET_LEVEL)?;
    let row = select.query_row([line_item.0], budgets::row_of).optional()?;
    let Some(row) = row else { return Ok(Budget::default()) };
    let day = row.latest.map(|day| (day, DayUse { used: row.level.today, dirty: false }));
    Ok(Budget {
        is_set: row.is_set,
        limits: row.level.limits,
        total: row.level.total,
        latest: row.latest,
        days: day.into_iter().collect(),
    })
}

fn read_day(conn: &Connection, line_item: LineItemId, day: Day) -> Result<Used, Failure> {
    let mut select = conn.prepare_cached(sql::BUDGET_DAY)?;
    let used = select
        .query_row([i64::from(line_item.0), i64::from(day.0)], |row| budgets::used_of(row, 0));
    Ok(used.optional()?.unwrap_or_default())
}
