//! A budget that all lanes of three nodes write all the time can still be written as a whole.

#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::budget::Limits;
use store::contract::all;
use store::contract::sample::{self, Draft, LINE_ITEM, NOW};
use store::{Budgets as _, StoreError};
use store_dynamo::{DynamoStore, FaultPlan};
use support::{Tables, open, until, until_it_answers};

/// Nodes that share the table.
const NODES: usize = 3;

/// A line item that is written all the time by all lanes of all nodes, over a network that takes its
/// time, can still be given other limits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_a_busy_line_item_can_be_set() {
    let tables = Tables::start();
    let place = tables.make(16).await;
    let nodes = all((0..NODES).map(|_| open(&place))).await;
    nodes[0].set_limits(LINE_ITEM, sample::limits(i64::MAX / 4), NOW).await.unwrap();
    let latency = Duration::from_millis(15);
    let slow = FaultPlan { latency, ..FaultPlan::default() };
    nodes.iter().for_each(|node| node.follow_faults(Some(slow)));
    let stop = AtomicBool::new(false);
    let spend = async |number: usize| {
        let mut user = sample::user(&format!("user {number}"));
        let mut made = 0;
        while !stop.load(Ordering::Relaxed) {
            let change = Draft::of(&user, NOW).moving(sample::hold(1)).change();
            until_it_answers(&nodes[number % NODES], &change).await;
            user = sample::after(&user, &change);
            made += 1;
        }
        made
    };
    let operator = async {
        for total in 1..=3 {
            let limits = sample::limits(i64::MAX / 4 + total);
            set_limits(&nodes[0], limits).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (made, ()) = tokio::join!(all((0..120).map(spend)), operator);
    let level = nodes[1].level(LINE_ITEM).await.unwrap().unwrap();
    assert_eq!(level.total.held.0, made.iter().sum::<i64>());
}

async fn set_limits(node: &DynamoStore, limits: Limits) {
    until(async || match node.set_limits(LINE_ITEM, limits, NOW).await {
        Ok(_) => Some(()),
        Err(StoreError::Unavailable(_) | StoreError::Unknown(_)) => None,
        Err(error) => panic!("{error}"),
    })
    .await;
}
