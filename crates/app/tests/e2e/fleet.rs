//! Several nodes on one configuration, behind a balancer, as if they were one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use services::Nginx;

use crate::crash::{Load, all_told, catalog, settle};
use crate::support::PATIENCE;
use crate::support::catalog::{AMPLE, LIVE_KEY, campaign, on_event};
use crate::support::http::{Client, Request};
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;
use crate::support::shape::Shape;

/// Edits whose way to the other nodes is measured.
const EDITS: u32 = 5;
/// How long an edit may take until every node serves it.
const SERVED_WITHIN: Duration = Duration::from_secs(1);

/// Three nodes, and a balancer before them.
struct Fleet {
    publisher: Publisher,
    nodes: Vec<Node>,
    balancer: Nginx,
}

impl Fleet {
    async fn start(shape: Shape) -> Self {
        let publisher = Publisher::open().await;
        let first = Node::start_on(shape, &catalog(&publisher));
        let mut nodes = vec![first.sibling(), first.sibling(), first];
        nodes[..2].iter_mut().for_each(Node::serve);
        let ports: Vec<u16> = nodes.iter().map(|node| node.address().port()).collect();
        let balancer = Nginx::start(&ports).unwrap();
        Self { publisher, nodes, balancer }
    }

    /// A client that knows the balancer alone.
    fn client(&self) -> Arc<Client> {
        Arc::new(Client::new(self.balancer.address()))
    }

    fn finish(self) {
        self.nodes.into_iter().for_each(Node::finish);
    }
}

/// A user as he is on another node.
async fn balance_at(client: &Client, token: &str) -> Value {
    let answer = client.send(&Request::get("/v1/wallet").bearer(token)).await;
    answer.expect(200).json()["balance"].clone()
}

/// Every node has to have it; the time is counted from the edit's acknowledgement.
async fn served_after(clients: &[Client], token: &str, mission: u32) -> Duration {
    let begun = Instant::now();
    for client in clients {
        let path = format!("/v1/missions/{mission}");
        while client.send(&Request::get(&path).bearer(token)).await.status != 200 {
            assert!(begun.elapsed() < PATIENCE, "the edit does not arrive");
        }
    }
    begun.elapsed()
}

pub(crate) async fn three_nodes_are_one(shape: Shape) {
    let fleet = Fleet::start(shape).await;
    let clients: Vec<Client> = fleet.nodes.iter().map(Node::client).collect();
    let balanced = fleet.client();
    let ann = User::open(&balanced, "ann").await;
    let click = ann.start(11).await;
    // Each step is seen by every node as soon as it is acknowledged.
    for (count, client) in [1, 2, 3].into_iter().zip(&clients) {
        let verdict = convert(client, &click, "round", &count.to_string()).await;
        assert_eq!(verdict.said(), ("rewarded", "step_done"));
        for other in &clients {
            assert_eq!(balance_at(other, &ann.token).await, 60 * count);
        }
    }
    let mut times = Vec::new();
    for edit in 0..EDITS {
        let mission = 50 + edit;
        let file = campaign(mission, AMPLE, &[&on_event("install", 1_000_000)]);
        let apply = Request::post("/v1/admin/catalog/apply")
            .bearer(&fleet.nodes[2].admin_key)
            .body("application/toml", file);
        clients[edit as usize % clients.len()].send(&apply).await.expect(200);
        times.push(served_after(&clients, &ann.token, mission).await);
    }
    // One that a busy machine has held up is not the rule.
    times.sort();
    assert!(times[times.len() / 2] < SERVED_WITHIN, "{times:?}");
    fleet.publisher.wait_for_rewards(3).await;
    fleet.finish();
}

pub(crate) async fn a_node_dies_under_load_and_nobody_notices(shape: Shape) {
    let mut fleet = Fleet::start(shape).await;
    let client = fleet.client();
    let mut load = Load::begin_balanced(&client, "fleet").await;
    load.reaches(100).await;
    fleet.nodes[0].kill();
    load.reaches(200).await;
    for node in &fleet.nodes[1..] {
        let ready = node.client().send(&Request::get("/readyz")).await.expect(200).json();
        assert_eq!(ready["dependencies"][0]["ok"], true, "{ready}");
    }
    let books = load.end().await;
    let mut transactions: BTreeSet<String> = settle(books, &client).await;
    fleet.nodes[0].serve();
    let mut load = Load::begin_balanced(&client, "again").await;
    load.reaches(50).await;
    transactions.extend(settle(load.end().await, &client).await);
    let list = client.send(&Request::get("/v1/rewards").bearer(LIVE_KEY)).await;
    assert!(!list.expect(200).json()["rewards"].as_array().unwrap().is_empty());
    all_told(&fleet.publisher, &transactions).await;
    fleet.finish();
}
