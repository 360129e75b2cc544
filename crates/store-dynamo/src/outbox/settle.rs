//! How an attempt ended, and what that means for the reversal that waits.

use store::{AttemptNote, DeliveryState, Settled, Settlement, Writing};

use domain::ids::DeliveryId;

use super::queue::{Counts, Family};
use super::row::Row;
use crate::base::Base;
use crate::client::Pauses;
use crate::error::Failed;
use crate::write::Write;

/// The end of one attempt.
pub(super) struct Attempt {
    pub(super) id: DeliveryId,
    pub(super) fence: u64,
    pub(super) settlement: Settlement,
    pub(super) note: AttemptNote,
}

impl Base {
    pub(super) async fn settle(&self, attempt: &Attempt) -> Result<Settled, Failed> {
        let shard = self.shard_of_delivery(attempt.id);
        let _turn = self.turn(shard).await;
        let mut pauses = Pauses::begin();
        // The version that a write would have led to whose answer was lost.
        let mut maybe = None;
        loop {
            let Some(family) = self.family(attempt.id).await? else {
                return Ok(Settled::Fenced);
            };
            if maybe == Some(family.row.version) && attempt.is_recorded_in(&family.row) {
                return Ok(Settled::Done);
            }
            if family.row.fence != attempt.fence || family.row.lease_until.is_none() {
                return Ok(Settled::Fenced);
            }
            let next = family.row.version + 1;
            let (counts, writes) = attempt.apply(shard, &family);
            match self.write_rows(shard, Writing::Change, counts, writes).await {
                Ok(()) => return Ok(Settled::Done),
                Err(failed @ Failed::Refused(_)) => pauses.pause_or(|| failed).await?,
                Err(failed @ Failed::Unknown(_)) => {
                    maybe = Some(next);
                    pauses.pause_or(|| failed).await?;
                }
                Err(failed) => return Err(failed),
            }
        }
    }
}

impl Attempt {
    /// The delivery after it, and the reversals that hang on it.
    fn apply(&self, shard: u32, family: &Family) -> (Counts, Vec<Write>) {
        let mut counts = Counts::default();
        let mut row = family.row.clone();
        row.attempts += 1;
        row.last = Some(self.note.clone());
        // Whether a reversal waits follows from its grant, which must not change meanwhile.
        let grant =
            family.grant.as_ref().filter(|_| matches!(self.settlement, Settlement::RetryAt(_)));
        match self.settlement {
            Settlement::Delivered => row.end(DeliveryState::Delivered),
            Settlement::Stopped => row.end(DeliveryState::Stopped),
            Settlement::Parked => row.end(DeliveryState::Parked),
            Settlement::RetryAt(_) if grant.is_some_and(Row::is_lost) => {
                row.end(DeliveryState::Parked);
            }
            Settlement::RetryAt(at) => {
                row.end(DeliveryState::Retrying);
                row.due_at = Some(at);
                row.waits = grant.is_some_and(|grant| grant.state.is_open());
            }
        }
        counts.moved(family.row.state, row.state);
        let mut writes = tell_waiting(shard, &row, &family.reversals, &mut counts);
        writes.push(row.rewrite(shard));
        writes.extend(grant.map(Row::unchanged));
        (counts, writes)
    }

    fn is_recorded_in(&self, row: &Row) -> bool {
        row.fence == self.fence
            && row.lease_until.is_none()
            && row.last.as_ref() == Some(&self.note)
    }
}

/// Lets the open reversals of a grant go, makes them wait, or parks them, as the grant stands after
/// this transaction. One that is being sent at this moment, because the grant was delivered and then
/// replayed, is left to its own worker. All of them are checked, so that none is set aside meanwhile.
pub(super) fn tell_waiting(
    shard: u32,
    grant: &Row,
    reversals: &[Row],
    counts: &mut Counts,
) -> Vec<Write> {
    let tell = |reversal: &Row| {
        let mut row = reversal.clone();
        if row.state.is_open() && row.lease_until.is_none() {
            match grant.is_lost() {
                true => row.end(DeliveryState::Parked),
                false => row.waits = grant.state.is_open(),
            }
        } else if row.state.is_open() {
            row.waits &= grant.state.is_open();
        }
        counts.moved(reversal.state, row.state);
        if row == *reversal { row.unchanged() } else { row.rewrite(shard) }
    };
    reversals.iter().map(tell).collect()
}
