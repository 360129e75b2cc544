//! What must not come out (X3): planted secrets and personal data in logs, figures and refusals.

use std::sync::Arc;

use serde_json::json;

use crate::support::catalog::{
    ADJUST, AMPLE, APPSFLYER, FOREIGN, GENERIC, LIVE_KEY, OTHER_LIVE_KEY, PARTNER_OLD_SECRET,
    PARTNER_SECRET, SIGNED, TEST_KEY, base, campaign, on_event,
};
use crate::support::http::{Request, form};
use crate::support::node::{Node, Setup};
use crate::support::people::{User, conversion, convert};
use crate::support::publisher::{Mood, Publisher, WEBHOOK_SECRET};

const USER: &str = "user-canary@example.org";
const IFA: &str = "ifa-canary-cdda802e";
const MODEL: &str = "model-canary-9";
const CUSTOM: &str = "custom-canary-text";
const EMAIL: &str = "mail-canary@example.org";
const ADDRESS: &str = "203.0.113.77";

/// Everything that a node does once, well and badly, with everything that it must keep to itself.
async fn live(node: &Node, publisher: &Publisher) -> (Vec<String>, Vec<String>) {
    let client = Arc::new(node.client());
    let profile = json!({"ifa": IFA, "device_model": MODEL, "custom": CUSTOM, "installed_apps": ["app.canary"]});
    let wish = json!({"unit_id": 1, "user_id": USER, "profile": profile});
    let user = User::open_with(&client, LIVE_KEY, wish).await;
    let click = user.start(11).await;
    convert(&client, &click, "install", "e").await;
    publisher.set_mood("live", Mood::Status(500));
    let personal = [
        ("click_id", click.as_str()),
        ("event", "level"),
        ("email", EMAIL),
        ("ip", ADDRESS),
        ("idfa", IFA),
    ];
    client
        .send(&Request::get(format!("/v1/postbacks/{GENERIC}?{}", form(&personal))))
        .await
        .expect(200);
    publisher.wait_for("both rewards", |all| all.len() >= 2).await;
    for path in ["", "/missions/11", "/wallet", "/missions/999"] {
        client.send(&Request::get(format!("/m/u/{}{path}", user.token))).await;
    }
    let broken = json!({"unit_id": 1, "user_id": USER, "profile": {"ifa": [IFA]}});
    let refused = [
        Request::get(format!("/v1/missions/{click}")).bearer(&user.token),
        Request::get(format!("/v1/missions?cursor={click}")).bearer(&user.token),
        Request::get("/v1/missions").bearer(&format!("{}x", user.token)),
        Request::get("/v1/rewards").bearer(&format!("{LIVE_KEY}x")),
        Request::get("/v1/admin/apps").bearer(&format!("{}x", node.admin_key)),
        Request::get(format!("/v1/missions?user_id={USER}&unit_id=2")).bearer(LIVE_KEY),
        Request::post("/v1/sessions").bearer(LIVE_KEY).json(&broken),
        Request::post("/v1/sessions")
            .bearer(LIVE_KEY)
            .body("application/json", format!("{{\"user_id\":\"{USER}\"")),
        Request::get(format!(
            "/v1/postbacks/{SIGNED}?{}&signature={PARTNER_SECRET}",
            form(&personal)
        )),
        Request::post(format!("/v1/postbacks/{GENERIC}"))
            .body("application/json", format!("{{\"email\":\"{EMAIL}\"")),
        Request::get(format!("/v1/postbacks/{GENERIC}x?{}", form(&personal))),
        Request::post("/v1/admin/catalog/apply")
            .bearer(&node.admin_key)
            .body("application/toml", base("nowhere")),
    ];
    let mut said = Vec::new();
    for request in &refused {
        let answer = client.send(request).await;
        assert!(answer.status >= 400, "{}", answer.text());
        said.push(answer.text());
    }
    // Verdicts are refusals too.
    said.push(client.send(&conversion(&format!("{click}x"), "install", "f")).await.text());
    said.push(client.send(&Request::get("/metrics")).await.expect(200).text());
    for path in ["/v1/admin/apps", "/v1/admin/partners"] {
        said.push(
            client.send(&Request::get(path).bearer(&node.admin_key)).await.expect(200).text(),
        );
    }
    let trail = user.get("/v1/enrollments").await.expect(200).text();
    assert!(trail.contains("11"), "{trail}");
    (said, vec![user.token, click])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_and_persons_are_not_told() {
    let publisher = Publisher::open().await;
    let steps = [on_event("install", 1_000_000), on_event("level", 1_000_000)];
    let catalog =
        base(&publisher.base()) + &campaign(11, AMPLE, &steps.each_ref().map(String::as_str));
    let mut node = Node::start_with(&catalog, Setup { log: "debug", ..Setup::default() });
    let (said, issued) = live(&node, &publisher).await;
    node.stop();
    let planted = [
        LIVE_KEY,
        TEST_KEY,
        OTHER_LIVE_KEY,
        GENERIC,
        APPSFLYER,
        ADJUST,
        SIGNED,
        FOREIGN,
        PARTNER_SECRET,
        PARTNER_OLD_SECRET,
        WEBHOOK_SECRET,
        USER,
        IFA,
        MODEL,
        CUSTOM,
        EMAIL,
        ADDRESS,
    ];
    let master_key = std::fs::read_to_string(node.folder().join("master.key")).unwrap();
    let all: Vec<String> = planted.map(str::to_owned).into_iter().chain(issued).collect();
    let all = [all, vec![node.admin_key.clone(), master_key.trim().to_owned()]].concat();
    let log = node.log();
    assert!(log.iter().any(|line| line.contains("\"level\":\"DEBUG\"")), "the log is not at debug");
    for canary in &all {
        // Part of a secret is a secret, and it may be escaped differently.
        let part = &canary[..canary.len().min(20)];
        for line in &log {
            assert!(!line.contains(part), "{canary} in the log: {line}");
        }
        for text in &said {
            assert!(!text.contains(part), "{canary} in an answer: {text}");
        }
    }
    let database = std::fs::read(node.folder().join("guerdon.db")).unwrap();
    let sealed = [
        LIVE_KEY,
        GENERIC,
        SIGNED,
        PARTNER_SECRET,
        PARTNER_OLD_SECRET,
        WEBHOOK_SECRET,
        EMAIL,
        ADDRESS,
    ];
    for canary in sealed {
        let is_there = database.windows(canary.len()).any(|part| part == canary.as_bytes());
        assert!(!is_there, "{canary} stands in the database in clear");
    }
    node.finish();
}
