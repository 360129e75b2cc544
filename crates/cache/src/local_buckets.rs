//! Buckets of tokens of this node alone.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use store::{Allowance, CacheKey, Rate};

/// Buckets that are kept at once, about 100 bytes each. One that is forgotten is full, so a flood of
/// callers is limited less strictly, but never fills the memory.
const BUCKETS_MAX: u64 = 100_000;

/// Buckets by key. A bucket that is full is the same as none, and is dropped then.
pub(crate) struct LocalBuckets {
    begun: Instant,
    buckets: Cache<CacheKey, Bucket>,
}

/// When a bucket is full, in microseconds since the beginning.
#[derive(Clone, Copy)]
struct Bucket {
    full_at_us: u64,
    fills_in: Duration,
}

impl LocalBuckets {
    pub(crate) fn new() -> Self {
        let buckets = Cache::builder().max_capacity(BUCKETS_MAX).expire_after(WhenFull).build();
        Self { begun: Instant::now(), buckets }
    }

    /// See [`store::Cache::take`].
    pub(crate) fn take(&self, key: CacheKey, rate: Rate) -> Allowance {
        let mut allowance = Allowance::Allowed;
        self.buckets.entry(key).and_compute_with(|entry| {
            let now = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            let full_at = entry.map_or(0, |entry| entry.into_value().full_at_us);
            match rate.take(full_at, now) {
                Ok(full_at_us) => {
                    let fills_in = Duration::from_micros(full_at_us.saturating_sub(now));
                    Op::Put(Bucket { full_at_us, fills_in })
                }
                Err(retry_after) => {
                    allowance = Allowance::Refused { retry_after };
                    Op::Nop
                }
            }
        });
        allowance
    }
}

struct WhenFull;

impl Expiry<CacheKey, Bucket> for WhenFull {
    fn expire_after_create(&self, _: &CacheKey, bucket: &Bucket, _: Instant) -> Option<Duration> {
        Some(bucket.fills_in)
    }

    fn expire_after_update(
        &self,
        _: &CacheKey,
        bucket: &Bucket,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(bucket.fills_in)
    }
}
