//! Masters of a Redis Cluster are killed, with and without replicas: nobody is refused for it.

use std::time::Duration;

use services::RedisCluster;

use super::fleet::{Fleet, Servers};
use super::kills::{check_times, kills_or};
use super::redis::{end, has_cache};
use crate::support::shape::Shape;

/// Kills of masters that nobody replaces, each of them once, unless the environment asks for more.
const KILLS: usize = 3;
/// The same of masters that a replica takes over from. Such a round takes about five seconds: the others
/// miss the master for two before they agree that it is dead, elect its successor in another, and it
/// comes back as a replica that copies everything.
const KILLS_WITH_REPLICAS: usize = 2;
/// Conversions that every node has to acknowledge with the whole cluster, and as many without.
const EVENTS_OF_EACH: usize = 3;

pub(crate) async fn nobody_is_refused_when_masters_are_killed(shape: Shape) {
    let fleet = Fleet::start(shape).await;
    has_cache(&fleet).await;
    let (mut load, mut times) = (fleet.load("master"), Vec::new());
    for round in 0..kills_or(KILLS) {
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        let victim = round % 3;
        of(&fleet).kill_node(victim).unwrap();
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        of(&fleet).restart_node(victim).unwrap();
        of(&fleet).wait_until_whole().unwrap();
        times.push(has_cache(&fleet).await);
    }
    check_times("the cache", Duration::ZERO, times);
    end(fleet, load).await;
}

pub(crate) async fn nobody_is_refused_when_replicas_take_over(shape: Shape) {
    let mut servers = Servers::start(shape);
    servers.cluster = Some(RedisCluster::start(3, 1).unwrap());
    let backing = servers.backing();
    let fleet = Fleet::start_at(servers, &backing, &|config| config).await;
    has_cache(&fleet).await;
    let (mut load, mut times) = (fleet.load("replica"), Vec::new());
    for round in 0..kills_or(KILLS_WITH_REPLICAS) {
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        let victim = of(&fleet).masters().unwrap()[round % 3];
        of(&fleet).kill_node(victim).unwrap();
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        of(&fleet).wait_until_whole().unwrap();
        times.push(has_cache(&fleet).await);
        of(&fleet).restart_node(victim).unwrap();
        of(&fleet).wait_until_whole().unwrap();
    }
    check_times("the cache", Duration::ZERO, times);
    end(fleet, load).await;
}

fn of(fleet: &Fleet) -> &RedisCluster {
    fleet.servers.cluster.as_ref().expect("a shape with a cluster")
}
