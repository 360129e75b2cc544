//! Nodes that are cut off from what they depend on: what they say, and what they go on doing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use services::RedisNode;

use crate::support::PATIENCE;
use crate::support::catalog::{AMPLE, base, campaign, on_event};
use crate::support::http::{Client, Request};
use crate::support::node::{Node, Setup};
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;
use crate::support::shape::{Backing, Shape, proxy_before_mysql};

/// How soon a node that is cut off has to say that it is not ready.
const NOT_READY_WITHIN: Duration = Duration::from_secs(5);

/// Asks until the status is that, and gives the answer and the time that it took.
async fn becomes(
    client: &Client,
    status: u16,
    is_so: impl Fn(&Value) -> bool,
) -> (Value, Duration) {
    let begun = Instant::now();
    loop {
        let answer = client.send(&Request::get("/readyz")).await;
        let told = answer.json();
        if answer.status == status && is_so(&told) {
            return (told, begun.elapsed());
        }
        assert!(begun.elapsed() < PATIENCE, "{} {told}", answer.status);
    }
}

fn problem<'a>(told: &'a Value, name: &str) -> &'a str {
    let all = told["dependencies"].as_array().unwrap();
    let one =
        all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {told}"));
    one["problem"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_its_state_is_not_ready_and_comes_back() {
    let proxy = proxy_before_mysql();
    let backing = Backing::shared(Shape::Compact).through(&proxy);
    let catalog = base("http://127.0.0.1:9") + &campaign(11, AMPLE, &[&on_event("install", 1_000)]);
    let mut node = Node::set_up_at(&catalog, Setup::on(Shape::Compact), &backing);
    node.serve();
    let client = Arc::new(node.client());
    becomes(&client, 200, |told| told["status"] == "ready").await;
    for cut in ["frozen", "refused"] {
        match cut {
            "frozen" => proxy.freeze().unwrap(),
            _ => {
                proxy.refuse();
                proxy.cut_all();
            }
        }
        let (told, took) = becomes(&client, 503, |told| told["status"] == "down").await;
        assert!(took < NOT_READY_WITHIN, "{cut}: {took:?}");
        assert!(!problem(&told, "state").is_empty(), "{told}");
        proxy.pass().unwrap();
        becomes(&client, 200, |told| told["status"] == "ready").await;
    }
    User::open(&client, "ann").await.start(11).await;
    drop(client);
    node.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_the_catalogues_database_goes_on_with_what_it_has() {
    let publisher = Publisher::open().await;
    let proxy = proxy_before_mysql();
    let state = "\n[state]\nkind = \"sqlite\"\npath = \"state.db\"\n";
    let backing = Backing::shared(Shape::Compact).through(&proxy).with(state);
    let catalog =
        base(&publisher.base()) + &campaign(11, AMPLE, &[&on_event("install", 1_000_000)]);
    let mut node = Node::set_up_at(&catalog, Setup::on(Shape::Compact), &backing);
    node.serve();
    let client = Arc::new(node.client());
    becomes(&client, 200, |told| told["status"] == "ready").await;
    proxy.freeze().unwrap();
    let is_stale = |told: &Value| problem(told, "catalog").starts_with("stale since 20");
    let (told, _) = becomes(&client, 200, is_stale).await;
    assert_eq!((&told["status"], problem(&told, "state")), (&Value::from("degraded"), ""));
    // What needs the state alone goes on.
    let ann = User::open(&client, "ann").await;
    let list = ann.get("/v1/missions").await.expect(200).json();
    assert_eq!(list["missions"][0]["id"], 11);
    let click = ann.start(11).await;
    assert_eq!(convert(&client, &click, "install", "1").await.said(), ("rewarded", "step_done"));
    publisher.wait_for_rewards(1).await;
    // An edit is refused in a sentence, and is served once the database is back.
    let file = campaign(12, AMPLE, &[&on_event("install", 1_000)]);
    let apply = || {
        let request = Request::post("/v1/admin/catalog/apply").bearer(&node.admin_key);
        request.body("application/toml", file.clone())
    };
    client.send(&apply()).await.expect(503);
    proxy.pass().unwrap();
    becomes(&client, 200, |told| told["status"] == "ready").await;
    client.send(&apply()).await.expect(200);
    ann.start(12).await;
    drop(client);
    node.finish_after_errors(&["the database gave no answer within"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_redis_goes_on() {
    let publisher = Publisher::open().await;
    let redis = RedisNode::start().unwrap();
    let backing = Backing { redis: redis.url(), ..Backing::shared(Shape::Standard) };
    let catalog =
        base(&publisher.base()) + &campaign(11, AMPLE, &[&on_event("install", 1_000_000)]);
    let mut node = Node::set_up_at(&catalog, Setup::on(Shape::Standard), &backing);
    node.serve();
    let client = Arc::new(node.client());
    becomes(&client, 200, |told| told["status"] == "ready").await;
    for (count, id) in [(1, "ann"), (2, "ben"), (3, "cho")] {
        match id {
            "ben" => redis.kill().unwrap(),
            "cho" => redis.restart().unwrap(),
            _ => {}
        }
        let user = User::open(&client, id).await;
        let click = user.start(11).await;
        assert_eq!(user.balance().await, 0);
        assert_eq!(convert(&client, &click, "install", id).await.said(), ("rewarded", "step_done"));
        assert_eq!(user.balance().await, 600);
        publisher.wait_for_rewards(count).await;
        let is_told = |told: &Value| problem(told, "cache").is_empty() == (id != "ben");
        becomes(&client, 200, is_told).await;
    }
    assert_eq!(publisher.check().len(), 3);
    drop(client);
    node.finish();
}
