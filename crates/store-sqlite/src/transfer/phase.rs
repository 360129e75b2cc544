//! What the file may be used for, which run moves the state, and who was changed since it began.

use std::path::Path;

use domain::ids::UserKey;
use rusqlite::{Connection, params};
use store::{Phase, RunNumber, Seq, StoreError, Writing};

use crate::codec::{corrupt, int, key_from_row, rows, uint};
use crate::error::Failure;
use crate::writer::{Tx, Work};
use crate::{schema, sql};

/// Reads the phase.
pub(crate) fn read_phase(conn: &Connection) -> Result<Phase, Failure> {
    let mut select = conn.prepare_cached(sql::PHASE_GET)?;
    let (number, words): (i64, Option<String>) =
        select.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match number {
        0 => Ok(Phase::Live),
        1 => Ok(Phase::Watched),
        2 => Ok(Phase::Moved(words.unwrap_or_default())),
        3 => Ok(Phase::Filling),
        other => Err(corrupt("phase of the store", other).into()),
    }
}

/// The phases' numbers in the column; they never change.
fn number_of(phase: &Phase) -> i64 {
    match phase {
        Phase::Live => 0,
        Phase::Watched => 1,
        Phase::Moved(_) => 2,
        Phase::Filling => 3,
    }
}

/// Writes the phase, inside of a transaction.
fn write_phase(conn: &Connection, phase: &Phase) -> Result<(), Failure> {
    if let Phase::Moved(words) = phase {
        conn.prepare_cached(sql::MOVED_TO_PUT)?.execute([words])?;
    }
    if *phase == Phase::Watched {
        conn.prepare_cached(sql::TOUCHED_CLEAR)?.execute([])?;
    }
    conn.prepare_cached(sql::META_SET)?.execute(params!["phase", number_of(phase)])?;
    Ok(())
}

/// Reads which run was the latest to take the file over.
pub(crate) fn read_run(conn: &Connection) -> Result<RunNumber, Failure> {
    let number = conn.prepare_cached(sql::META_GET)?.query_row(["run"], |row| row.get(0))?;
    Ok(RunNumber(uint(number)))
}

/// Gives the file to the next run, inside of a transaction.
pub(super) fn next_run(conn: &Connection) -> Result<(RunNumber, Phase), Failure> {
    let RunNumber(latest) = read_run(conn)?;
    let run = latest + 1;
    conn.prepare_cached(sql::META_SET)?.execute(params!["run", int(run)])?;
    Ok((RunNumber(run), read_phase(conn)?))
}

/// The next run, in the writer's own turn.
pub(super) struct TakeOver;

impl Work for TakeOver {
    type Answer = (RunNumber, Phase);

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, Failure> {
        next_run(tx.conn)
    }
}

/// Work that is done for a run, and refused once another one has the file.
pub(crate) struct ByRun<W>(pub(crate) RunNumber, pub(crate) W);

impl<W: Work> Work for ByRun<W> {
    type Answer = W::Answer;

    const WRITING: Option<Writing> = W::WRITING;

    fn mover(&self) -> Option<RunNumber> {
        Some(self.0)
    }

    fn run(&self, tx: &mut Tx<'_>) -> Result<W::Answer, Failure> {
        self.1.run(tx)
    }
}

/// A new phase, in the writer's own turn; the units behind it in the group already keep to it.
pub(super) struct SetPhase(pub(super) Phase);

impl Work for SetPhase {
    type Answer = ();

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        write_phase(tx.conn, &self.0)?;
        tx.phase = self.0.clone();
        Ok(())
    }
}

/// Sets the phase of a file that a server may have open.
pub(super) async fn set_beside(
    path: &Path,
    run: RunNumber,
    phase: Phase,
) -> Result<(), StoreError> {
    let set = move |conn: &Connection| {
        run.check(read_run(conn)?)?;
        write_phase(conn, &phase)
    };
    beside(path, set).await
}

/// Changes a file that a server may have open, in a transaction on a connection of its own.
pub(super) async fn beside<T: Send + 'static>(
    path: &Path,
    write: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
) -> Result<T, StoreError> {
    let path = path.to_owned();
    let task = tokio::task::spawn_blocking(move || {
        let conn = schema::open_beside(&path)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        conn.execute_batch(sql::BEGIN_WRITE).map_err(Failure::from)?;
        // The end of the connection undoes what is not committed.
        let answer = write(&conn)?;
        conn.execute_batch(sql::COMMIT).map_err(Failure::Commit)?;
        Ok(answer)
    });
    task.await.map_err(|error| StoreError::Unknown(error.to_string()))?
}

/// Users who were noted, after a place, and the place to go on from.
pub(super) fn touched(
    conn: &Connection,
    run: RunNumber,
    after: Seq,
    limit: usize,
) -> Result<(Vec<UserKey>, Seq), Failure> {
    run.check(read_run(conn)?)?;
    let mut select = conn.prepare_cached(sql::TOUCHED_READ)?;
    let notes = select.query_and_then(params![int(after), rows(limit)], |row| {
        Ok::<_, Failure>((uint(row.get(0)?), key_from_row(row, 1)?))
    })?;
    let notes = notes.collect::<Result<Vec<_>, _>>()?;
    let place = notes.last().map_or(after, |(place, _)| *place);
    Ok((notes.into_iter().map(|(_, user)| user).collect(), place))
}
