//! What all ports and lanes of one store share.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::ids::{DeliveryId, UserKey};

use crate::client::Db;
use crate::error::Failed;
use crate::head::Head;
use crate::keys;
use crate::merge::Places;
use crate::outbox::Queues;
use crate::requests::Request;
use crate::value::Item;

/// The table and what is remembered of it.
#[derive(Debug)]
pub(crate) struct Base {
    /// The table.
    pub(crate) db: Db,
    /// Shards of the journal, fixed when the table is made.
    pub(crate) shards: u32,
    /// Places that are known already.
    pub(crate) places: Places,
    /// Whose turn it is to write to the outbox.
    pub(crate) queues: Queues,
    /// Counts records of nobody, which go to the shards in turn.
    nobodys: AtomicU32,
}

impl Base {
    pub(crate) fn new(db: Db, shards: u32) -> Self {
        Self {
            db,
            shards,
            places: Places::default(),
            queues: Queues::new(shards),
            nobodys: AtomicU32::default(),
        }
    }

    /// The shard of a user, for ever.
    pub(crate) fn shard_of(&self, user: &UserKey) -> u32 {
        keys::shard_of(user.prefix(), self.shards)
    }

    /// The shard of a delivery, which is its user's.
    pub(crate) fn shard_of_delivery(&self, id: DeliveryId) -> u32 {
        keys::shard_of(id.prefix(), self.shards)
    }

    /// Where every shard stands.
    pub(crate) async fn read_shards(&self) -> Result<Vec<Head>, Failed> {
        let keys: Vec<_> = (0..self.shards).map(keys::head).collect();
        let found = self.db.batch_get(Request::ReadShards, &keys, true).await?;
        let missing = || Failed::corrupt("the head of a shard is gone");
        let head = |item: Option<Item>| Head::from_item(&item.ok_or_else(missing)?);
        found.into_iter().map(head).collect()
    }

    /// A shard for a record of nobody.
    pub(crate) fn any_shard(&self) -> u32 {
        self.nobodys.fetch_add(1, Ordering::Relaxed) % self.shards
    }
}
