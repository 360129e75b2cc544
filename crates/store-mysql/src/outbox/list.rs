//! Reading the outbox: one statement each.

use domain::ids::DeliveryId;
use domain::time::Timestamp;
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use store::{Delivery, DeliveryFilter, DeliveryState, StoreError};

use super::row::{COLUMNS, DeliveryRow, numbers_of};
use crate::ask::Ask;
use crate::codec::{mode_to_column, rows, state_from_column, state_to_column};
use crate::error::Failure;
use crate::options::POINT_MAX;
use crate::{MysqlStore, sql};

/// Counts by state, and the earliest moment at which one can be claimed.
type Backlog = (Vec<(DeliveryState, u64)>, Option<Timestamp>);

impl MysqlStore {
    /// A page of an app's deliveries, in the order of their booking.
    ///
    /// The index leads with the state, so a page over all states is merged from one short range each.
    pub(super) async fn list(&self, filter: DeliveryFilter) -> Result<Vec<Delivery>, StoreError> {
        let states = DeliveryState::ALL.into_iter();
        let states: Vec<_> =
            states.filter(|state| filter.state.is_none_or(|wanted| wanted == *state)).collect();
        let numbers = vec![sql::NUMBERS_IN_STATE; states.len()].join(" UNION ALL ");
        let (head, tail) = (sql::DELIVERIES_AMONG, sql::DELIVERIES_LIMIT);
        let mut ask = Ask::many(format!("{head}({numbers}){tail}"));
        let after = After::of(filter.after);
        for state in states {
            ask.push(filter.app.0);
            ask.push(mode_to_column(filter.mode));
            ask.push(state_to_column(state));
            ask.push(after.first);
            ask.push(after.last);
            ask.push(&after.id.0[..]);
            ask.push(rows(filter.limit));
        }
        ask.push(rows(filter.limit));
        let found = self.readers().rows(&ask, POINT_MAX).await?;
        Ok(found.iter().map(delivery_of).collect::<Result<_, _>>()?)
    }

    /// Those of some deliveries that are there.
    pub(super) async fn find_deliveries(
        &self,
        ids: &[DeliveryId],
    ) -> Result<Vec<Delivery>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = Ask::many(sql::DELIVERIES_WHOLE.replace("(?)", &sql::list_of(ids.len())));
        ids.iter().for_each(|id| ask.push(&id.0[..]));
        let found = self.readers().rows(&ask, POINT_MAX).await?;
        Ok(found.iter().map(delivery_of).collect::<Result<_, _>>()?)
    }

    /// Counts by state, and when a claim can next return something: a lease counts with its end, and
    /// a reversal that waits for its grant does not count.
    pub(super) async fn count_backlog(&self) -> Result<Backlog, StoreError> {
        let found = self.readers().rows(&Ask::new(sql::BACKLOG), POINT_MAX).await?;
        let (mut counts, mut ready) = (Vec::new(), Vec::new());
        for row in &found {
            match backlog_of(row)? {
                Counted::State(state, count) => counts.push((state, count)),
                Counted::Endpoint(app, mode, Some(earliest)) => ready.push((app, mode, earliest)),
                Counted::Endpoint(_, _, None) => {}
            }
        }
        counts.sort_unstable();
        Ok((counts, self.earliest(&ready).await?))
    }

    /// The earliest of what endpoints can be sent, each from a moment on.
    async fn earliest(&self, ready: &[(i64, i64, i64)]) -> Result<Option<Timestamp>, StoreError> {
        if ready.is_empty() {
            return Ok(None);
        }
        let mut ask = Ask::many(vec![sql::ENDPOINT_EARLIEST; ready.len()].join(" UNION ALL "));
        for (app, mode, earliest) in ready {
            ask.push(*app);
            ask.push(*mode);
            ask.push(*earliest);
        }
        let found = self.readers().rows(&ask, POINT_MAX).await?;
        let moments = found.iter().map(|row| row.try_get(0).map(Timestamp));
        let moments = moments.collect::<Result<Vec<_>, _>>().map_err(Failure::from)?;
        Ok(moments.into_iter().min())
    }
}

/// A row of the backlog.
enum Counted {
    /// So many are in a state.
    State(DeliveryState, u64),
    /// The app and the mode of an endpoint, and when the first of its deliveries is ready.
    Endpoint(i64, i64, Option<i64>),
}

fn backlog_of(row: &MySqlRow) -> Result<Counted, Failure> {
    let (first, number) = (row.try_get::<i64, _>(1)?, row.try_get::<Option<i64>, _>(3)?);
    if row.try_get::<i64, _>(0)? == 1 {
        return Ok(Counted::Endpoint(first, row.try_get(2)?, number));
    }
    let state = state_from_column(u8::try_from(first).unwrap_or(u8::MAX))?;
    Ok(Counted::State(state, u64::try_from(number.unwrap_or_default()).unwrap_or_default()))
}

/// Where a page begins: behind the messages of one record whose ids are not greater than one.
pub(crate) struct After {
    /// The least number that a message of that record can have.
    pub(crate) first: u64,
    /// The greatest.
    pub(crate) last: u64,
    /// The id.
    pub(crate) id: DeliveryId,
}

impl After {
    /// The place after a delivery, or the beginning.
    pub(crate) fn of(after: Option<(u64, DeliveryId)>) -> Self {
        let (seq, id) = after.unwrap_or_default();
        let (first, last) = numbers_of(seq);
        Self { first, last, id }
    }
}

/// Reads a delivery's columns and its record's.
pub(crate) fn delivery_of(row: &MySqlRow) -> Result<Delivery, Failure> {
    DeliveryRow::of(row)?.delivery(row, COLUMNS)
}
