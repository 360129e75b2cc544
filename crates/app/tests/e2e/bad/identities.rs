//! Ids that look alike are different, and ids that are strange are kept to the byte.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::support::catalog::{AMPLE, LIVE_KEY, base, campaign, on_event};
use crate::support::http::{Request, encode};
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;

/// Each differs from another one by something that some store or language takes for nothing.
const ALIKE: [&str; 27] = [
    "a",
    "A",
    "á",
    "a\u{301}",
    "а",
    "ａ",
    "a ",
    " a",
    "a\u{200b}",
    "a\u{a0}",
    "a\u{202e}b",
    "한국",
    "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}",
    "ｶﾞ",
    "ガ",
    "カ\u{3099}",
    "İ",
    "i",
    "ı",
    "ß",
    "ss",
    "😀",
    "👨‍👩‍👧",
    "../a",
    "a'--",
    "<b>a</b>",
    "=1+1",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_that_look_alike_are_different_users() {
    let publisher = Publisher::open().await;
    let install = campaign(11, AMPLE, &[&on_event("install", 1_000_000)]);
    let node = Node::start(&(base(&publisher.base()) + &install));
    let client = Arc::new(node.client());
    let mut enrollments = BTreeSet::new();
    for id in ALIKE {
        let user = User::open(&client, id).await;
        let started = user.participate(11).await;
        assert_eq!(started.status, 201, "{id:?} is taken for another: {}", started.text());
        enrollments.insert(started.json()["enrollment_id"].as_str().unwrap().to_owned());
        let click = started.json()["click_id"].as_str().unwrap().to_owned();
        assert_eq!(convert(&client, &click, "install", "e").await.verdict, "rewarded", "{id:?}");
        let query = format!("/v1/wallet?unit_id=1&user_id={}", encode(id));
        let wallet = client.send(&Request::get(query).bearer(LIVE_KEY)).await.expect(200).json();
        assert_eq!(wallet["balance"], 600, "{id:?}");
    }
    assert_eq!(enrollments.len(), ALIKE.len());
    publisher.wait_for_rewards(ALIKE.len()).await;
    publisher.check();
    let received = publisher.received();
    let told: BTreeSet<_> =
        received.iter().filter_map(|one| one.data("user_id").as_str()).collect();
    assert_eq!(told, ALIKE.into_iter().collect(), "ids are told to the byte");
    let reward =
        client.send(&Request::get("/v1/rewards").bearer(LIVE_KEY)).await.expect(200).json();
    assert_eq!(reward["rewards"].as_array().unwrap().len(), ALIKE.len());
    assert_eq!(reward["has_more"], json!(false));
    node.finish();
}
