//! How far deliveries have come, as a move carries it.

use domain::ids::DeliveryId;
use domain::journal::Record;
use rusqlite::{Connection, params};
use store::{Claimed, DeliveryState, Seq, Writing};

use super::absorb::take_in;
use super::list::number_after;
use super::row::DeliveryRow;
use crate::codec::{corrupt, rows};
use crate::error::Failure;
use crate::sql;
use crate::writer::{Tx, Work};

/// Deliveries that are not in their first state any more, in order of their booking.
pub(crate) fn carried(
    conn: &Connection,
    after: Option<(Seq, DeliveryId)>,
    limit: usize,
) -> Result<Vec<Claimed>, Failure> {
    let after = number_after(conn, after)?;
    let mut select = conn.prepare_cached(sql::DELIVERIES_CARRIED)?;
    let found = select.query_and_then(params![after, rows(limit)], DeliveryRow::from_row)?;
    found.map(|row| claimed(conn, row?)).collect()
}

/// Those of some, in the same order.
pub(crate) fn carried_of(
    conn: &Connection,
    places: &[(Seq, DeliveryId)],
) -> Result<Vec<Claimed>, Failure> {
    let mut found = Vec::new();
    for (_, id) in places {
        let row = DeliveryRow::find(conn, sql::DELIVERY_BY_KEY, id.0)?;
        // One that is queued and was never leased is as its record has made it.
        if let Some(row) = row.filter(|row| row.fence > 0 || row.state != DeliveryState::Queued) {
            found.push(claimed(conn, row)?);
        }
    }
    Ok(found)
}

fn claimed(conn: &Connection, mut row: DeliveryRow) -> Result<Claimed, Failure> {
    // A lease becomes the moment at which it is due.
    row.due_at = row.lease_until.or(row.due_at);
    let fence = row.fence;
    Ok(Claimed { delivery: row.delivery(conn)?, fence })
}

/// Queues the messages of a record that was put, as far as the outbox now is.
pub(crate) fn queue(tx: &mut Tx<'_>, seq: Seq, record: &Record) -> Result<(), Failure> {
    if !record.messages.is_empty() {
        take_in(tx, seq, record)?;
    }
    tx.books.set_absorbed(seq);
    Ok(())
}

/// How far deliveries have come.
pub(crate) struct PutDeliveries(pub(crate) Vec<Claimed>);

impl Work for PutDeliveries {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        self.0.iter().try_for_each(|claimed| put(tx, claimed))
    }
}

fn put(tx: &mut Tx<'_>, claimed: &Claimed) -> Result<(), Failure> {
    let delivery = &claimed.delivery;
    let id = delivery.message.id;
    let found = DeliveryRow::find(tx.conn, sql::DELIVERY_BY_KEY, id.0)?;
    let mut row = found.ok_or_else(|| corrupt("delivery without its record", id))?;
    let before = row.state;
    row.end(delivery.state);
    (row.attempts, row.due_at, row.fence) = (delivery.attempts, delivery.due_at, claimed.fence);
    row.write(tx, before)?;
    let note = delivery.last.as_ref();
    tx.conn.prepare_cached(sql::DELIVERY_NOTE)?.execute(params![
        row.number,
        note.map(|note| note.at.0),
        note.and_then(|note| note.status),
        note.map(|note| &note.note),
        note.map(|note| note.duration_ms),
    ])?;
    // What waits for it may have been put before.
    for waiting in DeliveryRow::waiting(tx.conn, row.number)? {
        waiting.write(tx, waiting.state)?;
    }
    Ok(())
}
