//! Texts that want to be code: in the catalogue, in user ids, in paths. They are shown as text.

use std::sync::Arc;

use serde_json::json;

use crate::support::catalog::{AMPLE, LIVE_KEY, base, campaign, on_event};
use crate::support::http::{Answer, Client, Request};
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;

/// Each would do something in HTML, in an attribute, in a template, in SQL, in a spreadsheet, or in a
/// terminal.
const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "</title><svg onload=alert(1)>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "'; DROP TABLE users; --",
    "=HYPERLINK(\"http://evil.example\")",
    "javascript:alert(1)",
    "&lt;b&gt; &amp; %3Cscript%3E",
];

/// What must never stand in a page: the beginnings of what a browser would run.
const LIVE: [&str; 5] =
    ["<script>alert", "<img src=x", "<svg onload", "onerror=alert(1)>", "<%= 7"];

/// A TOML text.
fn quoted(text: &str) -> String {
    format!("{:?}", text)
}

fn catalog(publisher: &str) -> String {
    let missions = HOSTILE.iter().zip(11..).map(|(text, id)| {
        let creative = format!(
            "{{ language = \"en\", title = {0}, summary = {0}, description = {0}, cta = {1}, fine_print = {0} }}",
            quoted(text),
            quoted(&text.chars().take(40).collect::<String>())
        );
        let step = on_event("install", 100_000);
        let texts = format!("[{{ language = \"en\", title = {0}, description = {0} }}]", quoted(text));
        campaign(id, AMPLE, &[&step])
            .replace(&format!("{{ language = \"en\", title = \"Mission {id}\", summary = \"Do it\" }}"), &creative)
            .replace("[{ language = \"en\", title = \"Step 1\" }]", &texts)
    });
    let hostile_names =
        base(publisher).replace("name = \"P\"", &format!("name = {}", quoted("<b>P</b>"))).replace(
            "name = \"Coinpick\"\nuser_share",
            &format!("name = {}\nuser_share", quoted(HOSTILE[0])),
        );
    hostile_names + &missions.collect::<String>()
}

fn is_inert(what: &str, page: &Answer) {
    let text = page.text();
    for live in LIVE {
        assert!(!text.contains(live), "{live} in {what}: {text}");
    }
    assert!(!text.contains("href=\"javascript:"), "{what}: {text}");
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.contains("default-src 'none'") || policy.contains("script-src 'none'"),
        "{what}: {policy}"
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{what}");
}

async fn page(client: &Client, path: &str) -> Answer {
    let page = client.send(&Request::get(path)).await.expect(200);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    page
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_shown_as_texts() {
    let publisher = Publisher::open().await;
    let node = Node::start(&catalog(&publisher.base()));
    let client = Arc::new(node.client());
    for (user, mission) in HOSTILE.iter().zip(11_u32..) {
        let wish = json!({"unit_id": 1, "user_id": user, "profile": {"language": "en", "device_model": user, "custom": user}});
        let user = User::open_with(&client, LIVE_KEY, wish).await;
        let root = format!("/m/u/{}", user.token);
        assert!(user.page_url.ends_with(&user.token), "{}", user.page_url);
        is_inert("the list", &page(&client, &root).await);
        is_inert("the offer", &page(&client, &format!("{root}/missions/{mission}")).await);
        let click = user.start(mission).await;
        convert(&client, &click, "install", "e").await;
        is_inert("the run", &page(&client, &format!("{root}/missions/{mission}")).await);
        is_inert("the wallet", &page(&client, &format!("{root}/wallet")).await);
        let title = &user.mission(mission).await["title"];
        assert_eq!(title, HOSTILE[mission as usize - 11], "the API gives texts as they are");
    }
    publisher.wait_for_rewards(HOSTILE.len()).await;
    publisher.check();
    for received in publisher.received() {
        let mission = received.data("mission_id").as_u64().unwrap();
        let text = HOSTILE[usize::try_from(mission).unwrap() - 11];
        for name in ["user_id", "mission_title", "step_title", "custom"] {
            assert_eq!(received.data(name), text, "{name}");
        }
    }
    node.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_is_not_echoed_as_code() {
    let node = Node::start(
        &(base("http://127.0.0.1:9") + &campaign(11, AMPLE, &[&on_event("install", 1)])),
    );
    let client = Arc::new(node.client());
    let token = User::open(&client, "ann").await.token;
    let hostile = "%3Cscript%3Ealert(1)%3C/script%3E";
    let paths = [
        format!("/{hostile}"),
        format!("/m/{hostile}"),
        format!("/m/s/{hostile}"),
        format!("/m/u/{hostile}"),
        format!("/m/u/{token}/{hostile}"),
        format!("/m/u/{token}?kind={hostile}"),
        format!("/m/u/{token}?after={hostile}"),
        format!("/m/u/{token}/wallet?show={hostile}&after={hostile}"),
        format!("/m/u/{token}/missions/{hostile}"),
        format!("/m/u/{token}/missions/11?n={hostile}"),
        "/m/assets/..%2F..%2Fguerdon.toml".to_owned(),
        "/m/theme/%0d%0aset-cookie:%20x=1".to_owned(),
        "/%0d%0aset-cookie:%20x=1".to_owned(),
    ];
    for path in paths {
        let answer = client.send(&Request::get(&path)).await;
        assert!(answer.status < 500, "{path}: {}", answer.status);
        let is_page =
            answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        assert!(!is_page || !answer.text().contains("<script>"), "{path}: {}", answer.text());
        assert!(
            answer.header("set-cookie").is_none_or(|cookie| !cookie.starts_with("x=")),
            "{path}"
        );
        assert!(!answer.text().contains("[server]"), "{path}");
    }
    assert!(
        node.log().iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "a log line is broken"
    );
    node.finish();
}
