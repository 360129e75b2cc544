//! The list of an endpoint in the order of places, and single deliveries.
//!
//! Everything, and what was delivered, is listed from the entries that commits write: one feed for
//! each shard, merged by place, and cut where the merge ended that came before. Deliveries in any
//! other state are few among many, so they are found in the index, which may be a moment late, and
//! then looked at.

use std::collections::VecDeque;

use domain::ids::DeliveryId;
use futures_util::future::try_join_all;
use store::{Delivery, DeliveryFilter, DeliveryState, Endpoint, Seq};

use super::birth::listed_from_item;
use crate::base::Base;
use crate::client::Query;
use crate::error::Failed;
use crate::keys::{self, Spot};
use crate::merge::MergeHead;
use crate::requests::Request;

/// Fewest entries that a feed reads at a time.
const FEED_MIN: usize = 16;
/// Most deliveries that are read before the filter is asked again.
const CHUNK: usize = 500;

/// The list of one shard, read on as far as it is merged.
struct Feed {
    shard: u32,
    /// What was read and not taken yet: the place of each record, and its deliveries.
    ready: VecDeque<(Seq, Vec<DeliveryId>)>,
    /// Where to read on.
    after: Spot,
    /// The last merged spot.
    end: Spot,
    is_at_end: bool,
}

impl Base {
    pub(super) async fn deliveries(
        &self,
        filter: &DeliveryFilter,
    ) -> Result<Vec<Delivery>, Failed> {
        let head = self.merge().await?;
        // The record of `after` may have more; what comes before is left out one by one.
        let from = filter.after.map_or(0, |(seq, _)| seq.saturating_sub(1));
        let after = self.spots_at(&head, from).await?;
        match filter.state {
            None | Some(DeliveryState::Delivered) => self.list(filter, &head, &after).await,
            Some(state) => self.list_few(filter, state, &head, &after).await,
        }
    }

    async fn list(
        &self,
        filter: &DeliveryFilter,
        head: &MergeHead,
        after: &[Spot],
    ) -> Result<Vec<Delivery>, Failed> {
        let endpoint = Endpoint { app: filter.app, mode: filter.mode };
        let mut feeds: Vec<Feed> = Vec::new();
        for ((mark, after), shard) in head.marks.iter().zip(after).zip(0..) {
            let (ready, end) = (VecDeque::new(), Spot::At(mark.position));
            feeds.push(Feed { shard, ready, after: *after, end, is_at_end: *after >= end });
        }
        let mut found = Vec::new();
        while found.len() < filter.limit {
            let size = (filter.limit - found.len()).min(CHUNK);
            let places = self.next_places(endpoint, &mut feeds, size, filter.after).await?;
            if places.is_empty() {
                break;
            }
            found.extend(self.deliveries_at(places, filter).await?);
        }
        found.truncate(filter.limit);
        Ok(found)
    }

    /// The next deliveries of all feeds in order: about so many, or fewer at the end.
    async fn next_places(
        &self,
        endpoint: Endpoint,
        feeds: &mut [Feed],
        size: usize,
        after: Option<(Seq, DeliveryId)>,
    ) -> Result<Vec<(Seq, DeliveryId)>, Failed> {
        let batch = (2 * size / feeds.len().max(1)).max(FEED_MIN);
        let mut places = Vec::new();
        while places.len() < size {
            let empty = feeds.iter_mut().filter(|feed| feed.ready.is_empty() && !feed.is_at_end);
            try_join_all(empty.map(|feed| self.read_on(endpoint, feed, batch))).await?;
            let first = feeds.iter_mut().filter(|feed| !feed.ready.is_empty());
            let first = first.min_by_key(|feed| feed.ready.front().map(|(seq, _)| *seq));
            let Some((seq, ids)) = first.and_then(|feed| feed.ready.pop_front()) else { break };
            let ids = ids.into_iter().map(|id| (seq, id));
            places.extend(ids.filter(|place| after.is_none_or(|after| *place > after)));
        }
        Ok(places)
    }

    async fn read_on(
        &self,
        endpoint: Endpoint,
        feed: &mut Feed,
        batch: usize,
    ) -> Result<(), Failed> {
        let query = Query::of(keys::list(endpoint, feed.shard));
        let query = query.after(&feed.after.text()).to(feed.end.text()).limit(batch);
        let items = self.db.query(Request::ListDeliveries, &query).await?;
        feed.is_at_end = items.len() < batch;
        let read = items.iter().map(listed_from_item).collect::<Result<Vec<_>, _>>()?;
        let spots: Vec<_> = read.iter().map(|(spot, _)| (feed.shard, *spot)).collect();
        let places = self.places_of(&spots).await?;
        if let Some((last, _)) = read.last() {
            feed.after = *last;
        }
        feed.ready.extend(places.into_iter().zip(read.into_iter().map(|(_, ids)| ids)));
        Ok(())
    }

    async fn list_few(
        &self,
        filter: &DeliveryFilter,
        state: DeliveryState,
        head: &MergeHead,
        after: &[Spot],
    ) -> Result<Vec<Delivery>, Failed> {
        let endpoint = Endpoint { app: filter.app, mode: filter.mode };
        let mut entries = self.entries_in(endpoint, state, after).await?;
        entries.retain(|(shard, spot, _)| {
            let mark = head.marks.get(*shard as usize);
            mark.is_some_and(|mark| *spot <= Spot::At(mark.position))
        });
        let spots: Vec<_> = entries.iter().map(|(shard, spot, _)| (*shard, *spot)).collect();
        let places = self.places_of(&spots).await?;
        let ids = entries.into_iter().map(|(_, _, id)| id);
        let mut places: Vec<(Seq, DeliveryId)> = places.into_iter().zip(ids).collect();
        places.retain(|place| filter.after.is_none_or(|after| *place > after));
        places.sort_unstable();
        let mut found = Vec::new();
        for part in places.chunks(CHUNK) {
            if found.len() >= filter.limit {
                break;
            }
            found.extend(self.deliveries_at(part.to_vec(), filter).await?);
        }
        found.truncate(filter.limit);
        Ok(found)
    }

    /// Reads deliveries whose places are known, and leaves out what the filter does not want.
    async fn deliveries_at(
        &self,
        places: Vec<(Seq, DeliveryId)>,
        filter: &DeliveryFilter,
    ) -> Result<Vec<Delivery>, Failed> {
        let ids: Vec<DeliveryId> = places.iter().map(|(_, id)| *id).collect();
        let rows = places.into_iter().zip(self.rows(&ids).await?);
        let mut found = Vec::new();
        for ((seq, id), row) in rows {
            let row = row.ok_or_else(|| Failed::corrupt(format!("the delivery {id} is gone")))?;
            if filter.state.is_none_or(|state| state == row.state) {
                found.push(row.delivery(seq));
            }
        }
        Ok(found)
    }

    /// Those of some deliveries that are there.
    pub(super) async fn deliveries_of(&self, ids: &[DeliveryId]) -> Result<Vec<Delivery>, Failed> {
        let mut found = Vec::new();
        for part in ids.chunks(CHUNK) {
            let rows: Vec<_> = self.rows(part).await?.into_iter().flatten().collect();
            let spots: Vec<_> =
                rows.iter().map(|row| (self.shard_of(&row.user), row.spot)).collect();
            let places = self.places_of(&spots).await?;
            found.extend(rows.into_iter().zip(places).map(|(row, seq)| row.delivery(seq)));
        }
        Ok(found)
    }
}
