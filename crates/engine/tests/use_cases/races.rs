//! The same command many times at once, on two nodes that share their stores.

use std::sync::Arc;

use domain::ids::LineItemId;
use domain::money::Micros;
use domain::verdict::Verdict;
use tokio::task::JoinSet;

use crate::node::{Node, at};

const CALLERS: usize = 50;

async fn two_nodes() -> [Arc<Node>; 2] {
    let node = Node::new().await;
    let (other, _) = node.through(store::counting::CountingStore::new).await;
    [Arc::new(node), Arc::new(other)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_tap_of_many_starts_the_run() {
    let nodes = two_nodes().await;
    let mut taps = JoinSet::new();
    for caller in 0..CALLERS {
        let node = Arc::clone(&nodes[caller % 2]);
        taps.spawn(async move { node.participate(&at(0)).await });
    }
    let all = taps.join_all().await;
    let started = all.into_iter().map(|one| one.expect("an answer").expect("a start"));
    let started: Vec<_> = started.map(|one| (one.is_new, one.click_id)).collect();
    assert_eq!(started.iter().filter(|(is_new, _)| *is_new).count(), 1);
    assert!(started.iter().all(|(_, click_id)| *click_id == started[0].1));
    let level = nodes[0].engine.read_budget(&at(0), LineItemId(1)).await.expect("a level");
    assert_eq!((level.total.held, level.total.starts), (Micros(3_600_000), 1));
    nodes[1].assert_clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_conversion_of_many_pays() {
    let nodes = two_nodes().await;
    let click_id = nodes[0].start().await;
    let mut posts = JoinSet::new();
    for caller in 0..CALLERS {
        let (node, click_id) = (Arc::clone(&nodes[caller % 2]), click_id.clone());
        posts.spawn(async move { node.post(&at(1), &click_id, "install", &[]).await });
    }
    let all = posts.join_all().await;
    let answers: Vec<_> = all.into_iter().map(|one| one.expect("an answer")).collect();
    let of = |verdict| answers.iter().filter(|one| one.verdict == verdict).count();
    assert_eq!((of(Verdict::Rewarded), of(Verdict::Duplicate)), (1, CALLERS - 1));
    assert!(answers.iter().all(|one| one.transaction == answers[0].transaction));
    let user = nodes[0].state.load(nodes[0].viewer.user).await.expect("a user");
    assert_eq!(user.state.balance.0, 300);
    assert_eq!(nodes[0].assert_clean().await, 6);
}
