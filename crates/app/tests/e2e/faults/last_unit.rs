//! A thousand users want the last unit, on three nodes, again and again.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::fleet::{NODES, Servers, budget};
use super::load::{Doors, check_refusal};
use crate::support::catalog::{AMPLE, base, campaign, noon, on_event};
use crate::support::clock::Clock;
use crate::support::crowd::{at_once, in_turns};
use crate::support::http::Request;
use crate::support::node::{Node, Setup};
use crate::support::people::User;
use crate::support::problem::problem_code;
use crate::support::shape::Shape;

/// Users who want the same unit.
const RACERS: usize = 1_000;
/// Line items with one unit each, unless the environment asks for more: `GUERDON_RACES`.
const RACES: u32 = 20;
/// The first of them.
const FIRST: u32 = 100;
/// What one unit costs.
const UNIT: i64 = 1_000_000;

/// What ends after one unit, in turn: the budget, the day's budget, participations, the day's.
fn settings(round: u32, noon: &str) -> String {
    match round % 4 {
        0 => format!("budget = {}", 2 * UNIT - 1),
        1 => format!("{AMPLE}\ndaily_budget = {UNIT}\n{noon}"),
        2 => format!("{AMPLE}\ncaps = {{ total = 1 }}"),
        _ => format!("{AMPLE}\ncaps = {{ daily = 1 }}\n{noon}"),
    }
}

pub(crate) async fn one_of_a_thousand_gets_the_last_unit_every_time(shape: Shape) {
    let noon = noon(Clock::default().now_s());
    let step = on_event("install", UNIT);
    let races = std::env::var("GUERDON_RACES").ok().and_then(|text| text.parse().ok());
    let races: u32 = races.unwrap_or(RACES);
    let items = (0..races).map(|round| campaign(FIRST + round, &settings(round, &noon), &[&step]));
    let catalog = base("http://127.0.0.1:9") + &items.collect::<String>();
    let servers = Servers::start(shape);
    let first = Node::set_up_at(&catalog, Setup::on(shape), &servers.backing());
    let mut nodes: Vec<Node> = (1..NODES).map(|_| first.sibling()).collect();
    nodes.push(first);
    nodes.iter_mut().for_each(Node::serve);
    let doors = Doors::new(nodes.iter().map(Node::address));
    let tokens = in_turns(64, RACERS, |number| {
        let client = doors.at(number % NODES);
        async move { User::open(&client, &format!("racer-{number}")).await.token }
    });
    let tokens = Arc::new(tokens.await);
    let begun = Instant::now();
    for line_item in FIRST..FIRST + races {
        one_wins(&doors, &tokens, line_item).await;
    }
    println!("{races} races of {RACERS} in {:?}", begun.elapsed());
    let client = doors.at(0);
    for line_item in FIRST..FIRST + races {
        let budget = budget(&client, &nodes[0], line_item).await;
        let figures = (&budget["held"]["amount"], &budget["booked"]["amount"], &budget["starts"]);
        assert_eq!(figures, (&json!(UNIT), &json!(0), &json!(1)), "{budget}");
    }
    drop(client);
    for node in nodes {
        node.finish_after_errors(&["every connection has been in use for"]);
    }
}

/// Everybody taps at once: one starts, and all others are told that nothing is left.
async fn one_wins(doors: &Doors, tokens: &Arc<Vec<String>>, mission: u32) {
    let taps = at_once(RACERS, |number| {
        let client = doors.at(number % doors.count());
        let tap = Request::post(format!("/v1/missions/{mission}/participations"));
        let tap = tap.bearer(&tokens[number]).json(&json!({}));
        async move {
            loop {
                let answer = client.send(&tap).await;
                match answer.status {
                    201 => return true,
                    409 if problem_code(&answer) == "exhausted" => return false,
                    // So many at once may be more than a busy machine lets in.
                    _ => check_refusal(&answer),
                }
            }
        }
    });
    let started = taps.await.into_iter().filter(|has_started| *has_started).count();
    assert_eq!(started, 1, "mission {mission}");
}
