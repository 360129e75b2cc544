//! Trying again from the beginning.
//!
//! Replaying a grant also replays the reversal that was parked behind it, which would otherwise
//! never be told; replaying a reversal whose grant ended undelivered does nothing.

use domain::ids::{AppId, DeliveryId, Mode};
use domain::time::Timestamp;
use rusqlite::{Connection, params};
use store::{DeliveryState, Endpoint, StoreError, Writing};

use super::row::{DeliveryRow, columns_of};
use super::settle::tell_waiting;
use crate::codec::{rows, state_to_column};
use crate::error::Failure;
use crate::writer::{Tx, Work};
use crate::{SqliteStore, sql};

/// Deliveries of a range that are replayed at once: the commits that wait behind it are held up for
/// some ten milliseconds. A replay that fails half way is finished by asking again.
pub(super) const CHUNK: usize = 500;

/// Which deliveries of an app.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) app: AppId,
    pub(super) mode: Mode,
    pub(super) state: DeliveryState,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Range {
    /// The next chunk after a number, in order of booking.
    fn next(&self, conn: &Connection, after: i64) -> Result<Vec<i64>, Failure> {
        let (app, mode) = columns_of(Endpoint { app: self.app, mode: self.mode });
        let state = state_to_column(self.state) as i64;
        let mut select = conn.prepare_cached(sql::DELIVERIES_BOOKED)?;
        let found = select.query_map(
            params![app, mode, state, self.from.0, self.to.0, after, rows(CHUNK)],
            |row| row.get(0),
        )?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

impl SqliteStore {
    pub(super) async fn replay_range(
        &self,
        range: Range,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (mut after, mut replayed) = (0, 0);
        loop {
            let numbers = self.readers().scan(move |conn| range.next(conn, after)).await?;
            let Some(last) = numbers.last() else { return Ok(replayed) };
            after = *last;
            replayed += self.ask(ReplayChunk { numbers, state: range.state, now }).await?;
        }
    }
}

/// One delivery, in whatever state.
pub(super) struct ReplayOne {
    pub(super) id: DeliveryId,
    pub(super) now: Timestamp,
}

impl Work for ReplayOne {
    type Answer = u64;

    const WRITING: Option<Writing> = Some(Writing::Replay);

    fn run(&self, tx: &mut Tx<'_>) -> Result<u64, Failure> {
        match DeliveryRow::find(tx.conn, sql::DELIVERY_BY_KEY, self.id.0)? {
            Some(row) => restart_with_reversals(tx, row, self.now),
            None => Ok(0),
        }
    }
}

/// Some deliveries, if they are still in the state that was asked for.
struct ReplayChunk {
    numbers: Vec<i64>,
    state: DeliveryState,
    now: Timestamp,
}

impl Work for ReplayChunk {
    type Answer = u64;

    const WRITING: Option<Writing> = Some(Writing::Replay);

    fn run(&self, tx: &mut Tx<'_>) -> Result<u64, Failure> {
        let mut replayed = 0;
        for number in &self.numbers {
            let found = DeliveryRow::find(tx.conn, sql::DELIVERY_BY_ID, number)?;
            if let Some(row) = found.filter(|row| row.state == self.state) {
                replayed += restart_with_reversals(tx, row, self.now)?;
            }
        }
        Ok(replayed)
    }
}

fn restart_with_reversals(
    tx: &mut Tx<'_>,
    grant: DeliveryRow,
    now: Timestamp,
) -> Result<u64, Failure> {
    let number = grant.number;
    let mut replayed = restart(tx, grant, now)?;
    for row in DeliveryRow::waiting(tx.conn, number)? {
        if row.state == DeliveryState::Parked {
            replayed += restart(tx, row, now)?;
        }
    }
    Ok(replayed)
}

/// Makes one delivery due now, with a fresh plan of attempts. One that is being tried at this moment
/// stays with its worker.
fn restart(tx: &mut Tx<'_>, mut row: DeliveryRow, now: Timestamp) -> Result<u64, Failure> {
    let is_leased = row.lease_until.is_some_and(|until| until > now);
    if is_leased || row.is_hopeless(tx.conn)? {
        return Ok(0);
    }
    let before = row.state;
    row.end(DeliveryState::Queued);
    row.attempts = 0;
    row.due_at = Some(now);
    row.write(tx, before)?;
    tell_waiting(tx, &row)?;
    Ok(1)
}
