//! The database is down, frozen or slow for a while: what cannot be done is refused in time and with
//! a word when to come back, nothing piles up, and nobody feels it for long afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use services::Proxy;

use super::BACK;
use super::fleet::{Fleet, STORE_ERRORS, Servers};
use super::load::{Doors, Life, check_refusal};
use crate::support::catalog::LIVE_KEY;
use crate::support::crowd::at_once;
use crate::support::http::Request;
use crate::support::shape::Shape;

/// How long the database is away, at least.
const OUTAGE: Duration = Duration::from_secs(4);
/// Requests that come at the same moment while it is away.
const CROWD: usize = 300;
/// How long the first of them may take to find out, one round trip's limit and some slowness of the
/// machine.
const FOUND_OUT_WITHIN: Duration = Duration::from_secs(4);
/// How long a refusal takes once it is known.
const REFUSED_WITHIN: Duration = Duration::from_millis(100);
/// How much memory a node may take while requests are refused, in kibibytes.
const GROWTH_MAX_KIB: u64 = 64 * 1024;
/// Conversions of every node without which it does not count as back.
const EVENTS_OF_EACH: usize = 10;
/// Delay of every request to the database where the way is slow.
const SLOW: Duration = Duration::from_millis(200);

pub(crate) async fn a_database_that_is_down_is_told_at_once(shape: Shape) {
    let fleet = Fleet::start(shape).await;
    let away = || fleet.servers.mysql.kill().unwrap();
    let back = || fleet.servers.mysql.restart().unwrap();
    let lives = outage(&fleet, away, back).await;
    fleet.settled(lives, &STORE_ERRORS).await;
}

pub(crate) async fn a_database_that_is_frozen_is_told_soon(shape: Shape) {
    let fleet = Fleet::start(shape).await;
    let away = || fleet.servers.mysql.freeze().unwrap();
    let back = || fleet.servers.mysql.thaw().unwrap();
    let lives = outage(&fleet, away, back).await;
    fleet.settled(lives, &STORE_ERRORS).await;
}

/// Everything goes on while the way is slow, if slowly, and is as before afterwards.
pub(crate) async fn a_slow_way_to_the_database_loses_nothing(shape: Shape) {
    let servers = Servers::start(shape);
    let proxy = Proxy::start(servers.mysql.address()).unwrap();
    let backing = servers.backing().through(&proxy);
    let fleet = Fleet::start_at(servers, &backing, &|config| config).await;
    let mut load = fleet.load("slow");
    load.acknowledges_everywhere(EVENTS_OF_EACH).await;
    proxy.delay(SLOW).unwrap();
    let took = load.acknowledges_everywhere(EVENTS_OF_EACH).await;
    println!("slow: {took:?} for what follows in a moment otherwise; {} refused", load.refused());
    proxy.pass().unwrap();
    let returned = load.acknowledges_everywhere(EVENTS_OF_EACH).await;
    println!("as before in {returned:?}");
    assert!(returned < BACK, "{returned:?}");
    let lives = load.end().await;
    fleet.settled(lives, &STORE_ERRORS).await;
}

/// Takes a server away under load and brings it back.
pub(crate) async fn outage(fleet: &Fleet, away: impl FnOnce(), back: impl FnOnce()) -> Vec<Life> {
    let mut load = fleet.load("outage");
    let life = Arc::new(Life::open(&fleet.doors, "crowd").await);
    load.acknowledges_everywhere(EVENTS_OF_EACH).await;
    let before = memory(fleet);
    away();
    let gone = Instant::now();
    load.is_refused(1).await;
    assert!(gone.elapsed() < FOUND_OUT_WITHIN, "refused only after {:?}", gone.elapsed());
    let mut crowds = 0;
    while gone.elapsed() < OUTAGE || crowds < 2 {
        let slowest = crowd(&fleet.doors, &life).await;
        assert!(slowest < FOUND_OUT_WITHIN, "somebody waited for {slowest:?}");
        crowds += 1;
    }
    let one_by_one = refusals(&fleet.doors).await;
    println!("{crowds} crowds; a refusal takes {one_by_one:?}");
    assert!(one_by_one < REFUSED_WITHIN, "a refusal takes {one_by_one:?}");
    for (before, now) in before.iter().zip(memory(fleet)) {
        assert!(now < before + GROWTH_MAX_KIB, "{before} KiB have become {now}");
    }
    back();
    let returned = load.acknowledges_everywhere(EVENTS_OF_EACH).await;
    println!("back in {returned:?}");
    assert!(returned < BACK, "{returned:?}");
    let mut lives = load.end().await;
    let mut life = Arc::into_inner(life).unwrap();
    let events: Vec<String> = (0..CROWD).map(event_of).collect();
    life.report_all(&fleet.doors, &events).await;
    lives.push(life);
    lives
}

/// Conversions at the same moment to every node: all are refused. Gives the longest wait.
async fn crowd(doors: &Doors, life: &Arc<Life>) -> Duration {
    let waits = at_once(CROWD, |number| {
        let (client, life) = (doors.at(number % doors.count()), Arc::clone(life));
        async move {
            let begun = Instant::now();
            check_refusal(&client.send(&life.conversion(&event_of(number))).await);
            begun.elapsed()
        }
    });
    waits.await.into_iter().max().unwrap()
}

fn event_of(number: usize) -> String {
    format!("crowd-{number}")
}

/// The middle of the times that refusals take, one after the other.
async fn refusals(doors: &Doors) -> Duration {
    let mut times = Vec::new();
    for number in 0..50 {
        let client = doors.at(number % doors.count());
        let ask = Request::get("/v1/rewards").bearer(LIVE_KEY);
        let begun = Instant::now();
        check_refusal(&client.send(&ask).await);
        times.push(begun.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

/// What each node takes, in kibibytes.
fn memory(fleet: &Fleet) -> Vec<u64> {
    let pids = fleet.nodes.iter().flat_map(|node| node.pids());
    pids.map(|pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    })
    .collect()
}
