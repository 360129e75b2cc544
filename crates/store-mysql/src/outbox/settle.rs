//! How an attempt ended, and what that means for the reversal that waits.

use domain::ids::DeliveryId;
use store::{AttemptNote, DeliveryState, Settled, Settlement, StoreError, Writing};

use crate::books::{Books, Wants};
use crate::writer::Work;

/// The end of one attempt.
pub(super) struct SettleAttempt {
    pub(super) id: DeliveryId,
    pub(super) fence: u64,
    pub(super) settlement: Settlement,
    pub(super) note: AttemptNote,
}

impl Work for SettleAttempt {
    type Answer = Settled;

    const WRITING: Option<Writing> = Some(Writing::Change);

    fn wants(&self, wants: &mut Wants) {
        wants.delivery(self.id);
    }

    fn run(&self, books: &mut Books) -> Result<Settled, StoreError> {
        let desk = &mut books.desk;
        let found = desk.find(self.id);
        let held = found.filter(|row| row.fence == self.fence && row.lease_until.is_some());
        let Some(mut row) = held.cloned() else { return Ok(Settled::Fenced) };
        row.attempts += 1;
        row.last = Some(self.note.clone());
        match self.settlement {
            Settlement::Delivered => row.end(DeliveryState::Delivered),
            Settlement::Stopped => row.end(DeliveryState::Stopped),
            Settlement::Parked => row.end(DeliveryState::Parked),
            Settlement::RetryAt(_) if desk.is_hopeless(&row) => row.end(DeliveryState::Parked),
            Settlement::RetryAt(at) => {
                row.end(DeliveryState::Retrying);
                row.due_at = Some(at);
            }
        }
        desk.write(row.clone());
        desk.tell_waiting(&row);
        Ok(Settled::Done)
    }
}
