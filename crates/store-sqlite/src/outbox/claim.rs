//! Leasing what is due, fairly over endpoints.

use domain::time::Timestamp;
use rusqlite::{Connection, params};
use store::{Claim, Claimed, DeliveryState, Endpoint};

use super::list::endpoints;
use super::row::{DeliveryRow, columns_of};
use crate::codec::{corrupt, rows};
use crate::error::Failure;
use crate::sql;
use crate::writer::{Tx, Work};

/// Leases what is ready at the claim's moment.
pub(super) struct ClaimReady(pub(super) Claim);

/// A delivery that could be leased: its rank within its endpoint, since when, and its number.
type Turn = (usize, Timestamp, i64);

impl Work for ClaimReady {
    type Answer = Vec<Claimed>;

    /// Everybody's first comes before anybody's second.
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Claimed>, Failure> {
        let mut turns: Vec<Turn> = Vec::new();
        for endpoint in endpoints(tx.conn)? {
            if !self.0.skip.contains(&endpoint) {
                self.turns_of(tx, endpoint, &mut turns)?;
            }
        }
        turns.sort_unstable();
        turns.truncate(self.0.limit);
        turns.into_iter().map(|(_, _, number)| self.lease(tx, number)).collect()
    }
}

impl ClaimReady {
    fn turns_of(
        &self,
        tx: &mut Tx<'_>,
        endpoint: Endpoint,
        turns: &mut Vec<Turn>,
    ) -> Result<(), Failure> {
        let limit = self.0.per_endpoint.min(self.0.limit);
        // What is set aside is no longer ready, so others come forward in its place.
        let found = loop {
            let found = ready(tx.conn, endpoint, self.0.now, limit)?;
            let mut is_free = true;
            for (number, _) in &found {
                is_free &= !set_aside_if_behind(tx, *number)?;
            }
            if is_free {
                break found;
            }
        };
        let ranked = found.into_iter().enumerate();
        turns.extend(ranked.map(|(rank, (number, ready_at))| (rank, ready_at, number)));
        Ok(())
    }

    fn lease(&self, tx: &mut Tx<'_>, number: i64) -> Result<Claimed, Failure> {
        let mut row = row_of(tx.conn, number)?;
        let before = row.state;
        row.fence += 1;
        row.lease_until = Some(self.0.lease_until);
        row.write(tx, before)?;
        let fence = row.fence;
        Ok(Claimed { delivery: row.delivery(tx.conn)?, fence })
    }
}

fn ready(
    conn: &Connection,
    endpoint: Endpoint,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(i64, Timestamp)>, Failure> {
    let (app, mode) = columns_of(endpoint);
    let mut select = conn.prepare_cached(sql::ENDPOINT_READY)?;
    let found = select.query_map(params![app, mode, now.0, rows(limit)], |row| {
        Ok((row.get(0)?, Timestamp(row.get(1)?)))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// A reversal whose lease ended after its grant was replayed waits again (D6), and the grant's
/// settlement makes it ready; if the grant is lost by now, it is parked.
fn set_aside_if_behind(tx: &mut Tx<'_>, number: i64) -> Result<bool, Failure> {
    let mut row = row_of(tx.conn, number)?;
    if !row.is_behind(tx.conn)? {
        return Ok(false);
    }
    let before = row.state;
    if row.is_hopeless(tx.conn)? {
        row.end(DeliveryState::Parked);
    }
    row.write_ready(tx, before, None)?;
    Ok(true)
}

fn row_of(conn: &Connection, number: i64) -> Result<DeliveryRow, Failure> {
    let row = DeliveryRow::find(conn, sql::DELIVERY_BY_ID, number)?;
    row.ok_or_else(|| corrupt("delivery without a row", number).into())
}
