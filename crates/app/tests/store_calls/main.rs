//! No N+1: what every route asks of the store, exactly, with one row of everything and with fifty.
//!
//! The routes are taken from the routers themselves, so one without a line in [`table`] fails the test,
//! as does a line whose figures are not what is counted. A store call is a round trip on a store across
//! a network; the statements are those of the embedded store, in which one call may hide many. Where a
//! figure has to rise, the line is where that is decided and seen.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what cannot be done has to fail its test, in helpers too"
)]

mod requests;
mod statements;
mod table;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write;

use statements::Statements;
use table::{Cost, GROWS, ROUTES};
use world::World;

/// Rows of everything: line items, missions, users, runs of the user who asks, rewards, deliveries.
const FEW: u32 = 1;
const MANY: u32 = 50;

/// The only test of this file: the statements of all stores of the process are counted together.
#[tokio::test]
async fn every_route_costs_what_the_table_says() {
    let statements = Statements::count_from_now_on();
    let few = costs(FEW, &statements).await;
    let many = costs(MANY, &statements).await;
    let mut faults = unknown(&few);
    for ((route, few), (_, many)) in few.iter().zip(&many) {
        let grows = GROWS.iter().find(|(of, _)| of == route).map_or(0, |(_, by)| *by);
        let of_many = if grows == 0 { many.1 } else { 0 };
        let found = Cost { calls: few.0, statements: few.1, of_many };
        let line = ROUTES.iter().find(|(of, _)| of == route);
        if line.is_none_or(|(_, cost)| *cost != found) {
            let Cost { calls, statements, of_many } = found;
            let line = line.map(|(_, cost)| cost);
            let right = format!("(\"{route}\", cost({calls}, {statements}, {of_many})),");
            let _ = writeln!(faults, "    {right} // not {line:?}");
        }
        let rest = few.0 + grows * (MANY - FEW);
        if many.0 != rest {
            let _ = writeln!(faults, "{route}: {} store calls with many rows, not {rest}", many.0);
        }
    }
    assert!(faults.is_empty(), "what is counted is not what the table says:\n{faults}");
}

/// Lines about routes that there are not.
fn unknown(routes: &[Costs]) -> String {
    let routes: BTreeSet<&str> = routes.iter().map(|(route, _)| route.as_str()).collect();
    let lines = ROUTES.iter().map(|(route, _)| *route).chain(GROWS.iter().map(|(route, _)| *route));
    let unknown = lines.filter(|line| !routes.contains(line));
    unknown.map(|line| format!("{line}: no route is called so\n")).collect()
}

/// A route, its store calls, and its statements of the embedded store.
type Costs = (String, (u32, u32));

/// What every route costs.
async fn costs(rows: u32, statements: &Statements) -> Vec<Costs> {
    let world = World::new(rows).await;
    let mut costs = Vec::new();
    for route in world.routes().await {
        let request = requests::of(&world, &route).await;
        world.settle().await;
        statements.reset();
        let calls = world.store_calls(&route, request).await;
        costs.push((route, (calls, statements.count())));
    }
    costs
}
