//! Servers that a scene may break, three nodes on them, and the proof at the end.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use services::{Dynamo, MariaDb, RedisCluster, RedisNode};
use tokio::time::timeout;

use super::load::{Doors, Life, Load, PAYOUT, settle};
use crate::crash::{all_told, catalog};
use crate::support::catalog::LIVE_KEY;
use crate::support::http::{Client, Request};
use crate::support::node::{Node, Setup};
use crate::support::publisher::Publisher;
use crate::support::shape::{Backing, Shape};

/// Nodes of a fleet.
pub(crate) const NODES: usize = 3;

/// What a node logs as an error when a store has failed it; nothing else may be.
pub(crate) const STORE_ERRORS: [&str; 2] = ["a group was not committed", "request failed"];

/// What a node logs in an error when the server of its state took longer than it may, as on a machine
/// that is busy with other things.
pub(crate) const TOO_SLOW: [&str; 3] =
    ["request has timed out", "connect timeout", "gave no answer within"];

/// How long rewards may take to be told before what has failed meanwhile is made due.
const TOLD_WITHIN: Duration = Duration::from_secs(40);
/// How often that is done.
const MADE_DUE_MAX: usize = 4;

/// The servers of one shape, nobody else's.
pub(crate) struct Servers {
    pub(crate) shape: Shape,
    pub(crate) mysql: MariaDb,
    pub(crate) dynamo: Option<Dynamo>,
    pub(crate) redis: Option<RedisNode>,
    pub(crate) cluster: Option<RedisCluster>,
}

impl Servers {
    pub(crate) fn start(shape: Shape) -> Self {
        assert_ne!(shape, Shape::Embedded, "it has no servers");
        let has_dynamo = matches!(shape, Shape::Standard | Shape::Scaled);
        Self {
            shape,
            mysql: MariaDb::start().unwrap(),
            dynamo: has_dynamo.then(|| Dynamo::start().unwrap()),
            redis: has_dynamo.then(|| RedisNode::start().unwrap()),
            cluster: (shape == Shape::Scaled).then(|| RedisCluster::start(3, 0).unwrap()),
        }
    }

    /// A place for nodes on them.
    pub(crate) fn backing(&self) -> Backing {
        Backing {
            name: "faults".to_owned(),
            mysql: self.mysql.url("faults"),
            dynamo: self.dynamo.as_ref().map(Dynamo::endpoint).unwrap_or_default(),
            redis: self.redis.as_ref().map(|redis| redis.url()).unwrap_or_default(),
            cluster: self.cluster.as_ref().map(RedisCluster::urls).unwrap_or_default(),
            more: String::new(),
        }
    }
}

/// Three nodes on servers of their own, and a publisher.
pub(crate) struct Fleet {
    pub(crate) servers: Servers,
    pub(crate) publisher: Publisher,
    pub(crate) nodes: Vec<Node>,
    pub(crate) doors: Doors,
}

impl Fleet {
    /// All nodes reach the servers as they are.
    pub(crate) async fn start(shape: Shape) -> Self {
        let servers = Servers::start(shape);
        let backing = servers.backing();
        Self::start_at(servers, &backing, &|config| config).await
    }

    /// All nodes find the servers at `backing`; the last one has its configuration edited.
    pub(crate) async fn start_at(
        servers: Servers,
        backing: &Backing,
        edit_last: &dyn Fn(String) -> String,
    ) -> Self {
        let publisher = Publisher::open().await;
        let setup = Setup { has_own_clock: true, ..Setup::on(servers.shape) };
        let first = Node::set_up_at(&catalog(&publisher), setup, backing);
        publisher.live_by(&first.clock);
        let mut nodes = vec![first.sibling(), first.sibling_with(edit_last)];
        nodes.insert(0, first);
        nodes.iter_mut().for_each(Node::serve);
        let doors = Doors::new(nodes.iter().map(Node::address));
        Self { servers, publisher, nodes, doors }
    }

    /// Lets clients loose on all nodes.
    pub(crate) fn load(&self, name: &str) -> Load {
        match self.servers.shape {
            Shape::Standard | Shape::Scaled => Load::begin_cached(&self.doors, name),
            Shape::Embedded | Shape::Compact => Load::begin(&self.doors, name),
        }
    }

    /// Starts a killed node again.
    pub(crate) fn serve_again(&mut self, place: usize) {
        self.nodes[place].serve();
        self.doors.move_to(place, self.nodes[place].address());
    }

    /// Ends the scene: every acknowledged conversion is in the books exactly once, in the wallet, in
    /// the budget, in the list of rewards and with the publisher, under one id each; and
    /// `guerdon verify` finds nothing. Errors with these words are the scene's own doing.
    pub(crate) async fn settled(self, lives: Vec<Life>, errors: &[&str]) {
        // What a node was about to tell when it lost its life or its store is told again when its
        // lease has run out.
        self.nodes[0].clock.forward_hours(1);
        let transactions = settle(lives, &self.doors).await;
        self.tell(transactions.len()).await;
        all_told(&self.publisher, &transactions).await;
        let client = self.doors.at(0);
        let listed = listed(&client).await;
        let distinct: BTreeSet<String> = listed.iter().cloned().collect();
        assert_eq!(distinct.len(), listed.len(), "a reward is listed twice");
        assert_eq!(distinct, transactions, "the list of rewards");
        let booked = budget(&client, &self.nodes[0], 11).await["booked"]["amount"].clone();
        assert_eq!(booked, PAYOUT * i64::try_from(transactions.len()).unwrap());
        println!("{} conversions, all of them booked once", transactions.len());
        drop(client);
        self.finish(errors);
    }

    /// Waits until so many rewards are told. Where the machine is so slow that the publisher does not
    /// answer in time, a message is due again within the hour.
    async fn tell(&self, rewards: usize) {
        for _ in 0..MADE_DUE_MAX {
            let told = self.publisher.wait_for_rewards(rewards);
            if timeout(TOLD_WITHIN, told).await.is_ok() {
                return;
            }
            self.nodes[0].clock.forward_hours(1);
        }
    }

    /// How many requests were refused because the server of the state was too slow for the moment.
    pub(crate) fn slow_answers(&self) -> usize {
        let logs = self.nodes.iter().flat_map(Node::log);
        let is_slow = |line: &String| {
            line.contains("request failed") && TOO_SLOW.iter().any(|words| line.contains(words))
        };
        logs.filter(is_slow).count()
    }

    /// Stops all nodes, and proves the books.
    pub(crate) fn finish(self, errors: &[&str]) {
        for node in self.nodes {
            node.finish_after_errors(errors);
        }
    }
}

/// A configuration that reaches the database by another port.
pub(crate) fn through(config: String, mysql_port: u16, port: u16) -> String {
    replaced(&config, &format!(":{mysql_port}/"), &format!(":{port}/"))
}

/// A configuration with which a node leaves all work to the others, so that a test knows what is asked
/// of the database.
pub(crate) fn without_jobs(config: String) -> String {
    replaced(&config, "enabled = true", "enabled = false")
}

/// A configuration with other words in it.
pub(crate) fn replaced(config: &str, old: &str, new: &str) -> String {
    assert!(config.contains(old), "{old} in {config}");
    config.replace(old, new)
}

/// The figures of a line item.
pub(crate) async fn budget(client: &Client, node: &Node, line_item: u32) -> Value {
    let path = format!("/v1/admin/line_items/{line_item}/budget");
    client.send(&Request::get(path).bearer(&node.admin_key)).await.expect(200).json()
}

/// All rewards as a publisher reads them, page by page.
async fn listed(client: &Client) -> Vec<String> {
    let (mut listed, mut next) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/rewards?limit=200&after={next}");
        let page = client.send(&Request::get(path).bearer(LIVE_KEY)).await.expect(200).json();
        let rewards = page["rewards"].as_array().unwrap();
        listed.extend(rewards.iter().map(|one| one["transaction_id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            return listed;
        }
    }
}
