//! Never over, with three nodes on one table at once.

mod support;

use std::sync::Arc;

use store::Movable;
use store::contract::heavy::{Nodes, books, last_unit, seed};
use support::Tables;

/// Stores that are opened on the table, each with lanes of its own.
const NODES: usize = 3;
/// Shards of the table.
const SHARDS: u32 = 4;
/// Rounds of racers, and operations: what the server for tests can take in about a minute, as it
/// commits one transaction at a time. Set these variables for more.
const ROUNDS: (&str, usize) = ("GUERDON_RACES", 10);
const OPERATIONS: (&str, usize) = ("GUERDON_OPERATIONS", 1_000);

fn number((variable, usual): (&str, usize)) -> usize {
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
    let rounds = u32::try_from(number(ROUNDS)).unwrap();
    last_unit(&nodes(&tables).await, rounds).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_sum_is_exact_after_random_operations() {
    let tables = Tables::start();
    books(&nodes(&tables).await, number(OPERATIONS), seed()).await.unwrap();
}
