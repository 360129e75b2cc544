//! DynamoDB is killed under load, or is away for a while: whoever asks meanwhile is told when to come
//! back, and what nobody could be told of is told afterwards.

use std::time::{Duration, Instant};

use services::{Dynamo, Proxy};

use super::BACK;
use super::fleet::{Fleet, STORE_ERRORS, Servers};
use super::kills::nothing_is_lost_when_a_server_is_killed;
use super::load::{Life, check_refusal};
use crate::support::crowd::at_once;
use crate::support::people::Verdict;
use crate::support::publisher::Mood;
use crate::support::shape::{Backing, Shape};

/// How long DynamoDB is away, at least.
const OUTAGE: Duration = Duration::from_secs(3);
/// How much later every request arrives where the way is slow: well after anybody has stopped waiting
/// for its answer, which is a second. With just that second some answers would still be taken on a
/// busy machine, and a request that needs several of them would take as many seconds.
const SLOW: Duration = Duration::from_secs(2);
/// Users whose conversions come at the same moment while it is away.
const CROWD: usize = 40;
/// How long one of them may take to be refused: who finds out repeats a request for three seconds, and
/// may wait for its answer for one more; the rest is for a slow machine.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);
/// Conversions of every node without which it does not count as back.
const EVENTS_OF_EACH: usize = 10;

pub(crate) async fn nothing_is_lost_when_dynamodb_is_killed(shape: Shape) {
    nothing_is_lost_when_a_server_is_killed(shape, |servers| of(servers)).await;
}

fn of(servers: &Servers) -> &Dynamo {
    servers.dynamo.as_ref().expect("a shape with DynamoDB")
}

/// What DynamoDB does instead of answering.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Away {
    Down,
    Frozen,
    /// It carries out everything, after the caller has given up.
    Slow,
}

const ALL_WAYS: [Away; 3] = [Away::Down, Away::Frozen, Away::Slow];

pub(crate) async fn nothing_is_lost_while_dynamodb_is_away(shape: Shape) {
    let servers = Servers::start(shape);
    let proxy = Proxy::start(of(&servers).address()).unwrap();
    let endpoint = format!("http://127.0.0.1:{}", proxy.port());
    let backing = Backing { dynamo: endpoint, ..servers.backing() };
    let fleet = Fleet::start_at(servers, &backing, &|config| config).await;
    let mut load = fleet.load("away");
    let mut lives = Vec::new();
    for number in 0..CROWD {
        lives.push(Life::open(&fleet.doors, &format!("crowd-{number}")).await);
    }
    for how in ALL_WAYS {
        // Rewards that the publisher does not take wait in the table when it goes.
        fleet.publisher.set_mood("live", Mood::Status(503));
        load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        leave(&fleet, &proxy, how);
        let gone = Instant::now();
        while gone.elapsed() < OUTAGE {
            let slowest = crowd(&fleet, &lives, how).await;
            println!("{how:?}: all are refused within {slowest:?}");
            assert!(slowest < REFUSED_WITHIN, "{how:?}: {slowest:?}");
        }
        come_back(&fleet, &proxy, how);
        fleet.publisher.set_mood("live", Mood::Well);
        let returned = load.acknowledges_everywhere(EVENTS_OF_EACH).await;
        println!("{how:?}: back in {returned:?}");
        assert!(returned < BACK, "{how:?}: {returned:?}");
    }
    println!("{} requests refused, {} unanswered", load.refused(), load.unanswered());
    let others = load.end().await;
    for (number, life) in lives.iter_mut().enumerate() {
        life.report_all(&fleet.doors, &ALL_WAYS.map(|how| event_of(number, how))).await;
    }
    lives.extend(others);
    fleet.settled(lives, &STORE_ERRORS).await;
}

fn leave(fleet: &Fleet, proxy: &Proxy, how: Away) {
    match how {
        Away::Down => of(&fleet.servers).kill().unwrap(),
        Away::Frozen => of(&fleet.servers).freeze().unwrap(),
        Away::Slow => proxy.delay(SLOW).unwrap(),
    }
}

fn come_back(fleet: &Fleet, proxy: &Proxy, how: Away) {
    match how {
        Away::Down => of(&fleet.servers).restart().unwrap(),
        Away::Frozen => of(&fleet.servers).thaw().unwrap(),
        Away::Slow => proxy.pass().unwrap(),
    }
}

/// Conversions at the same moment to every node: each is refused, or is known in spite of all. Gives
/// the longest wait.
async fn crowd(fleet: &Fleet, lives: &[Life], how: Away) -> Duration {
    let waits = at_once(CROWD, |number| {
        let client = fleet.doors.at(number % fleet.doors.count());
        let request = lives[number].conversion(&event_of(number, how));
        async move {
            let begun = Instant::now();
            let answer = client.send(&request).await;
            match answer.status {
                200 => assert!(Verdict::of(&answer).transaction.is_some()),
                _ => check_refusal(&answer),
            }
            begun.elapsed()
        }
    });
    waits.await.into_iter().max().unwrap()
}

fn event_of(number: usize, how: Away) -> String {
    format!("crowd-{number}-{how:?}")
}
