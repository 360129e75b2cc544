//! `Identity`: which state the file has, and which belongs to its catalogue.
//!
//! | verb | round trips | statements |
//! |---|---|---|
//! | `get`, and `state` of the catalogue | 1 | 1 |
//! | `keep`, and `adopt` of the catalogue | 1 to the writer | 1 or 2 |
//! | `put` | 1 to the writer | 1 |

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};
use store::{Identity, RunNumber, StateId, StoreError, Writing};

use crate::error::Failure;
use crate::writer::{Tx, Work};
use crate::{SqliteStore, sql};

/// Whose state it is.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    /// The one in the file.
    State,
    /// The one that belongs to the catalogue.
    Catalog,
}

impl Of {
    /// The name in the table; it never changes.
    fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Catalog => "catalog",
        }
    }
}

/// Reads it; `None` if nobody has said it yet.
pub(crate) fn read(conn: &Connection, of: Of) -> Result<Option<StateId>, Failure> {
    let mut select = conn.prepare_cached(sql::IDENTITY_GET)?;
    Ok(select.query_row([of.name()], |row| row.get(0)).optional()?.map(StateId))
}

fn write(conn: &Connection, of: Of, id: StateId) -> Result<(), Failure> {
    conn.prepare_cached(sql::IDENTITY_PUT)?.execute(params![of.name(), id.0])?;
    Ok(())
}

/// Says it, unless it was said; the answer is what holds.
pub(crate) struct Keep(pub(crate) Of, pub(crate) StateId);

impl Work for Keep {
    type Answer = StateId;

    // What was said is told in every phase.
    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<StateId, Failure> {
        let &Self(of, fresh) = self;
        if let Some(known) = read(tx.conn, of)? {
            return Ok(known);
        }
        if matches!(of, Of::State) {
            tx.phase.permit(Writing::Change)?;
        }
        write(tx.conn, of, fresh)?;
        Ok(fresh)
    }
}

/// Says which state the file is filled with.
struct Put(RunNumber, StateId);

impl Work for Put {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn mover(&self) -> Option<RunNumber> {
        Some(self.0)
    }

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        write(tx.conn, Of::State, self.1)
    }
}

#[async_trait]
impl Identity for SqliteStore {
    async fn get(&self) -> Result<Option<StateId>, StoreError> {
        self.readers().point(|conn| read(conn, Of::State))
    }

    async fn keep(&self, fresh: StateId) -> Result<StateId, StoreError> {
        self.ask(Keep(Of::State, fresh)).await
    }

    async fn put(&self, run: RunNumber, id: StateId) -> Result<(), StoreError> {
        self.ask(Put(run, id)).await
    }
}
