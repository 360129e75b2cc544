//! How an attempt ended, and what that means for the reversal that waits.

use domain::ids::DeliveryId;
use rusqlite::params;
use store::{AttemptNote, DeliveryState, Settled, Settlement};

use super::row::DeliveryRow;
use crate::error::Failure;
use crate::sql;
use crate::writer::{Tx, Work};

/// The end of one attempt.
pub(super) struct SettleAttempt {
    pub(super) id: DeliveryId,
    pub(super) fence: u64,
    pub(super) settlement: Settlement,
    pub(super) note: AttemptNote,
}

impl Work for SettleAttempt {
    type Answer = Settled;

    fn run(&self, tx: &mut Tx<'_>) -> Result<Settled, Failure> {
        let found = DeliveryRow::find(tx.conn, sql::DELIVERY_BY_KEY, self.id.0)?;
        let Some(mut row) = found else { return Ok(Settled::Fenced) };
        if row.fence != self.fence || row.lease_until.is_none() {
            return Ok(Settled::Fenced);
        }
        let before = row.state;
        row.attempts += 1;
        match self.settlement {
            Settlement::Delivered => row.end(DeliveryState::Delivered),
            Settlement::Stopped => row.end(DeliveryState::Stopped),
            Settlement::Parked => row.end(DeliveryState::Parked),
            Settlement::RetryAt(_) if row.is_hopeless(tx.conn)? => row.end(DeliveryState::Parked),
            Settlement::RetryAt(at) => {
                row.end(DeliveryState::Retrying);
                row.due_at = Some(at);
            }
        }
        row.write(tx, before)?;
        self.write_note(tx, row.number)?;
        tell_waiting(tx, &row)?;
        Ok(Settled::Done)
    }
}

impl SettleAttempt {
    fn write_note(&self, tx: &Tx<'_>, number: i64) -> Result<(), Failure> {
        let note = &self.note;
        tx.conn.prepare_cached(sql::DELIVERY_NOTE)?.execute(params![
            number,
            note.at.0,
            note.status,
            note.note,
            note.duration_ms,
        ])?;
        Ok(())
    }
}

/// Lets the open reversals behind a grant go, makes them wait, or parks them, as the grant stands
/// now. One that is being sent at this moment, because the grant was delivered and then replayed,
/// is left to its own worker; a claim after its lease looks again.
pub(super) fn tell_waiting(tx: &mut Tx<'_>, grant: &DeliveryRow) -> Result<(), Failure> {
    let is_lost = !grant.state.is_open() && grant.state != DeliveryState::Delivered;
    for mut row in DeliveryRow::waiting(tx.conn, grant.number)? {
        if !row.state.is_open() {
            continue;
        }
        let before = row.state;
        if is_lost && row.lease_until.is_none() {
            row.end(DeliveryState::Parked);
        }
        row.write(tx, before)?;
    }
    Ok(())
}
