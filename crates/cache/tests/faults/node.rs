//! One Redis node.

use std::time::Duration;

use cache::{Hints, RedisSettings, Shape, Shared};
use redis::FromRedisValue;
use services::{RedisCluster, RedisNode};
use store::{Allowance, Broker, Cache, Rate, Topic};

use crate::crowd::{AGES, Confirmed, Crowd, key, median_look};

/// What a look may cost while Redis is gone.
const NOTHING: Duration = Duration::from_millis(1);
/// Bytes that Redis may use beside what it uses at rest.
const ROOM: u64 = 500_000;
/// Within what Redis is used again when it has come back.
const SOON: Duration = Duration::from_secs(10);

fn settings(node: &RedisNode) -> RedisSettings {
    RedisSettings::new(Shape::One, vec![node.url()])
}

/// Sends a command past the cache.
async fn say<T: FromRedisValue>(node: &RedisNode, words: &[&str]) -> T {
    let client = redis::Client::open(node.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gone_from_the_start_it_costs_nothing_and_is_used_once_it_is_there() {
    let node = RedisNode::start().unwrap();
    node.kill().unwrap();
    let shared = Shared::open(&settings(&node)).unwrap();
    assert!(median_look(&shared).await < NOTHING);
    assert!(!shared.remove(key(0), 1, &AGES).await, "a removal that nobody heard is confirmed");
    let rate = Rate { per_minute: 1, burst: 2 };
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(shared.take(key(0), rate).await == Allowance::Allowed);
    }
    assert_eq!(taken, [true, true, false], "this node's own bucket");
    assert!(shared.problem().is_some());
    node.restart().unwrap();
    let crowd = Crowd::start(&settings(&node), Confirmed::Holds).await;
    while shared.get(key(0), &AGES).await.entry.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(shared.problem(), None);
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_work_it_is_done_without_and_used_again() {
    let node = RedisNode::start().unwrap();
    let crowd = Crowd::start(&settings(&node), Confirmed::Holds).await;
    for _ in 0..3 {
        node.kill().unwrap();
        crowd.until_it_is_missed().await;
        crowd.reads(500).await;
        assert!(median_look(&crowd.nodes[0]).await < NOTHING);
        node.restart().unwrap();
        let back = crowd.until_it_works().await;
        assert!(back < SOON, "it took {back:?}");
    }
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_it_is_done_without_and_what_it_does_late_does_no_harm() {
    let node = RedisNode::start().unwrap();
    let crowd = Crowd::start(&settings(&node), Confirmed::Holds).await;
    for _ in 0..3 {
        node.freeze().unwrap();
        crowd.until_it_is_missed().await;
        crowd.reads(500).await;
        assert!(median_look(&crowd.nodes[0]).await < NOTHING);
        // Now it carries out what was asked of it before, long after everybody has given up.
        node.thaw().unwrap();
        let back = crowd.until_it_works().await;
        assert!(back < SOON, "it took {back:?}");
    }
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emptied_at_work_it_never_takes_back_what_was_read_before() {
    let node = RedisNode::start().unwrap();
    let crowd = Crowd::start(&settings(&node), Confirmed::Holds).await;
    for _ in 0..100 {
        let _: () = say(&node, &["FLUSHALL"]).await;
        crowd.reads(50).await;
    }
    crowd.until_it_works().await;
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_it_still_forgets_what_it_is_asked_to() {
    let node = RedisNode::start().unwrap();
    let crowd = Crowd::start(&settings(&node), Confirmed::Holds).await;
    let _: () = say(&node, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;
    let _: () = say(&node, &["CONFIG", "SET", "maxmemory", "1"]).await;
    // Every removal is confirmed, and in the end nothing is left that could be found.
    let before = crowd.removals();
    while crowd.removals() < before + 500 {
        crowd.reads(10).await;
    }
    assert_eq!(crowd.nodes[0].problem(), None, "a full Redis is not gone");
    let rate = Rate { per_minute: 1, burst: 1 };
    assert_eq!(crowd.nodes[0].take(key(0), rate).await, Allowance::Allowed);
    assert_ne!(crowd.nodes[0].take(key(0), rate).await, Allowance::Allowed, "its own bucket");
    let _: () = say(&node, &["CONFIG", "SET", "maxmemory", "0"]).await;
    crowd.until_it_works().await;
    crowd.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evicting_it_forgets_tickets_and_versions_together() {
    let node = RedisNode::start().unwrap();
    let crowd = Crowd::start(&settings(&node), Confirmed::Holds).await;
    let maxmemory = (number(&node, "memory", "used_memory:").await + ROOM).to_string();
    let _: () = say(&node, &["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]).await;
    let _: () = say(&node, &["CONFIG", "SET", "maxmemory", &maxmemory]).await;
    for round in 0..20 {
        for filler in 0..50 {
            let key = format!("filler:{round}:{filler}");
            let _: () = say(&node, &["SET", &key, &"x".repeat(2_000)]).await;
        }
        crowd.reads(50).await;
    }
    let evicted = number(&node, "stats", "evicted_keys:").await;
    assert!(evicted > 500, "only {evicted} keys were evicted");
    crowd.until_it_works().await;
    crowd.end().await;
}

/// One of the numbers that Redis tells of itself.
async fn number(node: &RedisNode, section: &str, name: &str) -> u64 {
    let text: String = say(node, &["INFO", section]).await;
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_are_heard_again_after_redis_was_gone() {
    let node = RedisNode::start().unwrap();
    let [one, other] = [(); 2].map(|()| Hints::open(&settings(&node)).unwrap());
    reach(&one, &other).await;
    node.kill().unwrap();
    // Nobody waits for a Redis that is gone, and what was said to it is said to the next one.
    one.hint(Topic::Work);
    node.restart().unwrap();
    tokio::time::timeout(SOON, other.wait(Topic::Work)).await.unwrap();
    reach(&one, &other).await;
}

/// Hints until it is heard.
async fn reach(one: &Hints, other: &Hints) {
    let hints = async {
        loop {
            one.hint(Topic::Catalog);
            let wait = other.wait(Topic::Catalog);
            if tokio::time::timeout(Duration::from_millis(50), wait).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, hints).await.unwrap();
}

/// Waits until what is said to be wrong is so.
async fn until(problem: impl Fn() -> Option<String>, is_so: impl Fn(Option<&str>) -> bool) {
    let said = async {
        while !is_so(problem().as_deref()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let came = tokio::time::timeout(SOON, said).await;
    assert!(came.is_ok(), "it says {:?}", problem());
}

/// Opens a cache that nobody uses, and waits until it says these words, or that it is well.
async fn says(settings: &RedisSettings, words: Option<&str>) {
    let shared = Shared::open(settings).unwrap();
    let is_so = |problem: Option<&str>| match (problem, words) {
        (Some(problem), Some(words)) => problem.contains(words),
        (problem, words) => problem == words,
    };
    until(|| shared.problem(), is_so).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_answers_and_cannot_be_a_cache_is_found_out_before_it_is_used() {
    let node = RedisNode::start_with(&["--cluster-enabled", "yes"]).unwrap();
    says(&settings(&node), Some("use the cluster")).await;
    let _: () = say(&node, &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).await;
    says(&settings(&node), None).await;

    let cluster = RedisCluster::start(3, 0).unwrap();
    says(&RedisSettings::new(Shape::One, cluster.urls()), Some("use the cluster")).await;
    says(&RedisSettings::new(Shape::Cluster, cluster.urls()), None).await;

    let primary = RedisNode::start().unwrap();
    let port = primary.port().to_string();
    let replica = RedisNode::start_with(&["--replicaof", "127.0.0.1", &port]).unwrap();
    says(&settings(&replica), Some("name the primary")).await;

    says(&settings(&primary), None).await;
    let _: () = say(&primary, &["ACL", "SETUSER", "default", "-eval"]).await;
    says(&settings(&primary), Some("eval")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_cache_may_be_a_broker_and_one_that_may_not_publish_is_none() {
    let cluster = RedisCluster::start(3, 0).unwrap();
    let one = RedisSettings::new(Shape::One, cluster.urls());
    let hints = Hints::open(&one).unwrap();
    until(|| hints.problem(), |problem| problem.is_none()).await;

    let node = RedisNode::start().unwrap();
    let _: () = say(&node, &["ACL", "SETUSER", "default", "-publish"]).await;
    let hints = Hints::open(&settings(&node)).unwrap();
    let is_told = |problem: Option<&str>| problem.is_some_and(|one| one.contains("publish"));
    until(|| hints.problem(), is_told).await;
    let _: () = say(&node, &["ACL", "SETUSER", "default", "+publish"]).await;
    until(|| hints.problem(), |problem| problem.is_none()).await;
}
