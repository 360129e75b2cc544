//! Commits that wait at the same time share a transaction, and each is durable by itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::future::Future as _;
use std::path::Path;
use std::pin::pin;

use domain::change::{Change, Loaded};
use rusqlite::Connection;
use store::contract::all;
use store::contract::budgets::only_what_has_changed;
use store::contract::sample::{self, Draft, LINE_ITEM, NOW};
use store::{Budgets as _, Journal as _, Outcome, Users as _};
use store_sqlite::{Durability, Options, SqliteStore};

/// Users who commit at once.
const USERS: usize = 200;

#[tokio::test]
async fn commits_that_wait_together_share_transactions_and_are_all_durable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path, Options::default()).unwrap();
    let transactions = commit_all(&store, &path).await;
    assert!((1..=2).contains(&transactions), "{transactions} transactions");
    drop(store);
    check_durable(&path).await;
}

#[tokio::test]
async fn a_group_is_no_larger_than_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let options = Options { group_max: 1, ..Options::default() };
    let store = SqliteStore::open(&path, options).unwrap();
    assert_eq!(commit_all(&store, &path).await, USERS);
    drop(store);
    check_durable(&path).await;
}

#[tokio::test]
async fn a_refused_change_does_not_disturb_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path, Options::default()).unwrap();
    store.set_limits(LINE_ITEM, sample::limits(50), NOW).await.unwrap();
    let hold = |user: &Loaded| Draft::of(user, NOW).moving(sample::hold(1)).change();
    let changes: Vec<Change> = users().iter().map(hold).collect();
    let outcomes = together(&store, &path, changes).await;
    let applied = outcomes.iter().filter(|one| matches!(one, Outcome::Applied(_))).count();
    let refused = outcomes.iter().filter(|one| matches!(one, Outcome::OverBudget { .. })).count();
    assert_eq!((applied, refused), (50, USERS - 50));
    assert_eq!(store.head().await.unwrap(), 51);
}

#[tokio::test]
async fn only_budgets_that_have_changed_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("a.db"), Options::default()).unwrap();
    only_what_has_changed(&store).await.unwrap();
}

#[tokio::test]
async fn views_that_readers_leave_open_show_every_commit_and_let_the_log_be_emptied() {
    /// Bytes of the log after which it is moved into the file.
    const LOG_BYTES: u64 = 16 * 1_024 * 1_024;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let options = Options { durability: Durability::OffForTests, ..Options::default() };
    let store = SqliteStore::open(&path, options).unwrap();
    let mut user = sample::user("ann");
    let log = path.with_extension("db-wal");
    let mut longest = 0;
    for number in 0..300 {
        // Large, and different all over, so that each commit writes many pages.
        user.state.profile.installed_apps = vec![format!("{number:09}").repeat(200); 100];
        let change = sample::profile(&user, 30);
        user = sample::after(&user, &change);
        assert!(matches!(store.commit(change).await.unwrap(), Outcome::Applied(_)));
        // What is not read again leaves its view open while much is written.
        if number % 100 < 3 {
            assert_eq!(store.load(user.state.key()).await.unwrap(), user);
        }
        longest = longest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(longest > LOG_BYTES / 2, "{longest} bytes of log show nothing");
    assert!(longest < LOG_BYTES * 3 / 2, "{longest} bytes of log");
}

#[tokio::test]
async fn a_row_that_is_not_where_it_was_remembered_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqliteStore::open(&path, Options::default()).unwrap();
    let commit = async |user: &Loaded, age| {
        let change = sample::profile(user, age);
        let next = sample::after(user, &change);
        assert!(matches!(store.commit(change).await.unwrap(), Outcome::Applied(_)));
        next
    };
    let [ann, ben] = ["ann", "ben"].map(sample::user);
    let (ann, ben) = (commit(&ann, 30).await, commit(&ben, 40).await);
    for user in [&ann, &ben] {
        assert_eq!(store.load(user.state.key()).await.unwrap(), *user);
    }
    // Each is now where the other was.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("UPDATE users SET id = id + 2; UPDATE users SET id = 5 - id").unwrap();
    let (ann, ben) = (commit(&ann, 31).await, commit(&ben, 41).await);
    for user in [&ann, &ben] {
        assert_eq!(store.load(user.state.key()).await.unwrap(), *user);
    }
}

/// Commits a change of every user at once, and counts the transactions that it takes.
async fn commit_all(store: &SqliteStore, path: &Path) -> usize {
    let before = transactions(path);
    let outcomes = together(store, path, users().iter().map(first_change).collect()).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Applied(_))));
    transactions(path) - before
}

/// Commits all changes while somebody else has the write lock, so that they wait together.
async fn together(store: &SqliteStore, path: &Path, changes: Vec<Change>) -> Vec<Outcome> {
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let commits = all(changes.into_iter().map(|change| store.commit(change)));
    // The runtime would otherwise interrupt a task that sends so much in one turn.
    let mut commits = pin!(tokio::task::unconstrained(commits));
    let first_turn = std::future::poll_fn(|context| {
        std::task::Poll::Ready(commits.as_mut().poll(context).is_pending())
    });
    assert!(first_turn.await, "a commit was answered although another has the lock");
    other.execute_batch("ROLLBACK").unwrap();
    commits.await.into_iter().map(Result::unwrap).collect()
}

async fn check_durable(path: &Path) {
    let store = SqliteStore::open(path, Options::default()).unwrap();
    for user in users() {
        let known = sample::after(&user, &first_change(&user));
        assert_eq!(store.load(user.state.key()).await.unwrap(), known);
    }
    assert_eq!(store.head().await.unwrap(), USERS as u64);
}

fn users() -> Vec<Loaded> {
    (0..USERS).map(|number| sample::user(&format!("user {number}"))).collect()
}

fn first_change(user: &Loaded) -> Change {
    Draft::of(user, NOW).grant(1).change()
}

/// The transactions in the log beside the file: each ends with a frame that names the size of the
/// file after it. The log begins with 32 bytes, and a frame has 24 before its page.
fn transactions(path: &Path) -> usize {
    let log = std::fs::read(path.with_extension("db-wal")).unwrap();
    let ends = |frame: &[u8]| frame.get(4..8).is_some_and(|size| size != [0; 4]);
    log.get(32..).unwrap_or_default().chunks(24 + 4_096).filter(|frame| ends(frame)).count()
}
