//! Telling publishers, whatever their servers do: broken, silent, gone, moved.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::catalog::{AMPLE, GENERIC, LIVE_KEY, OTHER_LIVE_KEY, base, campaign, on_event};
use crate::support::crowd::in_turns;
use crate::support::http::{Client, Request, form};
use crate::support::node::Node;
use crate::support::people::{User, Verdict, convert};
use crate::support::publisher::{Mood, Publisher};
use crate::support::shape::Shape;

/// A campaign of one step.
fn install() -> String {
    campaign(11, AMPLE, &[&on_event("install", 1_000_000)])
}

/// A user of the second app, whose server is tried again after a second.
async fn other_user(client: &Arc<Client>, id: &str) -> User {
    User::open_with(client, OTHER_LIVE_KEY, json!({"unit_id": 2, "user_id": id})).await
}

async fn deliveries(client: &Client, key: &str, query: &str) -> Vec<Value> {
    let ask = Request::get(format!("/v1/deliveries?{query}")).bearer(key);
    client.send(&ask).await.expect(200).json()["deliveries"].as_array().unwrap().clone()
}

/// Waits until a delivery is in that state.
async fn settled(client: &Client, key: &str, state: &str) -> Value {
    let mut last = Vec::new();
    let found = tokio::time::timeout(crate::support::PATIENCE, async {
        loop {
            last = deliveries(client, key, "").await;
            if let Some(found) = last.iter().find(|one| one["state"] == state) {
                return found.clone();
            }
            tokio::task::yield_now().await;
        }
    });
    let found = found.await;
    found.unwrap_or_else(|_| panic!("waited in vain for {state}: {last:?}"))
}

pub(crate) async fn a_reversal_is_told_after_its_reward(shape: Shape) {
    let publisher = Publisher::open().await;
    publisher.set_mood("other", Mood::Status(503));
    let node = Node::start_on(shape, &(base(&publisher.base()) + &install()));
    let client = Arc::new(node.client());
    let ann = other_user(&client, "ann").await;
    let click = ann.start(11).await;
    let paid = convert(&client, &click, "install", "e").await;
    assert_eq!(paid.said(), ("rewarded", "step_done"));
    assert_eq!(ann.balance().await, 2_500);
    let fields = [
        ("click_id", click.as_str()),
        ("event", "install"),
        ("event_id", "e"),
        ("reversal", "true"),
    ];
    let reversal = Request::get(format!("/v1/postbacks/{GENERIC}?{}", form(&fields)));
    let taken = Verdict::of(&client.send(&reversal).await);
    assert_eq!((taken.said(), &taken.transaction), (("rejected", "reversed"), &paid.transaction));
    assert_eq!(ann.balance().await, 0);
    let again = Verdict::of(&client.send(&reversal).await);
    assert_eq!(again.verdict, "duplicate");
    // The server is down for a while: only the reward is offered to it, again and again.
    let offered = publisher.wait_for("three attempts", |all| all.len() >= 3).await;
    assert!(offered.iter().all(|one| one.kind() == "reward.granted"), "{offered:?}");
    publisher.set_mood("other", Mood::Well);
    let told = publisher
        .wait_for("the reversal", |all| all.iter().any(|one| one.kind() == "reward.reversed"));
    let told = told.await;
    let reversed = told.iter().find(|one| one.kind() == "reward.reversed").unwrap();
    assert_eq!(reversed.data("amount"), 2_500);
    publisher.check();
    node.finish();
}

pub(crate) async fn a_silent_publisher_does_not_delay_another(shape: Shape) {
    const USERS: usize = 40;
    let publisher = Publisher::open().await;
    publisher.set_mood("other", Mood::Silent);
    let node = Node::start_on(shape, &(base(&publisher.base()) + &install()));
    let client = Arc::new(node.client());
    let pay = |number: usize| {
        let client = Arc::clone(&client);
        async move {
            let click = other_user(&client, &format!("u{number}")).await.start(11).await;
            convert(&client, &click, "install", "e").await.transaction.unwrap()
        }
    };
    let paid = in_turns(8, USERS, pay).await;
    publisher.wait_for("the silent one to be called", |all| !all.is_empty()).await;
    let click = User::open(&client, "ann").await.start(11).await;
    let own = convert(&client, &click, "install", "e").await.transaction.unwrap();
    let told =
        publisher.wait_for("the other's reward", |all| all.iter().any(|one| one.path == "live"));
    assert!(told.await.iter().any(|one| one.transaction() == own));
    assert_eq!(publisher.check().len(), 1, "the silent one has accepted nothing yet");
    publisher.set_mood("other", Mood::Well);
    publisher.wait_for_rewards(USERS + 1).await;
    let granted = publisher.check();
    assert!(paid.iter().all(|one| granted.contains(one)));
    node.finish();
}

pub(crate) async fn a_publisher_that_says_stop_is_told_when_asked_to(shape: Shape) {
    let publisher = Publisher::open().await;
    publisher.set_mood("live", Mood::Status(410));
    let node = Node::start_on(shape, &(base(&publisher.base()) + &install()));
    let client = Arc::new(node.client());
    let click = User::open(&client, "ann").await.start(11).await;
    convert(&client, &click, "install", "e").await;
    let stopped = settled(&client, LIVE_KEY, "stopped").await;
    assert_eq!((&stopped["last_status"], &stopped["attempts"]), (&json!(410), &json!(1)));
    assert_eq!(deliveries(&client, LIVE_KEY, "state=delivered").await, Vec::<Value>::new());
    assert_eq!(deliveries(&client, OTHER_LIVE_KEY, "").await, Vec::<Value>::new());
    let id = stopped["id"].as_str().unwrap();
    let replay = |key| Request::post(format!("/v1/deliveries/{id}/replay")).bearer(key);
    client.send(&replay(OTHER_LIVE_KEY)).await.expect(404);

    publisher.set_mood("live", Mood::Well);
    let replayed = client.send(&replay(LIVE_KEY)).await.expect(200).json();
    assert_eq!(replayed, json!({"replayed": 1}));
    let delivered = settled(&client, LIVE_KEY, "delivered").await;
    assert_eq!((&delivered["id"], &delivered["last_status"]), (&stopped["id"], &json!(204)));
    let span =
        json!({"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "state": "delivered"});
    let range = Request::post("/v1/deliveries/replay").bearer(LIVE_KEY).json(&span);
    assert_eq!(client.send(&range).await.expect(200).json(), json!({"replayed": 1}));
    publisher.wait_for("the same once more", |all| all.len() >= 3).await;
    assert_eq!(publisher.check().len(), 1);
    node.finish();
}

pub(crate) async fn a_server_that_has_moved_gets_what_has_waited(shape: Shape) {
    let publisher = Publisher::open().await;
    // Bound and never listened to: whoever connects is refused.
    let dead = tokio::net::TcpSocket::new_v4().unwrap();
    dead.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let old = format!("http://{}", dead.local_addr().unwrap());
    let node = Node::start_on(shape, &(base(&old) + &install()));
    let client = Arc::new(node.client());
    let click = other_user(&client, "ann").await.start(11).await;
    let paid = convert(&client, &click, "install", "e").await;
    let waiting = settled(&client, OTHER_LIVE_KEY, "retrying").await;
    assert_eq!(waiting["last_status"], Value::Null);
    let apply = Request::post("/v1/admin/catalog/apply").bearer(&node.admin_key);
    let apply = apply.body("application/toml", base(&publisher.base()));
    let difference = client.send(&apply).await.expect(200).json();
    assert_eq!(difference["changed"].as_array().unwrap().len(), 2, "{difference}");
    publisher.wait_for_rewards(1).await;
    let told = publisher.received();
    assert_eq!(
        (Some(told[0].transaction()), &told[0].id),
        (paid.transaction, &text(&waiting["id"]))
    );
    publisher.check();
    node.finish();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
