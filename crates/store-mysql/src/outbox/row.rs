//! A delivery's row: where it stands, without its words.

use domain::ids::{AppId, DeliveryId, UserKey};
use domain::time::Timestamp;
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use store::{AttemptNote, Delivery, DeliveryState, Endpoint, Seq};

use crate::codec::{
    bytes_if_any, bytes_of, corrupt, mode_from_column, mode_to_column, record_from_bytes,
    state_from_column, state_to_column,
};
use crate::error::Failure;
use crate::writer::{Value, int_or_null, uint_or_null};

/// Bits of a row's number that hold the rank of the message within its record.
const RANK_BITS: u32 = 6;

const _: () = assert!(domain::change::MESSAGES_MAX <= 1 << RANK_BITS);

/// A row's number; rows are ordered as the pull API lists them.
pub(crate) fn number_of(seq: Seq, rank: usize) -> u64 {
    (seq << RANK_BITS) | rank as u64
}

/// The least and the greatest number that a message of one record can have.
pub(crate) fn numbers_of(seq: Seq) -> (u64, u64) {
    // Beyond this a shift would overflow; such a place comes from outside and means "at the end".
    let seq = seq.min(u64::MAX >> RANK_BITS);
    (number_of(seq, 0), number_of(seq, (1 << RANK_BITS) - 1))
}

fn seq_of(number: u64) -> Seq {
    number >> RANK_BITS
}

/// How many columns [`DeliveryRow::values`] has.
pub(crate) const COLUMNS: usize = 16;

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DeliveryRow {
    pub(crate) number: u64,
    pub(crate) id: DeliveryId,
    pub(crate) endpoint: Endpoint,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    pub(crate) booked_at: Timestamp,
    pub(crate) due_at: Option<Timestamp>,
    /// When it can be claimed.
    pub(crate) ready_at: Option<Timestamp>,
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) fence: u64,
    /// The number of the grant that must be told first.
    pub(crate) waits_for: Option<u64>,
    pub(crate) last: Option<AttemptNote>,
}

impl DeliveryRow {
    /// Reads the columns that `sql` lists for a delivery, the first of the row.
    pub(crate) fn of(row: &MySqlRow) -> Result<Self, Failure> {
        let moment =
            |column| Ok::<_, Failure>(row.try_get::<Option<i64>, _>(column)?.map(Timestamp));
        Ok(Self {
            number: row.try_get(0)?,
            id: DeliveryId(bytes_of(row, 1)?),
            endpoint: endpoint_of(row, 2)?,
            state: state_from_column(row.try_get(4)?)?,
            attempts: row.try_get(5)?,
            booked_at: Timestamp(row.try_get(6)?),
            due_at: moment(7)?,
            ready_at: moment(8)?,
            lease_until: moment(9)?,
            fence: row.try_get(10)?,
            waits_for: row.try_get(11)?,
            last: match moment(12)? {
                Some(at) => Some(AttemptNote {
                    at,
                    status: row.try_get(13)?,
                    note: row.try_get::<Option<String>, _>(14)?.unwrap_or_default(),
                    duration_ms: row.try_get::<Option<u32>, _>(15)?.unwrap_or_default(),
                }),
                None => None,
            },
        })
    }

    /// The row in the order of the columns.
    pub(crate) fn values(&self) -> [Value<'_>; COLUMNS] {
        let (app, mode) = columns_of(self.endpoint);
        let moment = |at: Option<Timestamp>| int_or_null(at.map(|at| at.0));
        let last = self.last.as_ref();
        [
            Value::Uint(self.number),
            Value::Bytes(&self.id.0),
            app,
            mode,
            Value::Uint(state_to_column(self.state).into()),
            Value::Uint(self.attempts.into()),
            Value::Int(self.booked_at.0),
            moment(self.due_at),
            moment(self.ready_at),
            moment(self.lease_until),
            Value::Uint(self.fence),
            uint_or_null(self.waits_for),
            moment(last.map(|note| note.at)),
            uint_or_null(last.and_then(|note| note.status)),
            last.map_or(Value::Null, |note| Value::Text(&note.note)),
            uint_or_null(last.map(|note| note.duration_ms)),
        ]
    }

    /// Ends it; it is not tried again by itself.
    pub(crate) fn end(&mut self, state: DeliveryState) {
        (self.state, self.due_at, self.lease_until) = (state, None, None);
    }

    /// The delivery, with the words from its record: `user_key, body` beginning at a column.
    pub(crate) fn delivery(self, row: &MySqlRow, first: usize) -> Result<Delivery, Failure> {
        let missing =
            |what| Failure::from(corrupt("delivery", format_args!("{}: {what}", self.id)));
        let user = bytes_if_any(row, first)?.ok_or_else(|| missing("its record has no user"))?;
        let messages = record_from_bytes(row.try_get(first + 1)?)?.messages;
        let message = messages.into_iter().find(|message| message.id == self.id);
        Ok(Delivery {
            seq: seq_of(self.number),
            user: UserKey(user),
            endpoint: self.endpoint,
            message: message.ok_or_else(|| missing("its record has no such message"))?,
            state: self.state,
            attempts: self.attempts,
            due_at: self.due_at,
            last: self.last,
        })
    }
}

/// Reads `app, mode`, beginning at a column.
pub(crate) fn endpoint_of(row: &MySqlRow, first: usize) -> Result<Endpoint, Failure> {
    let mode = mode_from_column(row.try_get(first + 1)?)?;
    Ok(Endpoint { app: AppId(row.try_get(first)?), mode })
}

/// An endpoint as two columns.
pub(crate) fn columns_of<'a>(endpoint: Endpoint) -> (Value<'a>, Value<'a>) {
    (Value::Uint(endpoint.app.0.into()), Value::Uint(mode_to_column(endpoint.mode).into()))
}
