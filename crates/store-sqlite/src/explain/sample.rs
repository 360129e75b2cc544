//! Values that are in the file, found by the statements themselves.

use std::collections::{BTreeSet, HashMap};

use domain::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::error::Failure;
use crate::sql::{self, Bind};

/// Rows of a page, as the program asks for.
const PAGE: i64 = 100;
/// How many users lie between the two keys of a range.
const USERS_BETWEEN: i64 = 20;
/// How many days a report is about.
const DAYS: i64 = 7;
/// How long the time is in which deliveries are looked for: a day, in milliseconds.
const BOOKED_MS: i64 = 86_400_000;
/// Bits of a delivery's number that say its rank within its record.
const RANK_BITS: u32 = 6;

/// Values by what they are for.
#[derive(Debug, Default)]
pub(super) struct Sample {
    values: HashMap<Bind, Value>,
    /// Tables without a row.
    empty: BTreeSet<&'static str>,
}

impl Sample {
    /// Takes values from the middle of each table.
    pub(super) fn take(conn: &Connection, now: Timestamp) -> Result<Self, Failure> {
        let mut sample = Self::default();
        sample.put(Bind::Page, PAGE);
        sample.put(Bind::Nothing, 0);
        sample.put(Bind::Now, now.0);
        sample.put(Bind::BookedFrom, now.0 - BOOKED_MS);
        sample.put(Bind::BookedTo, now.0);
        sample.put(Bind::MetaName, "absorbed".to_owned());
        sample.put(Bind::Of, "state".to_owned());
        sample.users(conn)?;
        sample.journal(conn)?;
        sample.budgets(conn)?;
        sample.reports(conn)?;
        sample.catalog(conn)?;
        sample.rest(conn)?;
        Ok(sample)
    }

    /// A value; null if the table where it should come from is empty.
    pub(super) fn value(&self, bind: Bind) -> Value {
        self.values.get(&bind).cloned().unwrap_or(Value::Null)
    }

    /// Whether a table has no rows.
    pub(super) fn is_empty(&self, table: &str) -> bool {
        self.empty.contains(table)
    }

    fn put(&mut self, bind: Bind, value: impl Into<Value>) {
        self.values.insert(bind, value.into());
    }

    /// A user in the middle of the keys, which are digests, or the first one.
    fn users(&mut self, conn: &Connection) -> Result<(), Failure> {
        let key_after =
            |key: Vec<u8>, limit| last(conn, sql::USERS_SCAN, (key, limit), |row| row.get(3));
        let middle = [vec![0x80], Vec::new()];
        let mut key: Option<Vec<u8>> = None;
        for from in middle {
            key = match key {
                None => key_after(from, 1)?,
                key => key,
            };
        }
        let Some(key) = key else {
            self.empty.insert("users");
            return Ok(());
        };
        let later = key_after(key.clone(), USERS_BETWEEN)?.unwrap_or_else(|| key.clone());
        let id: Option<i64> = last(conn, sql::USER_HEAD, [&key], |row| row.get(0))?;
        self.put(Bind::User, key);
        self.put(Bind::UserLater, later);
        self.put(Bind::UserId, id);
        let first: Option<Vec<u8>> = last(conn, sql::USERS_DUE, (i64::MAX, 1), |row| row.get(0))?;
        let due: Option<i64> = last(conn, sql::USER_HEAD, [first], |row| row.get(4))?;
        self.put(Bind::Due, due);
        Ok(())
    }

    /// The record in the middle, and a delivery near it.
    fn journal(&mut self, conn: &Connection) -> Result<(), Failure> {
        let head: i64 = conn.query_row(sql::JOURNAL_HEAD, [], |row| row.get(0))?;
        if head == 0 {
            self.empty.extend(["journal", "deliveries"]);
            return Ok(());
        }
        let middle = (head / 2).max(1);
        self.put(Bind::Seq, middle);
        let near =
            |from: i64| last(conn, sql::DELIVERIES_CARRIED, (from << RANK_BITS, 1), delivery);
        let found = match near(middle)? {
            Some(found) => Some(found),
            None => near(0)?,
        };
        let found = match found {
            // All are as they were born: the first of a record that has some.
            None => born(conn)?,
            found => found,
        };
        match found {
            Some(values) => self.values.extend(values),
            None => {
                self.empty.insert("deliveries");
            }
        }
        Ok(())
    }

    fn budgets(&mut self, conn: &Connection) -> Result<(), Failure> {
        let mut all = conn.prepare(sql::BUDGETS_CARRIED)?;
        let all = all.query_and_then([], |row| Ok::<_, Failure>((row.get(0)?, row.get(10)?)))?;
        let all: Vec<(i64, Option<i64>)> = all.collect::<Result<_, _>>()?;
        match all.get(all.len() / 2) {
            Some((line_item, day)) => {
                self.put(Bind::LineItem, *line_item);
                self.put(Bind::Day, *day);
            }
            None => self.empty.extend(["budgets", "budget_days"]),
        }
        Ok(())
    }

    fn reports(&mut self, conn: &Connection) -> Result<(), Failure> {
        let first: Option<i64> =
            first(conn, sql::REPORT_READ, (i64::MIN, i64::MAX), |row| row.get(0))?;
        match first {
            Some(day) => {
                self.put(Bind::Day, day);
                self.put(Bind::DayLater, day + DAYS);
            }
            None => {
                self.empty.insert("report_days");
            }
        }
        Ok(())
    }

    fn catalog(&mut self, conn: &Connection) -> Result<(), Failure> {
        let row = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
        match first(conn, sql::CATALOG_ROWS, [], row)? {
            Some((kind, id)) => {
                self.put(Bind::EntityKind, kind);
                self.put(Bind::EntityId, id);
            }
            None => {
                self.empty.insert("catalog");
            }
        }
        let mission: Option<i64> = first(conn, sql::VERSIONS_ALL, [], |row| row.get(0))?;
        let revision: Option<i64> =
            first(conn, sql::HISTORY_READ, (i64::MAX, 1), |row| row.get(0))?;
        for (bind, table, value) in [
            (Bind::Mission, "mission_versions", mission),
            (Bind::Revision, "catalog_history", revision),
        ] {
            match value {
                Some(value) => self.put(bind, value),
                None => {
                    self.empty.insert(table);
                }
            }
        }
        Ok(())
    }

    /// Tables from which no value is taken.
    fn rest(&mut self, conn: &Connection) -> Result<(), Failure> {
        if first(conn, sql::TOUCHED_READ, (0, 1), |row| row.get::<_, i64>(0))?.is_none() {
            self.empty.insert("touched");
        }
        if first(conn, sql::IDENTITY_GET, ["state"], |_| Ok(()))?.is_none() {
            self.empty.insert("identities");
        }
        Ok(())
    }
}

/// A delivery's values, from its columns.
fn delivery(row: &Row<'_>) -> rusqlite::Result<Vec<(Bind, Value)>> {
    let number: i64 = row.get(0)?;
    Ok(vec![
        (Bind::DeliveryNumber, number.into()),
        (Bind::DeliveryLast, (number | ((1 << RANK_BITS) - 1)).into()),
        (Bind::Delivery, row.get(1)?),
        (Bind::App, row.get(2)?),
        (Bind::Mode, row.get(3)?),
        (Bind::State, row.get(4)?),
    ])
}

/// The first delivery of the first page of records that have any.
fn born(conn: &Connection) -> Result<Option<Vec<(Bind, Value)>>, Failure> {
    let mut records = conn.prepare(sql::JOURNAL_MESSAGES)?;
    let records = records.query_and_then((0, PAGE), |row| {
        Ok::<_, Failure>((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?))
    })?;
    let records = records.collect::<Result<Vec<_>, _>>()?;
    for (seq, _) in records.into_iter().filter(|(_, body)| body.is_some()) {
        if let Some(found) = first(conn, sql::DELIVERY_BY_ID, [seq << RANK_BITS], delivery)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The first row that a statement finds.
fn first<T>(
    conn: &Connection,
    text: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Failure> {
    Ok(conn.query_row(text, values, read).optional()?)
}

/// The last row that a statement finds.
fn last<T>(
    conn: &Connection,
    text: &str,
    values: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Failure> {
    let mut select = conn.prepare(text)?;
    let found = select.query_map(values, read)?;
    Ok(found.last().transpose()?)
}
