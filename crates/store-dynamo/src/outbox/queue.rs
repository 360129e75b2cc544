//! Writing deliveries: the queue of a shard says whether they may be written, and counts them.
//!
//! Every change of deliveries is a transaction on the queue item of their shard, so that a phase set
//! there is seen by all of them, and so that counts are exact. Within a node those of a shard take
//! turns, because two at once would only make each other fail; other nodes are met by trying again.

use std::collections::{BTreeSet, HashMap};

use domain::ids::DeliveryId;
use store::{DeliveryState, RunNumber, Writing};
use tokio::sync::{Mutex, MutexGuard};

use super::birth::marked;
use super::row::Row;
use crate::base::Base;
use crate::client::Query;
use crate::error::{Failed, Reason};
use crate::keys::{self, PHASE};
use crate::phase;
use crate::requests::Request;
use crate::transfer::{IS_LATEST, number_of};
use crate::value::{Item, Read as _, number};
use crate::write::Write;

/// Whose turn it is to write to each shard.
#[derive(Debug)]
pub(crate) struct Queues(Vec<Mutex<()>>);

impl Queues {
    pub(crate) fn new(shards: u32) -> Self {
        Self((0..shards).map(|_| Mutex::new(())).collect())
    }
}

/// How counts of deliveries by state change; a state's place is that in [`DeliveryState::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts([i64; DeliveryState::ALL.len()]);

impl Counts {
    pub(super) fn moved(&mut self, from: DeliveryState, to: DeliveryState) {
        self.0[from as usize] -= 1;
        self.0[to as usize] += 1;
    }

    pub(super) fn add(&mut self, state: DeliveryState, count: i64) {
        self.0[state as usize] += count;
    }

    pub(super) fn of(&self, state: DeliveryState) -> u64 {
        u64::try_from(self.0[state as usize]).unwrap_or_default()
    }

    /// Adds what a queue item has counted.
    pub(super) fn add_item(&mut self, item: &Item) -> Result<(), Failed> {
        for state in DeliveryState::ALL {
            self.add(state, item.find_number(state.name())?.unwrap_or_default());
        }
        Ok(())
    }
}

/// A delivery and those that hang on it.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) row: Row,
    /// The reversals of it, if it is a grant.
    pub(super) reversals: Vec<Row>,
    /// The grant that it waits for, if it is a reversal and there is one.
    pub(super) grant: Option<Row>,
}

impl Base {
    /// Waits for the turn to write to a shard.
    pub(super) async fn turn(&self, shard: u32) -> MutexGuard<'_, ()> {
        self.queues.0[shard as usize].lock().await
    }

    /// Deliveries by id, in the same order.
    pub(crate) async fn rows(&self, ids: &[DeliveryId]) -> Result<Vec<Option<Row>>, Failed> {
        let keys: Vec<_> = ids.iter().map(|id| keys::delivery(*id)).collect();
        let found = self.db.batch_get(Request::ReadDeliveries, &keys, true).await?;
        found.into_iter().map(|item| item.as_ref().map(Row::from_item).transpose()).collect()
    }

    /// Deliveries that are there, by id.
    pub(super) async fn rows_by_id(
        &self,
        ids: &[DeliveryId],
    ) -> Result<HashMap<DeliveryId, Row>, Failed> {
        // A batch may name an item only once.
        let ids: BTreeSet<DeliveryId> = ids.iter().copied().collect();
        let rows = self.rows(&Vec::from_iter(ids)).await?;
        Ok(rows.into_iter().flatten().map(|row| (row.id(), row)).collect())
    }

    /// A delivery with its reversals or its grant: one query, and a read if there is any.
    pub(super) async fn family(&self, id: DeliveryId) -> Result<Option<Family>, Failed> {
        let key = keys::delivery(id);
        let query = Query::of(key.pk).beginning(&key.sk);
        let (mut row, mut ids) = (None, Vec::new());
        for item in self.db.query(Request::ReadFamily, &query).await? {
            match marked(&item)? {
                Some(reversal) => ids.push(reversal),
                None => row = Some(Row::from_item(&item)?),
            }
        }
        let Some(row) = row else { return Ok(None) };
        let grant = match row.message.after {
            Some(grant) => self.rows(&[grant]).await?.pop().flatten(),
            None => None,
        };
        let reversals = if ids.is_empty() { Vec::new() } else { self.rows(&ids).await? };
        Ok(Some(Family { row, reversals: reversals.into_iter().flatten().collect(), grant }))
    }

    /// Writes to deliveries of one shard in one transaction, if the phase lets it.
    pub(super) async fn write_rows(
        &self,
        shard: u32,
        what: Writing,
        counts: Counts,
        rows: Vec<Write>,
    ) -> Result<(), Failed> {
        self.write_queue(queue_write(shard, what, counts), what, rows).await
    }

    /// Writes to deliveries of one shard for a run that copies them, if the store is still the run's.
    pub(super) async fn write_rows_of_run(
        &self,
        run: RunNumber,
        shard: u32,
        counts: Counts,
        rows: Vec<Write>,
    ) -> Result<(), Failed> {
        let queue = queue_write(shard, Writing::Copy, counts).when(IS_LATEST);
        let wrote = self.write_queue(queue.with(":run", number_of(run)), Writing::Copy, rows).await;
        if matches!(wrote, Err(Failed::Refused(_))) {
            run.check(self.read_standing().await?.1)?;
        }
        wrote
    }

    async fn write_queue(
        &self,
        queue: Write,
        what: Writing,
        rows: Vec<Write>,
    ) -> Result<(), Failed> {
        let writes = [queue].into_iter().chain(rows).collect();
        let wrote = self.db.transact(Request::WriteDeliveries, writes).await;
        if let Err(Failed::Refused(reasons)) = &wrote
            && let Some(Reason::Condition(Some(queue))) = reasons.first()
        {
            phase::from_item(queue)?.permit(what)?;
        }
        wrote
    }
}

/// Counts, or only looks at the phase if there is nothing to count.
fn queue_write(shard: u32, what: Writing, counts: Counts) -> Write {
    let key = keys::queue(shard);
    let moved = DeliveryState::ALL.into_iter().filter(|state| counts.0[*state as usize] != 0);
    let moved: Vec<_> = moved.map(|state| (state.name(), counts.0[state as usize])).collect();
    let mut write = if moved.is_empty() {
        Write::check(key, phase_condition(what))
    } else {
        let sums = moved.iter().map(|(name, _)| format!("#{name} :{name}"));
        let sums = sums.collect::<Vec<_>>().join(", ");
        Write::update(key, format!("ADD {sums}")).when(phase_condition(what))
    };
    for (name, count) in moved {
        write = write.with(&format!(":{name}"), number(count));
    }
    let rank = match what {
        Writing::Change => phase::WATCHED,
        Writing::Replay => phase::LIVE,
        Writing::Copy => phase::FILLING,
    };
    write.with(":phase", number(rank)).showing()
}

fn phase_condition(what: Writing) -> String {
    let compares = if what == Writing::Copy { "=" } else { "<=" };
    format!("#{PHASE} {compares} :phase")
}
