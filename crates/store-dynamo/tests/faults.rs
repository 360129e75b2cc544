//! What the store does when DynamoDB, or the way to it, fails: nothing acknowledged is lost, nothing
//! is done twice, and nobody waits for long.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::budget::{BudgetMove, Guard, Limits, Used};
use domain::change::{Change, Loaded};
use domain::ids::{Mode, UserKey};
use domain::journal::Chain;
use domain::money::Micros;
use services::Proxy;
use store::contract::all;
use store::contract::sample::{self, APP, Draft, LINE_ITEM, NOW};
use store::{
    Budgets as _, DeliveryFilter, Journal as _, Outbox as _, Outcome, Phase, StoreError,
    Transfer as _, Users as _,
};
use store_dynamo::{DynamoStore, FaultPlan, Place};
use support::{Dice, Tables, open, until, until_it_answers};
use tokio::sync::watch;
use tokio::task::block_in_place;

/// How long a call may take when the table has just stopped answering: the time of an operation, one
/// more attempt on each side of it, and some of the machine's own slowness.
const GIVEN_UP: Duration = Duration::from_secs(7);
/// How long a call may take once it is known that the table cannot be reached.
const AT_ONCE: Duration = Duration::from_millis(500);
/// How long until the store is back once the server is.
const BACK: Duration = Duration::from_secs(10);
/// Kills of the server; more where `GUERDON_KILLS` says so.
const KILLS: u32 = 4;

/// A fifth of all requests go wrong, each in its way.
const ROUGH: FaultPlan = FaultPlan {
    seed: 3,
    throttled: 6,
    conflicts: 5,
    unknown_made: 4,
    unknown_lost: 3,
    errors: 2,
    unprocessed: 20,
    latency: Duration::ZERO,
};

/// Far enough for all, but not for all at once.
const LIMITS: Limits = Limits {
    total: Micros(700),
    daily: Some(Micros(600)),
    grace: Micros(20),
    starts: None,
    daily_starts: None,
};

fn change_of(user: &Loaded, by: BudgetMove) -> Change {
    Draft::of(user, NOW).grant(1).moving(by).change()
}

/// Through throttling, conflicts, lost answers and failures of the server, over two nodes, what was
/// acknowledged is there once and adds up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rough_table_keeps_the_books_right() {
    let tables = Tables::start();
    let place = tables.make(4).await;
    let nodes = [open(&place).await, open(&place).await];
    nodes[0].set_limits(LINE_ITEM, LIMITS, NOW).await.unwrap();
    for (node, seed) in nodes.iter().zip(1..) {
        node.follow_faults(Some(FaultPlan { seed, ..ROUGH }));
    }
    let (acknowledged, _) = watch::channel(0);
    let walk = |number: usize| walk(&nodes[number % 2], number, &acknowledged, |step| step == 12);
    let made: Vec<BudgetMove> = all((0..40).map(walk)).await.concat();
    assert!(made.len() > 200, "{} changes were made", made.len());
    nodes.iter().for_each(|node| node.follow_faults(None));
    check_books(&open(&place).await, &made).await;
}

/// Whatever the server was doing when it was killed, what was acknowledged is there when it is back,
/// and what was asked for again is there once; the store goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing() {
    let tables = Tables::start();
    let place = tables.make(4).await;
    let node = open(&place).await;
    let limits = Limits { total: Micros(i64::MAX / 2), daily: None, ..LIMITS };
    node.set_limits(LINE_ITEM, limits, NOW).await.unwrap();
    let kills = std::env::var("GUERDON_KILLS").ok().and_then(|text| text.parse().ok());
    let (acknowledged, mut seen) = watch::channel(0);
    let stop = AtomicBool::new(false);
    let killer = async {
        for _ in 0..kills.unwrap_or(KILLS) {
            more(&mut seen, 40).await;
            block_in_place(|| tables.server.kill().unwrap());
            block_in_place(|| tables.server.restart().unwrap());
            let begun = Instant::now();
            more(&mut seen, 1).await;
            assert!(begun.elapsed() < BACK, "back after {:?}", begun.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
    };
    let is_over = |_| stop.load(Ordering::Relaxed);
    let walks = (0..24).map(|number| walk(&node, number, &acknowledged, is_over));
    let (made, ()) = tokio::join!(all(walks), killer);
    check_books(&open(&place).await, &made.concat()).await;
}

/// Waits until so many more changes were acknowledged.
async fn more(seen: &mut watch::Receiver<usize>, count: usize) {
    let wanted = *seen.borrow() + count;
    seen.wait_for(|acknowledged| *acknowledged >= wanted).await.unwrap();
}

/// Changes one user until it is over, asking again until it is known what became of each change, and
/// gives the moves that were made.
async fn walk(
    node: &DynamoStore,
    number: usize,
    acknowledged: &watch::Sender<usize>,
    is_over: impl Fn(usize) -> bool,
) -> Vec<BudgetMove> {
    let mut dice = Dice::new(number as u64 + 1);
    let mut user = sample::user(&format!("user {number}"));
    let mut made: Vec<BudgetMove> = Vec::new();
    for step in 0.. {
        if is_over(step) {
            break;
        }
        let held: i64 = made.iter().map(|by| by.held.0).sum();
        let by = match dice.below(3) {
            0 | 1 => sample::hold(1 + dice.below(9) as i64),
            _ => sample::booking(held, held, Guard::Free),
        };
        let change = change_of(&user, by);
        match until_it_answers(node, &change).await {
            Outcome::Applied(_) => {
                made.push(by);
                user = sample::after(&user, &change);
                acknowledged.send_modify(|count| *count += 1);
            }
            Outcome::OverBudget { .. } => {}
            other => panic!("user {number}, step {step}: {other:?}"),
        }
    }
    made
}

/// The budget, the journal, the users and the outbox agree with the changes that were acknowledged.
async fn check_books(node: &DynamoStore, made: &[BudgetMove]) {
    let total = made.iter().fold(Used::default(), |sum, by| sum.moved(by));
    let level = node.level(LINE_ITEM).await.unwrap().unwrap();
    assert_eq!((level.total, level.today), (total, total));
    assert!(total.committed().0 <= level.limits.total.0, "{level:?}");
    let records = node.read(0, 100_000).await.unwrap();
    assert!(records.iter().map(|one| one.seq).eq(1..=made.len() as u64 + 1), "places");
    let mut chains: HashMap<UserKey, (u64, Chain)> = HashMap::new();
    for stored in &records {
        // The limits are nobody's.
        let Some(user) = stored.record.user else { continue };
        let (version, chain) = chains.entry(user).or_default();
        (*version, *chain) = (*version + 1, chain.with(&stored.record));
        assert_eq!(stored.chain, *chain, "the chain at place {}", stored.seq);
    }
    for (key, loaded) in node.scan(None, 1_000).await.unwrap() {
        assert_eq!(chains.remove(&key), Some((loaded.version, loaded.chain)));
    }
    assert!(chains.is_empty(), "records of users who are not there: {chains:?}");
    let filter = DeliveryFilter {
        app: APP,
        mode: Mode::Live,
        state: None,
        after: None,
        limit: usize::MAX / 2,
    };
    assert_eq!(node.deliveries(filter).await.unwrap().len(), made.len(), "deliveries");
}

/// A copy that fails before its last step has written records that do not count: nobody sees them, and
/// the next copy takes them for missing.
#[tokio::test]
async fn what_a_broken_copy_leaves_behind_does_not_count() {
    let tables = Tables::start();
    let (from, to) = (open(&tables.make(4).await).await, open(&tables.make(4).await).await);
    let mut user = sample::user("ann");
    for mission in 1..=5 {
        let change = Draft::of(&user, NOW).grant(mission).change();
        assert!(matches!(from.commit(change.clone()).await.unwrap(), Outcome::Applied(_)));
        user = sample::after(&user, &change);
    }
    let records = from.read(0, 100).await.unwrap();
    let (run, _) = to.take_over().await.unwrap();
    to.set_phase(run, Phase::Filling).await.unwrap();
    to.put_records(run, records[..2].to_vec()).await.unwrap();
    to.follow_faults(Some(FaultPlan { conflicts: 100, ..FaultPlan::default() }));
    assert!(to.put_records(run, records.clone()).await.is_err(), "a transaction went through");
    to.follow_faults(None);
    assert_eq!(to.head().await.unwrap(), 2);
    assert_eq!(to.read(0, 100).await.unwrap(), records[..2]);
    to.put_records(run, records[2..].to_vec()).await.unwrap();
    assert_eq!(to.read(0, 100).await.unwrap(), records);
}

/// A server, a proxy before it, and a store that goes through the proxy.
struct Net {
    tables: Tables,
    proxy: Proxy,
    /// Past the proxy.
    place: Place,
    store: Arc<DynamoStore>,
}

impl Net {
    async fn start() -> Self {
        let tables = Tables::start();
        let proxy = Proxy::start(tables.server.address()).unwrap();
        let place = tables.make(1).await;
        let through = format!("http://127.0.0.1:{}", proxy.port());
        let through = Place { endpoint: Some(through), ..place.clone() };
        let store = Arc::new(open(&through).await);
        store.set_limits(LINE_ITEM, LIMITS, NOW).await.unwrap();
        Self { tables, proxy, place, store }
    }

    /// How much is held and how many records there are, as another node sees it.
    async fn seen(&self) -> (i64, u64) {
        let other = open(&self.place).await;
        let level = other.level(LINE_ITEM).await.unwrap().unwrap();
        (level.total.held.0, other.head().await.unwrap())
    }

    /// Commits for many users at once, and says how long the last waited.
    async fn crowd(&self, name: &str) -> (Vec<Result<Outcome, StoreError>>, Duration) {
        let begun = Instant::now();
        let commit = async |number: usize| {
            let user = sample::user(&format!("{name} {number}"));
            self.store.commit(change_of(&user, sample::hold(1))).await
        };
        (all((0..150).map(commit)).await, begun.elapsed())
    }
}

/// The answer to a group is lost: the table tells that it was written.
#[tokio::test]
async fn a_lost_answer_is_found_out() {
    let net = Net::start().await;
    for number in 1..=3 {
        net.proxy.cut_answer_after(b"TransactWriteItems");
        let change = change_of(&sample::user(&format!("user {number}")), sample::hold(1));
        let outcome = net.store.commit(change.clone()).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
        assert_eq!(net.proxy.answers_cut(), number, "the answer came through");
        assert_eq!(net.store.commit(change).await.unwrap(), Outcome::Replayed);
        assert_eq!(net.seen().await, (number as i64, number as u64 + 1));
    }
}

/// A server that stops answering, or is gone, is told within the time of an operation to those who
/// were waiting for it, and at once to everybody who comes later; when it is back, so is the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_out_of_reach_is_told_soon_and_then_at_once() {
    let net = Net::start().await;
    block_in_place(|| net.tables.server.kill().unwrap());
    let (answers, time) = net.crowd("gone").await;
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert!(time < GIVEN_UP, "{time:?}");
    let (answers, time) = net.crowd("still gone").await;
    for answer in answers {
        assert_is_told(answer);
    }
    assert!(time < AT_ONCE, "{time:?}");
    block_in_place(|| net.tables.server.restart().unwrap());
    let begun = Instant::now();
    let change = change_of(&sample::user("ann"), sample::hold(1));
    let outcome = until_it_answers(&net.store, &change).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
    assert_eq!(net.seen().await, (1, 2));
}

/// It is unavailable, in plain words.
fn assert_is_told<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    let error = answer.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(error.to_string().matches("the store is unavailable").count(), 1, "{error}");
}

/// The first who read in vain are told within the time of an operation, and then everybody at once,
/// however many requests he needs and whichever kinds of them; when the server is back everything is
/// read again. Nobody writes, so reads alone find out about both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_fail_at_once_while_the_table_is_known_to_be_out_of_reach() {
    let net = Net::start().await;
    let store = &net.store;
    let load =
        async |number: usize| store.load(sample::user(&format!("user {number}")).state.key()).await;
    for is_frozen in [false, true] {
        block_in_place(|| match is_frozen {
            false => net.tables.server.kill().unwrap(),
            true => net.tables.server.freeze().unwrap(),
        });
        let begun = Instant::now();
        all((0..50).map(load)).await.into_iter().for_each(assert_is_told);
        assert!(begun.elapsed() < GIVEN_UP, "{:?}", begun.elapsed());
        let begun = Instant::now();
        all((0..50).map(load)).await.into_iter().for_each(assert_is_told);
        assert_is_told(store.level(LINE_ITEM).await);
        assert_is_told(store.levels().await);
        assert_is_told(store.backlog().await);
        assert_is_told(store.read(0, 100).await);
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
        block_in_place(|| match is_frozen {
            false => net.tables.server.restart().unwrap(),
            true => net.tables.server.thaw().unwrap(),
        });
        let begun = Instant::now();
        until(async || load(0).await.ok()).await;
        assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
        assert_eq!(store.levels().await.unwrap().len(), 1);
    }
}

/// A frozen server may still do what it was asked for before: that is unknown, and asking again with
/// the same change tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_leaves_the_outcome_unknown_until_it_is_asked_again() {
    let net = Net::start().await;
    let change = change_of(&sample::user("ann"), sample::hold(1));
    block_in_place(|| net.tables.server.freeze().unwrap());
    let begun = Instant::now();
    let outcome = net.store.commit(change.clone()).await;
    assert!(matches!(outcome, Err(StoreError::Unknown(_))), "{outcome:?}");
    assert!(begun.elapsed() < GIVEN_UP, "{:?}", begun.elapsed());
    block_in_place(|| net.tables.server.thaw().unwrap());
    let outcome = until_it_answers(&net.store, &change).await;
    assert!(matches!(outcome, Outcome::Applied(_) | Outcome::Replayed), "{outcome:?}");
    assert_eq!(net.seen().await, (1, 2));
}
