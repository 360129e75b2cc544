//! Every adapter passes the contract; those on Redis against a real node and a real cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cache::{Hints, InProcess, Nothing, RedisSettings, Shape, Shared};
use services::{RedisCluster, RedisNode};
use store::contract::{BrokerFixture, CacheFixture, Failure, broker_cases, cache_cases, run_side};
use store::{Ages, Broker, Cache, CacheKey, Entry};

/// Far longer than Redis takes, so that a busy machine makes no misses.
const PATIENCE: Duration = Duration::from_secs(10);

struct InMemory;

#[async_trait]
impl CacheFixture for InMemory {
    async fn fresh(&self) -> Result<Arc<dyn Cache>, Failure> {
        Ok(Arc::new(InProcess::new(1 << 20)))
    }
}

struct WithoutCache;

#[async_trait]
impl CacheFixture for WithoutCache {
    async fn fresh(&self) -> Result<Arc<dyn Cache>, Failure> {
        Ok(Arc::new(Nothing::new()))
    }
}

/// Redis; each case has keys of its own on it.
struct OnRedis {
    shape: Shape,
    urls: Vec<String>,
    cases: AtomicU32,
}

impl OnRedis {
    fn new(shape: Shape, urls: Vec<String>) -> Self {
        Self { shape, urls, cases: AtomicU32::new(0) }
    }

    fn settings(&self) -> RedisSettings {
        let case = self.cases.fetch_add(1, Ordering::Relaxed);
        let mut settings = RedisSettings::new(self.shape, self.urls.clone());
        settings.prefix = format!("case{case}");
        settings.answer_within = PATIENCE;
        settings
    }
}

#[async_trait]
impl CacheFixture for OnRedis {
    async fn fresh(&self) -> Result<Arc<dyn Cache>, Failure> {
        let shared =
            Shared::open(&self.settings()).map_err(|error| Failure::new(error.to_string()))?;
        while shared.problem().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(Arc::new(shared))
    }
}

#[async_trait]
impl BrokerFixture for OnRedis {
    async fn pair(&self) -> Result<(Arc<dyn Broker>, Arc<dyn Broker>), Failure> {
        let settings = self.settings();
        // The other node begins with another address, as nodes of a cluster may.
        let mut others = settings.clone();
        others.urls.rotate_left(1);
        let open = |settings| Hints::open(settings).map_err(|one| Failure::new(one.to_string()));
        Ok((Arc::new(open(&settings)?), Arc::new(open(&others)?)))
    }
}

#[tokio::test]
async fn the_cache_in_process_passes_every_case() {
    run_side(cache_cases(), &InMemory as &dyn CacheFixture).await.unwrap();
}

#[tokio::test]
async fn the_cache_in_process_keeps_to_its_bytes() {
    const BYTES: u64 = 100_000;
    let cache = InProcess::new(BYTES);
    let hour = Duration::from_secs(3_600);
    let ages = Ages { early: hour, fresh: hour, kept: hour };
    let mut kept = 0;
    for number in 0..1_000_u64 {
        let key = CacheKey::of("user", &number.to_le_bytes());
        let ticket = cache.get(key, &ages).await.ticket.unwrap();
        let entry = Entry { version: 1, bytes: vec![7; 1_000].into() };
        kept += u64::from(cache.put(key, ticket, entry, &ages).await);
        assert!(cache.bytes() <= BYTES, "{} bytes after {number} users", cache.bytes());
    }
    // What is asked for seldom is pushed out, and nothing is pushed out needlessly.
    assert!(kept > 50 && cache.bytes() > BYTES / 2, "{kept} kept, {} bytes", cache.bytes());
}

#[tokio::test]
async fn no_cache_still_has_buckets() {
    let mut cases = cache_cases();
    cases.retain(|case| case.name.starts_with("cache_take_"));
    assert_eq!(run_side(cases, &WithoutCache as &dyn CacheFixture).await.unwrap(), 3);
}

#[tokio::test]
async fn one_redis_node_passes_every_case() {
    let node = RedisNode::start().unwrap();
    let redis = OnRedis::new(Shape::One, vec![node.url()]);
    run_side(cache_cases(), &redis as &dyn CacheFixture).await.unwrap();
    run_side(broker_cases(), &redis as &dyn BrokerFixture).await.unwrap();
}

#[tokio::test]
async fn a_redis_cluster_passes_every_case() {
    let cluster = RedisCluster::start(3, 0).unwrap();
    let redis = OnRedis::new(Shape::Cluster, cluster.urls());
    run_side(cache_cases(), &redis as &dyn CacheFixture).await.unwrap();
    run_side(broker_cases(), &redis as &dyn BrokerFixture).await.unwrap();
}
