//! `Budgets`: limits are set in the writer's groups, levels are read from the file.

use async_trait::async_trait;
use domain::budget::{Level, Limits, Used};
use domain::ids::LineItemId;
use domain::journal::{Chain, Record};
use domain::money::Micros;
use domain::time::{Day, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use store::{Budgets, FreshLevels, LevelsMark, LimitsOutcome, StoreError};

use crate::codec::record_to_bytes;
use crate::error::Failure;
use crate::journal::Entry;
use crate::writer::{Tx, Work};
use crate::{SqliteStore, sql};

/// A budget's row with its latest day.
pub(crate) struct BudgetRow {
    /// Whether limits were ever set.
    pub(crate) is_set: bool,
    /// The latest day with any move.
    pub(crate) latest: Option<Day>,
    /// The rest.
    pub(crate) level: Level,
}

/// Reads the columns of `sql::BUDGET_LEVEL`.
pub(crate) fn row_of(row: &Row<'_>) -> rusqlite::Result<BudgetRow> {
    let latest = row.get::<_, Option<i32>>(10)?.map(Day);
    let limits = Limits {
        total: Micros(row.get(2)?),
        daily: row.get::<_, Option<i64>>(3)?.map(Micros),
        grace: Micros(row.get(4)?),
        starts: row.get(5)?,
        daily_starts: row.get(6)?,
    };
    let level = Level {
        line_item: LineItemId(row.get(0)?),
        limits,
        total: used_of(row, 7)?,
        day: latest.unwrap_or_default(),
        today: used_of(row, 11)?,
    };
    Ok(BudgetRow { is_set: row.get(1)?, latest, level })
}

/// Reads `booked, held, started`, beginning at a column.
pub(crate) fn used_of(row: &Row<'_>, first: usize) -> rusqlite::Result<Used> {
    Ok(Used {
        booked: Micros(row.get(first)?),
        held: Micros(row.get(first + 1)?),
        starts: row.get(first + 2)?,
    })
}

/// New limits, with the record that tells of them.
struct SetLimits {
    line_item: LineItemId,
    limits: Limits,
    record: Vec<u8>,
}

impl Work for SetLimits {
    type Answer = LimitsOutcome;

    fn run(&self, tx: &mut Tx<'_>) -> Result<LimitsOutcome, Failure> {
        let budget = tx.books.budget(tx.conn, self.line_item)?;
        let is_same = budget.limits() == Some(&self.limits);
        if !self.limits.may_follow(budget.limits(), &budget.total) {
            return Ok(LimitsOutcome::BelowCommitted(tx.books.level(tx.conn, self.line_item)?));
        }
        if !is_same {
            tx.books.set_limits(tx.conn, self.line_item, self.limits)?;
            tx.append(&Entry {
                user: None,
                prev_seq: 0,
                chain: Chain::default(),
                messages: 0,
                body: &self.record,
            })?;
        }
        Ok(LimitsOutcome::Set(tx.books.level(tx.conn, self.line_item)?))
    }
}

fn level(conn: &Connection, line_item: LineItemId) -> Result<Option<Level>, Failure> {
    let mut select = conn.prepare_cached(sql::BUDGET_LEVEL)?;
    let row = select.query_row([line_item.0], row_of).optional()?;
    Ok(row.filter(|row| row.is_set).map(|row| row.level))
}

fn levels_of(conn: &Connection, line_items: &[LineItemId]) -> Result<Vec<Level>, Failure> {
    let found = line_items.iter().map(|line_item| level(conn, *line_item));
    found.filter_map(Result::transpose).collect()
}

fn levels(conn: &Connection) -> Result<Vec<Level>, Failure> {
    let mut select = conn.prepare_cached(sql::BUDGET_LEVELS)?;
    let rows = select.query_map([], row_of)?;
    rows.map(|row| Ok(row?.level)).collect()
}

#[async_trait]
impl Budgets for SqliteStore {
    async fn set_limits(
        &self,
        line_item: LineItemId,
        limits: Limits,
        now: Timestamp,
    ) -> Result<LimitsOutcome, StoreError> {
        let record = record_to_bytes(&Record::of_limits(line_item, limits, now));
        self.ask(SetLimits { line_item, limits, record }).await
    }

    async fn level(&self, line_item: LineItemId) -> Result<Option<Level>, StoreError> {
        self.readers().point(|conn| level(conn, line_item))
    }

    async fn levels(&self) -> Result<Vec<Level>, StoreError> {
        self.readers().scan(levels).await
    }

    /// A mark counts the writer's groups. It is taken before the budgets are read, so what changes
    /// meanwhile is read again next time.
    async fn levels_since(&self, known: Option<&LevelsMark>) -> Result<FreshLevels, StoreError> {
        let (moved, mark) = self.memory.moved.since(known);
        let is_whole = moved.is_none();
        let levels = match moved {
            None => self.levels().await?,
            Some(moved) if moved.is_empty() => Vec::new(),
            Some(moved) => self.readers().scan(move |conn| levels_of(conn, &moved)).await?,
        };
        Ok(FreshLevels { levels, is_whole, mark })
    }
}
