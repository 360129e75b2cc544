//! Commits that wait at the same time share a transaction, and each is durable by itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use domain::change::{Change, Loaded};
use domain::journal::Chain;
use services::MariaDb;
use store::contract::all;
use store::contract::budgets::only_what_has_changed;
use store::contract::sample::{self, Draft, LINE_ITEM, NOW};
use store::{Budgets as _, Journal as _, Outbox as _, Outcome, StoreError, Users as _};
use store_mysql::{MysqlStore, Options};

/// Users who commit at once.
const USERS: usize = 200;

#[tokio::test]
async fn commits_that_wait_together_share_transactions_and_are_all_durable() {
    let server = MariaDb::start().unwrap();
    for (group_max, wanted) in [(USERS, 1), (USERS / 4, 4), (1, USERS)] {
        let url = common::database(&server, &format!("groups_of_{group_max}")).await;
        let options = Options { group_max, ..Options::default() };
        let store = MysqlStore::connect(&url, options).await.unwrap();
        let outcomes = together(&store, users().iter().map(first_change).collect()).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::Applied(_)))));
        let database = format!("groups_of_{group_max}");
        assert_eq!(transactions(&server, &database), wanted, "{database}");
        drop(store);
        check_durable(&url).await;
    }
}

#[tokio::test]
async fn a_refused_change_does_not_disturb_its_group() {
    let server = MariaDb::start().unwrap();
    let url = common::database(&server, "refused").await;
    let store = common::open(&url).await;
    store.set_limits(LINE_ITEM, sample::limits(50), NOW).await.unwrap();
    let hold = |user: &Loaded| Draft::of(user, NOW).moving(sample::hold(1)).change();
    let outcomes = together(&store, users().iter().map(hold).collect()).await;
    let applied = outcomes.iter().filter(|one| matches!(one, Ok(Outcome::Applied(_)))).count();
    let refused = outcomes.iter().filter(|one| matches!(one, Ok(Outcome::OverBudget { .. })));
    assert_eq!((applied, refused.count()), (50, USERS - 50));
    assert_eq!(store.head().await.unwrap(), 51);
    assert_eq!(transactions(&server, "refused"), 2);
}

#[tokio::test]
async fn only_budgets_that_have_changed_are_read_again() {
    let server = MariaDb::start().unwrap();
    let url = common::database(&server, "changed").await;
    let store = common::open(&url).await;
    only_what_has_changed(&store).await.unwrap();
}

/// The message of one user is there already under another record, as if it had been booked twice.
#[tokio::test]
async fn a_change_that_cannot_be_written_fails_alone() {
    let server = MariaDb::start().unwrap();
    let url = common::database(&server, "alone").await;
    let store = common::open(&url).await;
    let users = users();
    let twin: String = Draft::grant_message(&users[7].state.key(), 1)
        .0
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let insert = format!(
        "INSERT INTO alone.deliveries (id, delivery_id, app, mode, state, attempts, booked_at, fence) \
         VALUES (1, X'{twin}', 1, 0, 3, 0, 0, 0)"
    );
    server.sql(&insert).unwrap();
    let outcomes = together(&store, users.iter().map(first_change).collect()).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Err(StoreError::Corrupt(_)) => assert_eq!(number, 7),
            other => assert!(matches!(other, Ok(Outcome::Applied(_))) && number != 7, "{other:?}"),
        }
    }
    assert_eq!(store.load(users[7].state.key()).await.unwrap(), Loaded::default());
    assert_eq!(store.head().await.unwrap(), USERS as u64 - 1);
    let places: Vec<u64> = store.read(0, USERS).await.unwrap().iter().map(|one| one.seq).collect();
    assert_eq!(places, (1..USERS as u64).collect::<Vec<_>>());
}

/// A session of one moment sees nothing that comes later, in whatever it reads.
#[tokio::test]
async fn a_view_stays_as_it_is_and_takes_no_writes() {
    let server = MariaDb::start().unwrap();
    let url = common::database(&server, "view").await;
    let store = common::open(&url).await;
    let (ann, bob) = (sample::user("ann"), sample::user("bob"));
    store.commit(first_change(&ann)).await.unwrap();
    let view = MysqlStore::open_view(&url).await.unwrap();
    store.commit(first_change(&bob)).await.unwrap();
    assert_eq!(view.load(bob.state.key()).await.unwrap(), Loaded::default());
    assert_eq!((view.head().await.unwrap(), store.head().await.unwrap()), (1, 2));
    assert_eq!(view.scan(None, 10).await.unwrap().len(), 1);
    let (counts, _) = view.backlog().await.unwrap();
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), 1);
    let refused = view.commit(first_change(&sample::user("eve"))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

/// Commits all changes in one turn, before the writer has one.
async fn together(store: &MysqlStore, changes: Vec<Change>) -> Vec<Result<Outcome, StoreError>> {
    // The runtime would otherwise interrupt a task that sends so much in one turn.
    let commits = all(changes.into_iter().map(|change| store.commit(change)));
    tokio::task::unconstrained(commits).await
}

async fn check_durable(url: &str) {
    let store = common::open(url).await;
    for user in users() {
        let known = sample::after(&user, &first_change(&user));
        assert_eq!(store.load(user.state.key()).await.unwrap(), known);
    }
    let records = store.read(0, USERS + 1).await.unwrap();
    assert_eq!(records.len(), USERS);
    assert!(records.iter().all(|stored| stored.chain == Chain::default().with(&stored.record)));
}

fn users() -> Vec<Loaded> {
    (0..USERS).map(|number| sample::user(&format!("user {number}"))).collect()
}

fn first_change(user: &Loaded) -> Change {
    Draft::of(user, NOW).grant(1).change()
}

/// The transactions of all writers of a database.
fn transactions(server: &MariaDb, database: &str) -> usize {
    let sum = server.sql(&format!("SELECT SUM(group_no) FROM {database}.writers")).unwrap();
    sum.trim().parse().unwrap()
}
