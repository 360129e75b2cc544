//! What units want to look at, and reading it: one packet for a whole group.

use std::collections::BTreeSet;

use domain::budget::{BudgetMove, Limits, Used};
use domain::ids::{ChangeId, DeliveryId, LineItemId, UserKey};
use domain::money::Micros;
use domain::time::Day;
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use store::{Phase, RunNumber};

use super::budgets::{Budget, DayUse};
use super::{Books, HeadRow, User};
use crate::codec::{bytes_of, corrupt};
use crate::error::Failure;
use crate::sql;
use crate::writer::{Batch, Reply, Value};

/// What the units of a group will look at.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    users: BTreeSet<UserKey>,
    budgets: BTreeSet<LineItemId>,
    days: BTreeSet<Day>,
    deliveries: BTreeSet<DeliveryId>,
}

impl Wants {
    /// A user's version and latest change.
    pub(crate) fn user(&mut self, key: UserKey) {
        self.users.insert(key);
    }

    /// A budget with its latest day.
    pub(crate) fn budget(&mut self, line_item: LineItemId) {
        self.budgets.insert(line_item);
    }

    /// The budgets that moves touch, with the days that they are charged to.
    pub(crate) fn moves(&mut self, moves: &[BudgetMove]) {
        self.budgets.extend(moves.iter().map(|by| by.line_item));
        self.days.extend(moves.iter().map(|by| by.day));
    }

    /// A delivery, the one that it waits for and those that wait for it.
    pub(crate) fn delivery(&mut self, id: DeliveryId) {
        self.deliveries.insert(id);
    }

    /// The statements that read all of it, the locked head first.
    pub(crate) fn reads(&self) -> (Batch, Parts) {
        let mut batch = Batch::default();
        batch.add(sql::BEGIN, &[]);
        batch.add(sql::HEAD_LOCK, &[]);
        let mut parts = Vec::new();
        let mut add = |part: Part, template: &str, values: &[Value<'_>]| {
            parts.push((part, batch.add(template, values)));
        };
        let users: Vec<[u8; 16]> = self.users.iter().map(|key| key.0).collect();
        if !users.is_empty() {
            add(Part::Users, sql::USERS_HEADS, &[Value::Keys(&users)]);
        }
        let budgets: Vec<i64> = self.budgets.iter().map(|one| i64::from(one.0)).collect();
        if !budgets.is_empty() {
            add(Part::Budgets, sql::BUDGETS_OF, &[Value::Ints(&budgets)]);
        }
        let days: Vec<i64> = self.days.iter().map(|day| i64::from(day.0)).collect();
        if !days.is_empty() {
            add(Part::Days, sql::DAYS_OF, &[Value::Ints(&budgets), Value::Ints(&days)]);
        }
        let deliveries: Vec<[u8; 16]> = self.deliveries.iter().map(|id| id.0).collect();
        if !deliveries.is_empty() {
            for template in [sql::DELIVERIES_BY_ID, sql::DELIVERIES_BEFORE, sql::DELIVERIES_BEHIND]
            {
                add(Part::Deliveries, template, &[Value::Keys(&deliveries)]);
            }
        }
        (batch, Parts(parts))
    }
}

/// Which statement of a group's first packet reads what.
#[derive(Debug)]
pub(crate) struct Parts(Vec<(Part, usize)>);

/// What a statement reads.
#[derive(Clone, Copy, Debug)]
enum Part {
    Users,
    Budgets,
    Days,
    Deliveries,
}

impl Books {
    /// The books as the replies to [`Wants::reads`] give them.
    pub(crate) fn open(parts: &Parts, replies: &[Reply]) -> Result<Self, Failure> {
        let mut books = Self::default();
        let rows = |number: usize| replies.get(number).map_or(&[][..], |reply| &reply.rows[..]);
        let head = rows(1).first().ok_or_else(|| corrupt("state_head", "the row is missing"))?;
        books.was = head_of(head)?;
        books.head = books.was.clone();
        for (part, number) in &parts.0 {
            for row in rows(*number) {
                books.take(*part, row)?;
            }
        }
        Ok(books)
    }

    fn take(&mut self, part: Part, row: &MySqlRow) -> Result<(), Failure> {
        match part {
            Part::Users => {
                let latest = Some(ChangeId(bytes_of(row, 2)?));
                let user = User { version: row.try_get(1)?, latest, written: None };
                self.users.insert(UserKey(bytes_of(row, 0)?), user);
            }
            Part::Budgets => {
                let (line_item, budget) = budget_of(row)?;
                self.budgets.insert(line_item, budget);
            }
            Part::Days => {
                let used = used_of(row, 2)?;
                let budget = self.budget(LineItemId(row.try_get(0)?));
                budget.days.insert(Day(row.try_get(1)?), DayUse { used, is_dirty: false });
            }
            Part::Deliveries => self.desk.take(row)?,
        }
        Ok(())
    }
}

/// Reads `phase, moved_to, head, touched, is_total, run_no`.
fn head_of(row: &MySqlRow) -> Result<HeadRow, Failure> {
    Ok(HeadRow {
        phase: phase_of(row)?,
        head: row.try_get(2)?,
        touched: row.try_get(3)?,
        is_total: order_of(row)?,
        run: run_of(row, 5)?,
    })
}

/// Reads `run_no`, which is that column of the row.
pub(crate) fn run_of(row: &MySqlRow, column: usize) -> Result<RunNumber, Failure> {
    Ok(RunNumber(row.try_get(column)?))
}

/// Reads `is_total`, the fifth column of the row.
pub(crate) fn order_of(row: &MySqlRow) -> Result<bool, Failure> {
    Ok(row.try_get::<i8, _>(4)? != 0)
}

/// Reads `phase, moved_to`, the first columns of the row.
pub(crate) fn phase_of(row: &MySqlRow) -> Result<Phase, Failure> {
    match row.try_get::<u8, _>(0)? {
        0 => Ok(Phase::Live),
        1 => Ok(Phase::Watched),
        2 => Ok(Phase::Moved(row.try_get(1)?)),
        3 => Ok(Phase::Filling),
        other => Err(corrupt("phase of the state", other).into()),
    }
}

/// Reads the columns that `sql` lists for a budget.
fn budget_of(row: &MySqlRow) -> Result<(LineItemId, Budget), Failure> {
    let line_item = LineItemId(row.try_get(0)?);
    let total = used_of(row, 7)?;
    let latest = row.try_get::<Option<i32>, _>(10)?.map(Day);
    let mut budget = Budget {
        is_set: row.try_get::<i8, _>(1)? != 0,
        limits: limits_of(row, 2)?,
        total,
        latest,
        was: Some(total),
        ..Budget::default()
    };
    if let Some(day) = latest {
        budget.days.insert(day, DayUse { used: used_of(row, 11)?, is_dirty: false });
    }
    Ok((line_item, budget))
}

/// Reads `total, daily, grace, starts, daily_starts`, beginning at a column.
pub(crate) fn limits_of(row: &MySqlRow, first: usize) -> Result<Limits, Failure> {
    Ok(Limits {
        total: Micros(row.try_get(first)?),
        daily: row.try_get::<Option<i64>, _>(first + 1)?.map(Micros),
        grace: Micros(row.try_get(first + 2)?),
        starts: row.try_get(first + 3)?,
        daily_starts: row.try_get(first + 4)?,
    })
}

/// Reads `booked, held, started`, beginning at a column; nothing if there is no row.
pub(crate) fn used_of(row: &MySqlRow, first: usize) -> Result<Used, Failure> {
    let money = |column| {
        Ok::<_, Failure>(Micros(row.try_get::<Option<i64>, _>(column)?.unwrap_or_default()))
    };
    Ok(Used {
        booked: money(first)?,
        held: money(first + 1)?,
        starts: row.try_get::<Option<u32>, _>(first + 2)?.unwrap_or_default(),
    })
}
