//! Never over, with several callers of one file at once.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;

use store::Movable;
use store::contract::heavy::{Nodes, books, last_unit, seed};
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// Handles of the one store: a file belongs to one process.
const NODES: usize = 3;

fn nodes(folder: &TempDir) -> Nodes {
    let store = SqliteStore::open(&folder.path().join("a.db"), Options::default()).unwrap();
    let store = Movable::of(&Arc::new(store));
    Nodes::new(vec![store; NODES], |task| drop(tokio::spawn(task)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_unit_goes_to_one_of_a_thousand() {
    let folder = tempfile::tempdir().unwrap();
    last_unit(&nodes(&folder), 100).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_sum_is_exact_after_a_hundred_thousand_operations() {
    let folder = tempfile::tempdir().unwrap();
    books(&nodes(&folder), 100_000, seed()).await.unwrap();
}
