//! Reading the outbox.

use domain::ids::DeliveryId;
use domain::journal::{Message, Record};
use domain::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use store::{Delivery, DeliveryFilter, DeliveryState, Endpoint, Seq};

use super::absorb::{Found, next_records};
use super::row::{BEFORE_ALL, DeliveryRow, columns_of, endpoint_from_row, numbers_of};
use crate::codec::{corrupt, record_from_bytes, rows, state_from_column, state_to_column, uint};
use crate::error::Failure;
use crate::sql;

/// Counts by state, and the earliest moment at which one can be claimed.
type Backlog = (Vec<(DeliveryState, u64)>, Option<Timestamp>);

/// A page of an app's deliveries, in the order of their booking.
///
/// The index leads with the state, so a page over all states is merged from one short range each.
pub(super) fn deliveries(
    conn: &Connection,
    filter: &DeliveryFilter,
) -> Result<Vec<Delivery>, Failure> {
    let after = number_after(conn, filter.after)?;
    let mut numbers = Vec::new();
    for state in DeliveryState::ALL {
        if filter.state.is_none_or(|wanted| wanted == state) {
            numbers.extend(numbers_in(conn, filter, state, after)?);
        }
    }
    numbers.sort_unstable();
    numbers.truncate(filter.limit);
    numbers.into_iter().map(|number| by_number(conn, number)).collect()
}

/// The same for a reader who cannot absorb: after the rows come the messages of records that the
/// server has not absorbed yet, as queued, so that nothing that was committed is missed (D1).
pub(super) fn deliveries_and_tail(
    conn: &Connection,
    filter: &DeliveryFilter,
) -> Result<Vec<Delivery>, Failure> {
    let mut found = deliveries(conn, filter)?;
    if filter.state.is_some_and(|state| state != DeliveryState::Queued) {
        return Ok(found);
    }
    let from = filter.after.map_or(0, |(seq, _)| seq.saturating_sub(1));
    let mut after = absorbed(conn)?.max(from);
    while found.len() < filter.limit {
        let records = next_records(conn, after)?;
        let Some(last) = records.last() else { break };
        after = last.seq;
        for Found { seq, body } in records {
            if let Some(body) = body {
                found.extend(queued(seq, &record_from_bytes(&body)?, filter));
            }
        }
    }
    found.truncate(filter.limit);
    Ok(found)
}

/// The messages of a record as the outbox will hold them.
fn queued(seq: Seq, record: &Record, filter: &DeliveryFilter) -> Vec<Delivery> {
    let mut messages: Vec<_> = record.messages.iter().collect();
    messages.sort_unstable_by_key(|message| message.id);
    let is_wanted = |message: &&&Message| {
        let is_later = filter.after.is_none_or(|after| (seq, message.id) > after);
        message.app == filter.app && record.mode == filter.mode && is_later
    };
    let delivery = |message: &&Message| Delivery {
        seq,
        user: record.user.unwrap_or_default(),
        endpoint: Endpoint { app: message.app, mode: record.mode },
        message: Message::clone(message),
        state: DeliveryState::Queued,
        attempts: 0,
        due_at: Some(record.at),
        last: None,
    };
    messages.iter().filter(is_wanted).map(delivery).collect()
}

/// One delivery.
pub(super) fn delivery(conn: &Connection, id: DeliveryId) -> Result<Option<Delivery>, Failure> {
    let row = DeliveryRow::find(conn, sql::DELIVERY_BY_KEY, id.0)?;
    row.map(|row| row.delivery(conn)).transpose()
}

/// Those of some deliveries that are there.
pub(super) fn deliveries_of(
    conn: &Connection,
    ids: &[DeliveryId],
) -> Result<Vec<Delivery>, Failure> {
    ids.iter().filter_map(|id| delivery(conn, *id).transpose()).collect()
}

/// Counts by state, and when a claim can next return something: a lease counts with its end, and
/// a reversal that waits for its grant does not count.
pub(super) fn backlog(conn: &Connection) -> Result<Backlog, Failure> {
    let mut select = conn.prepare_cached(sql::COUNTS_GET)?;
    let counts = select.query_and_then([], |row| {
        Ok::<_, Failure>((state_from_column(row.get(0)?)?, uint(row.get(1)?)))
    })?;
    let mut counts = counts.collect::<Result<Vec<_>, _>>()?;
    counts.sort_unstable();
    let mut earliest = None;
    for endpoint in endpoints(conn)? {
        let ready_at = earliest_of(conn, endpoint)?;
        earliest = [earliest, ready_at].into_iter().flatten().min();
    }
    Ok((counts, earliest))
}

/// The same for a reader who cannot absorb: messages of records that are not absorbed are queued.
pub(super) fn backlog_and_tail(conn: &Connection) -> Result<Backlog, Failure> {
    let (mut counts, mut earliest) = backlog(conn)?;
    let mut after = absorbed(conn)?;
    loop {
        let records = next_records(conn, after)?;
        let Some(last) = records.last() else { return Ok((counts, earliest)) };
        after = last.seq;
        for body in records.into_iter().filter_map(|found| found.body) {
            let record = record_from_bytes(&body)?;
            earliest = [earliest, Some(record.at)].into_iter().flatten().min();
            for (state, count) in &mut counts {
                let is_queued = *state == DeliveryState::Queued;
                *count += if is_queued { record.messages.len() as u64 } else { 0 };
            }
        }
    }
}

/// How far the messages of records are in the outbox.
fn absorbed(conn: &Connection) -> Result<Seq, Failure> {
    let mut select = conn.prepare_cached(sql::META_GET)?;
    Ok(uint(select.query_row(["absorbed"], |row| row.get(0))?))
}

/// The number after which a page begins that follows a place.
pub(super) fn number_after(
    conn: &Connection,
    after: Option<(Seq, DeliveryId)>,
) -> Result<i64, Failure> {
    let Some((seq, id)) = after else { return Ok(0) };
    let (first, last) = numbers_of(seq);
    let mut select = conn.prepare_cached(sql::DELIVERY_AFTER)?;
    Ok(select.query_row(params![first, last, id.0], |row| row.get(0))?)
}

/// Every endpoint that has anything to send, now or later.
pub(super) fn endpoints(conn: &Connection) -> Result<Vec<Endpoint>, Failure> {
    let mut select = conn.prepare_cached(sql::ENDPOINT_NEXT)?;
    let (mut found, mut after) = (Vec::new(), BEFORE_ALL);
    loop {
        let next = select.query_row([after.0, after.1], |row| Ok(endpoint_from_row(row, 0)));
        let Some(endpoint) = next.optional()? else { return Ok(found) };
        let endpoint = endpoint?;
        after = columns_of(endpoint);
        found.push(endpoint);
    }
}

fn earliest_of(conn: &Connection, endpoint: Endpoint) -> Result<Option<Timestamp>, Failure> {
    let (app, mode) = columns_of(endpoint);
    let mut select = conn.prepare_cached(sql::ENDPOINT_EARLIEST)?;
    let mut found = select.query([app, mode])?;
    while let Some(row) = found.next()? {
        // Behind its grant and ready stands only a reversal whose lease is not over; nearly always
        // the first row is the answer.
        let delivery = DeliveryRow::find(conn, sql::DELIVERY_BY_ID, row.get::<_, i64>(0)?)?;
        let Some(delivery) = delivery else { continue };
        if !delivery.is_behind(conn)? {
            return Ok(Some(Timestamp(row.get(1)?)));
        }
    }
    Ok(None)
}

fn numbers_in(
    conn: &Connection,
    filter: &DeliveryFilter,
    state: DeliveryState,
    after: i64,
) -> Result<Vec<i64>, Failure> {
    let (app, mode) = columns_of(Endpoint { app: filter.app, mode: filter.mode });
    let mut select = conn.prepare_cached(sql::DELIVERIES_IN_STATE)?;
    let state = state_to_column(state) as i64;
    let found =
        select.query_map(params![app, mode, state, after, rows(filter.limit)], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn by_number(conn: &Connection, number: i64) -> Result<Delivery, Failure> {
    match DeliveryRow::find(conn, sql::DELIVERY_BY_ID, number)? {
        Some(row) => row.delivery(conn),
        None => Err(corrupt("delivery without a row", number).into()),
    }
}
