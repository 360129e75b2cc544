//! Workers are killed under load: what they were about to tell is told by others.

use std::time::{Duration, Instant};

use super::fleet::{Fleet, NODES, STORE_ERRORS};
use super::kills::{check_times, kills_or};
use crate::support::chance::Chance;
use crate::support::shape::Shape;

/// Kills of one worker while the others go on, unless the environment asks for more.
const KILLS: usize = 6;
/// Conversions between two kills, at most.
const EVENTS_BETWEEN: u64 = 40;
/// Conversions that nobody tells of, because all workers are gone.
const BACKLOG: usize = 150;

pub(crate) async fn nothing_is_lost_when_workers_are_killed(shape: Shape) {
    assert_eq!(shape, Shape::Scaled, "elsewhere nodes work themselves");
    let mut fleet = Fleet::start(shape).await;
    let (mut load, mut chance) = (fleet.load("worker"), Chance::new(23));
    let (mut usual, mut times) = (Duration::ZERO, Vec::new());
    for _ in 0..kills_or(KILLS) {
        let place = usize::try_from(chance.below(NODES as u64)).unwrap();
        let events = usize::try_from(1 + chance.below(EVENTS_BETWEEN)).unwrap();
        usual = usual.max(load.acknowledges(events).await);
        fleet.nodes[place].kill_worker();
        times.push(load.acknowledges(events).await);
        fleet.nodes[place].serve_worker();
    }
    check_times("clients after a worker's death", usual, times);
    let refused = load.refused();
    assert!(refused <= fleet.slow_answers(), "{refused} were refused, and clients need no worker");
    fleet.nodes.iter_mut().for_each(|node| node.kill_worker());
    load.acknowledges(BACKLOG).await;
    let lives = load.end().await;
    let told = fleet.publisher.received().len();
    let begun = Instant::now();
    fleet.nodes.iter_mut().for_each(|node| node.serve_worker());
    fleet.publisher.wait_for("the backlog", |all| all.len() >= told + BACKLOG).await;
    println!("a backlog of {BACKLOG} is told in {:?}", begun.elapsed());
    fleet.settled(lives, &STORE_ERRORS).await;
}
