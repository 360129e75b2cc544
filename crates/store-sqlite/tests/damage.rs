//! What contradicts itself is said with its name, and holds up nothing else.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use domain::change::{Change, Loaded};
use domain::ids::DeliveryId;
use domain::time::Timestamp;
use rusqlite::Connection;
use store::contract::sample::{self, Draft, NOW};
use store::{Claim, DeliveryState, Journal as _, Outbox as _, Outcome, StoreError, Users as _};
use store_sqlite::{Options, SqliteStore};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).unwrap()
}

/// Makes a change, and says how the user stands then.
async fn commit(store: &SqliteStore, user: &Loaded, change: Change) -> Loaded {
    let outcome = store.commit(change).await.unwrap();
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    store.load(user.state.key()).await.unwrap()
}

/// Takes a record out of the journal behind the store's back.
fn lose(path: &Path, seq: i64) {
    let conn = Connection::open(path).unwrap();
    assert_eq!(conn.execute("DELETE FROM journal WHERE seq = ?1", [seq]).unwrap(), 1);
}

fn check_corrupt<T: std::fmt::Debug>(answer: Result<T, StoreError>, why: &str) {
    let error = answer.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(found) if found == why), "{error:?} is not {why}");
}

#[tokio::test]
async fn a_lost_record_is_named_by_who_points_to_it() {
    // A row of a user points to his newest record, and each record to the one before.
    for lost in [3, 2, 1] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = open(&path);
        let mut ann = sample::user("ann");
        let key = ann.state.key();
        for mission in 1..=3 {
            let change = Draft::of(&ann, NOW).grant(mission).change();
            ann = commit(&store, &ann, change).await;
        }
        assert_eq!(store.ledger(key, None, 9).await.unwrap().records.len(), 3);
        lose(&path, lost);
        let missing = format!("journal: record {lost} of user {key} is missing");
        check_corrupt(store.ledger(key, None, 9).await, &missing);
        // A page may begin below a place that is not his.
        check_corrupt(store.ledger(key, Some(lost as u64), 9).await, &missing);
    }
}

#[tokio::test]
async fn a_delivery_whose_record_is_lost_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let ann = sample::user("ann");
    commit(&store, &ann, Draft::of(&ann, NOW).grant(1).change()).await;
    let id = Draft::grant_message(&ann.state.key(), 1);
    assert!(store.delivery(id).await.unwrap().is_some());
    lose(&path, 1);
    let missing = format!("journal: record 1 of delivery {id} is missing");
    check_corrupt(store.delivery(id).await, &missing);
}

#[tokio::test]
async fn a_message_that_comes_again_is_left_out_and_the_rest_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.db"));
    let ann = sample::user("ann");
    let first = Draft::of(&ann, NOW).grant(1).change();
    let twin = first.record.clone().unwrap().messages.remove(0);
    let ann = commit(&store, &ann, first).await;
    let mut again = Draft::of(&ann, NOW).grant(2).reverse(2).change();
    again.record.as_mut().unwrap().messages.push(twin.clone());
    commit(&store, &ann, again).await;
    let bob = sample::user("bob");
    commit(&store, &bob, Draft::of(&bob, NOW).grant(1).change()).await;

    let message = |user: &Loaded, mission| Draft::grant_message(&user.state.key(), mission);
    assert_eq!(claimed(&store).await, [message(&ann, 1), message(&ann, 2), message(&bob, 1)]);
    assert_eq!(store.delivery(twin.id).await.unwrap().unwrap().seq, 1, "the first stays");
    let (counts, _) = store.backlog().await.unwrap();
    let queued = counts.iter().find(|(state, _)| *state == DeliveryState::Queued);
    assert_eq!(queued, Some(&(DeliveryState::Queued, 4)), "the reversal waits for its grant");
    assert_eq!(store.head().await.unwrap(), 3);
}

/// What can be sent now, in order of booking.
async fn claimed(store: &SqliteStore) -> Vec<DeliveryId> {
    let claim = Claim {
        now: NOW,
        lease_until: Timestamp(NOW.0 + 30_000),
        limit: 9,
        per_endpoint: 9,
        skip: Vec::new(),
    };
    let claimed = store.claim(claim).await.unwrap();
    claimed.iter().map(|one| one.delivery.message.id).collect()
}
