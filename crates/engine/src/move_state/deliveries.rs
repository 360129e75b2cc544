//! How far deliveries have come. While the old store is watched an ended delivery stays ended, so in
//! the pause only those can differ that the new store holds as open.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::DeliveryId;
use futures_util::future::try_join_all;
use store::{Claimed, DeliveryFilter, DeliveryState, Seq, Stored};

use super::lane::{Deliveries, Lane, PAGE, Walk};
use super::{DIFFERENCES_MAX, MoveError, Run, Step};

/// Where a delivery stands in the order of booking.
type Place = (Seq, DeliveryId);

/// A digest of a delivery's row; `None` if it has none, being in its first state. Of a million that
/// wait, 60 MB are remembered.
pub(super) type Held = Option<[u8; 16]>;

/// Pages of the old store that are read at once.
const PAGES_AT_ONCE: usize = 4;

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
    ///
    /// Nobody but the mover writes to the new store, so it is only read for what was written; of the
    /// rest it holds what it held the last time.
    pub(super) async fn settle_deliveries(&mut self) -> Result<(), MoveError> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.held_at(self.open_places().await?).await?,
        };
        let written = std::mem::take(&mut self.rewritten);
        open.extend(self.held_at(written).await?);
        let places: Vec<Place> = open.keys().copied().collect();
        for places in places.chunks(PAGE * PAGES_AT_ONCE) {
            let from = self.from;
            let pages = places.chunks(PAGE).map(|page| from.delivery_rows_of(page));
            let wanted = try_join_all(pages).await?.concat();
            self.settle_some(places, wanted, &mut open).await?;
        }
        self.open = Some(open);
        Ok(())
    }

    /// The same for some places, of which the old store holds these rows.
    async fn settle_some(
        &mut self,
        places: &[Place],
        wanted: Vec<Claimed>,
        open: &mut BTreeMap<Place, Held>,
    ) -> Result<(), MoveError> {
        let moved: BTreeSet<Place> = wanted.iter().map(Deliveries::key).collect();
        let is_held = |place: &&Place| open.get(place).is_some_and(Option::is_some);
        let extra = places.iter().filter(is_held).filter(|place| !moved.contains(place));
        self.rewritten.extend(extra);
        let is_news = |row: &Claimed| open.get(&Deliveries::key(row)) != Some(&held(row));
        let (news, known): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_news);
        for news in news.chunks(PAGE) {
            self.to.put_deliveries(news.to_vec()).await?;
            let places: Vec<Place> = news.iter().map(Deliveries::key).collect();
            let found = self.to.delivery_rows_of(&places).await?;
            let differing = only_in(news, &found).chain(only_in(&found, news));
            self.rewritten.extend(differing.map(Deliveries::key));
            open.extend(places.into_iter().map(|place| (place, None)));
            open.extend(found.iter().map(|row| (Deliveries::key(row), held(row))));
        }
        for row in news.iter().chain(&known).filter(|row| !row.delivery.state.is_open()) {
            open.remove(&Deliveries::key(row));
        }
        Ok(())
    }

    /// What the new store holds at these places.
    async fn held_at(&self, places: BTreeSet<Place>) -> Result<BTreeMap<Place, Held>, MoveError> {
        let places: Vec<Place> = places.into_iter().collect();
        let mut all: BTreeMap<Place, Held> = places.iter().map(|place| (*place, None)).collect();
        for places in places.chunks(PAGE) {
            let rows = self.to.delivery_rows_of(places).await?;
            all.extend(rows.iter().map(|row| (Deliveries::key(row), held(row))));
        }
        Ok(all)
    }

    /// Remembers that the messages of records that were copied are open.
    pub(super) fn note_open(&mut self, records: &[Stored]) {
        if let Some(open) = &mut self.open {
            for Stored { seq, record, .. } in records {
                open.extend(record.messages.iter().map(|message| ((*seq, message.id), None)));
            }
        }
    }

    /// How many deliveries are looked at in each round.
    pub(super) fn waiting(&self) -> usize {
        self.open.as_ref().map_or(0, BTreeMap::len)
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

/// What tells one row of a delivery from another. All else of it is its record's.
fn held(row: &Claimed) -> Held {
    let Claimed { delivery, fence } = row;
    let mut hasher = blake3::Hasher::new();
    hasher.update(delivery.state.name().as_bytes());
    hasher.update(&fence.to_be_bytes());
    hasher.update(&delivery.attempts.to_be_bytes());
    for at in [delivery.due_at, delivery.last.as_ref().map(|last| last.at)] {
        hasher.update(&[u8::from(at.is_some())]);
        hasher.update(&at.unwrap_or_default().0.to_be_bytes());
    }
    if let Some(last) = &delivery.last {
        hasher.update(&last.status.unwrap_or_default().to_be_bytes());
        hasher.update(&last.duration_ms.to_be_bytes());
        hasher.update(last.note.as_bytes());
    }
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    Some(short)
}

/// Rows that are not the same in the other list; both are in order.
fn only_in<'a>(rows: &'a [Claimed], others: &'a [Claimed]) -> impl Iterator<Item = &'a Claimed> {
    rows.iter().filter(|row| {
        let at = others.binary_search_by_key(&Deliveries::key(row), Deliveries::key);
        at.map_or(true, |at| others[at] != **row)
    })
}
