//! The main job from beginning to end: a publisher opens a session, a user sees missions, starts one,
//! partners report what he does, he is paid, and his publisher is told.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::catalog::{
    ADJUST, AMPLE, APPSFLYER, GENERIC, LIVE_KEY, TEST_KEY, base, campaign, on_event,
};
use crate::support::http::{Client, Request, form};
use crate::support::node::{Node, Setup};
use crate::support::people::{User, Verdict, conversion, convert};
use crate::support::publisher::Publisher;
use crate::support::shape::Shape;

/// Install, a level, and a purchase that is on hold for a day.
fn game() -> String {
    let purchase = format!("hold_hours = 24, {}", on_event("purchase", 2_000_000));
    let steps = [on_event("install", 300_000), on_event("level", 1_000_000), purchase];
    campaign(11, AMPLE, &steps.each_ref().map(String::as_str))
}

async fn budget(client: &Client, node: &Node, line_item: u32) -> Value {
    let path = format!("/v1/admin/line_items/{line_item}/budget");
    client.send(&Request::get(path).bearer(&node.admin_key)).await.expect(200).json()
}

fn figures(budget: &Value) -> [i64; 4] {
    ["budget", "booked", "held", "left"].map(|name| budget[name]["amount"].as_i64().unwrap())
}

pub(crate) async fn a_user_does_a_mission_and_is_paid_for_every_step(shape: Shape) {
    let publisher = Publisher::open().await;
    let setup = Setup { has_own_clock: true, ..Setup::on(shape) };
    let node = Node::start_with(&(base(&publisher.base()) + &game()), setup);
    publisher.live_by(&node.clock);
    let client = Arc::new(node.client());

    let user = User::open(&client, "ann").await;
    let list = user.get("/v1/missions").await.expect(200);
    assert_eq!(list.store_calls(), 1);
    let etag = list.header("etag").unwrap().to_owned();
    let list = list.json();
    assert_eq!(list["currency"], json!({"name": "P", "minor_units": 0}));
    assert_eq!((&list["earnable"], &list["earned"]), (&json!(1_980), &json!(0)));
    let offer = &list["missions"][0];
    assert_eq!((&offer["id"], &offer["state"]), (&json!(11), &json!("available")));
    assert_eq!((&offer["reward_total"], &offer["reward_first"]), (&json!(1_980), &json!(180)));
    let ask = Request::get("/v1/missions").bearer(&user.token).header("if-none-match", &etag);
    assert!(client.send(&ask).await.expect(304).body.is_empty());

    let started = user.participate(11).await.expect(201);
    assert_eq!(started.store_calls(), 2);
    let started = started.json();
    let click = started["click_id"].as_str().unwrap().to_owned();
    let landing = format!("https://landing.example/11?click={click}");
    assert_eq!(started["landing_url"], landing);
    assert_eq!(started["open"], "external_browser");
    let again = user.participate(11).await.expect(200).json();
    assert_eq!(again["enrollment_id"], started["enrollment_id"]);
    assert_eq!(again["click_id"], started["click_id"]);
    assert_ne!(client.send(&ask).await.expect(200).header("etag"), Some(etag.as_str()));
    let whole = 1_000_000_000_000;
    assert_eq!(
        figures(&budget(&client, &node, 11).await),
        [whole, 0, 3_300_000, whole - 3_300_000]
    );

    let first = client.send(&conversion(&click, "install", "e1")).await;
    assert_eq!(first.store_calls(), 2);
    let first = Verdict::of(&first);
    assert_eq!(first.said(), ("rewarded", "step_done"));
    let copy = convert(&client, &click, "install", "e1").await;
    assert_eq!(
        (copy.said(), &copy.transaction),
        (("duplicate", "seen_before"), &first.transaction)
    );
    let fields = [("click_id", click.as_str()), ("event", "level"), ("event_id", "e2")];
    let post = Request::post(format!("/v1/postbacks/{GENERIC}"));
    let by_form = post.clone().body("application/x-www-form-urlencoded", form(&fields));
    let second = Verdict::of(&client.send(&by_form).await);
    assert_eq!(second.said(), ("rewarded", "step_done"));
    let by_json = post.json(&json!({"click_id": click, "event": "purchase", "event_id": 3}));
    let third = Verdict::of(&client.send(&by_json).await);
    assert_eq!(third.said(), ("pending", "on_hold"));

    let wallet = user.wallet().await;
    assert_eq!((&wallet["balance"], &wallet["pending"]), (&json!(780), &json!(1_200)));
    assert_eq!(wallet["entries"].as_array().unwrap().len(), 3);
    let spent = [whole, 3_300_000, 0, whole - 3_300_000];
    assert_eq!(figures(&budget(&client, &node, 11).await), spent);
    let detail = user.mission(11).await;
    let states: Vec<_> = detail["steps"].as_array().unwrap().iter().map(|s| &s["state"]).collect();
    assert_eq!(states, ["rewarded", "rewarded", "pending"]);
    publisher.wait_for_rewards(2).await;

    node.clock.forward_hours(25);
    publisher.wait_for_rewards(3).await;
    let user = User::open(&client, "ann").await;
    assert_eq!(user.balance().await, 1_980);
    assert_eq!(user.mission(11).await["steps"][2]["state"], "rewarded");
    assert_eq!(figures(&budget(&client, &node, 11).await), spent);
    agrees_with_the_pull_api(&client, &publisher).await;
    explains(&client, &node, third.transaction.as_deref().unwrap()).await;
    node.finish();
}

/// What was told is what can be asked for, no more and no less (D5).
async fn agrees_with_the_pull_api(client: &Client, publisher: &Publisher) {
    let granted = publisher.check();
    let pull = Request::get("/v1/rewards?limit=2").bearer(LIVE_KEY);
    let page = client.send(&pull).await.expect(200).json();
    let next = page["next"].as_str().unwrap();
    assert_eq!(page["has_more"], true);
    let rest = Request::get(format!("/v1/rewards?after={next}")).bearer(LIVE_KEY);
    let rest = client.send(&rest).await.expect(200).json();
    let pages = [&page, &rest].map(|page| page["rewards"].as_array().unwrap().clone());
    let pulled = pages.concat();
    assert_eq!(pulled.len(), granted.len());
    for reward in &pulled {
        let received = publisher.received();
        let told = received.iter().find(|one| one.transaction() == reward["transaction_id"]);
        let told = told.unwrap_or_else(|| panic!("{reward} was not told"));
        for name in ["user_id", "amount", "mission_id", "step_id", "enrollment_id", "currency"] {
            assert_eq!(told.data(name), &reward[name], "{name}");
        }
        assert_eq!((told.kind(), told.path.as_str()), ("reward.granted", "live"));
        assert_eq!(told.data("user_id"), "ann");
        assert_eq!(reward["delivery"]["id"], told.id);
    }
}

async fn explains(client: &Client, node: &Node, transaction: &str) {
    let ask = |path: String| Request::get(path).bearer(&node.admin_key);
    let path = "/v1/missions/11/explain?app_id=1&unit_id=1&user_id=ann".to_owned();
    let explained = client.send(&ask(path)).await.expect(200).json();
    assert_eq!(explained["eligible"], false, "he has done it: {explained}");
    let failed = |rule: &&Value| rule["passed"] == false;
    assert!(explained["rules"].as_array().unwrap().iter().any(|one| failed(&one)), "{explained}");
    let path = "/v1/missions/11/explain?app_id=1&unit_id=1&user_id=bob".to_owned();
    client.send(&ask(path.clone())).await.expect(404);
    User::open(&Arc::new(node.client()), "bob").await;
    let explained = client.send(&ask(path)).await.expect(200).json();
    assert_eq!(explained["eligible"], true, "{explained}");
    assert!(!explained["rules"].as_array().unwrap().iter().any(|one| failed(&one)), "{explained}");
    let trail = client.send(&ask(format!("/v1/admin/trail/{transaction}"))).await.expect(200);
    assert!(trail.text().contains(transaction), "{}", trail.text());
    let verified = client.send(&ask("/v1/admin/verify".to_owned())).await.expect(200).json();
    assert_eq!((&verified["sound"], &verified["findings"]), (&json!(true), &json!([])));
}

pub(crate) async fn partners_report_in_their_own_words(shape: Shape) {
    let publisher = Publisher::open().await;
    let node = Node::start_on(shape, &(base(&publisher.base()) + &game()));
    let client = Arc::new(node.client());
    let now_s = node.clock.now_s();
    let (seconds, millis) = (now_s.to_string(), (now_s * 1_000).to_string());

    let ann = User::open(&client, "ann").await.start(11).await;
    let appsflyer = [
        // An install has no event of its own; what was not filled in says nothing.
        (
            vec![("clickid", ann.as_str()), ("install_unix_ts", &seconds), ("event_name", "")],
            "rewarded",
        ),
        (vec![("clickid", &ann), ("install_unix_ts", &seconds), ("campaign", "x")], "duplicate"),
        (
            vec![
                ("clickid", &ann),
                ("event-name", "af_level_achieved"),
                ("event_id", "{event-id}"),
                ("event-time", &millis),
            ],
            "rewarded",
        ),
        (
            vec![("clickid", &ann), ("event_name", "purchase"), ("blocked_reason", "fraud")],
            "rejected",
        ),
        (
            vec![("clickid", &ann), ("event_name", "purchase"), ("media_source", "organic")],
            "ignored",
        ),
        (
            vec![
                ("clickid", &ann),
                ("mapped_iae", "purchase"),
                ("monetary", "4.99"),
                ("currency", "usd"),
            ],
            "pending",
        ),
    ];
    for (fields, verdict) in appsflyer {
        let ask = Request::get(format!("/v1/postbacks/{APPSFLYER}?{}", form(&fields)));
        let found = Verdict::of(&client.send(&ask).await);
        assert_eq!(found.verdict, verdict, "{fields:?}: {found:?}");
    }

    let ben = User::open(&client, "ben").await.start(11).await;
    let adjust = [
        (
            vec![("label", ben.as_str()), ("activity_kind", "install"), ("created_at", &seconds)],
            "rewarded",
        ),
        (
            vec![("label", &ben), ("event", "k7d2bq"), ("nonce", "n1"), ("activity_kind", "event")],
            "rewarded",
        ),
        (
            vec![("label", &ben), ("event", "k7d2bq"), ("nonce", "n1"), ("activity_kind", "event")],
            "duplicate",
        ),
        (vec![("label", &ben), ("activity_kind", "rejected_install"), ("nonce", "n2")], "rejected"),
        (vec![("label", &ben), ("event", "unknown"), ("network_name", "Organic")], "ignored"),
    ];
    for (fields, verdict) in adjust {
        let ask = Request::post(format!("/v1/postbacks/{ADJUST}"));
        let ask = ask.body("application/x-www-form-urlencoded", form(&fields));
        let found = Verdict::of(&client.send(&ask).await);
        assert_eq!(found.verdict, verdict, "{fields:?}: {found:?}");
    }
    publisher.wait_for_rewards(4).await;
    assert_eq!(publisher.check().len(), 4);
    node.finish();
}

pub(crate) async fn steps_are_verified_here_where_no_partner_can(shape: Shape) {
    let publisher = Publisher::open().await;
    let words = |text: &str| format!("[{{ language = \"en\", text = \"{text}\" }}]");
    let choices = format!("[{{ texts = {} }}, {{ texts = {} }}]", words("Red"), words("Blue"));
    let quiz = format!(
        "payout = 100_000, rule = {{ quiz = {{ question = {}, choices = {choices}, answer = 1, attempts = 2 }} }}",
        words("Which?")
    );
    let visit = "payout = 50_000, rule = { visit = { url = \"https://shop.example/\", dwell_seconds = 30 } }";
    let check_in = "payout = 10_000, repeat = { limit = 3, per_day = 1 }, rule = \"check_in\"";
    let missions = [
        campaign(21, AMPLE, &[visit]),
        campaign(22, AMPLE, &[&quiz]),
        campaign(23, AMPLE, &[check_in]),
    ];
    let setup = Setup { has_own_clock: true, ..Setup::on(shape) };
    let node = Node::start_with(&(base(&publisher.base()) + &missions.concat()), setup);
    publisher.live_by(&node.clock);
    let client = Arc::new(node.client());
    let mut ann = User::open(&client, "ann").await;
    for mission in [21, 22, 23] {
        ann.start(mission).await;
    }
    let table = [
        (21, json!({}), "parked", "visit_started", 0),
        (21, json!({}), "parked", "too_soon", 0),
        (22, json!({"answer": 0}), "rejected", "wrong_answer", 0),
        (22, json!({"answer": 1}), "rewarded", "step_done", 60),
        (22, json!({"answer": 1}), "duplicate", "limit_reached", 60),
        (23, json!({}), "rewarded", "step_done", 66),
        (23, json!({}), "duplicate", "seen_before", 66),
        // An hour passes here, and a day before the last.
        (21, json!({}), "rewarded", "step_done", 96),
        (23, json!({}), "rewarded", "step_done", 102),
    ];
    for (row, (mission, shown, verdict, reason, balance)) in table.into_iter().enumerate() {
        let (hours, told) = match row {
            7 => (1, 2),
            8 => (24, 3),
            _ => (0, 0),
        };
        if hours > 0 {
            // What is on its way while the clock jumps would look an hour old.
            publisher.wait_for_rewards(told).await;
            node.clock.forward_hours(hours);
            ann = User::open(&client, "ann").await;
        }
        let path = format!("/v1/missions/{mission}/steps/1/completions");
        let answer = ann.post(&path, &shown).await.expect(200).json();
        let said = (answer["verdict"].as_str().unwrap(), answer["reason"].as_str().unwrap());
        assert_eq!(said, (verdict, reason), "row {row}: {answer}");
        assert_eq!(ann.balance().await, balance, "row {row}");
    }
    publisher.wait_for_rewards(4).await;
    assert_eq!(publisher.check().len(), 4);
    node.finish();
}

pub(crate) async fn a_test_key_books_nothing_live(shape: Shape) {
    let publisher = Publisher::open().await;
    let node = Node::start_on(shape, &(base(&publisher.base()) + &game()));
    let client = Arc::new(node.client());
    let wish = json!({"unit_id": 1, "user_id": "ann"});
    let tester = User::open_with(&client, TEST_KEY, wish).await;
    let live = User::open(&client, "ann").await;
    let click = tester.start(11).await;
    assert_eq!(convert(&client, &click, "install", "e").await.said(), ("rewarded", "step_done"));
    assert_eq!((tester.balance().await, live.balance().await), (180, 0));
    assert_eq!(figures(&budget(&client, &node, 11).await)[1..3], [0, 0]);
    publisher.wait_for_rewards(1).await;
    assert_eq!(publisher.received()[0].path, "test");
    let pulled = client.send(&Request::get("/v1/rewards").bearer(LIVE_KEY)).await.expect(200);
    assert_eq!(pulled.json()["rewards"], json!([]));
    publisher.check();
    node.finish();
}
