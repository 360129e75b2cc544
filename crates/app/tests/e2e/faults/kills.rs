//! Servers and nodes are killed under load, again and again.

use std::time::{Duration, Instant};

use services::Server;

use super::BACK;
use super::fleet::{Fleet, NODES, STORE_ERRORS, Servers};
use crate::support::chance::Chance;
use crate::support::shape::Shape;

/// Kills of one scene, unless the environment asks for more; see [`kills_or`].
const KILLS: usize = 6;
/// Conversions between two kills, at most.
const EVENTS_BETWEEN: u64 = 60;
/// Conversions that every node has to acknowledge before it counts as back.
const EVENTS_OF_EACH: usize = 2;

pub(crate) async fn nothing_is_lost_when_mariadb_is_killed(shape: Shape) {
    nothing_is_lost_when_a_server_is_killed(shape, |servers| &servers.mysql).await;
}

/// Kills a server in the middle of the load and starts it again.
pub(crate) async fn nothing_is_lost_when_a_server_is_killed(
    shape: Shape,
    victim: impl Fn(&Servers) -> &Server,
) {
    let fleet = Fleet::start(shape).await;
    let (mut load, mut chance) = (fleet.load("kill"), Chance::new(21));
    let (mut usual, mut times) = (Duration::ZERO, Vec::new());
    for _ in 0..kills_or(KILLS) {
        usual = usual.max(load.acknowledges_everywhere(EVENTS_OF_EACH).await);
        load.acknowledges(events_between(&mut chance)).await;
        victim(&fleet.servers).kill().unwrap();
        victim(&fleet.servers).restart().unwrap();
        let begun = Instant::now();
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        times.push(begun.elapsed());
    }
    check_times("a server", usual, times);
    println!("{} requests refused, {} unanswered", load.refused(), load.unanswered());
    let lives = load.end().await;
    fleet.settled(lives, &STORE_ERRORS).await;
}

/// Kills one node after the other while clients go on with those that are left.
pub(crate) async fn nothing_is_lost_when_nodes_are_killed(shape: Shape) {
    let mut fleet = Fleet::start(shape).await;
    let (mut load, mut chance) = (fleet.load("node"), Chance::new(22));
    let (mut usual, mut others, mut times) = (Duration::ZERO, Vec::new(), Vec::new());
    for _ in 0..kills_or(KILLS) {
        usual = usual.max(load.acknowledges_everywhere(EVENTS_OF_EACH).await);
        load.acknowledges(events_between(&mut chance)).await;
        let place = usize::try_from(chance.below(NODES as u64)).unwrap();
        fleet.nodes[place].kill();
        let left: Vec<usize> = (0..NODES).filter(|other| *other != place).collect();
        others.push(load.acknowledges_at(&left, EVENTS_OF_EACH).await);
        let begun = Instant::now();
        fleet.serve_again(place);
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        times.push(begun.elapsed());
    }
    check_times("the others after a node's death", usual, others);
    check_times("a node", usual, times);
    println!("{} requests refused, {} unanswered", load.refused(), load.unanswered());
    let lives = load.end().await;
    fleet.settled(lives, &STORE_ERRORS).await;
}

/// How often a scene kills something: so often, or as often as `GUERDON_E2E_KILLS` says.
pub(crate) fn kills_or(usual: usize) -> usize {
    let kills = std::env::var("GUERDON_E2E_KILLS").ok().and_then(|text| text.parse().ok());
    kills.unwrap_or(usual)
}

fn events_between(chance: &mut Chance) -> usize {
    usize::try_from(1 + chance.below(EVENTS_BETWEEN)).unwrap()
}

/// Prints how long it took to be back, and checks that none took too long. `usual` is how long the same
/// took at most while nothing was wrong: a slow machine is not what a fault is felt by.
pub(crate) fn check_times(who: &str, usual: Duration, mut times: Vec<Duration>) {
    times.sort();
    let (middle, last) = (times[times.len() / 2], times[times.len() - 1]);
    let count = times.len();
    println!("{who}: back {count} times, in {middle:?}, at most {last:?}; {usual:?} with no fault");
    assert!(last < BACK + usual, "{who}: {times:?}, and {usual:?} with no fault");
}
