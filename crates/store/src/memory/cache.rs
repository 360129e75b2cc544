//! `Cache` in memory, and the [`Slot`] that every cache in a process is made of.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::lock;
use crate::{Ages, Allowance, Cache, CacheKey, Entry, Found, Rate, Ticket};

/// The cache in memory. It forgets nothing by itself and has no limit.
#[derive(Debug)]
pub struct MemoryCache {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    slots: HashMap<CacheKey, Slot>,
    buckets: HashMap<CacheKey, u64>,
    tickets: u64,
}

impl MemoryCache {
    /// An empty cache.
    #[must_use]
    pub fn new() -> Self {
        Self { begun: Instant::now(), inner: Mutex::default() }
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Default for MemoryCache {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: CacheKey, ages: &Ages) -> Found {
        let now = self.now();
        let mut inner = lock(&self.inner);
        inner.tickets += 1;
        let ticket = Ticket(inner.tickets);
        inner.slots.entry(key).or_default().get(ticket, now, ages)
    }

    async fn put(&self, key: CacheKey, ticket: Ticket, entry: Entry, ages: &Ages) -> bool {
        let now = self.now();
        lock(&self.inner).slots.entry(key).or_default().put(ticket, entry, now, ages)
    }

    async fn remove(&self, key: CacheKey, below: u64, _ages: &Ages) -> bool {
        lock(&self.inner).slots.entry(key).or_default().remove(below);
        true
    }

    async fn take(&self, bucket: CacheKey, rate: Rate) -> Allowance {
        let now = u64::try_from(self.now().as_micros()).unwrap_or(u64::MAX);
        let mut inner = lock(&self.inner);
        let full_at = inner.buckets.entry(bucket).or_default();
        match rate.take(*full_at, now) {
            Ok(next) => {
                *full_at = next;
                Allowance::Allowed
            }
            Err(retry_after) => Allowance::Refused { retry_after },
        }
    }
}

/// What is known of one key: an entry, a ticket that is out, and the version below which nothing is
/// taken. Moments are counted from any beginning that its owner keeps to.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    entry: Option<(Entry, Duration)>,
    ticket: Option<(Ticket, Duration)>,
    floor: u64,
}

impl Slot {
    /// See [`Cache::get`]; `new` is given out if a ticket is called for and none is out.
    pub fn get(&mut self, new: Ticket, now: Duration, ages: &Ages) -> Found {
        let age = |since: Duration| now.saturating_sub(since);
        let entry = self.entry.as_ref().map(|(entry, since)| (entry, age(*since)));
        let entry = entry.filter(|(_, age)| *age < ages.kept);
        let is_fresh = entry.is_some_and(|(_, age)| age < ages.fresh);
        let is_young = entry.is_some_and(|(_, age)| age < ages.early);
        let out = self.ticket.filter(|(_, since)| age(*since) < ages.early);
        let ticket = match out {
            _ if is_young => None,
            Some((out, _)) => (!is_fresh).then_some(out),
            None => {
                self.ticket = Some((new, now));
                Some(new)
            }
        };
        Found { entry: entry.map(|(entry, age)| (entry.clone(), age)), ticket }
    }

    /// What [`Slot::get`] finds if it changes nothing, because the entry is young.
    #[must_use]
    pub fn young(&self, now: Duration, ages: &Ages) -> Option<Found> {
        let (entry, since) = self.entry.as_ref()?;
        let age = now.saturating_sub(*since);
        let is_young = age < ages.early.min(ages.kept);
        is_young.then(|| Found { entry: Some((entry.clone(), age)), ticket: None })
    }

    /// See [`Cache::put`].
    pub fn put(&mut self, ticket: Ticket, entry: Entry, now: Duration, ages: &Ages) -> bool {
        let Some((_, since)) = self.ticket.filter(|(out, _)| *out == ticket) else { return false };
        let known = self.entry.as_ref().map_or(0, |(entry, _)| entry.version);
        let is_late = now.saturating_sub(since) >= ages.fresh;
        if is_late || entry.version < self.floor.max(known) {
            return false;
        }
        (self.entry, self.ticket) = (Some((entry, since)), None);
        true
    }

    /// See [`Cache::remove`].
    pub fn remove(&mut self, below: u64) {
        if below <= self.floor {
            return;
        }
        (self.floor, self.ticket) = (below, None);
        self.entry.take_if(|(entry, _)| entry.version < below);
    }

    /// What it takes of memory beside the struct itself, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entry.as_ref().map_or(0, |(entry, _)| entry.bytes.len())
    }
}
