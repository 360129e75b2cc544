//! Never over, with three nodes on one database at once.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use std::sync::Arc;

use services::MariaDb;
use store::Movable;
use store::contract::heavy::{Nodes, books, last_unit, seed};

/// Stores that are opened on the database, each with connections of its own.
const NODES: usize = 3;

async fn nodes(server: &MariaDb, name: &str) -> Nodes {
    let url = common::database(server, name).await;
    let mut stores = Vec::new();
    for _ in 0..NODES {
        stores.push(Movable::of(&Arc::new(common::open(&url).await)));
    }
    Nodes::new(stores, |task| drop(tokio::spawn(task)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_unit_goes_to_one_of_a_thousand() {
    let server = MariaDb::start().unwrap();
    last_unit(&nodes(&server, "last_unit").await, 100).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_sum_is_exact_after_a_hundred_thousand_operations() {
    let server = MariaDb::start().unwrap();
    books(&nodes(&server, "books").await, 100_000, seed()).await.unwrap();
}
