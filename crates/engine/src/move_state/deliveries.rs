//! How far deliveries have come. While the old store is watched an ended delivery stays ended, so in
//! the pause only those can differ that the new store holds as open.

use std::collections::BTreeSet;

use domain::ids::DeliveryId;
use store::{Claimed, DeliveryFilter, DeliveryState, Seq, Stored};

use super::lane::{Deliveries, Lane, PAGE, Walk};
use super::{DIFFERENCES_MAX, MoveError, Run, Step};
use crate::move_state::end::End;

/// Where a delivery stands in the order of booking.
type Place = (Seq, DeliveryId);

impl Run<'_> {
    /// Walks along all deliveries that were ever tried and writes those that differ.
    pub(super) async fn walk_deliveries(&mut self, step: Step) -> Result<(), MoveError> {
        let mut walk = Walk::<Deliveries>::new(self.from, self.to, None);
        let (mut done, end) = (0, self.head.max(1) as f64);
        while let Some(pair) = walk.next().await? {
            done += pair.len();
            let part = pair.last().map_or(1.0, |place| place.0 as f64 / end);
            let mut differing = pair.differing();
            // The record of one that is newer is copied, and it with it, in the pause.
            differing.retain(|row| row.delivery.seq <= self.head);
            if self.prints.is_some() {
                self.rewritten.extend(differing.iter().map(Deliveries::key));
                self.rewritten.extend(pair.extra.iter().map(Deliveries::key));
            }
            if !differing.is_empty() {
                self.to.put_deliveries(differing).await?;
            }
            self.tell(step, done, part);
        }
        Ok(())
    }

    /// Copies and compares what can have changed since the walk, so that little is left to the pause.
    /// What differs all the same is looked at again the next time.
    pub(super) async fn settle_deliveries(&mut self) -> Result<(), MoveError> {
        let mut places = std::mem::take(&mut self.rewritten);
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open_places().await?,
        };
        places.extend(&open);
        let places: Vec<Place> = places.into_iter().collect();
        let wanted = rows_at(self.from, &places).await?;
        let mut found = rows_at(self.to, &places).await?;
        let differing: Vec<Claimed> = only_in(&wanted, &found).cloned().collect();
        if !differing.is_empty() {
            for page in differing.chunks(PAGE) {
                self.to.put_deliveries(page.to_vec()).await?;
            }
            found = rows_at(self.to, &places).await?;
        }
        let differing = only_in(&wanted, &found).chain(only_in(&found, &wanted));
        self.rewritten.extend(differing.map(Deliveries::key));
        let ended = found.iter().filter(|row| !row.delivery.state.is_open());
        let ended: BTreeSet<Place> = ended.map(Deliveries::key).collect();
        self.open = Some(places.into_iter().filter(|place| !ended.contains(place)).collect());
        Ok(())
    }

    /// Remembers that the messages of records that were copied are open.
    pub(super) fn note_open(&mut self, records: &[Stored]) {
        if let Some(open) = &mut self.open {
            for Stored { seq, record, .. } in records {
                open.extend(record.messages.iter().map(|message| (*seq, message.id)));
            }
        }
    }

    /// Copies and compares the last of them, and counts all.
    pub(super) async fn settle_last_deliveries(&mut self) -> Result<(), MoveError> {
        self.settle_deliveries().await?;
        let differing = self.rewritten.iter().take(DIFFERENCES_MAX);
        let differing: Vec<_> = differing.map(|(_, id)| format!("delivery {id}")).collect();
        if !differing.is_empty() {
            return Err(MoveError::Differs(differing));
        }
        self.compare_counts().await
    }

    /// Places of the deliveries that the new store holds as open, or that it was never told of.
    async fn open_places(&self) -> Result<BTreeSet<Place>, MoveError> {
        let mut places = BTreeSet::new();
        for endpoint in &self.endpoints {
            for state in [DeliveryState::Queued, DeliveryState::Retrying] {
                let mut filter = DeliveryFilter {
                    app: endpoint.app,
                    mode: endpoint.mode,
                    state: Some(state),
                    after: None,
                    limit: PAGE,
                };
                loop {
                    let page = self.to.deliveries(&filter).await?;
                    let Some(last) = page.last() else { break };
                    filter.after = Some((last.seq, last.message.id));
                    places.extend(page.iter().map(|one| (one.seq, one.message.id)));
                }
            }
        }
        Ok(places)
    }

    /// The number of deliveries in each state is the same.
    async fn compare_counts(&mut self) -> Result<(), MoveError> {
        let (counts, others) = (self.from.counts().await?, self.to.counts().await?);
        if counts != others {
            let told = format!("deliveries by state, {counts:?} and {others:?}");
            return Err(MoveError::Differs(vec![told]));
        }
        self.report.deliveries = counts;
        Ok(())
    }
}

/// The rows at these places, which are in order; those still in their first state have none.
async fn rows_at(end: End<'_>, places: &[Place]) -> Result<Vec<Claimed>, MoveError> {
    let mut rows = Vec::new();
    for places in places.chunks(PAGE) {
        rows.extend(end.delivery_rows_of(places).await?);
    }
    Ok(rows)
}

/// Rows that are not the same in the other list; both are in order.
fn only_in<'a>(rows: &'a [Claimed], others: &'a [Claimed]) -> impl Iterator<Item = &'a Claimed> {
    rows.iter().filter(|row| {
        let at = others.binary_search_by_key(&Deliveries::key(row), Deliveries::key);
        at.map_or(true, |at| others[at] != **row)
    })
}
