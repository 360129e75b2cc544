//! Never over, with several nodes at once; and how it looks when a store is.

use std::sync::Arc;

use store::Movable;
use store::contract::heavy::{Nodes, books, last_unit, seed};
use store::memory::MemoryState;

use crate::broken::{BrokenState, Fault};

/// Handles of the one store, which lives in one process.
const NODES: usize = 3;

fn nodes(store: Movable) -> Nodes {
    Nodes::new(vec![store; NODES], |task| drop(tokio::spawn(task)))
}

fn memory() -> Nodes {
    nodes(Movable::of(&Arc::new(MemoryState::new())))
}

fn broken(fault: Fault) -> Nodes {
    nodes(BrokenState::new(fault).movable())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_unit_goes_to_one_of_a_thousand() {
    last_unit(&memory(), 100).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_sum_is_exact_after_a_hundred_thousand_operations() {
    books(&memory(), 100_000, seed()).await.unwrap();
}

/// Rounds and operations that are enough to find a fault.
const ROUNDS: u32 = 6;
const OPERATIONS: usize = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_goes_over_is_found_by_both() {
    for fault in [Fault::IgnoresGuards, Fault::JudgesEarly, Fault::AppliesTwice] {
        let raced = last_unit(&broken(fault), ROUNDS).await;
        let summed = books(&broken(fault), OPERATIONS, seed()).await;
        assert!(raced.is_err() && summed.is_err(), "{fault:?}: {raced:?} {summed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_without_a_fault_passes_both_in_short() {
    last_unit(&broken(Fault::None), ROUNDS).await.unwrap();
    books(&broken(Fault::None), OPERATIONS, seed()).await.unwrap();
}
