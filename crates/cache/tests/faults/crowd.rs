//! Readers and writers of many keys on two nodes, and a truth that every answer is held against.
//!
//! They do what a node does: a reader takes what is fresh, or reads the truth and puts it; a writer
//! changes the truth, asks the cache to forget, and then acknowledges.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cache::{RedisSettings, Shared};
use store::{Ages, Cache, CacheKey, Entry};
use tokio::task::JoinSet;

/// Few, so that readers, writers and faults meet on them; many enough for every part of a cluster.
const KEYS: usize = 24;
const READERS: usize = 8;
const WRITERS: usize = 2;
/// Between two operations of one of them, so that they leave room for each other.
const REST: Duration = Duration::from_millis(1);
/// How long a test waits for something that must happen.
const WITHIN: Duration = Duration::from_secs(60);

pub(crate) const AGES: Ages = Ages {
    early: Duration::from_millis(200),
    fresh: Duration::from_millis(400),
    kept: Duration::from_secs(5),
};
/// Redis counts milliseconds, and each of two moments may be cut short by one.
const CUT: Duration = Duration::from_millis(2);

/// Whether a removal that was confirmed holds. It does not if the node that confirmed it is lost, and
/// another takes over that had not heard of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    Holds,
    MayBeLost,
}

/// The truth, what was acknowledged of it, and what was seen.
struct World {
    promise: Confirmed,
    truth: Vec<AtomicU64>,
    confirmed: Vec<AtomicU64>,
    acknowledged: Vec<Mutex<Vec<(Instant, u64)>>>,
    hits: AtomicU64,
    reads: AtomicU64,
    removals: AtomicU64,
    wrong: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// Two nodes at work.
pub(crate) struct Crowd {
    world: Arc<World>,
    pub(crate) nodes: [Arc<Shared>; 2],
    tasks: JoinSet<()>,
}

impl Crowd {
    /// Sets two nodes to work on that Redis, and waits until both use it.
    pub(crate) async fn start(settings: &RedisSettings, promise: Confirmed) -> Self {
        let open = || Arc::new(Shared::open(settings).unwrap());
        let nodes = [open(), open()];
        let world = Arc::new(World {
            promise,
            truth: (0..KEYS).map(|_| AtomicU64::new(1)).collect(),
            confirmed: (0..KEYS).map(|_| AtomicU64::new(0)).collect(),
            acknowledged: (0..KEYS).map(|_| Mutex::default()).collect(),
            hits: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            removals: AtomicU64::new(0),
            wrong: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        for node in &nodes {
            for reader in 0..READERS {
                tasks.spawn(Arc::clone(&world).read(Arc::clone(node), reader * 17));
            }
            for writer in 0..WRITERS {
                tasks.spawn(Arc::clone(&world).write(Arc::clone(node), writer * 29));
            }
        }
        let crowd = Self { world, nodes, tasks };
        crowd.until_it_works().await;
        crowd
    }

    /// Waits for many more reads, with or without Redis.
    pub(crate) async fn reads(&self, more: u64) {
        let before = self.world.reads.load(Ordering::SeqCst);
        self.until("reads go on", |world| world.reads.load(Ordering::SeqCst) >= before + more)
            .await;
    }

    /// Waits until the cache is used again: things are found in it and removals are confirmed. Says
    /// how long it took.
    pub(crate) async fn until_it_works(&self) -> Duration {
        let begun = Instant::now();
        let before = (self.hits(), self.removals());
        let works = |world: &World| {
            world.hits.load(Ordering::SeqCst) >= before.0 + 200
                && world.removals.load(Ordering::SeqCst) >= before.1 + 50
        };
        self.until("the cache is used", works).await;
        begun.elapsed()
    }

    /// Waits until a node knows that something is wrong with Redis.
    pub(crate) async fn until_it_is_missed(&self) {
        let nodes = &self.nodes;
        self.until("it is missed", |_| nodes.iter().any(|node| node.problem().is_some())).await;
    }

    pub(crate) fn hits(&self) -> u64 {
        self.world.hits.load(Ordering::SeqCst)
    }

    pub(crate) fn removals(&self) -> u64 {
        self.world.removals.load(Ordering::SeqCst)
    }

    async fn until(&self, what: &str, holds: impl Fn(&World) -> bool) {
        let waits = async {
            while !holds(&self.world) {
                tokio::time::sleep(REST).await;
            }
        };
        let problems = || self.nodes.each_ref().map(|node| node.problem());
        let came = tokio::time::timeout(WITHIN, waits).await;
        assert!(came.is_ok(), "it did not come to this: {what}; {:?}", problems());
    }

    /// Ends the work, and fails if anything was shown that must not be.
    pub(crate) async fn end(self) {
        self.world.is_over.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        let wrong = self.world.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} wrong answers, such as {}", wrong.len(), wrong[0]);
    }
}

pub(crate) fn key(place: usize) -> CacheKey {
    CacheKey::of("user", &place.to_le_bytes())
}

impl World {
    async fn read(self: Arc<Self>, node: Arc<Shared>, mut place: usize) {
        while !self.is_over.load(Ordering::SeqCst) {
            place = (place + 1) % KEYS;
            self.look(&node, place).await;
            tokio::time::sleep(REST).await;
        }
    }

    async fn look(&self, node: &Shared, place: usize) {
        let asked = Instant::now();
        let confirmed = self.confirmed[place].load(Ordering::SeqCst);
        let found = node.get(key(place), &AGES).await;
        self.reads.fetch_add(1, Ordering::SeqCst);
        let fresh = found.entry.filter(|(_, age)| *age < AGES.fresh);
        if let Some((entry, _)) = &fresh {
            self.hits.fetch_add(1, Ordering::SeqCst);
            assert_eq!(entry.bytes[..], entry.version.to_le_bytes());
            self.judge(place, asked, confirmed, entry.version);
        }
        if let Some(ticket) = found.ticket {
            let version = self.truth[place].load(Ordering::SeqCst);
            // The way from the store is sometimes long.
            tokio::time::sleep(REST * (version % 30) as u32).await;
            let entry = Entry { version, bytes: version.to_le_bytes().to_vec().into() };
            node.put(key(place), ticket, entry, &AGES).await;
        }
    }

    /// Whether a version may be shown to somebody who asked then.
    fn judge(&self, place: usize, asked: Instant, confirmed: u64, shown: u64) {
        if self.promise == Confirmed::Holds && shown < confirmed {
            self.accuse(format!("version {shown} after the removal below {confirmed}"));
        }
        let acknowledged = self.acknowledged[place].lock().unwrap();
        let is_due = |at: Instant| at + AGES.fresh + CUT <= asked;
        let due = acknowledged.iter().rev().find(|(at, _)| is_due(*at));
        if let Some((at, version)) = due.filter(|(_, version)| shown < *version) {
            let age = asked.duration_since(*at);
            self.accuse(format!("version {shown}, {age:?} after {version} was acknowledged"));
        }
    }

    fn accuse(&self, words: String) {
        self.wrong.lock().unwrap().push(words);
    }

    async fn write(self: Arc<Self>, node: Arc<Shared>, mut place: usize) {
        while !self.is_over.load(Ordering::SeqCst) {
            place = (place + 7) % KEYS;
            let version = self.truth[place].fetch_add(1, Ordering::SeqCst) + 1;
            if node.remove(key(place), version, &AGES).await {
                self.confirmed[place].fetch_max(version, Ordering::SeqCst);
                self.removals.fetch_add(1, Ordering::SeqCst);
            }
            self.acknowledged[place].lock().unwrap().push((Instant::now(), version));
            tokio::time::sleep(REST * 4).await;
        }
    }
}

/// The median time of many looks at a node.
pub(crate) async fn median_look(node: &Shared) -> Duration {
    let mut times = Vec::new();
    for place in 0..501 {
        let begun = Instant::now();
        node.get(key(place % KEYS), &AGES).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}
