//! Redis is killed, emptied, full, or comes late: no request is refused for it, and nothing is lost.

use std::process::Command;
use std::time::{Duration, Instant};

use services::RedisNode;

use super::BACK;
use super::fleet::{Fleet, Servers, TOO_SLOW};
use super::kills::{check_times, kills_or};
use super::load::{Life, Load};
use crate::support::http::{Client, Request};
use crate::support::people::Verdict;
use crate::support::shape::Shape;

/// Kills of one scene, and as many times that it is emptied, unless the environment asks for more.
const KILLS: usize = 5;
/// Conversions that every node has to acknowledge with Redis, and as many without.
const EVENTS_OF_EACH: usize = 3;
/// The same while Redis is full, which it becomes by and by.
const EVENTS_OF_EACH_WHEN_FULL: usize = 20;
/// Rewards whose way to the publisher is measured.
const TOLD: usize = 11;
/// How late a reward is told at most where nobody gives hints: workers look once a second, and the
/// machine may be slow.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

pub(crate) async fn nobody_is_refused_when_redis_is_killed_or_emptied(shape: Shape) {
    let fleet = Fleet::start(shape).await;
    has_cache(&fleet).await;
    let (mut load, mut times) = (fleet.load("redis"), Vec::new());
    for _ in 0..kills_or(KILLS) {
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        of(&fleet).kill().unwrap();
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        of(&fleet).restart().unwrap();
        times.push(has_cache(&fleet).await);
    }
    check_times("the cache", Duration::ZERO, times);
    for _ in 0..kills_or(KILLS) {
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        assert_eq!(ask(of(&fleet), &["FLUSHALL"]), "OK");
    }
    end(fleet, load).await;
}

pub(crate) async fn nobody_waits_for_a_redis_that_comes_late_and_is_full(shape: Shape) {
    let servers = Servers::start(shape);
    servers.redis.as_ref().unwrap().kill().unwrap();
    let backing = servers.backing();
    let fleet = Fleet::start_at(servers, &backing, &|config| config).await;
    let mut load = fleet.load("late");
    load.acknowledges_everywhere(EVENTS_OF_EACH_WHEN_FULL).await;
    of(&fleet).restart().unwrap();
    assert!(has_cache(&fleet).await < BACK);
    load.acknowledges_everywhere(EVENTS_OF_EACH_WHEN_FULL).await;
    // Whatever it takes is more than it may have, and it may not forget anything for it.
    assert_eq!(ask(of(&fleet), &["CONFIG", "SET", "maxmemory", "1"]), "OK");
    load.acknowledges_everywhere(EVENTS_OF_EACH_WHEN_FULL).await;
    assert!(figure(of(&fleet), "errorstats", "errorstat_OOM") > 0, "it is not full");
    // Now it may, and does so all the time.
    let used = figure(of(&fleet), "memory", "used_memory").to_string();
    assert_eq!(ask(of(&fleet), &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]), "OK");
    assert_eq!(ask(of(&fleet), &["CONFIG", "SET", "maxmemory", &used]), "OK");
    load.acknowledges_everywhere(EVENTS_OF_EACH_WHEN_FULL).await;
    assert!(figure(of(&fleet), "stats", "evicted_keys") > 0, "it forgets nothing");
    end(fleet, load).await;
}

/// Nodes that answer hint to workers that there is work. Without hints workers find it by looking.
pub(crate) async fn rewards_are_told_without_hints(shape: Shape) {
    let fleet = Fleet::start(shape).await;
    let mut life = Life::open(&fleet.doors, "hints").await;
    let hinted = told_within(&fleet, &mut life, "with").await;
    of(&fleet).kill().unwrap();
    let found = told_within(&fleet, &mut life, "without").await;
    println!("told {hinted:?} after the answer with hints, {found:?} without");
    assert!(found < TOLD_WITHIN, "{found:?}");
    fleet.settled(vec![life], &TOO_SLOW).await;
}

/// The middle of the times from the answer to a conversion until its reward is told.
async fn told_within(fleet: &Fleet, life: &mut Life, name: &str) -> Duration {
    let mut times = Vec::new();
    for number in 0..TOLD {
        let event_id = format!("{name}-{number}");
        let client = fleet.doors.at(number % fleet.doors.count());
        let answered = Verdict::of(&client.send(&life.conversion(&event_id)).await);
        let begun = Instant::now();
        let transaction = answered.transaction.clone().expect("a transaction");
        let is_told = |one: &crate::support::publisher::Received| one.transaction() == transaction;
        fleet.publisher.wait_for("the reward", |all| all.iter().any(is_told)).await;
        times.push(begun.elapsed());
        life.acknowledged(event_id, answered);
    }
    times.sort();
    times[times.len() / 2]
}

fn of(fleet: &Fleet) -> &RedisNode {
    fleet.servers.redis.as_ref().expect("a shape with Redis")
}

/// Ends a scene in which Redis was used, and nobody refused.
pub(crate) async fn end(fleet: Fleet, load: Load) {
    has_cache(&fleet).await;
    let mut shown = 0;
    for place in 0..fleet.doors.count() {
        shown += shown_from_cache(&fleet.doors.at(place)).await;
    }
    println!("{shown} users were shown from the cache; {} unanswered", load.unanswered());
    assert!(shown > 0, "the cache was never used");
    let refused = load.refused();
    let lives = load.end().await;
    assert!(refused <= fleet.slow_answers(), "{refused} were refused, and Redis is not needed");
    fleet.settled(lives, &TOO_SLOW).await;
}

/// Waits until every node uses its cache.
pub(crate) async fn has_cache(fleet: &Fleet) -> Duration {
    let begun = Instant::now();
    for place in 0..fleet.doors.count() {
        let client = fleet.doors.at(place);
        while let Some(problem) = cache_problem(&client).await {
            assert!(begun.elapsed() < BACK, "node {place} has no cache: {problem}");
        }
    }
    begun.elapsed()
}

/// What a node says is wrong with its cache, whatever it says of the rest.
async fn cache_problem(client: &Client) -> Option<String> {
    let told = client.send(&Request::get("/readyz")).await.json();
    let mut all = told["dependencies"].as_array().unwrap().iter();
    let cache = all.find(|one| one["name"] == "cache").expect("a node with a cache");
    cache["problem"].as_str().map(str::to_owned)
}

async fn shown_from_cache(client: &Client) -> u64 {
    let metrics = client.send(&Request::get("/metrics")).await.expect(200).text();
    let begin = "guerdon_shown_users_total{source=\"cache\"} ";
    let shown = metrics.lines().find_map(|line| line.strip_prefix(begin));
    shown.map_or(0, |shown| shown.parse().unwrap())
}

/// A figure that Redis gives, or 0; an error is counted as `count=…`.
fn figure(redis: &RedisNode, section: &str, name: &str) -> u64 {
    let told = ask(redis, &["INFO", section]);
    let begin = format!("{name}:");
    let figure = told.lines().find_map(|line| line.strip_prefix(&begin));
    figure.map_or(0, |figure| figure.trim().trim_start_matches("count=").parse().unwrap())
}

/// What Redis answers.
fn ask(redis: &RedisNode, command: &[&str]) -> String {
    let port = redis.port().to_string();
    let answer = Command::new("redis-cli").args(["-p", &port]).args(command).output().unwrap();
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}
