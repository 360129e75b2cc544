//! A cache in the memory of this process.
//!
//! Other nodes do not hear of what is changed here: with more than one node an entry may be behind
//! their commits for as long as it counts as fresh.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache as Moka;
use store::memory::Slot;
use store::{Ages, Allowance, Cache, CacheKey, Entry, Found, Rate, Ticket};

use crate::local_buckets::LocalBuckets;
use crate::tickets::Tickets;

/// What a slot takes beside the bytes in it: itself, its key, and the cache's own book-keeping.
const SLOT_BYTES: usize = 256;
/// A slot that is removed has to be remembered for as long as a ticket that was given before may be
/// used; this is the longest that is ever asked for.
const KEPT_MAX: Duration = Duration::from_secs(3_600);

/// Entries in memory, up to so many bytes; what is asked for seldom goes first.
pub struct InProcess {
    begun: Instant,
    tickets: Tickets,
    slots: Moka<CacheKey, Held>,
    buckets: LocalBuckets,
}

#[derive(Clone)]
struct Held {
    slot: Slot,
    kept: Duration,
}

impl InProcess {
    /// An empty cache of at most `bytes`.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let weigh = |_: &CacheKey, held: &Held| {
            u32::try_from(SLOT_BYTES + held.slot.bytes()).unwrap_or(u32::MAX)
        };
        let slots =
            Moka::builder().max_capacity(bytes).weigher(weigh).expire_after(WhenKept).build();
        Self { begun: Instant::now(), tickets: Tickets::new(), slots, buckets: LocalBuckets::new() }
    }

    /// Bytes that are taken at the moment.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.slots.run_pending_tasks();
        self.slots.weighted_size()
    }

    /// Changes a slot while nobody else does, and gives what `work` makes of it.
    fn change<T: Default>(
        &self,
        key: CacheKey,
        ages: &Ages,
        work: impl FnOnce(&mut Slot, Duration) -> T,
    ) -> T {
        let mut made = T::default();
        self.slots.entry(key).and_compute_with(|held| {
            let mut slot = held.map(|held| held.into_value().slot).unwrap_or_default();
            // Read inside, so that moments are in the order of the changes.
            made = work(&mut slot, self.begun.elapsed());
            Op::Put(Held { slot, kept: ages.kept.min(KEPT_MAX) })
        });
        made
    }
}

#[async_trait]
impl Cache for InProcess {
    async fn get(&self, key: CacheKey, ages: &Ages) -> Found {
        // Most looks find something young, and change nothing.
        if let Some(Held { slot, .. }) = self.slots.get(&key)
            && let Some(found) = slot.young(self.begun.elapsed(), ages)
        {
            return found;
        }
        self.change(key, ages, |slot, now| slot.get(self.tickets.next(), now, ages))
    }

    async fn put(&self, key: CacheKey, ticket: Ticket, entry: Entry, ages: &Ages) -> bool {
        self.change(key, ages, |slot, now| slot.put(ticket, entry, now, ages))
    }

    async fn remove(&self, key: CacheKey, below: u64, ages: &Ages) -> bool {
        self.change(key, ages, |slot, _| slot.remove(below));
        true
    }

    async fn take(&self, bucket: CacheKey, rate: Rate) -> Allowance {
        self.buckets.take(bucket, rate)
    }
}

struct WhenKept;

impl Expiry<CacheKey, Held> for WhenKept {
    fn expire_after_create(&self, _: &CacheKey, held: &Held, _: Instant) -> Option<Duration> {
        Some(held.kept)
    }

    fn expire_after_update(
        &self,
        _: &CacheKey,
        held: &Held,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(held.kept)
    }
}
