//! The messages of a record become deliveries, in the transaction of its commit.
//!
//! A reversal whose grant is in the same record waits for it from the beginning. Any other is queued
//! as if it could be sent, because a commit does not look at what became of the grant; the claim that
//! meets it does. A marker beside the grant leads from it to the reversal.

use std::collections::HashSet;

use domain::ids::{DeliveryId, UserKey};
use domain::journal::Record;
use store::Endpoint;

use super::row::Row;
use crate::error::Failed;
use crate::keys::{self, Key, Spot};
use crate::value::{Item, Read as _, bytes, item};
use crate::write::Write;

/// The ids of a list entry.
const IDS: &str = "ids";

/// What a record adds to a transaction because of its messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Births {
    /// Deliveries, which fail the transaction if they exist, then markers and the list entry.
    pub(crate) writes: Vec<Write>,
    /// How many deliveries are queued.
    pub(crate) queued: u64,
}

/// The deliveries of a record of that user.
pub(crate) fn births(record: &Record, user: UserKey, shard: u32, spot: Spot) -> Births {
    if record.messages.is_empty() {
        return Births::default();
    }
    let here: HashSet<DeliveryId> = record.messages.iter().map(|message| message.id).collect();
    let (mut writes, mut rest) = (Vec::new(), Vec::new());
    for message in &record.messages {
        let mut row = Row::new(user, spot, record.mode, message.clone(), record.at);
        if let Some(grant) = message.after {
            row.waits = here.contains(&grant);
            rest.push(Write::put(item(&marker(grant, message.id), [])));
        }
        writes.push(row.birth(shard));
    }
    let queued = writes.len() as u64;
    rest.extend(list_entries(record, shard, spot));
    writes.extend(rest);
    Births { writes, queued }
}

/// Where the list of each endpoint tells of the record; all messages of one have the same, as a rule.
fn list_entries(record: &Record, shard: u32, spot: Spot) -> Vec<Write> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for message in &record.messages {
        let endpoint = Endpoint { app: message.app, mode: record.mode };
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    let entry = |endpoint: Endpoint| {
        let own = record.messages.iter().filter(|message| message.app == endpoint.app);
        let mut ids: Vec<DeliveryId> = own.map(|message| message.id).collect();
        ids.sort_unstable();
        let ids: Vec<u8> = ids.into_iter().flat_map(|id| id.0).collect();
        let key = Key::new(keys::list(endpoint, shard), spot.text());
        Write::put(item(&key, [(IDS, bytes(ids))]))
    };
    endpoints.into_iter().map(entry).collect()
}

/// A list entry: where its record is, and the deliveries in order of their ids.
pub(super) fn listed_from_item(item: &Item) -> Result<(Spot, Vec<DeliveryId>), Failed> {
    let spot = Spot::parse(&item.key()?.sk);
    let ids = item.get_bytes(IDS)?.chunks(16).map(|id| id.try_into().ok().map(DeliveryId));
    match (spot, ids.collect()) {
        (Some(spot), Some(ids)) => Ok((spot, ids)),
        _ => Err(Failed::corrupt("an entry of the list of deliveries")),
    }
}

/// Sorts right after the grant, so that one query finds both.
fn marker(grant: DeliveryId, reversal: DeliveryId) -> Key {
    let Key { pk, sk } = keys::delivery(grant);
    Key::new(pk, format!("{sk}#{}", keys::hex(&reversal.0)))
}

/// The reversal that a marker leads to; `None` if the item is the delivery itself.
pub(super) fn marked(item: &Item) -> Result<Option<DeliveryId>, Failed> {
    let key = item.key()?;
    let mut parts = key.sk.split('#').skip(2);
    let bad = || Failed::corrupt(format!("the key {} of a delivery", key.sk));
    let id = parts.next().map(|id| keys::parse_hex(id).map(DeliveryId).ok_or_else(bad));
    id.transpose()
}
