//! Power cuts, graceful stops and backups, all under a load of conversions.
//!
//! What is known from outside is a book of what was sent and what was answered. After each cut it is
//! held against the server: what was acknowledged is booked, nothing is booked twice, and in the end
//! the publisher was told of each reward under one id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::catalog::{AMPLE, base, campaign, on_event};
use crate::support::chance::Chance;
use crate::support::http::Client;
use crate::support::node::{Node, Setup};
use crate::support::people::{User, Verdict, conversion};
use crate::support::publisher::Publisher;
use crate::support::shape::Shape;

/// Kills, unless the environment asks for more: `GUERDON_E2E_KILLS`.
const KILLS: usize = 50;
/// Kills where two processes start each time, on servers that other tests use at the same time.
const KILLS_WITH_SERVERS: usize = 20;
/// Kills between two proofs of the books.
const KILLS_PER_PROOF: usize = 10;
/// Users whose events come at the same time, each one after the other.
const CALLERS: usize = 8;
/// Points for one conversion.
const REWARD: i64 = 60;

pub(crate) fn catalog(publisher: &Publisher) -> String {
    let step = format!("repeat = {{ limit = 900 }}, {}", on_event("round", 100_000));
    base(&publisher.base()) + &campaign(11, AMPLE, &[&step])
}

/// What one user has sent, in order.
pub(crate) struct Book {
    user: User,
    click: String,
    /// Whether somebody between may ask a second time for what was not answered.
    is_asked_again: bool,
    sent: Vec<Sent>,
}

struct Sent {
    event_id: String,
    /// What was answered, if anything was.
    answer: Option<Verdict>,
}

/// Callers under way.
pub(crate) struct Load {
    callers: JoinSet<Book>,
    acknowledged: Arc<AtomicUsize>,
    progress: watch::Receiver<()>,
    stop: watch::Sender<bool>,
}

impl Load {
    /// Opens a session and starts the mission for each caller, and lets them loose.
    async fn begin(client: &Arc<Client>, name: &str) -> Self {
        Self::let_loose(client, name, false).await
    }

    /// The same by way of a balancer, which asks another node when one does not answer.
    pub(crate) async fn begin_balanced(client: &Arc<Client>, name: &str) -> Self {
        Self::let_loose(client, name, true).await
    }

    async fn let_loose(client: &Arc<Client>, name: &str, is_asked_again: bool) -> Self {
        let (teller, progress) = watch::channel(());
        let (stop, is_over) = watch::channel(false);
        let (acknowledged, teller) = (Arc::new(AtomicUsize::new(0)), Arc::new(teller));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let user = User::open(client, &format!("{name}-{caller}")).await;
            let click = user.start(11).await;
            let (client, acknowledged) = (Arc::clone(client), Arc::clone(&acknowledged));
            let (teller, is_over) = (Arc::clone(&teller), is_over.clone());
            callers.spawn(async move {
                let mut book = Book { user, click, is_asked_again, sent: Vec::new() };
                while !*is_over.borrow() && book.send(&client).await {
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    teller.send_replace(());
                }
                book
            });
        }
        Self { callers, acknowledged, progress, stop }
    }

    /// Waits until so many conversions have been acknowledged.
    pub(crate) async fn reaches(&mut self, count: usize) {
        let acknowledged = Arc::clone(&self.acknowledged);
        let enough = self.progress.wait_for(|()| acknowledged.load(Ordering::SeqCst) >= count);
        timeout(PATIENCE, enough).await.expect("the load is stuck").expect("the load is over");
    }

    /// Tells the callers to end, and waits for them.
    pub(crate) async fn end(self) -> Vec<Book> {
        self.stop.send_replace(true);
        self.callers.join_all().await
    }

    /// Waits until every caller has ended because nobody answers any more.
    async fn until_nobody_answers(self) -> Vec<Book> {
        let Self { callers, stop, .. } = self;
        let books = callers.join_all().await;
        drop(stop);
        books
    }
}

impl Book {
    /// Sends the next conversion; `false` if the server did not answer.
    async fn send(&mut self, client: &Client) -> bool {
        let event_id = format!("{}-{}", self.user.id, self.sent.len());
        let request = conversion(&self.click, "round", &event_id);
        let answer = client.try_send(&request).await.ok().map(|answer| Verdict::of(&answer));
        if let Some(verdict) = &answer {
            let is_new = verdict.said() == ("rewarded", "step_done");
            let is_known = verdict.said() == ("duplicate", "seen_before");
            assert!(is_new || (self.is_asked_again && is_known), "{event_id}: {verdict:?}");
        }
        let is_answered = answer.is_some();
        self.sent.push(Sent { event_id, answer });
        is_answered
    }

    /// Asks for everything again, and gives the transactions. What was acknowledged is a duplicate
    /// of itself; what was not may have been booked or not, and is now.
    async fn settle(self, client: Arc<Client>) -> BTreeSet<String> {
        let mut transactions = BTreeSet::new();
        for Sent { event_id, answer } in &self.sent {
            let request = conversion(&self.click, "round", event_id);
            let now = Verdict::of(&client.send(&request).await);
            match answer {
                Some(first) => {
                    assert_eq!(now.said(), ("duplicate", "seen_before"), "{event_id} was lost");
                    assert_eq!(now.transaction, first.transaction, "{event_id}");
                }
                None => {
                    assert!(matches!(now.verdict.as_str(), "rewarded" | "duplicate"), "{now:?}")
                }
            }
            transactions.insert(now.transaction.expect("a transaction"));
        }
        assert_eq!(transactions.len(), self.sent.len(), "each event has a transaction of its own");
        let user = User::open(&client, &self.user.id).await;
        let points = REWARD * i64::try_from(self.sent.len()).unwrap();
        assert_eq!(user.balance().await, points, "{}", user.id);
        transactions
    }
}

pub(crate) async fn settle(books: Vec<Book>, client: &Arc<Client>) -> BTreeSet<String> {
    let mut settling = JoinSet::new();
    for book in books {
        settling.spawn(book.settle(Arc::clone(client)));
    }
    settling.join_all().await.into_iter().flatten().collect()
}

/// Waits until the publisher has been told of everything, and checks that it was told nothing else.
pub(crate) async fn all_told(publisher: &Publisher, transactions: &BTreeSet<String>) {
    let mut told = BTreeSet::new();
    let mut seen = 0;
    let everything = publisher.wait_for("every reward", |all| {
        told.extend(all[seen..].iter().map(|one| one.transaction()));
        seen = all.len();
        told.len() >= transactions.len()
    });
    everything.await;
    assert_eq!(publisher.check(), *transactions);
    let mut ids = BTreeMap::new();
    for one in publisher.received() {
        let first = ids.entry(one.id.clone()).or_insert(one.transaction());
        assert_eq!(*first, one.transaction(), "{} stands for two rewards", one.id);
    }
    assert_eq!(ids.len(), transactions.len());
}

pub(crate) async fn nothing_is_lost_or_doubled_when_the_power_is_cut(shape: Shape) {
    let kills = std::env::var("GUERDON_E2E_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: usize = kills.unwrap_or(match shape {
        Shape::Embedded => KILLS,
        _ => KILLS_WITH_SERVERS,
    });
    let publisher = Publisher::open().await;
    let setup = Setup { has_own_clock: true, ..Setup::on(shape) };
    let mut node = Node::start_with(&catalog(&publisher), setup);
    publisher.live_by(&node.clock);
    let mut chance = Chance::new(2);
    let mut transactions = BTreeSet::new();
    for round in 1..=kills {
        let client = Arc::new(node.client());
        let mut load = Load::begin(&client, &format!("round-{round}")).await;
        load.reaches(usize::try_from(1 + chance.below(80)).unwrap()).await;
        node.kill();
        let books = load.end().await;
        if round == kills {
            // What a killed server was about to tell is told again when its lease has run out.
            node.clock.forward_hours(1);
        }
        node.serve();
        transactions.extend(settle(books, &Arc::new(node.client())).await);
        if round % KILLS_PER_PROOF == 0 {
            node.verify();
        }
    }
    all_told(&publisher, &transactions).await;
    node.finish();
}

pub(crate) async fn a_graceful_stop_loses_no_answer(shape: Shape) {
    let publisher = Publisher::open().await;
    let mut node = Node::start_on(shape, &catalog(&publisher));
    let mut transactions = BTreeSet::new();
    for round in 0..5 {
        let client = Arc::new(node.client());
        let mut load = Load::begin(&client, &format!("round-{round}")).await;
        load.reaches(40).await;
        node.tell_to_stop();
        let books = load.until_nobody_answers().await;
        node.wait();
        node.serve();
        let client = Arc::new(node.client());
        for book in &books {
            // A request without an answer was not begun: it is not booked.
            let last = book.sent.last().expect("something was sent");
            assert_eq!(last.answer, None, "a caller goes on until nobody answers");
            let request = conversion(&book.click, "round", &last.event_id);
            let now = Verdict::of(&client.send(&request).await);
            assert_eq!(now.said(), ("rewarded", "step_done"), "an answer was lost");
        }
        transactions.extend(settle(books, &client).await);
    }
    all_told(&publisher, &transactions).await;
    node.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_load_is_whole() {
    let publisher = Publisher::open().await;
    let mut node = Node::start(&catalog(&publisher));
    let client = Arc::new(node.client());
    let mut before = Load::begin(&client, "before").await;
    before.reaches(100).await;
    let before = before.end().await;
    let mut load = Load::begin(&client, "during").await;
    load.reaches(50).await;
    let backed = tokio::task::block_in_place(|| node.run(&["backup", "b.db", "--json"])).expect(0);
    assert!(backed.json()["bytes"].as_u64().unwrap() > 0);
    let during = load.end().await;
    drop(client);
    node.stop();
    let refused = node.run(&["restore", "b.db"]).expect(1);
    assert!(refused.err.contains("nothing was restored"), "{}", refused.err);
    let restored = node.run(&["restore", "b.db", "--replace", "--json"]).expect(0).json();
    assert_eq!(restored["findings"], 0);
    let verified = node.verify();
    assert_eq!(verified["records"], restored["records"]);
    node.serve();
    let client = Arc::new(node.client());
    let mut transactions = settle(before, &client).await;
    // What came while the copy was made is in it up to some point, and is taken again from there.
    for mut book in during {
        let mut is_in_copy = true;
        for sent in &mut book.sent {
            let first = sent.answer.take().and_then(|answer| answer.transaction);
            let request = conversion(&book.click, "round", &sent.event_id);
            let now = Verdict::of(&client.send(&request).await);
            let is_known = now.verdict == "duplicate";
            assert!(
                is_known <= is_in_copy,
                "{} is in the copy and one before is not",
                sent.event_id
            );
            is_in_copy = is_known;
            assert_eq!(now.transaction, first, "the same event is the same transaction for ever");
        }
        transactions.extend(settle(vec![book], &client).await);
    }
    all_told(&publisher, &transactions).await;
    node.finish();
}
