//! The state goes round: from a SQLite file to MySQL, on to DynamoDB, and back to a file, under load
//! all the time, with the command that moves it killed in every step and the node's power cut.
//!
//! An operator does three things before each leg: he describes the next store as `[next_state]`, has
//! it made with `guerdon migrate`, and restarts the node. The node goes on in the new store by itself.
//! The callers of [`town`] wait for a restart as they would behind a balancer, and ask again after a
//! power cut; whatever else they are answered has to be right, and a 503 may come only while a move is
//! in its pause. A move that ends has found both stores equal, and says so with a digest.

mod town;
mod mover;
mod stops;

mod pauses;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::crash::all_told;
use crate::support::catalog::{AMPLE, LIVE_KEY, OTHER_LIVE_KEY, base, campaign, on_event};
use crate::support::http::Request;
use crate::support::node::{Node, Setup};
use crate::support::people::conversion;
use crate::support::publisher::{Mood, Publisher, Received};
use crate::support::shape::Shape;

use mover::{Kill, does_not_start, kill, run_through_a_power_cut};
use stops::{Stop, Stops};
use town::{Load, Person, Town};

/// Users who are left alone while the state moves, so that nothing may change of them.
const CALM: usize = 12;
/// Rewards that are open at each cut-over, because the server of the second app is down.
const OPEN: usize = 6;
/// Answers after which a move counts as under load.
const ANSWERS: usize = 60;
/// Steps in which the rest is copied, or might have been had anything changed meanwhile.
const TAIL: [&str; 2] = ["copying what has changed", "comparing the journal"];
const COMPARISON: [&str; 2] = ["comparing users", "comparing deliveries"];
/// Rewards of one page: more than one page, and not too many of them.
const PAGE: usize = 100;

/// What an observer from outside knows of the users who are left alone, and of all rewards.
#[derive(PartialEq, Debug)]
struct Seen {
    people: Vec<[Value; 3]>,
    rewards: Vec<Value>,
}

struct Journey {
    publisher: Publisher,
    stops: Stops,
    node: Node,
    town: Arc<Town>,
    load: Load,
    calm: Vec<Person>,
    /// Whoever has a reward of the second app.
    waiting: Vec<Person>,
}

fn catalog(publisher: &Publisher) -> String {
    let rounds = format!("repeat = {{ limit = 900 }}, {}", on_event("round", 100_000));
    let steps = [on_event("install", 300_000), on_event("level", 1_000_000)];
    let both = campaign(11, AMPLE, &[&rounds])
        + &campaign(12, AMPLE, &steps.each_ref().map(String::as_str));
    base(&publisher.base()) + &both
}

impl Journey {
    async fn begin() -> Self {
        let publisher = Publisher::open().await;
        let stops = Stops::make();
        let backing = stops.backing(Stop::First, Stop::Mysql);
        let mut node = Node::set_up_at(&catalog(&publisher), Setup::on(Shape::Compact), &backing);
        node.serve();
        let town = Arc::new(Town::of(node.client(), LIVE_KEY));
        let mut calm = Vec::new();
        for number in 0..CALM {
            let mut person = Person::open(&town, LIVE_KEY, 1, &format!("calm-{number}")).await;
            person.start(&town, 11).await;
            for _ in 0..number % 4 {
                person.report(&town, "round").await;
            }
            person.start(&town, 12).await;
            if number % 2 == 0 {
                person.report(&town, "install").await;
            }
            calm.push(person);
        }
        let load = Load::begin(&town);
        Self { publisher, stops, node, town, load, calm, waiting: Vec::new() }
    }

    /// Users of the second app, whose server is down, are paid.
    async fn open_rewards(&mut self, leg: &str) {
        self.publisher.set_mood("other", Mood::Status(503));
        let told = self.publisher.received().len();
        for number in 0..OPEN {
            let id = format!("{leg}-{number}");
            let mut person = Person::open(&self.town, OTHER_LIVE_KEY, 2, &id).await;
            person.start(&self.town, 11).await;
            person.report(&self.town, "round").await;
            self.waiting.push(person);
        }
        let is_refused = |all: &Vec<_>| all[told..].iter().any(|one: &Received| !one.is_accepted);
        self.publisher.wait_for("a refusal", is_refused).await;
    }

    /// What is open is told, once and under the id that it had.
    async fn open_rewards_are_told(&self) {
        self.publisher.set_mood("other", Mood::Well);
        let wanted: BTreeSet<String> = transactions(&self.waiting);
        let accepted = |all: &[Received]| -> Vec<String> {
            let told = all.iter().filter(|one| one.path == "other" && one.is_accepted);
            told.map(|one| one.transaction()).collect()
        };
        let all =
            self.publisher.wait_for("the open rewards", |all| accepted(all).len() >= wanted.len());
        let told = accepted(&all.await);
        assert_eq!(told.len(), wanted.len(), "told twice: {told:?}");
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), wanted);
        self.publisher.check();
    }

    async fn look(&self) -> Seen {
        let mut people = Vec::new();
        for person in &self.calm {
            people.push([
                person.get(&self.town, "/v1/wallet").await,
                person.get(&self.town, "/v1/enrollments").await,
                person.get(&self.town, "/v1/missions/12").await,
            ]);
        }
        Seen { people, rewards: rewards(&self.town, LIVE_KEY).await }
    }

    /// What was seen before is as it was; new rewards come after it.
    async fn has_kept(&self, before: &Seen) {
        let now = self.look().await;
        assert_eq!(now.people, before.people);
        assert!(now.rewards.len() > before.rewards.len());
        assert_eq!(
            now.rewards[..before.rewards.len()],
            before.rewards,
            "rewards have other places"
        );
        for person in self.calm.iter().chain(&self.waiting) {
            person.asks_again(&self.town).await;
        }
    }

    /// Runs the command to its end with these arguments.
    fn said(&self, arguments: &[&str]) -> Value {
        let arguments = [&["migrate-state", "--json"], arguments].concat();
        block_in_place(|| self.node.run(&arguments)).expect(0).json()
    }

    async fn kill(&self, when: Kill) -> bool {
        kill(&self.node, &self.town, when).await
    }

    /// Ends a move that is under way; then everything goes on, and the next one may refuse again.
    async fn abort(&self) {
        assert_eq!(self.said(&["--abort"])["was_under_way"], true);
        self.town.is_back().await;
        self.load.answers(ANSWERS).await;
        self.town.may_refuse();
    }

    /// The command goes wrong in every way, and comes to its end.
    async fn go(&mut self, is_left_in_pause: bool) {
        let survey = self.said(&["--dry-run"]);
        assert_eq!((&survey["is_begun"], &survey["is_done"]), (&json!(false), &json!(false)));
        assert_eq!(self.said(&["--abort"])["was_under_way"], false);
        self.town.may_refuse();
        self.kill(Kill::At(&["copying users"])).await;
        assert_eq!(self.said(&["--dry-run"])["is_begun"], true);
        self.abort().await;
        for steps in [&TAIL, &COMPARISON] {
            if !self.kill(Kill::At(steps)).await {
                self.load.answers(ANSWERS).await;
            }
        }
        self.kill(Kill::AtRefusal).await;
        self.abort().await;
        if is_left_in_pause {
            self.kill(Kill::AtRefusal).await;
        }
        let report = run_through_a_power_cut(&mut self.node, &self.town).await;
        assert_eq!((&report["was_begun"], &report["was_done"]), (&json!(true), &json!(false)));
        assert_eq!(report["fingerprint"].as_str().map(str::len), Some(64), "{report}");
        self.load.answers(ANSWERS).await;
        let again = self.said(&[]);
        assert_eq!(again["was_done"], true, "{again}");
        let late = block_in_place(|| self.node.run(&["migrate-state", "--abort"])).expect(1);
        assert!(late.err.contains("cannot be undone"), "{}", late.err);
    }

    /// Keeps everybody still while the books are checked in a store that has no view of one moment.
    async fn rest(&self, at: Stop) -> Option<impl Drop> {
        match at {
            Stop::Dynamo => Some(self.town.clients.write().await),
            _ => None,
        }
    }

    /// A node that knows nothing of the next store.
    fn forgotten(&self, state: Stop) -> Node {
        self.node.sibling_with(|config| self.stops.put_into(&config, state, None))
    }

    /// The old store refuses it, whatever it is asked.
    async fn refuses(&self, forgotten: &mut Node) {
        let client = forgotten.client();
        let person = &self.calm[1];
        let wallet = Request::get("/v1/wallet").bearer(&person.token);
        for request in [wallet, conversion(&person.click(11), "round", "late")] {
            let refused = client.send(&request).await.expect(503);
            assert!(refused.header("retry-after").is_some(), "{}", refused.text());
        }
        block_in_place(|| forgotten.stop());
        forgotten.expected("the state has moved");
    }

    /// Ends the load and holds everything that was ever answered against the last store.
    async fn end(self) {
        let Self { publisher, node, town, load, calm, waiting, .. } = self;
        let (people, polled) = load.end().await;
        let mut paid = BTreeSet::new();
        for person in people.iter().chain(&calm) {
            person.asks_again(&town).await;
        }
        paid.extend(transactions(&people));
        paid.extend(transactions(&calm));
        let listed = rewards(&town, LIVE_KEY).await;
        let ids = |all: &[Value]| -> Vec<String> {
            all.iter().map(|one| one["transaction_id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&polled), ids(&listed), "the poller has a gap or a repeat");
        assert_eq!(listed.len(), paid.len());
        assert_eq!(ids(&listed).into_iter().collect::<BTreeSet<_>>(), paid);
        paid.extend(transactions(&waiting));
        all_told(&publisher, &paid).await;
        drop(town);
        node.finish();
    }
}

fn transactions(people: &[Person]) -> BTreeSet<String> {
    people.iter().flat_map(Person::transactions).collect()
}

/// The list of rewards to where it ends for now, without how their deliveries fare.
async fn rewards(town: &Town, key: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let (page, next) = town.rewards_after(key, PAGE, &after).await;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return all;
        }
        after = next;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_goes_round_under_load_although_the_command_is_killed() {
    let mut journey = Journey::begin().await;
    let legs = [
        (Stop::First, Stop::Mysql, Some(Stop::Dynamo)),
        (Stop::Mysql, Stop::Dynamo, Some(Stop::Last)),
        (Stop::Dynamo, Stop::Last, None),
    ];
    for (from, to, next) in legs {
        journey.load.answers(ANSWERS).await;
        journey.open_rewards(&format!("{to:?}")).await;
        let before = journey.look().await;
        // One process has a file to itself, so a forgotten node of it can only start afterwards.
        let mut forgotten = journey.forgotten(from);
        let mut sibling = None;
        if from != Stop::First {
            block_in_place(|| forgotten.serve());
            let answer = forgotten.client().send(&journey.calm[0].ask("/v1/wallet")).await;
            answer.expect(200);
        }
        if (from, to) == (Stop::Mysql, Stop::Dynamo) {
            // Two nodes that answer the same callers: nobody may read what is older than his answer.
            let mut second = journey.node.sibling();
            block_in_place(|| second.serve());
            journey.town.clients.write().await.push(Arc::new(second.client()));
            sibling = Some(second);
        }
        journey.go(from != Stop::First).await;
        journey.has_kept(&before).await;
        journey.open_rewards_are_told().await;
        {
            let _rest = journey.rest(to).await;
            block_in_place(|| journey.node.verify());
        }
        journey.stops.restart(&mut journey.node, &journey.town, (to, next)).await;
        match from {
            Stop::First => does_not_start(&forgotten).await,
            _ => journey.refuses(&mut forgotten).await,
        }
        // Told where the state is, it is a node like others.
        journey.stops.configure(&forgotten, to, None);
        {
            let _rest = journey.rest(to).await;
            block_in_place(|| forgotten.finish());
            if let Some(second) = sibling {
                block_in_place(|| second.finish());
            }
        }
        journey.has_kept(&before).await;
    }
    journey.end().await;
}
