//! Every committed change in order.

use async_trait::async_trait;
use domain::journal::{Chain, Record};

use crate::StoreError;

/// Place of a record in the journal; grows, and has no gaps within one shard. The first is 1.
pub type Seq = u64;

/// A record with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its place.
    pub seq: Seq,
    /// The user's chain with this record on it; zero for a record without a user.
    pub chain: Chain,
    /// The record.
    pub record: Record,
}

/// The journal.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Adds a trace that changes nobody's state: an event without a user, a refusal, a duplicate.
    /// Durable when this returns. A trace carries no transaction, move or message, and does not
    /// lengthen anybody's chain, but is found with its user's records.
    async fn append(&self, trace: Record) -> Result<(), StoreError>;

    /// Records after `after`, in order, at most `limit`. A record is never seen before one that
    /// precedes it, so a reader that remembers the last place misses nothing.
    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError>;

    /// The place of the newest record; 0 if there is none.
    async fn head(&self) -> Result<Seq, StoreError>;

    /// Whether the order of places is, over all users, the order in which the changes were made.
    ///
    /// Everywhere each user's records are in their order, and so are the limits of one line item. A
    /// store of many shards orders no more than that, until somebody asks: what was committed before
    /// a call of `head` or `read` has its place before what is committed after it. Nor does a store that
    /// was filled from such a one; see `Transfer::put_order`.
    fn is_total_order(&self) -> bool;
}
