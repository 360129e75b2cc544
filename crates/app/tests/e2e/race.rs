//! Many at once, over HTTP, against the real binary.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::catalog::{AMPLE, LIVE_KEY, base, campaign, noon, on_event, targeted};
use crate::support::chance::Chance;
use crate::support::clock::Clock;
use crate::support::crowd::{at_once, in_turns};
use crate::support::http::{Client, Request};
use crate::support::node::Node;
use crate::support::people::{User, Verdict, conversion};
use crate::support::problem::problem_code;
use crate::support::publisher::Publisher;
use crate::support::shape::Shape;

/// Copies of one request that come at the same moment.
const COPIES: usize = 50;
/// Users who want the last unit.
const RACERS: usize = 1_000;

pub(crate) async fn the_same_tap_is_one_enrollment_and_the_same_conversion_pays_once(shape: Shape) {
    let publisher = Publisher::open().await;
    let install = campaign(11, AMPLE, &[&on_event("install", 1_000_000)]);
    let node = Node::start_on(shape, &(base(&publisher.base()) + &install));
    let client = Arc::new(node.client());
    let ann = User::open(&client, "ann").await;

    let taps = at_once(COPIES, |_| {
        let ann = ann.clone();
        async move {
            let answer = ann.participate(11).await;
            (answer.status, answer.json())
        }
    });
    let taps = taps.await;
    let begun = taps.iter().filter(|(status, _)| *status == 201).count();
    let gone_on = taps.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!((begun, gone_on), (1, COPIES - 1));
    let distinct =
        |name: &str| taps.iter().map(|(_, tap)| tap[name].to_string()).collect::<BTreeSet<_>>();
    assert_eq!((distinct("enrollment_id").len(), distinct("click_id").len()), (1, 1));

    let click = taps[0].1["click_id"].as_str().unwrap();
    let answers = at_once(COPIES, |_| {
        let (client, request) = (Arc::clone(&client), conversion(click, "install", "e"));
        async move { Verdict::of(&client.send(&request).await) }
    });
    let answers = answers.await;
    let paid = answers.iter().filter(|one| one.said() == ("rewarded", "step_done")).count();
    let copies = answers.iter().filter(|one| one.said() == ("duplicate", "seen_before")).count();
    assert_eq!((paid, copies), (1, COPIES - 1), "{answers:?}");
    let transactions: BTreeSet<_> = answers.iter().map(|one| one.transaction.clone()).collect();
    assert_eq!(transactions.len(), 1, "{transactions:?}");
    assert_eq!(ann.balance().await, 600);
    publisher.wait_for_rewards(1).await;
    node.finish();
    assert_eq!(publisher.check().len(), 1);
}

/// Lets everybody tap on a mission at once: one starts, all others are told that it is exhausted.
async fn one_wins(users: &Arc<Vec<User>>, mission: u32) {
    let taps = at_once(RACERS, |number| {
        let users = Arc::clone(users);
        async move {
            let answer = users[number].participate(mission).await;
            match answer.status {
                201 => "started".to_owned(),
                409 => problem_code(&answer),
                status => panic!("mission {mission}: {status} {}", answer.text()),
            }
        }
    });
    let taps = taps.await;
    let count = |what: &str| taps.iter().filter(|tap| *tap == what).count();
    let counts = (count("started"), count("exhausted"));
    assert_eq!(counts, (1, RACERS - 1), "mission {mission}");
}

pub(crate) async fn a_thousand_users_race_for_the_last_unit(shape: Shape) {
    let noon = noon(Clock::default().now_s());
    let step = on_event("install", 1_000_000);
    let limits = [
        (31, "budget = 1_999_999".to_owned()),
        (32, format!("{AMPLE}\ndaily_budget = 1_000_000\n{noon}")),
        (33, format!("{AMPLE}\ncaps = {{ total = 1 }}")),
        (34, format!("{AMPLE}\ncaps = {{ daily = 1 }}\n{noon}")),
        (
            35,
            "budget = 100_000_000\nhold = { share = \"50%\", grace = 0 }\ncaps = { total = 1 }"
                .to_owned(),
        ),
    ];
    let campaigns = limits.map(|(id, settings)| campaign(id, &settings, &[&step])).concat();
    let node = Node::start_on(shape, &(base("http://127.0.0.1:9") + &campaigns));
    let client = Arc::new(node.client());
    let users = in_turns(64, RACERS, |number| {
        let client = Arc::clone(&client);
        async move { User::open(&client, &format!("racer-{number}")).await }
    });
    let users = Arc::new(users.await);
    for mission in 31..=35 {
        one_wins(&users, mission).await;
    }
    let held = [(31, 1_000_000), (32, 1_000_000), (33, 1_000_000), (34, 1_000_000), (35, 500_000)];
    for (line_item, held) in held {
        let path = format!("/v1/admin/line_items/{line_item}/budget");
        let budget = client.send(&Request::get(path).bearer(&node.admin_key)).await.json();
        let figures = (&budget["held"]["amount"], &budget["booked"]["amount"], &budget["starts"]);
        assert_eq!(figures, (&json!(held), &json!(0), &json!(1)), "{budget}");
    }
    drop(client);
    node.finish();
}

const COUNTRIES: [&str; 3] = ["KR", "JP", "US"];
const PLATFORMS: [&str; 3] = ["android", "ios", "web"];

/// A catalogue in which every rule says no to somebody.
fn varied(chance: &mut Chance) -> String {
    let campaigns = (101..=140).map(|id| {
        let mut targeting = Vec::new();
        if chance.below(2) == 0 {
            targeting.push(format!("countries = [\"{}\"]", chance.one_of(&COUNTRIES)));
        }
        if chance.below(3) == 0 {
            targeting.push(format!("platforms = [\"{}\"]", chance.one_of(&PLATFORMS)));
        }
        if chance.below(3) == 0 {
            let min = chance.below(60);
            targeting.push(format!("age = {{ min = {min}, max = {} }}", min + chance.below(30)));
        }
        if chance.below(4) == 0 {
            targeting.push(format!("not_installed = [\"app.{}\"]", chance.below(3)));
        }
        let settings = match chance.below(6) {
            0 => "budget = 3_000_000".to_owned(),
            1 => format!("{AMPLE}\ncaps = {{ total = 5 }}"),
            2 => format!("{AMPLE}\nadvertised_app = \"app.{}\"", chance.below(3)),
            3 => format!("{AMPLE}\nflight = {{ starts_at = \"2099-01-01T00:00:00Z\" }}"),
            4 => format!("{AMPLE}\ncaps = {{ per_user = 1 }}"),
            _ => AMPLE.to_owned(),
        };
        targeted(id, &settings, &targeting.join(", "), &[&on_event("install", 1_000_000)])
    });
    campaigns.collect()
}

/// One user's life: whatever the list shows can be started, and whatever it does not show cannot.
async fn live(client: &Arc<Client>, number: u64) -> usize {
    let mut chance = Chance::new(number);
    let profile = json!({
        "country": chance.one_of(&COUNTRIES),
        "platform": chance.one_of(&PLATFORMS),
        "age": chance.below(90),
        "installed_apps": [format!("app.{}", chance.below(4))],
    });
    let wish = json!({"unit_id": 1, "user_id": format!("user-{number}"), "profile": profile});
    let user = User::open_with(client, LIVE_KEY, wish).await;
    let mut started = 0;
    loop {
        let list = user.get("/v1/missions").await.expect(200).json();
        let missions = list["missions"].as_array().unwrap();
        let number = |mission: &Value| u32::try_from(mission["id"].as_u64().unwrap()).unwrap();
        let shown: BTreeSet<u32> = missions.iter().map(number).collect();
        let hidden: Vec<u32> = (101..=140).filter(|id| !shown.contains(id)).collect();
        if !hidden.is_empty() {
            let refused = user.participate(*chance.one_of(&hidden)).await;
            assert!(matches!(refused.status, 409 | 422), "not in the list: {}", refused.text());
        }
        let offered = missions.iter().filter(|mission| mission["state"] == "available");
        let offered: Vec<u32> = offered.map(number).collect();
        if offered.is_empty() {
            return started;
        }
        user.participate(*chance.one_of(&offered)).await.expect(201);
        started += 1;
    }
}

pub(crate) async fn no_mission_in_a_list_is_refused(shape: Shape) {
    let catalog = base("http://127.0.0.1:9") + &varied(&mut Chance::new(1));
    let node = Node::start_on(shape, &catalog);
    let client = Arc::new(node.client());
    let mut started = 0;
    // One after the other: two who see the last unit at the same moment cannot both have it.
    for number in 0..40 {
        started += live(&client, number).await;
    }
    assert!(started > 200, "only {started} starts prove little");
    node.finish();
}
