//! Trying again from the beginning.
//!
//! Replaying a grant also replays the reversal that was parked behind it, which would otherwise
//! never be told; replaying a reversal whose grant ended undelivered does nothing.

use domain::ids::{AppId, DeliveryId, Mode};
use domain::time::Timestamp;
use sqlx::Row as _;
use store::{DeliveryState, StoreError, Writing};

use super::desk::Desk;
use super::row::DeliveryRow;
use crate::ask::Ask;
use crate::books::{Books, Wants};
use crate::codec::{bytes_of, mode_to_column, state_to_column};
use crate::error::Failure;
use crate::options::SCAN_MAX;
use crate::writer::Work;
use crate::{MysqlStore, sql};

/// Deliveries of a range that are replayed at once: the commits that wait behind them are held up
/// for some ten milliseconds. A replay that fails half way is finished by asking again.
pub(super) const CHUNK: u64 = 500;

/// Which deliveries of an app.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) app: AppId,
    pub(super) mode: Mode,
    pub(super) state: DeliveryState,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl MysqlStore {
    pub(super) async fn replay_range(
        &self,
        range: Range,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (mut after, mut replayed) = (0, 0);
        loop {
            let found = self.next_of_range(range, after).await?;
            let Some((last, _)) = found.last() else { return Ok(replayed) };
            after = *last;
            let ids = found.into_iter().map(|(_, id)| id).collect();
            replayed += self.ask(ReplayChunk { ids, state: range.state, now }).await?;
        }
    }

    /// The next chunk after a number, in order of booking.
    async fn next_of_range(
        &self,
        range: Range,
        after: u64,
    ) -> Result<Vec<(u64, DeliveryId)>, StoreError> {
        let ask = Ask::new(sql::DELIVERIES_BOOKED)
            .bind(range.app.0)
            .bind(mode_to_column(range.mode))
            .bind(state_to_column(range.state))
            .bind(range.from.0)
            .bind(range.to.0)
            .bind(after)
            .bind(CHUNK);
        let rows = self.readers().rows(&ask, SCAN_MAX).await?;
        let found = rows.iter().map(|row| Ok((row.try_get(0)?, DeliveryId(bytes_of(row, 1)?))));
        Ok(found.collect::<Result<_, Failure>>()?)
    }
}

/// One delivery, in whatever state.
pub(super) struct ReplayOne {
    pub(super) id: DeliveryId,
    pub(super) now: Timestamp,
}

impl Work for ReplayOne {
    type Answer = u64;

    const WRITING: Option<Writing> = Some(Writing::Replay);

    fn wants(&self, wants: &mut Wants) {
        wants.delivery(self.id);
    }

    fn run(&self, books: &mut Books) -> Result<u64, StoreError> {
        let found = books.desk.find(self.id).cloned();
        Ok(found.map_or(0, |row| restart_with_reversals(&mut books.desk, row, self.now)))
    }
}

/// Some deliveries, if they are still in the state that was asked for.
struct ReplayChunk {
    ids: Vec<DeliveryId>,
    state: DeliveryState,
    now: Timestamp,
}

impl Work for ReplayChunk {
    type Answer = u64;

    const WRITING: Option<Writing> = Some(Writing::Replay);

    fn wants(&self, wants: &mut Wants) {
        self.ids.iter().for_each(|id| wants.delivery(*id));
    }

    fn run(&self, books: &mut Books) -> Result<u64, StoreError> {
        let mut replayed = 0;
        for id in &self.ids {
            let found = books.desk.find(*id).filter(|row| row.state == self.state);
            if let Some(row) = found.cloned() {
                replayed += restart_with_reversals(&mut books.desk, row, self.now);
            }
        }
        Ok(replayed)
    }
}

fn restart_with_reversals(desk: &mut Desk, grant: DeliveryRow, now: Timestamp) -> u64 {
    let number = grant.number;
    let mut replayed = restart(desk, grant, now);
    for row in desk.waiting(number) {
        if row.state == DeliveryState::Parked {
            replayed += restart(desk, row, now);
        }
    }
    replayed
}

/// Makes one delivery due now, with a fresh plan of attempts. One that is being tried at this moment
/// stays with its worker.
fn restart(desk: &mut Desk, mut row: DeliveryRow, now: Timestamp) -> u64 {
    let is_leased = row.lease_until.is_some_and(|until| until > now);
    if is_leased || desk.is_hopeless(&row) {
        return 0;
    }
    row.end(DeliveryState::Queued);
    row.attempts = 0;
    row.due_at = Some(now);
    desk.write(row.clone());
    desk.tell_waiting(&row);
    1
}
