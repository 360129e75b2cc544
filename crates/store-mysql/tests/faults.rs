//! What the state does when the database, or the way to it, fails: nothing acknowledged is lost,
//! nothing is done twice, and nobody waits for long.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod common;
#[path = "faults/other.rs"]
mod other;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::change::{Change, Loaded};
use services::{MariaDb, Proxy};
use store::contract::all;
use store::contract::sample::{self, Draft, LINE_ITEM, NOW};
use store::{Budgets as _, Journal as _, Outbox as _, Outcome, StoreError, Users as _};
use store_mysql::MysqlStore;

use other::Other;

/// How long a call may take when the database has just stopped answering: one round trip's limit and
/// some of the machine's own slowness.
const GIVEN_UP: Duration = Duration::from_millis(3_500);

/// How long a call takes on average while the database is known not to answer.
const AT_ONCE: Duration = Duration::from_millis(100);

/// How long until the service is back once the database is.
const BACK: Duration = Duration::from_secs(10);

/// A server, a proxy before it, and a store that goes through the proxy.
struct Net {
    server: MariaDb,
    proxy: Proxy,
    /// Past the proxy.
    url: String,
    store: Arc<MysqlStore>,
}

impl Net {
    async fn start(name: &str) -> Self {
        let server = MariaDb::start().unwrap();
        let proxy = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()))).unwrap();
        let url = common::database(&server, name).await;
        let through = format!("mysql://root@127.0.0.1:{}/{name}", proxy.port());
        let store = Arc::new(common::open(&through).await);
        store.set_limits(LINE_ITEM, sample::limits(i64::MAX / 2), NOW).await.unwrap();
        Self { server, proxy, url, store }
    }

    /// How many units are held and how many records there are, as another node sees it.
    async fn seen(&self) -> (i64, u64) {
        let other = common::open(&self.url).await;
        let level = other.level(LINE_ITEM).await.unwrap().unwrap();
        (level.total.held.0, other.head().await.unwrap())
    }
}

fn first_change(name: &str) -> Change {
    next_change(&sample::user(name), 1)
}

fn next_change(user: &Loaded, mission: u32) -> Change {
    Draft::of(user, NOW).grant(mission).moving(sample::hold(1)).change()
}

/// Whatever answer is lost on its way, the caller hears what really happened, and it happens once.
#[tokio::test]
async fn a_lost_answer_is_found_out() {
    let net = Net::start("lost_answer").await;
    let patterns: [(&[u8], &str); 4] = [
        (b"COMMIT", "of the commit"),
        (b"INSERT INTO journal", "to what was written"),
        (b"FOR UPDATE", "to the lock"),
        (b"COMMIT", "of another commit"),
    ];
    for ((pattern, what), number) in patterns.into_iter().zip(1..) {
        net.proxy.cut_answer_after(pattern);
        let change = first_change(what);
        let outcome = net.store.commit(change.clone()).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied(_)), "the answer {what} was lost: {outcome:?}");
        assert_eq!(net.proxy.answers_cut(), number, "the answer {what} came through");
        assert_eq!(net.store.commit(change).await.unwrap(), Outcome::Replayed);
        assert_eq!(net.seen().await, (number as i64, number as u64 + 1));
    }
}

/// The answer to a commit is lost, and what became of it cannot be seen in time: that is what is
/// said, and asking again with the same change tells.
#[tokio::test]
async fn what_cannot_be_found_out_is_unknown_and_can_be_asked_again() {
    let net = Net::start("unknown").await;
    let change = first_change("ann");
    let (mut first, mut second) = (Other::at(&net.url).await, Other::at(&net.url).await);
    first.lock_head().await;
    let commit = spawn_commit(&net.store, change.clone());
    first.wait_for_waiting(1).await;
    // The second stands behind the writer, and has the lock as soon as that has committed.
    let lock = tokio::spawn(async move {
        second.lock_head().await;
        second
    });
    first.wait_for_waiting(2).await;
    net.proxy.cut_answer_after(b"COMMIT");
    first.run("ROLLBACK").await;
    let mut second = lock.await.unwrap();
    let outcome = commit.await.unwrap();
    assert!(matches!(outcome, Err(StoreError::Unknown(_))), "{outcome:?}");
    second.run("ROLLBACK").await;
    assert_eq!(until_it_answers(&net.store, &change).await, Outcome::Replayed);
    assert_eq!(net.seen().await, (1, 2));
}

/// A database that stops answering is told at once to everybody but those who were waiting for it,
/// and they do not wait long either; when it goes on, so does the service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_database_is_unavailable_soon_and_then_at_once() {
    let net = Net::start("frozen").await;
    net.server.freeze().unwrap();
    let begun = Instant::now();
    let names: Vec<String> = (0..100).map(|number| format!("frozen {number}")).collect();
    let commits = all(names.iter().map(|name| net.store.commit(first_change(name))));
    let reads = all(names.iter().map(|name| net.store.load(sample::user(name).state.key())));
    let (commits, reads) = tokio::join!(commits, reads);
    assert!(begun.elapsed() < GIVEN_UP, "{:?}", begun.elapsed());
    for outcome in commits {
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    }
    assert!(reads.iter().all(|read| matches!(read, Err(StoreError::Unavailable(_)))));
    let begun = Instant::now();
    for name in &names {
        let outcome = net.store.commit(first_change(name)).await;
        assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    }
    assert!(begun.elapsed() < AT_ONCE * names.len() as u32, "{:?}", begun.elapsed());
    net.server.thaw().unwrap();
    let thawed = Instant::now();
    let outcome = until_it_answers(&net.store, &first_change("frozen 0")).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert!(thawed.elapsed() < BACK, "{:?}", thawed.elapsed());
    assert_eq!(net.seen().await, (1, 2));
}

/// A network that swallows everything is a frozen database to its clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_is_unavailable_soon() {
    let net = Net::start("silent").await;
    net.proxy.freeze().unwrap();
    let begun = Instant::now();
    let outcome = net.store.commit(first_change("ann")).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert!(begun.elapsed() < GIVEN_UP, "{:?}", begun.elapsed());
    net.proxy.pass().unwrap();
    let outcome = until_it_answers(&net.store, &first_change("ann")).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(net.seen().await, (1, 2));
}

/// A slow network only makes groups larger.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_network_loses_nothing() {
    let net = Net::start("slow").await;
    net.proxy.delay(Duration::from_millis(50)).unwrap();
    for round in 0..3 {
        let name = |number: u64| format!("slow {round} {number}");
        let commits: Vec<_> = (0..100).map(|n| net.store.commit(first_change(&name(n)))).collect();
        let outcomes = all(commits).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::Applied(_)))));
    }
    assert_eq!(net.seen().await, (300, 301));
}

/// Somebody else holds the lock for longer than a wait: the group is tried again.
#[tokio::test]
async fn a_wait_that_ends_in_vain_is_tried_again() {
    let net = Net::start("waits").await;
    let mut other = Other::at(&net.url).await;
    other.lock_head().await;
    let waits = other.waits().await;
    let commit = spawn_commit(&net.store, first_change("ann"));
    // One wait ends after a second, and another one begins.
    other.wait_for_waits(waits + 2).await;
    other.run("ROLLBACK").await;
    let outcome = commit.await.unwrap();
    assert!(matches!(outcome, Ok(Outcome::Applied(_))), "{outcome:?}");
    assert_eq!(net.seen().await, (1, 2));
}

/// Somebody who takes locks in another order makes a deadlock, and the server ends the writer's
/// transaction: it is tried again.
#[tokio::test]
async fn a_deadlock_is_tried_again() {
    let net = Net::start("deadlock").await;
    let ann = committed(&net.store, "ann").await;
    let mut other = Other::at(&net.url).await;
    // The server undoes the transaction that has written less, so the other one writes a lot.
    other.run("CREATE TABLE scratch (n INT PRIMARY KEY)").await;
    other.lock_user(&ann.state.key()).await;
    other.run("INSERT INTO scratch SELECT seq FROM seq_1_to_1000").await;
    let commit = spawn_commit(&net.store, next_change(&ann, 2));
    other.wait_for_waiting(1).await;
    other.run("SELECT head FROM state_head WHERE id = 1 FOR UPDATE").await;
    other.run("COMMIT").await;
    let outcome = commit.await.unwrap();
    assert!(matches!(outcome, Ok(Outcome::Applied(_))), "{outcome:?}");
    assert_eq!(net.seen().await, (2, 3));
}

/// Somebody changes a budget without the lock, between the writer's look and its write: the guard in
/// the statement sees it, and the group is decided anew.
#[tokio::test]
async fn a_budget_that_was_changed_behind_the_writers_back_is_read_again() {
    let net = Net::start("guard").await;
    let ann = committed(&net.store, "ann").await;
    let mut other = Other::at(&net.url).await;
    let mut rogue = Other::at(&net.url).await;
    other.lock_user(&ann.state.key()).await;
    let commit = spawn_commit(&net.store, next_change(&ann, 2));
    other.wait_for_waiting(1).await;
    rogue.run("UPDATE budgets SET held = held + 40 WHERE line_item = 1").await;
    other.run("ROLLBACK").await;
    let outcome = commit.await.unwrap().unwrap();
    let Outcome::Applied(committed) = outcome else { panic!("{outcome:?}") };
    assert_eq!(committed.levels[0].total.held.0, 42);
    assert_eq!(net.seen().await, (42, 3));
}

/// A node that is cut off while it holds the lock holds up the others for seconds only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_frees_its_lock() {
    let net = Net::start("cut_off").await;
    let ann = committed(&net.store, "ann").await;
    let node = common::open(&net.url).await;
    let mut other = Other::at(&net.url).await;
    other.lock_user(&ann.state.key()).await;
    let commit = spawn_commit(&net.store, next_change(&ann, 2));
    other.wait_for_waiting(1).await;
    net.proxy.freeze().unwrap();
    other.run("ROLLBACK").await;
    let begun = Instant::now();
    let bob = node.commit(first_change("bob")).await;
    assert!(matches!(bob, Ok(Outcome::Applied(_))), "{bob:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let cut_off = commit.await.unwrap();
    assert!(matches!(cut_off, Err(StoreError::Unavailable(_))), "{cut_off:?}");
    net.proxy.pass().unwrap();
    let outcome = until_it_answers(&net.store, &next_change(&ann, 2)).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(net.seen().await, (3, 4));
}

/// The server is killed under load, again and again, and started again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice_when_the_server_is_killed() {
    let net = Net::start("killed").await;
    let mut users: Vec<Loaded> =
        (0..32).map(|number| sample::user(&format!("user {number}"))).collect();
    for round in 1..=4 {
        let head = net.store.head().await.unwrap();
        let callers: Vec<_> = users
            .into_iter()
            .map(|user| tokio::spawn(call(Arc::clone(&net.store), user)))
            .collect();
        wait_for_head(&net.store, head + 100).await;
        net.server.kill().unwrap();
        let mut ended = Vec::new();
        for caller in callers {
            ended.push(caller.await.unwrap());
        }
        net.server.restart().unwrap();
        let back = Instant::now();
        users = all(ended.iter().map(|end| end.settle(&net.store))).await;
        assert!(back.elapsed() < BACK, "round {round}: {:?}", back.elapsed());
        check_everything(&net.store, &users).await;
    }
}

/// A user whose latest change had no answer when the server was killed.
struct Ended {
    user: Loaded,
    open: Change,
}

/// Changes a user until that fails. What was acknowledged is in the user that it gives.
async fn call(store: Arc<MysqlStore>, mut user: Loaded) -> Ended {
    loop {
        let open = next_change(&user, user.version as u32 + 1);
        match store.commit(open.clone()).await {
            Ok(Outcome::Applied(_)) => user = sample::after(&user, &open),
            Err(StoreError::Unknown(_) | StoreError::Unavailable(_)) => {
                return Ended { user, open };
            }
            other => panic!("{other:?}"),
        }
    }
}

impl Ended {
    /// Asks again until there is an answer, which is the same for everybody.
    async fn settle(&self, store: &MysqlStore) -> Loaded {
        let outcome = until_it_answers(store, &self.open).await;
        assert!(matches!(outcome, Outcome::Applied(_) | Outcome::Replayed), "{outcome:?}");
        sample::after(&self.user, &self.open)
    }
}

/// Every user is as his caller knows him, and budget, journal and outbox agree with that.
async fn check_everything(store: &MysqlStore, users: &[Loaded]) {
    for user in users {
        assert_eq!(&store.load(user.state.key()).await.unwrap(), user);
    }
    let changes: u64 = users.iter().map(|user| user.version).sum();
    let level = store.level(LINE_ITEM).await.unwrap().unwrap();
    assert_eq!((level.total, level.total.held.0 as u64), (level.today, changes));
    assert_eq!(store.head().await.unwrap(), changes + 1);
    let records = store.read(0, changes as usize + 9).await.unwrap();
    assert!(records.iter().map(|one| one.seq).eq(1..=changes + 1), "a place is missing");
    let (counts, _) = store.backlog().await.unwrap();
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), changes);
}

/// A user with one change.
async fn committed(store: &MysqlStore, name: &str) -> Loaded {
    let change = first_change(name);
    store.commit(change.clone()).await.unwrap();
    sample::after(&sample::user(name), &change)
}

fn spawn_commit(
    store: &Arc<MysqlStore>,
    change: Change,
) -> tokio::task::JoinHandle<Result<Outcome, StoreError>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.commit(change).await })
}

/// Asks for the same change until the store answers.
async fn until_it_answers(store: &MysqlStore, change: &Change) -> Outcome {
    loop {
        match store.commit(change.clone()).await {
            Ok(outcome) => return outcome,
            Err(StoreError::Unavailable(_) | StoreError::Unknown(_)) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn wait_for_head(store: &MysqlStore, head: u64) {
    while store.head().await.unwrap() < head {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
