//! How SQLite carries out each statement, on this very file, with values that are in it.
//!
//! A statement that writes is planned and not run. One that reads is run, because SQLite's plan does
//! not say how much is read; it counts no rows either, but the steps of its machine.

mod plan;
mod sample;

use domain::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, StatementStatus};
use store::StoreError;
use store::explain::{Cost, Explained, Facts, Kind, Step, Unit, tables_of};

use crate::SqliteStore;
use crate::error::Failure;
use crate::sql::{STATEMENTS, Statement};

use sample::Sample;

/// Rows after which a statement is not read any further: what they took is enough to judge by.
const ROWS_MAX: u32 = 1_000;

impl SqliteStore {
    /// Every statement of this crate, in the order of the list. Nothing is changed.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn explain(&self, now: Timestamp) -> Result<Vec<Explained>, StoreError> {
        self.readers().scan(move |conn| explain_all(conn, now)).await
    }
}

fn explain_all(conn: &Connection, now: Timestamp) -> Result<Vec<Explained>, Failure> {
    let sample = Sample::take(conn, now)?;
    STATEMENTS.iter().map(|statement| explain(conn, statement, &sample)).collect()
}

fn explain(
    conn: &Connection,
    statement: &Statement,
    sample: &Sample,
) -> Result<Explained, Failure> {
    let kind = kind_of(statement.text);
    let values: Vec<Value> = statement.binds.iter().map(|bind| sample.value(*bind)).collect();
    let steps = steps_of(conn, statement.text, &values)?;
    let cost = (kind == Kind::Read).then(|| cost_of(conn, statement.text, &values)).transpose()?;
    let is_empty = |table: &&str| sample.is_empty(table);
    let has_no_rows = !steps.is_empty() && tables_of(statement.text).iter().any(is_empty);
    Ok(Explained {
        name: statement.name,
        purpose: statement.purpose.trim().to_owned(),
        kind,
        text: statement.text.to_owned(),
        design: statement.design,
        facts: Facts { steps, cost, has_no_rows, unknown: None },
    })
}

fn kind_of(text: &str) -> Kind {
    match text.split(' ').next() {
        Some("SELECT") => Kind::Read,
        Some("INSERT" | "UPDATE" | "DELETE") => Kind::Write,
        _ => Kind::Control,
    }
}

/// The plan; none for `BEGIN` and the like, and for a plain `INSERT`.
fn steps_of(conn: &Connection, text: &str, values: &[Value]) -> Result<Vec<Step>, Failure> {
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
    bind(&mut explain, values)?;
    let mut steps: Vec<Step> = Vec::new();
    let mut found = explain.raw_query();
    while let Some(row) = found.next()? {
        let words: String = row.get(3)?;
        // What stands above other steps only groups them.
        if let Some(does) = plan::read(&words) {
            steps.push(Step::new(words, does));
        }
    }
    Ok(steps)
}

/// Runs a statement that only reads.
fn cost_of(conn: &Connection, text: &str, values: &[Value]) -> Result<Cost, Failure> {
    let mut select = conn.prepare(text)?;
    bind(&mut select, values)?;
    let mut returned = 0;
    let mut found = select.raw_query();
    while returned < ROWS_MAX && found.next()?.is_some() {
        returned += 1;
    }
    drop(found);
    let steps = select.get_status(StatementStatus::VmStep);
    Ok(Cost {
        unit: Unit::Steps,
        examined: f64::from(steps),
        returned: f64::from(returned),
        units: None,
    })
}

/// What is not given stays null, which only values that are written are.
fn bind(statement: &mut rusqlite::Statement<'_>, values: &[Value]) -> Result<(), Failure> {
    for (place, value) in (1..).zip(values) {
        statement.raw_bind_parameter(place, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_parameter_that_is_searched_for_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = SqliteStore::open(&path, crate::Options::default()).unwrap();
        let counted = store.readers().scan(|conn| {
            let count = |one: &Statement| Ok(conn.prepare(one.text)?.parameter_count());
            STATEMENTS.iter().map(count).collect::<Result<Vec<_>, Failure>>()
        });
        for (statement, count) in STATEMENTS.iter().zip(counted.await.unwrap()) {
            let is_insert = statement.text.starts_with("INSERT") && statement.binds.is_empty();
            assert!(is_insert || statement.binds.len() == count, "{}", statement.name);
        }
    }
}
