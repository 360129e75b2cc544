//! Never over, with three nodes on one table at once.

mod support;

use std::sync::Arc;

use store::Movable;
use store::contract::heavy::{Nodes, last_unit};
use support::Tables;

/// Stores that are opened on the table, each with lanes of its own.
const NODES: usize = 3;
/// Shards of the table.
const SHARDS: u32 = 4;
/// Rounds of racers: what the server for tests can take in about a minute, as it commits one
/// transaction at a time. Set the variable for more.
const ROUNDS: (&str, u32) = ("GUERDON_RACES", 10);

fn number((variable, usual): (&str, u32)) -> u32 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

async fn nodes(tables: &Tables) -> Nodes {
    let place = tables.make(SHARDS).await;
    let mut stores = Vec::new();
    for _ in 0..NODES {
        stores.push(Movable::of(&Arc::new(support::open(&place).await)));
    }
    Nodes::new(stores, |task| drop(tokio::spawn(task)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_unit_goes_to_one_of_a_thousand() {
    let tables = Tables::start();
    last_unit(&nodes(&tables).await, number(ROUNDS)).await.unwrap();
}
