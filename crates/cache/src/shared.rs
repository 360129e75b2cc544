//! A cache that all nodes share, on Redis.

use std::time::Duration;

use async_trait::async_trait;
use redis::Value;
use store::{Ages, Allowance, Cache, CacheKey, Entry, Found, Rate, Ticket};

use crate::local_buckets::LocalBuckets;
use crate::redis_line::Line;
use crate::redis_scripts::{Scripts, number};
use crate::redis_settings::{BadUrl, RedisSettings};
use crate::tickets::Tickets;

/// Entries and buckets on one Redis node or a Redis Cluster.
///
/// While Redis is gone a call costs next to nothing: it is a miss at once. How many bytes entries may
/// take is Redis's `maxmemory`; what it evicts is read from the store again.
pub struct Shared {
    line: Line,
    prefix: String,
    scripts: Scripts,
    tickets: Tickets,
    buckets: LocalBuckets,
}

impl Shared {
    /// Connects in the background, whether or not Redis is there. Call it within a Tokio runtime.
    ///
    /// # Errors
    /// [`BadUrl`].
    pub fn open(settings: &RedisSettings) -> Result<Self, BadUrl> {
        Ok(Self {
            line: Line::open(settings)?,
            prefix: settings.prefix.clone(),
            scripts: Scripts::new(),
            tickets: Tickets::new(),
            buckets: LocalBuckets::new(),
        })
    }

    /// What is wrong with Redis, in a sentence; `None` if nothing is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.line.problem()
    }

    /// The braces make the whole of what varies the part that a cluster finds the node by.
    fn key(&self, key: CacheKey) -> String {
        format!("{}:{{{key}}}", self.prefix)
    }
}

#[async_trait]
impl Cache for Shared {
    async fn get(&self, key: CacheKey, ages: &Ages) -> Found {
        let ticket = self.tickets.next().0.to_string();
        let [early, fresh, kept] = [ages.early, ages.fresh, ages.kept].map(millis);
        let args = [&ticket, &early, &fresh, &kept].map(|arg| arg.as_bytes());
        let answer = self.line.run(&self.scripts.get, &self.key(key), &args).await;
        answer.and_then(found).unwrap_or_default()
    }

    async fn put(&self, key: CacheKey, ticket: Ticket, entry: Entry, ages: &Ages) -> bool {
        let (ticket, version) = (ticket.0.to_string(), entry.version.to_string());
        let (fresh, kept) = (millis(ages.fresh), millis(ages.kept));
        let args: [&[u8]; 5] = [
            ticket.as_bytes(),
            version.as_bytes(),
            &entry.bytes,
            fresh.as_bytes(),
            kept.as_bytes(),
        ];
        let answer = self.line.run(&self.scripts.put, &self.key(key), &args).await;
        answer == Some(Value::Int(1))
    }

    async fn remove(&self, key: CacheKey, below: u64, ages: &Ages) -> bool {
        let (below, kept) = (below.to_string(), millis(ages.kept));
        let args = [below.as_bytes(), kept.as_bytes()];
        let answer = self.line.run(&self.scripts.remove, &self.key(key), &args).await;
        answer == Some(Value::Int(1))
    }

    async fn take(&self, bucket: CacheKey, rate: Rate) -> Allowance {
        let (interval, fill) = (rate.interval_us().to_string(), rate.fill_us().to_string());
        let args = [interval.as_bytes(), fill.as_bytes()];
        let answer = self.line.run(&self.scripts.take, &self.key(bucket), &args).await;
        match answer.as_ref().and_then(number) {
            Some(0) => Allowance::Allowed,
            Some(wait) => Allowance::Refused { retry_after: Duration::from_micros(wait) },
            None => self.buckets.take(bucket, rate),
        }
    }
}

/// Whole milliseconds.
fn millis(age: Duration) -> String {
    age.as_millis().min(u128::from(u32::MAX)).to_string()
}

/// Reads the answer to a look.
fn found(answer: Value) -> Option<Found> {
    let Value::Array(parts) = answer else { return None };
    let [version, age, bytes, ticket] = <[Value; 4]>::try_from(parts).ok()?;
    let entry = match (number(&version), number(&age), bytes) {
        (Some(version), Some(age), Value::BulkString(bytes)) => {
            Some((Entry { version, bytes: bytes.into() }, Duration::from_millis(age)))
        }
        _ => None,
    };
    Some(Found { entry, ticket: number(&ticket).map(Ticket) })
}
