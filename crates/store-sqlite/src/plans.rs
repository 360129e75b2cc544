//! How SQLite would run each statement, on this very file.

use rusqlite::{Connection, Row};
use store::StoreError;

use crate::SqliteStore;
use crate::error::Failure;
use crate::sql::{STATEMENTS, Statement};

/// One statement and its plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// The statement.
    pub statement: Statement,
    /// SQLite's lines, such as `SEARCH users USING INDEX …`; none for `BEGIN` and the like, and for
    /// a plain `INSERT`. `SCAN` means that a whole table or index is read.
    pub steps: Vec<String>,
}

impl SqliteStore {
    /// The plan of every statement of this crate.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn plans(&self) -> Result<Vec<Plan>, StoreError> {
        self.readers().scan(|conn| STATEMENTS.iter().map(|one| plan(conn, *one)).collect()).await
    }
}

fn plan(conn: &Connection, statement: Statement) -> Result<Plan, Failure> {
    let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text))?;
    // Parameters that are not bound are null; the plan does not depend on them.
    let mut steps = Vec::new();
    let mut found = explain.raw_query();
    while let Some(row) = found.next()? {
        steps.push(line(row)?);
    }
    drop(found);
    Ok(Plan { statement, steps })
}

fn line(row: &Row<'_>) -> Result<String, Failure> {
    Ok(row.get(3)?)
}
