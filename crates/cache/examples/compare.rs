//! What a cache would have to beat: one keyed read of a user from each store, beside one look into each
//! cache, on one machine in one run.
//!
//! `cargo run --release -p cache --example compare -- [SECONDS]`
//!
//! The stores load a user who has no runs yet, so that decoding him is next to nothing; the caches give
//! the bytes of a user, not decoded. What is read is young, as it is nearly always on a node for which a
//! cache pays. The servers are started for the run, on this machine: there is no network between them and the reader, so what is
//! far away in production looks closer here, Redis as well as the databases. The DynamoDB-compatible
//! server is not DynamoDB, and says little about it.

use std::future::Future;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cache::{InProcess, RedisSettings, Shape, Shared};
use domain::ids::UserKey;
use services::{Dynamo, MariaDb, RedisCluster, RedisNode};
use store::contract::sample;
use store::{Ages, Cache, CacheKey, Entry, Outcome, Users};
use store_dynamo::{DynamoStore, Place, SHARDS_DEFAULT};
use store_mysql::MysqlStore;
use store_sqlite::SqliteStore;
use tokio::task::JoinSet;

/// Users that are read, at random.
const USERS: usize = 2_000;
/// Callers at once.
const CALLERS: [usize; 2] = [1, 32];
/// Seconds for each line, unless told otherwise.
const SECONDS: u64 = 3;
/// Bytes of a cached user.
const BYTES: usize = 600;
/// How long Redis may take here, so that a busy machine makes no misses.
const PATIENCE: Duration = Duration::from_secs(5);
/// Nothing grows old during the run.
const AGES: Ages = Ages {
    early: Duration::from_secs(3_600),
    fresh: Duration::from_secs(3_600),
    kept: Duration::from_secs(3_600),
};

#[tokio::main]
async fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(SECONDS), |text| text.parse())?;
    let within = Duration::from_secs(seconds);
    say(&format!("{:<38} {:>7} {:>10} {:>8} {:>8}", "", "callers", "reads/s", "p50 us", "p99 us"))?;
    let memory: Arc<dyn Cache> = Arc::new(InProcess::new(64 << 20));
    caches("moka in process, get", memory, within).await?;
    let folder = tempfile::tempdir()?;
    let sqlite = SqliteStore::open(&folder.path().join("compare.db"), Default::default())?;
    stores("SQLite, load", Arc::new(sqlite), within).await?;
    let node = RedisNode::start()?;
    redis("Redis, get", Shape::One, vec![node.url()], within).await?;
    let cluster = RedisCluster::start(3, 0)?;
    redis("Redis Cluster of 3, get", Shape::Cluster, cluster.urls(), within).await?;
    let mariadb = MariaDb::start()?;
    let url = mariadb.url("compare");
    store_mysql::migrate(&url, Default::default(), &mut |_| {}).await?;
    let mysql = MysqlStore::connect(&url, Default::default()).await?;
    stores("MariaDB, load", Arc::new(mysql), within).await?;
    let dynamo = Dynamo::start()?;
    let place = Place {
        table: "compare".to_owned(),
        endpoint: Some(dynamo.endpoint()),
        region: Some("local".to_owned()),
        has_credentials: false,
    };
    store_dynamo::create(&place, SHARDS_DEFAULT).await?;
    let store = DynamoStore::open(&place).await?;
    stores("DynamoDB-compatible server, load", Arc::new(store), within).await
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot print")
}

/// Fills a store with users, and reads them.
async fn stores(name: &str, store: Arc<dyn Users>, within: Duration) -> Result<()> {
    let mut users: Vec<UserKey> = Vec::new();
    for number in 0..USERS {
        let loaded = sample::user(&format!("user {number}"));
        let change = sample::profile(&loaded, 30);
        users.push(change.state.key());
        let outcome = store.commit(change).await?;
        ensure!(matches!(outcome, Outcome::Applied(_)), "a user was not written: {outcome:?}");
    }
    let users = Arc::new(users);
    for callers in CALLERS {
        let (store, users) = (Arc::clone(&store), Arc::clone(&users));
        measure(name, callers, within, move |place| {
            let (store, users) = (Arc::clone(&store), Arc::clone(&users));
            async move { Ok(store.load(users[place]).await?.version == 1) }
        })
        .await?;
    }
    Ok(())
}

async fn redis(name: &str, shape: Shape, urls: Vec<String>, within: Duration) -> Result<()> {
    let mut settings = RedisSettings::new(shape, urls);
    settings.answer_within = PATIENCE;
    let shared = Shared::open(&settings)?;
    while shared.problem().is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    caches(name, Arc::new(shared), within).await
}

/// Fills a cache with users, and looks for them.
async fn caches(name: &str, cache: Arc<dyn Cache>, within: Duration) -> Result<()> {
    for place in 0..USERS {
        let ticket = cache.get(key(place), &AGES).await.ticket.context("no ticket")?;
        let entry = Entry { version: 1, bytes: vec![7; BYTES].into() };
        ensure!(cache.put(key(place), ticket, entry, &AGES).await, "a user was not put");
    }
    for callers in CALLERS {
        let cache = Arc::clone(&cache);
        measure(name, callers, within, move |place| {
            let cache = Arc::clone(&cache);
            async move { Ok(cache.get(key(place), &AGES).await.entry.is_some()) }
        })
        .await?;
    }
    Ok(())
}

fn key(place: usize) -> CacheKey {
    CacheKey::of("user", &place.to_le_bytes())
}

/// Reads until the time is up, each caller one user after the other, and prints a line.
async fn measure<Read>(
    name: &str,
    callers: usize,
    within: Duration,
    read: impl Fn(usize) -> Read + Clone + Send + 'static,
) -> Result<()>
where
    Read: Future<Output = Result<bool>> + Send,
{
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let (read, is_over) = (read.clone(), Arc::clone(&is_over));
        tasks.spawn(async move {
            let (mut times, mut place) = (Vec::new(), caller * 61);
            while !is_over.load(Ordering::Relaxed) {
                // A step that shares no factor with the number of users visits all of them.
                place = (place + 769) % USERS;
                let begun = Instant::now();
                ensure!(read(place).await?, "a user was not found");
                times.push(begun.elapsed());
                // What never waits would keep the others from their turn.
                tokio::task::consume_budget().await;
            }
            Ok(times)
        });
    }
    tokio::time::sleep(within).await;
    is_over.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for caller in tasks.join_all().await {
        times.extend(caller?);
    }
    times.sort_unstable();
    let at =
        |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_nanos() as f64 / 1e3;
    let per_second = times.len() as f64 / within.as_secs_f64();
    say(&format!("{name:<38} {callers:>7} {per_second:>10.0} {:>8.1} {:>8.1}", at(0.5), at(0.99)))
}
