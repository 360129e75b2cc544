//! The cache: what may be forgotten at any time without a wrong answer, and buckets of tokens.
//!
//! Whatever goes wrong is a miss, so nothing here fails. What keeps a cached answer right is the
//! *ticket*: whoever misses gets one, reads the truth after that, and may put what he has read only
//! while the cache still knows the ticket. A removal takes the tickets back, and a cache that has lost
//! its memory knows none, so a slow reader never puts back what somebody else has changed meanwhile,
//! however late his words arrive. Ages count from the ticket, that is from before the truth was read.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ids::Derivation;

/// What something is cached under: a hash of what it is and whose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CacheKey(pub [u8; 16]);

impl CacheKey {
    /// The key of that kind of thing with that id.
    #[must_use]
    pub fn of(kind: &str, id: &[u8]) -> Self {
        let mut hash = Derivation::new("guerdon cache 1");
        hash.text(kind).bytes(id);
        Self(hash.whole())
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How old what is read may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ages {
    /// From this age on, one reader is asked to refresh it.
    pub early: Duration,
    /// From this age on it is stale: nobody takes it for the truth, and a ticket is too old to put.
    pub fresh: Duration,
    /// From this age on it is gone.
    pub kept: Duration,
}

/// The right to put what is read from now on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ticket(pub u64);

/// What is cached under a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// The version of what was read.
    pub version: u64,
    /// What was read.
    pub bytes: Arc<[u8]>,
}

/// What a look into the cache finds. The default is what a cache that fails finds: nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// What is cached, with its age; fresh or stale.
    pub entry: Option<(Entry, Duration)>,
    /// A ticket: to all who miss, and to one of those who find something that is to be refreshed.
    pub ticket: Option<Ticket>,
}

/// How many tokens a bucket has and how fast it fills.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Tokens that come back in a minute; at least 1.
    pub per_minute: u32,
    /// Tokens of a full bucket; at least 1.
    pub burst: u32,
}

/// Microseconds of a minute.
const MINUTE_US: u64 = 60_000_000;

impl Rate {
    /// Time after which one token has come back, in microseconds.
    #[must_use]
    pub fn interval_us(&self) -> u64 {
        (MINUTE_US / u64::from(self.per_minute.max(1))).max(1)
    }

    /// Time after which an empty bucket is full, in microseconds.
    #[must_use]
    pub fn fill_us(&self) -> u64 {
        self.interval_us() * u64::from(self.burst.max(1))
    }

    /// Takes one token out of a bucket that is full again at `full_at_us` and says when it will be
    /// full then; or how long to wait for a token. A bucket that was never used is full since 0.
    ///
    /// # Errors
    /// The wait.
    pub fn take(&self, full_at_us: u64, now_us: u64) -> Result<u64, Duration> {
        // A clock that was set back must not lock anybody out for longer than a bucket takes.
        let full_at = full_at_us.clamp(now_us, now_us + self.fill_us());
        let next = full_at + self.interval_us();
        match next.saturating_sub(now_us).checked_sub(self.fill_us()) {
            None | Some(0) => Ok(next),
            Some(wait) => Err(Duration::from_micros(wait)),
        }
    }
}

/// Whether a token was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allowance {
    /// It was, and is taken.
    Allowed,
    /// It was not.
    Refused {
        /// When there will be one, if nobody else takes it.
        retry_after: Duration,
    },
}

/// What may be forgotten at any time.
#[async_trait]
pub trait Cache: Send + Sync {
    /// Looks. What has the age `fresh` or more is only for those who have nothing better.
    async fn get(&self, key: CacheKey, ages: &Ages) -> Found;

    /// Puts what was read after `ticket` was given, and says whether it is kept. It is refused if the
    /// ticket is not known any more, is used up or is older than `fresh`, and if its version is below
    /// one that was put or asked for by a removal.
    async fn put(&self, key: CacheKey, ticket: Ticket, entry: Entry, ages: &Ages) -> bool;

    /// Forgets what is older than version `below`, takes the tickets back, and says whether that is
    /// certain. If it is not, what was cached may still be found until it is stale.
    async fn remove(&self, key: CacheKey, below: u64, ages: &Ages) -> bool;

    /// Takes a token out of a bucket. A cache that fails asks a bucket of this node's own.
    async fn take(&self, bucket: CacheKey, rate: Rate) -> Allowance;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_one_token_at_a_time() {
        let rate = Rate { per_minute: 60, burst: 3 };
        let start = 10_000_000;
        let mut full_at = 0;
        for _ in 0..3 {
            full_at = rate.take(full_at, start).unwrap();
        }
        assert_eq!(full_at, start + 3_000_000);
        assert_eq!(rate.take(full_at, start), Err(Duration::from_secs(1)));
        assert_eq!(rate.take(full_at, start + 400_000), Err(Duration::from_millis(600)));
        assert_eq!(rate.take(full_at, start + 1_000_000), Ok(start + 4_000_000));
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out_for_long() {
        let rate = Rate { per_minute: 60, burst: 3 };
        assert_eq!(rate.take(u64::MAX / 2, 5_000_000), Err(Duration::from_secs(1)));
    }

    #[test]
    fn nonsense_is_a_slow_bucket_and_no_panic() {
        let rate = Rate { per_minute: 0, burst: 0 };
        let full_at = rate.take(0, 7).unwrap();
        assert_eq!(rate.take(full_at, 7), Err(Duration::from_secs(60)));
        let fast = Rate { per_minute: u32::MAX, burst: u32::MAX };
        assert_eq!(fast.take(0, 7), Ok(8));
    }
}
