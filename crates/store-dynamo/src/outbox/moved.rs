//! Deliveries as a move between stores carries them.

use std::collections::BTreeMap;

use domain::ids::DeliveryId;
use futures_util::future::try_join_all;
use store::{Claimed, Delivery, DeliveryState, RunNumber, Seq};

use super::queue::Counts;
use super::row::Row;
use crate::base::Base;
use crate::client::Pauses;
use crate::error::Failed;

/// Deliveries of one transaction; the queue is one item more.
const ROWS_MAX: usize = 90;
/// Records that are read at a time: about as many as there are deliveries wanted, within reason.
const CHUNK: (usize, usize) = (100, 500);

impl Base {
    /// Deliveries that are not in their first state any more, in the order of places and ids.
    pub(crate) async fn moved_deliveries(
        &self,
        after: Option<(Seq, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<Claimed>, Failed> {
        let mut found = Vec::new();
        let mut read = after.map_or(0, |(seq, _)| seq.saturating_sub(1));
        while found.len() < limit {
            let wanted = (limit - found.len()).clamp(CHUNK.0, CHUNK.1);
            let records = self.read_records(read, wanted).await?;
            let Some(last) = records.last() else { break };
            read = last.seq;
            let mut places: Vec<(Seq, DeliveryId)> = Vec::new();
            for stored in &records {
                places
                    .extend(stored.record.messages.iter().map(|message| (stored.seq, message.id)));
            }
            places.retain(|place| after.is_none_or(|after| *place > after));
            places.sort_unstable();
            found.extend(self.moved_deliveries_of(&places).await?);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Those of some, in the same order.
    pub(crate) async fn moved_deliveries_of(
        &self,
        places: &[(Seq, DeliveryId)],
    ) -> Result<Vec<Claimed>, Failed> {
        let ids: Vec<DeliveryId> = places.iter().map(|(_, id)| *id).collect();
        let rows = places.iter().zip(self.rows(&ids).await?);
        Ok(rows.filter_map(|((seq, _), row)| carried(*seq, row?)).collect())
    }

    /// Writes how far deliveries have come. They are there; what waits is left to the claim.
    pub(crate) async fn put_deliveries(
        &self,
        run: RunNumber,
        rows: Vec<Claimed>,
    ) -> Result<(), Failed> {
        let mut by_shard: BTreeMap<u32, Vec<Claimed>> = BTreeMap::new();
        for claimed in rows {
            by_shard.entry(self.shard_of(&claimed.delivery.user)).or_default().push(claimed);
        }
        let shards = by_shard.into_iter().map(|(shard, rows)| self.put_shard(run, shard, rows));
        try_join_all(shards).await?;
        Ok(())
    }

    async fn put_shard(
        &self,
        run: RunNumber,
        shard: u32,
        rows: Vec<Claimed>,
    ) -> Result<(), Failed> {
        // Of a delivery that comes twice the later one holds, and a transaction names it once.
        let rows: BTreeMap<_, _> =
            rows.into_iter().map(|one| (one.delivery.message.id, one)).collect();
        let rows: Vec<Claimed> = rows.into_values().collect();
        let _turn = self.turn(shard).await;
        for part in rows.chunks(ROWS_MAX) {
            self.put_part(run, shard, part).await?;
        }
        Ok(())
    }

    async fn put_part(&self, run: RunNumber, shard: u32, part: &[Claimed]) -> Result<(), Failed> {
        let ids: Vec<DeliveryId> = part.iter().map(|one| one.delivery.message.id).collect();
        let mut pauses = Pauses::begin();
        loop {
            let (mut counts, mut writes) = (Counts::default(), Vec::new());
            for (claimed, row) in part.iter().zip(self.rows(&ids).await?) {
                let id = claimed.delivery.message.id;
                let row = row.ok_or_else(|| Failed::corrupt(format!("{id} has no record yet")))?;
                counts.moved(row.state, claimed.delivery.state);
                writes.push(row.carried_to(claimed).rewrite(shard));
            }
            match self.write_rows_of_run(run, shard, counts, writes).await {
                Ok(()) => return Ok(()),
                // Reading anew shows what became of it.
                Err(failed @ (Failed::Refused(_) | Failed::Unknown(_))) => {
                    pauses.pause_or(|| failed).await?;
                }
                Err(failed) => return Err(failed),
            }
        }
    }
}

/// As it is carried, if it has left its first state; a lease becomes the moment at which it is due.
fn carried(seq: Seq, row: Row) -> Option<Claimed> {
    if row.fence == 0 && row.state == DeliveryState::Queued {
        return None;
    }
    let (fence, due_at) = (row.fence, row.ready_at());
    Some(Claimed { delivery: Delivery { due_at, ..row.delivery(seq) }, fence })
}

impl Row {
    fn carried_to(self, claimed: &Claimed) -> Self {
        let delivery = &claimed.delivery;
        Self {
            state: delivery.state,
            attempts: delivery.attempts,
            due_at: delivery.due_at,
            last: delivery.last.clone(),
            fence: claimed.fence,
            lease_until: None,
            waits: false,
            ..self
        }
    }
}
