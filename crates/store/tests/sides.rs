//! The cache and the broker in memory pass the contract, and ones with a planted fault do not.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::contract::{BrokerFixture, CacheFixture, Failure, broker_cases, cache_cases, run_side};
use store::memory::{MemoryBroker, MemoryCache};
use store::{Ages, Allowance, Broker, Cache, CacheKey, Entry, Found, Rate, Ticket, Topic};

/// What is wrong with a cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    None,
    /// Takes whatever is put, with any ticket.
    IgnoresTickets,
    /// Forgets which version a removal has asked for.
    IgnoresVersions,
    /// Says that it has removed what it keeps.
    KeepsWhatIsRemoved,
    /// Takes what was read long ago.
    IgnoresAges,
    /// Never refuses a token.
    IgnoresRates,
}

struct Broken {
    inner: MemoryCache,
    fault: Fault,
}

const FOREVER: Ages = Ages { early: Duration::MAX, fresh: Duration::MAX, kept: Duration::MAX };

#[async_trait]
impl Cache for Broken {
    async fn get(&self, key: CacheKey, ages: &Ages) -> Found {
        self.inner.get(key, ages).await
    }

    async fn put(&self, key: CacheKey, ticket: Ticket, entry: Entry, ages: &Ages) -> bool {
        let early = Ages { early: Duration::ZERO, ..*ages };
        let ticket = match self.fault {
            Fault::IgnoresTickets => self.inner.get(key, &early).await.ticket.unwrap_or(ticket),
            _ => ticket,
        };
        let ages = if self.fault == Fault::IgnoresAges { &FOREVER } else { ages };
        self.inner.put(key, ticket, entry, ages).await
    }

    async fn remove(&self, key: CacheKey, below: u64, ages: &Ages) -> bool {
        match self.fault {
            Fault::KeepsWhatIsRemoved => true,
            Fault::IgnoresVersions => self.inner.remove(key, 1, ages).await,
            _ => self.inner.remove(key, below, ages).await,
        }
    }

    async fn take(&self, bucket: CacheKey, rate: Rate) -> Allowance {
        match self.fault {
            Fault::IgnoresRates => Allowance::Allowed,
            _ => self.inner.take(bucket, rate).await,
        }
    }
}

#[async_trait]
impl CacheFixture for Fault {
    async fn fresh(&self) -> Result<Arc<dyn Cache>, Failure> {
        Ok(Arc::new(Broken { inner: MemoryCache::new(), fault: *self }))
    }
}

struct Brokers;

#[async_trait]
impl BrokerFixture for Brokers {
    async fn pair(&self) -> Result<(Arc<dyn Broker>, Arc<dyn Broker>), Failure> {
        let one = MemoryBroker::new();
        Ok((Arc::new(one.clone()), Arc::new(one)))
    }
}

#[tokio::test]
async fn the_cache_in_memory_passes_every_case() {
    let passed = run_side(cache_cases(), &Fault::None as &dyn CacheFixture).await.unwrap();
    assert_eq!(passed, cache_cases().len());
}

#[tokio::test]
async fn the_broker_in_memory_passes_every_case() {
    run_side(broker_cases(), &Brokers as &dyn BrokerFixture).await.unwrap();
}

#[tokio::test]
async fn every_planted_fault_is_found() {
    let table = [
        (Fault::IgnoresTickets, "cache_put_without_its_ticket_is_refused"),
        (Fault::IgnoresTickets, "cache_put_with_a_stale_ticket_is_refused"),
        (Fault::IgnoresVersions, "cache_put_of_an_older_version_is_refused"),
        (Fault::KeepsWhatIsRemoved, "cache_put_after_a_removal_is_refused"),
        (Fault::KeepsWhatIsRemoved, "cache_remove_forgets_what_is_older"),
        (Fault::IgnoresAges, "cache_put_with_a_stale_ticket_is_refused"),
        (Fault::IgnoresRates, "cache_take_gives_the_burst_and_no_more"),
        (Fault::IgnoresRates, "cache_take_race_gives_the_burst"),
    ];
    for (fault, name) in table {
        let case = cache_cases().into_iter().find(|case| case.name == name).unwrap();
        assert!((case.run)(&fault).await.is_err(), "{fault:?} is not found by {name}");
    }
}

#[tokio::test]
async fn a_node_that_is_gone_is_not_told() {
    let (one, other) = (MemoryBroker::new(), MemoryBroker::new());
    drop(one.clone());
    one.hint(Topic::Work);
    let silence = tokio::time::timeout(Duration::ZERO, other.wait(Topic::Work)).await;
    assert!(silence.is_err(), "two brokers heard each other");
}
