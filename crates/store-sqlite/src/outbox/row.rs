//! A delivery's row: where it stands, without its words.

use domain::ids::{AppId, DeliveryId, UserKey};
use domain::journal::Message;
use domain::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{AttemptNote, Delivery, DeliveryState, Endpoint, Seq};

use crate::codec::{
    corrupt, int, mode_from_column, mode_to_column, record_from_bytes, state_from_column,
    state_to_column, uint,
};
use crate::error::Failure;
use crate::sql;
use crate::writer::Tx;

/// Bits of a row's number that hold the rank of the message within its record.
const RANK_BITS: u32 = 6;

const _: () = assert!(domain::change::MESSAGES_MAX <= 1 << RANK_BITS);

/// A row's number; rows are ordered as the pull API lists them.
pub(super) fn number_of(seq: Seq, rank: usize) -> i64 {
    (int(seq) << RANK_BITS) | rank as i64
}

/// The numbers that messages of one record can have.
pub(super) fn numbers_of(seq: Seq) -> (i64, i64) {
    // Beyond this a shift would overflow; such a place comes from outside and means "at the end".
    let seq = seq.min(i64::MAX as u64 >> RANK_BITS);
    (number_of(seq, 0), number_of(seq, (1 << RANK_BITS) - 1))
}

fn seq_of(number: i64) -> Seq {
    uint(number >> RANK_BITS)
}

/// One row.
#[derive(Clone, Debug)]
pub(super) struct DeliveryRow {
    pub(super) number: i64,
    pub(super) id: DeliveryId,
    pub(super) endpoint: Endpoint,
    pub(super) state: DeliveryState,
    pub(super) attempts: u32,
    pub(super) due_at: Option<Timestamp>,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) fence: u64,
    /// The number of the grant that must be told first.
    pub(super) waits_for: Option<i64>,
    pub(super) last: Option<AttemptNote>,
}

impl DeliveryRow {
    /// The row that a statement finds by one parameter.
    pub(super) fn find(
        conn: &Connection,
        statement: &str,
        by: impl rusqlite::ToSql,
    ) -> Result<Option<Self>, Failure> {
        let mut select = conn.prepare_cached(statement)?;
        let found = select.query_row([by], |row| Ok(Self::from_row(row))).optional()?;
        found.transpose()
    }

    /// The reversals that wait for the delivery of that number.
    pub(super) fn waiting(conn: &Connection, grant: i64) -> Result<Vec<Self>, Failure> {
        let mut select = conn.prepare_cached(sql::DELIVERY_WAITING)?;
        select.query_and_then([grant], Self::from_row)?.collect()
    }

    /// Reads the columns that `sql` lists for a delivery.
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self, Failure> {
        let moment = |column| Ok::<_, Failure>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
        Ok(Self {
            number: row.get(0)?,
            id: DeliveryId(row.get(1)?),
            endpoint: endpoint_from_row(row, 2)?,
            state: state_from_column(row.get(4)?)?,
            attempts: row.get(5)?,
            due_at: moment(6)?,
            lease_until: moment(7)?,
            fence: uint(row.get(8)?),
            waits_for: row.get(9)?,
            last: match moment(10)? {
                Some(at) => Some(AttemptNote {
                    at,
                    status: row.get(11)?,
                    note: row.get::<_, Option<String>>(12)?.unwrap_or_default(),
                    duration_ms: row.get::<_, Option<u32>>(13)?.unwrap_or_default(),
                }),
                None => None,
            },
        })
    }

    /// Ends it; it is not tried again by itself.
    pub(super) fn end(&mut self, state: DeliveryState) {
        (self.state, self.due_at, self.lease_until) = (state, None, None);
    }

    /// Whether it has to wait for the message of its grant (D6).
    pub(super) fn is_behind(&self, conn: &Connection) -> Result<bool, Failure> {
        let state = self.grant_state(conn)?;
        Ok(state.is_some_and(|state| state != DeliveryState::Delivered))
    }

    /// Whether the grant that it waits for has ended undelivered.
    pub(super) fn is_hopeless(&self, conn: &Connection) -> Result<bool, Failure> {
        let state = self.grant_state(conn)?;
        Ok(state.is_some_and(|state| !state.is_open() && state != DeliveryState::Delivered))
    }

    /// Whether the grant that it waits for is still to be told.
    fn is_waiting(&self, conn: &Connection) -> Result<bool, Failure> {
        Ok(self.grant_state(conn)?.is_some_and(DeliveryState::is_open))
    }

    fn grant_state(&self, conn: &Connection) -> Result<Option<DeliveryState>, Failure> {
        let Some(grant) = self.waits_for else { return Ok(None) };
        let grant = Self::find(conn, sql::DELIVERY_BY_ID, grant)?;
        Ok(grant.map(|grant| grant.state))
    }

    /// Writes where it stands; `before` is the state that it is counted in.
    ///
    /// A lease stays claimable at its end even behind a grant, and so does what waits for a grant that
    /// is lost; the claim looks again.
    pub(super) fn write(&self, tx: &mut Tx<'_>, before: DeliveryState) -> Result<(), Failure> {
        let ready_at = match (self.lease_until, self.due_at) {
            (Some(until), _) => Some(until),
            (None, Some(_)) if self.is_waiting(tx.conn)? => None,
            (None, due_at) => due_at,
        };
        self.write_ready(tx, before, ready_at)
    }

    /// Writes where it stands and when it can be claimed.
    pub(super) fn write_ready(
        &self,
        tx: &mut Tx<'_>,
        before: DeliveryState,
        ready_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        tx.books.count(before, -1);
        tx.books.count(self.state, 1);
        tx.conn.prepare_cached(sql::DELIVERY_UPDATE)?.execute(params![
            self.number,
            state_to_column(self.state) as i64,
            self.attempts,
            self.due_at.map(|at| at.0),
            ready_at.map(|at| at.0),
            self.lease_until.map(|at| at.0),
            int(self.fence),
        ])?;
        Ok(())
    }

    /// Adds the words from the journal.
    pub(super) fn delivery(self, conn: &Connection) -> Result<Delivery, Failure> {
        let (user, message) = words_of(conn, self.number, self.id)?;
        Ok(Delivery {
            seq: seq_of(self.number),
            user,
            endpoint: self.endpoint,
            message,
            state: self.state,
            attempts: self.attempts,
            due_at: self.due_at,
            last: self.last,
        })
    }
}

/// Reads `app, mode`, beginning at a column.
pub(super) fn endpoint_from_row(row: &Row<'_>, first: usize) -> Result<Endpoint, Failure> {
    Ok(Endpoint { app: AppId(row.get(first)?), mode: mode_from_column(row.get(first + 1)?)? })
}

/// The endpoint before every other, where a skip scan begins.
pub(super) const BEFORE_ALL: (i64, i64) = (-1, -1);

/// An endpoint as two columns.
pub(super) fn columns_of(endpoint: Endpoint) -> (i64, i64) {
    (i64::from(endpoint.app.0), mode_to_column(endpoint.mode))
}

fn words_of(conn: &Connection, number: i64, id: DeliveryId) -> Result<(UserKey, Message), Failure> {
    let mut select = conn.prepare_cached(sql::DELIVERY_RECORD)?;
    let read = |row: &Row<'_>| Ok((row.get::<_, Option<[u8; 16]>>(0)?, row.get(1)?));
    let seq = seq_of(number);
    let found = select.query_row([int(seq)], read).optional()?;
    let missing = || corrupt("journal", format_args!("record {seq} of delivery {id} is missing"));
    let (user, body): (_, Vec<u8>) = found.ok_or_else(missing)?;
    let messages = record_from_bytes(&body)?.messages;
    let message = messages.into_iter().find(|message| message.id == id);
    match (user, message) {
        (Some(user), Some(message)) => Ok((UserKey(user), message)),
        _ => Err(corrupt("delivery without its message", id).into()),
    }
}
