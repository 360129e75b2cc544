//! No cache.

use async_trait::async_trait;
use store::{Ages, Allowance, Cache, CacheKey, Entry, Found, Rate, Ticket};

use crate::local_buckets::LocalBuckets;

/// Keeps no entries and gives no tickets. Buckets are this node's own.
pub struct Nothing(LocalBuckets);

impl Nothing {
    /// No cache.
    #[must_use]
    pub fn new() -> Self {
        Self(LocalBuckets::new())
    }
}

impl Default for Nothing {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Cache for Nothing {
    async fn get(&self, _key: CacheKey, _ages: &Ages) -> Found {
        Found::default()
    }

    async fn put(&self, _key: CacheKey, _ticket: Ticket, _entry: Entry, _ages: &Ages) -> bool {
        false
    }

    async fn remove(&self, _key: CacheKey, _below: u64, _ages: &Ages) -> bool {
        true
    }

    async fn take(&self, bucket: CacheKey, rate: Rate) -> Allowance {
        self.0.take(bucket, rate)
    }
}
