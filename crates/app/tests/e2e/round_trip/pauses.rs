//! For how long nobody can change anything, with more users than the other test has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{JoinSet, block_in_place};

use super::mover::run;
use super::stops::{Stop, Stops};
use super::town::Town;
use crate::support::chance::Chance;
use crate::support::http::{Request, form};
use crate::support::node::{Node, Setup};
use crate::support::shape::Shape;

/// Users, unless the environment asks for more: `GUERDON_E2E_USERS`.
const USERS: u64 = 300;
/// Users who do something at the same time.
const CALLERS: u64 = 8;
/// Time between two requests of one of them.
const PACE: Duration = Duration::from_millis(40);

/// What a database of made-up users says of itself.
struct Seeded {
    users: u64,
    key: String,
    partner: String,
}

impl Seeded {
    fn fill(node: &Node, users: u64) -> Self {
        let users_text = users.to_string();
        let seed = ["seed", "--json", "--enrollments", "5", "--line-items", "60", "--users"];
        let seeded = node.run(&[&seed[..], &[&users_text]].concat()).expect(0).json();
        let text = |name: &str| seeded[name].as_str().unwrap().to_owned();
        Self { users, key: text("app_key"), partner: text("partner_token") }
    }

    /// A user goes on with any of his missions, and an event of it is reported. Each caller has users of
    /// his own, so that nobody finishes what another has just been shown.
    async fn live(self: Arc<Self>, town: Arc<Town>, caller: u64, is_over: watch::Receiver<bool>) {
        let mut chance = Chance::new(caller);
        while !*is_over.borrow() {
            let number = chance.below(self.users / CALLERS) * CALLERS + caller;
            let wish = json!({"unit_id": 1, "user_id": format!("user-{number}")});
            let open = Request::post("/v1/sessions").bearer(&self.key).json(&wish);
            let opened = town.ask(&open).await.expect(201).json();
            let token = opened["token"].as_str().unwrap();
            tokio::time::sleep(PACE).await;
            let list =
                town.ask(&Request::get("/v1/missions").bearer(token)).await.expect(200).json();
            tokio::time::sleep(PACE).await;
            let missions: Vec<&Value> = list["missions"].as_array().unwrap().iter().collect();
            let target = format!("/v1/missions/{}/participations", chance.one_of(&missions)["id"]);
            let tap = Request::post(target).bearer(token).json(&json!({}));
            let tapped = town.ask(&tap).await.expect(200).json();
            tokio::time::sleep(PACE).await;
            let id = format!("{caller}-{}", chance.below(u64::MAX));
            let pairs = [
                ("click_id", tapped["click_id"].as_str().unwrap()),
                ("event", "install"),
                ("event_id", &id),
            ];
            let event = format!("/v1/postbacks/{}?{}", self.partner, form(&pairs));
            town.ask(&Request::get(event)).await.expect(200);
            tokio::time::sleep(PACE).await;
        }
    }
}

/// The reports stand on standard output, with how many requests a second there were meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pause_of_each_leg_is_measured() {
    let users = std::env::var("GUERDON_E2E_USERS").ok().and_then(|text| text.parse().ok());
    let stops = Stops::make();
    let backing = stops.backing(Stop::First, Stop::Mysql);
    let mut node = Node::set_up_at("", Setup::on(Shape::Compact), &backing);
    let seeded = Arc::new(Seeded::fill(&node, users.unwrap_or(USERS)));
    node.serve();
    let town = Arc::new(Town::of(node.client(), &seeded.key));
    let (stop, is_over) = watch::channel(false);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(Arc::clone(&seeded).live(Arc::clone(&town), caller, is_over.clone()));
    }
    let legs =
        [(Stop::Mysql, Some(Stop::Dynamo)), (Stop::Dynamo, Some(Stop::Last)), (Stop::Last, None)];
    for (to, next) in legs {
        town.answers(100).await;
        town.may_refuse();
        let (begun, answered) = (Instant::now(), town.answered());
        let report = run(&node, &town).await;
        let rate = (town.answered() - answered) as f64 / begun.elapsed().as_secs_f64();
        assert_eq!((&report["was_begun"], &report["was_done"]), (&json!(false), &json!(false)));
        assert!(report["users"].as_u64().unwrap() >= seeded.users, "{report}");
        println!("to {to:?} at {rate:.0} requests a second: {report}");
        stops.restart(&mut node, &town, (to, next)).await;
    }
    town.answers(100).await;
    stop.send_replace(true);
    callers.join_all().await;
    drop(town);
    block_in_place(|| node.finish());
}
