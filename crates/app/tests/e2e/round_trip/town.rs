//! The people who use the node while its state moves: sessions, participations, conversions and
//! wallets, and a publisher that reads its rewards by pull.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{RwLock, watch};
use tokio::task::{JoinHandle, JoinSet, block_in_place};
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::catalog::LIVE_KEY;
use crate::support::http::{Answer, Client, Request};
use crate::support::node::Node;
use crate::support::people::{Verdict, conversion};

/// Users who do something at the same time.
const CALLERS: usize = 6;
/// Events of a user of every second caller; the others have one and make way for the next user.
const EVENTS: usize = 50;
/// Time between a user's events: people are not machines, and a test has to come to its end.
const PACE: Duration = Duration::from_millis(100);
/// Points for one event.
const REWARD: i64 = 60;
/// Rewards that are pulled at once.
const PULLED: usize = 20;

/// The nodes as they are reached, and what was seen of them.
pub(super) struct Town {
    /// Nobody asks while this is written.
    pub(super) clients: RwLock<Vec<Arc<Client>>>,
    /// What a node that is there can answer.
    question: Request,
    turn: AtomicUsize,
    answered: AtomicUsize,
    refused: AtomicUsize,
    may_refuse: AtomicBool,
    may_be_cut: AtomicBool,
    news: watch::Sender<()>,
}

impl Town {
    /// One node, and the key of an app that it knows.
    pub(super) fn of(client: Client, key: &str) -> Self {
        Self {
            clients: RwLock::new(vec![Arc::new(client)]),
            question: Request::get("/v1/rewards?limit=1").bearer(key),
            turn: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            may_refuse: AtomicBool::new(false),
            may_be_cut: AtomicBool::new(false),
            news: watch::Sender::new(()),
        }
    }

    /// Sends a request until it is answered. The only answer that is none is a 503 that says when to
    /// try again, in the pause of a move; and only a power cut leaves one without any.
    pub(super) async fn ask(&self, request: &Request) -> Answer {
        self.ask_again(request).await.0
    }

    /// The same, and whether it was sent again without it being known whether it was carried out.
    async fn ask_again(&self, request: &Request) -> (Answer, bool) {
        let mut was_cut = false;
        loop {
            let clients = self.clients.read().await;
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let answer = match clients[turn % clients.len()].try_send(request).await {
                Ok(answer) => answer,
                Err(error) => {
                    assert!(self.may_be_cut.load(Ordering::SeqCst), "no answer: {error}");
                    was_cut = true;
                    drop(clients);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            let is_answer = answer.status != 503;
            if !is_answer {
                assert!(self.may_refuse.load(Ordering::SeqCst), "refused: {}", answer.text());
                let seconds = answer.header("retry-after").and_then(|text| text.parse().ok());
                assert!(matches!(seconds, Some(1..=30)), "{:?}", answer.headers);
            }
            drop(clients);
            let counter = if is_answer { &self.answered } else { &self.refused };
            counter.fetch_add(1, Ordering::SeqCst);
            self.news.send_replace(());
            if is_answer {
                return (answer, was_cut);
            }
            // Sooner than one was told, so that much is refused.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// From now on a 503 is in order.
    pub(super) fn may_refuse(&self) {
        self.may_refuse.store(true, Ordering::SeqCst);
    }

    /// Waits until every node answers again, which from now on they have to.
    pub(super) async fn is_back(&self) {
        let clients = self.clients.write().await;
        for client in &*clients {
            let answered = async {
                while client.send(&self.question).await.status != 200 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            timeout(PATIENCE, answered).await.expect("a node does not come back");
        }
        self.may_refuse.store(false, Ordering::SeqCst);
    }

    /// Cuts the first node's power and starts it again. Whoever has no answer asks again.
    pub(super) async fn cut_power(&self, node: &mut Node) {
        self.may_be_cut.store(true, Ordering::SeqCst);
        block_in_place(|| node.kill());
        // When nobody asks, everybody has found out.
        let mut clients = self.clients.write().await;
        self.may_be_cut.store(false, Ordering::SeqCst);
        block_in_place(|| node.serve());
        clients[0] = Arc::new(node.client());
    }

    /// How many were answered so far.
    pub(super) fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// How many were refused so far.
    pub(super) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// Waits until somebody is refused.
    pub(super) async fn refusal(&self) {
        let known = self.refused.load(Ordering::SeqCst);
        let mut news = self.news.subscribe();
        let refused = news.wait_for(|()| self.refused.load(Ordering::SeqCst) > known);
        drop(refused.await.expect("the town is there"));
    }

    /// Waits until so many more requests are answered.
    pub(super) async fn answers(&self, more: usize) {
        let wanted = self.answered.load(Ordering::SeqCst) + more;
        let mut news = self.news.subscribe();
        let enough = news.wait_for(|()| self.answered.load(Ordering::SeqCst) >= wanted);
        drop(timeout(PATIENCE, enough).await.expect("the load is stuck").expect("it is there"));
    }

    /// A page of rewards, without how their deliveries fare, and where the next begins.
    pub(super) async fn rewards_after(
        &self,
        key: &str,
        limit: usize,
        after: &str,
    ) -> (Vec<Value>, String) {
        let target = format!("/v1/rewards?limit={limit}&after={after}");
        let mut page = self.ask(&Request::get(target).bearer(key)).await.expect(200).json();
        let mut rewards = page["rewards"].as_array_mut().map(std::mem::take).unwrap();
        rewards.iter_mut().for_each(|one| drop(one.as_object_mut().unwrap().remove("delivery")));
        (rewards, page["next"].as_str().unwrap().to_owned())
    }
}

/// A user with all that he was answered.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) token: String,
    clicks: BTreeMap<u32, String>,
    /// Mission, event and id of each conversion, and the transaction that it was paid with.
    events: Vec<(u32, &'static str, String, String)>,
}

impl Person {
    pub(super) async fn open(town: &Town, key: &str, unit: u32, id: &str) -> Self {
        let wish = json!({"unit_id": unit, "user_id": id});
        let opened = town.ask(&Request::post("/v1/sessions").bearer(key).json(&wish)).await;
        let token = opened.expect(201).json()["token"].as_str().unwrap().to_owned();
        Self { id: id.to_owned(), token, clicks: BTreeMap::new(), events: Vec::new() }
    }

    /// A question of his.
    pub(super) fn ask(&self, target: &str) -> Request {
        Request::get(target).bearer(&self.token)
    }

    pub(super) async fn get(&self, town: &Town, target: &str) -> Value {
        town.ask(&self.ask(target)).await.expect(200).json()
    }

    pub(super) fn click(&self, mission: u32) -> String {
        self.clicks[&mission].clone()
    }

    pub(super) async fn start(&mut self, town: &Town, mission: u32) {
        let target = format!("/v1/missions/{mission}/participations");
        let tap = Request::post(target).bearer(&self.token).json(&json!({}));
        let (started, was_cut) = town.ask_again(&tap).await;
        let is_known = was_cut && started.status == 200;
        let click = started.expect(if is_known { 200 } else { 201 }).json()["click_id"]
            .as_str()
            .unwrap()
            .to_owned();
        self.clicks.insert(mission, click);
    }

    /// The partner reports an event, and he is paid.
    pub(super) async fn report(&mut self, town: &Town, event: &'static str) {
        let mission = if event == "round" { 11 } else { 12 };
        let id = format!("{}-{}", self.id, self.events.len());
        let asked = town.ask_again(&conversion(&self.clicks[&mission], event, &id)).await;
        let (verdict, was_cut) = (Verdict::of(&asked.0), asked.1);
        let is_known = was_cut && verdict.said() == ("duplicate", "seen_before");
        assert!(is_known || verdict.said() == ("rewarded", "step_done"), "{id}: {verdict:?}");
        self.events.push((mission, event, id, verdict.transaction.expect("a transaction")));
    }

    pub(super) fn transactions(&self) -> impl Iterator<Item = String> {
        self.events.iter().map(|(_, _, _, transaction)| transaction.clone())
    }

    /// The partner reports everything again, and is told what he was told.
    pub(super) async fn asks_again(&self, town: &Town) {
        for (mission, event, id, transaction) in &self.events {
            let again = Verdict::of(&town.ask(&conversion(&self.clicks[mission], event, id)).await);
            assert_eq!(again.said(), ("duplicate", "seen_before"), "{id} was lost");
            assert_eq!(again.transaction.as_ref(), Some(transaction), "{id}");
        }
    }
}

/// People under way.
pub(super) struct Load {
    town: Arc<Town>,
    stop: watch::Sender<bool>,
    /// The poller goes on until everybody else has ended.
    are_gone: watch::Sender<bool>,
    callers: JoinSet<Vec<Person>>,
    poller: JoinHandle<Vec<Value>>,
}

impl Load {
    pub(super) fn begin(town: &Arc<Town>) -> Self {
        let (stop, is_over) = watch::channel(false);
        let (are_gone, is_alone) = watch::channel(false);
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            callers.spawn(live(Arc::clone(town), caller, is_over.clone()));
        }
        let poller = tokio::spawn(pull(Arc::clone(town), is_alone));
        Self { town: Arc::clone(town), stop, are_gone, callers, poller }
    }

    /// Waits until so many more requests are answered.
    pub(super) async fn answers(&self, more: usize) {
        self.town.answers(more).await;
    }

    /// Everybody who came, and all rewards that were pulled.
    pub(super) async fn end(self) -> (Vec<Person>, Vec<Value>) {
        let Self { stop, are_gone, callers, poller, .. } = self;
        stop.send_replace(true);
        let people = callers.join_all().await.into_iter().flatten().collect();
        are_gone.send_replace(true);
        (people, poller.await.unwrap())
    }
}

/// One user after the other: a session, a participation, events, and after each the wallet, which
/// may never be older than what was answered.
async fn live(town: Arc<Town>, caller: usize, is_over: watch::Receiver<bool>) -> Vec<Person> {
    let events = if caller.is_multiple_of(2) { 1 } else { EVENTS };
    let mut people = Vec::new();
    while !*is_over.borrow() {
        let id = format!("caller-{caller}-{}", people.len());
        let mut person = Person::open(&town, LIVE_KEY, 1, &id).await;
        person.start(&town, 11).await;
        for points in (1..).map(|count| count * REWARD).take(events) {
            if *is_over.borrow() {
                break;
            }
            person.report(&town, "round").await;
            let wallet = person.get(&town, "/v1/wallet").await;
            assert_eq!(wallet["balance"], points, "{id}");
            tokio::time::sleep(PACE).await;
        }
        people.push(person);
    }
    people
}

/// Reads rewards as they come, always from where it was, until he is alone.
async fn pull(town: Arc<Town>, is_alone: watch::Receiver<bool>) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let is_last = *is_alone.borrow();
        let (page, next) = town.rewards_after(LIVE_KEY, PULLED, &after).await;
        let is_empty = page.is_empty();
        all.extend(page);
        after = next;
        if is_empty && is_last {
            return all;
        }
        if is_empty {
            tokio::time::sleep(PACE).await;
        }
    }
}
