//! Messages of the journal become rows of the outbox.

use domain::ids::DeliveryId;
use domain::journal::{Message, Record};
use rusqlite::{Connection, OptionalExtension, params};
use store::{DeliveryState, Phase, Seq, Writing};

use super::row::{DeliveryRow, number_of};
use crate::codec::{corrupt, int, mode_to_column, record_from_bytes, rows, uint};
use crate::error::Failure;
use crate::sql;
use crate::writer::{Tx, Work};

/// Records that one unit of work looks through, so that a long backlog does not hold up the commits
/// that wait behind it: about ten milliseconds.
pub(super) const RECORDS_MAX: usize = 512;

/// Takes the next records' messages in.
pub(super) struct AbsorbMessages;

impl Work for AbsorbMessages {
    /// Whether more can be taken in; not if the state has moved, since then nothing is written.
    type Answer = bool;

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<bool, Failure> {
        if matches!(tx.phase, Phase::Moved(_)) {
            return Ok(false);
        }
        absorb(tx)?;
        Ok(true)
    }
}

/// Takes in all that is there, for a move, which then goes on from the end.
pub(crate) fn absorb_all(tx: &mut Tx<'_>) -> Result<(), Failure> {
    while tx.books.absorbed() < tx.books.head() {
        absorb(tx)?;
    }
    Ok(())
}

fn absorb(tx: &mut Tx<'_>) -> Result<(), Failure> {
    let records = next_records(tx.conn, tx.books.absorbed())?;
    let Some(last) = records.last() else { return Ok(()) };
    let last = last.seq;
    for found in records {
        if let Some(body) = found.body {
            take_in(tx, found.seq, &record_from_bytes(&body)?)?;
        }
    }
    tx.books.set_absorbed(last);
    Ok(())
}

/// A record as far as the outbox cares.
pub(super) struct Found {
    pub(super) seq: Seq,
    /// Only of a record that carries messages.
    pub(super) body: Option<Vec<u8>>,
}

/// The next records in order.
pub(super) fn next_records(conn: &Connection, after: Seq) -> Result<Vec<Found>, Failure> {
    let mut select = conn.prepare_cached(sql::JOURNAL_MESSAGES)?;
    let found = select.query_map([int(after), rows(RECORDS_MAX)], |row| {
        Ok(Found { seq: uint(row.get(0)?), body: row.get(1)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Queues the messages of a record.
pub(super) fn take_in(tx: &mut Tx<'_>, seq: Seq, record: &Record) -> Result<(), Failure> {
    let mut messages: Vec<&Message> = record.messages.iter().collect();
    messages.sort_unstable_by_key(|message| message.id);
    let mut reversals = Vec::new();
    for (rank, message) in messages.into_iter().enumerate() {
        let number = number_of(seq, rank);
        if insert(tx, number, record, message)? {
            reversals.extend(message.after.map(|grant| (number, grant)));
        } else {
            // An id is derived from its booking, so something was booked twice. To tell it twice
            // would be worse, and to give up here would hold back everything that follows.
            let id = message.id;
            tracing::error!(delivery.id = %id, journal.seq = seq, "a message came again: left out");
        }
    }
    // Only now, because a grant may come after its reversal in the order of ids.
    for (number, grant) in reversals {
        wait_for(tx, number, grant)?;
    }
    Ok(())
}

/// Queues a message; whether it was new.
fn insert(
    tx: &mut Tx<'_>,
    number: i64,
    record: &Record,
    message: &Message,
) -> Result<bool, Failure> {
    let inserted = tx.conn.prepare_cached(sql::DELIVERY_INSERT)?.execute(params![
        number,
        message.id.0,
        message.app.0,
        mode_to_column(record.mode),
        message.booked_at.0,
        record.at.0,
    ])?;
    let is_new = inserted > 0;
    if is_new {
        tx.books.count(DeliveryState::Queued, 1);
    }
    Ok(is_new)
}

/// Makes a reversal wait; one whose grant is never told is parked at once, unless the store is being
/// filled: what becomes of a delivery is then told by its own row.
fn wait_for(tx: &mut Tx<'_>, number: i64, grant: DeliveryId) -> Result<(), Failure> {
    let mut select = tx.conn.prepare_cached(sql::DELIVERY_ID)?;
    let Some(grant) = select.query_row([&grant.0], |row| row.get::<_, i64>(0)).optional()? else {
        return Ok(());
    };
    tx.conn.prepare_cached(sql::DELIVERY_WAIT)?.execute([number, grant])?;
    let Some(mut row) = DeliveryRow::find(tx.conn, sql::DELIVERY_BY_ID, number)? else {
        return Err(corrupt("delivery that was just made", number).into());
    };
    let before = row.state;
    if tx.phase != Phase::Filling && row.is_hopeless(tx.conn)? {
        row.end(DeliveryState::Parked);
    }
    row.write(tx, before)
}
