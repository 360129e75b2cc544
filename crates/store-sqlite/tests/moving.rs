//! A mover beside a server: the phase of a file that another connection has open.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper that has nothing to return has to fail it"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::ids::Mode;
use store::contract::sample::{self, APP, Draft, NOW};
use store::{
    DeliveryFilter, DeliveryState, Journal, Outbox, Outcome, Phase, RunNumber, StoreError,
    Transfer, Users,
};
use store_sqlite::{OpenError, Options, SqliteStore};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).unwrap()
}

/// Lets a new run set the phase.
async fn turn(store: &SqliteStore, phase: Phase) -> RunNumber {
    let (run, _) = store.take_over().await.unwrap();
    store.set_phase(run, phase).await.unwrap();
    run
}

fn away() -> Phase {
    Phase::Moved("elsewhere".to_owned())
}

/// Users commit without a pause until the state has moved.
async fn commit_until_moved(server: &SqliteStore, number: u64, applied: &AtomicU64) {
    let mut user = sample::user(&format!("user {number}"));
    loop {
        let change = Draft::of(&user, NOW).grant(1).change();
        let next = sample::after(&user, &change);
        match server.commit(change).await {
            Ok(Outcome::Applied(_)) => applied.fetch_add(1, Ordering::SeqCst),
            Err(StoreError::Moved(_)) => return,
            other => unreachable!("{other:?}"),
        };
        user = next;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_mover_beside_a_busy_server_closes_it_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let server = Arc::new(open(&path));
    let applied = Arc::new(AtomicU64::new(0));
    let mover = SqliteStore::open_read_only(&path).unwrap();
    turn(&mover, Phase::Watched).await;
    let mut users = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (server, applied) = (Arc::clone(&server), Arc::clone(&applied));
        users.spawn(async move { commit_until_moved(&server, number, &applied).await });
    }
    while applied.load(Ordering::SeqCst) < 500 {
        tokio::task::yield_now().await;
    }
    let run = turn(&mover, away()).await;
    let head = mover.head().await.unwrap();
    users.join_all().await;
    assert_eq!(head, applied.load(Ordering::SeqCst), "what was acknowledged is there");
    assert_eq!(server.head().await.unwrap(), head, "nothing was added after the move");
    let (mut touched, mut place) = (Vec::new(), 0);
    loop {
        let (page, next) = mover.touched(run, place, 100).await.unwrap();
        if page.is_empty() {
            break;
        }
        (touched, place) = ([touched, page].concat(), next);
    }
    assert_eq!(touched.len() as u64, head, "each change is noted");
    // Nor is anything added by a server that starts later.
    drop(server);
    let late = open(&path);
    let change = Draft::of(&sample::user("late"), NOW).grant(1).change();
    assert!(matches!(late.commit(change).await, Err(StoreError::Moved(to)) if to == "elsewhere"));
}

#[tokio::test]
async fn a_mover_is_not_kept_waiting_by_a_writer_that_is_never_idle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let server = Arc::new(open(&path));
    let mover = SqliteStore::open_read_only(&path).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (server, is_over) = (Arc::clone(&server), Arc::clone(&is_over));
        writers.spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                server.append(sample::trace(None, "install")).await.unwrap();
            }
        });
    }
    for round in 0..20 {
        let phase = if round % 2 == 0 { Phase::Watched } else { Phase::Live };
        turn(&mover, phase.clone()).await;
        assert_eq!(server.phase().await.unwrap(), phase);
    }
    is_over.store(true, Ordering::SeqCst);
    writers.join_all().await;
}

#[tokio::test]
async fn what_was_not_yet_in_the_outbox_is_in_the_lists_of_a_moved_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let server = open(&path);
    for name in ["ann", "bob"] {
        let user = sample::user(name);
        server.commit(Draft::of(&user, NOW).grant(1).change()).await.unwrap();
    }
    let mover = SqliteStore::open_read_only(&path).unwrap();
    turn(&mover, away()).await;
    let filter = DeliveryFilter { app: APP, mode: Mode::Live, state: None, after: None, limit: 10 };
    for store in [&server, &mover] {
        assert_eq!(store.deliveries(filter.clone()).await.unwrap().len(), 2);
        let (counts, earliest) = store.backlog().await.unwrap();
        assert_eq!((counts[0], earliest), ((DeliveryState::Queued, 2), Some(NOW)));
        assert_eq!(store.delivery_rows(None, 10).await.unwrap(), []);
    }
    // Once the move is taken back they are in the outbox itself.
    turn(&mover, Phase::Live).await;
    assert_eq!(server.deliveries(filter).await.unwrap().len(), 2);
    assert_eq!(mover.backlog().await.unwrap().0[0], (DeliveryState::Queued, 2));
}

#[tokio::test]
async fn only_one_process_fills_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mover = open(&path);
    let run = turn(&mover, Phase::Filling).await;
    let second = SqliteStore::open(&path, Options::default());
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    let beside = SqliteStore::open_read_only(&path).unwrap();
    let refused = beside.put_users(run, Vec::new()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    mover.put_users(run, Vec::new()).await.unwrap();
    mover.set_phase(run, Phase::Live).await.unwrap();
    // One that was late may not fill a store that is in use.
    let late = mover.put_users(run, Vec::new()).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
}

/// Also when the one works on the file and the other has opened it beside.
#[tokio::test]
async fn a_run_is_taken_over_from_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let own = open(&path);
    let beside = SqliteStore::open_read_only(&path).unwrap();
    for [first, second] in [[&own, &beside], [&beside, &own], [&beside, &beside]] {
        let run = turn(first, Phase::Filling).await;
        let (next, phase) = second.take_over().await.unwrap();
        assert_eq!((next > run, phase), (true, Phase::Filling));
        let refused = first.set_phase(run, Phase::Live).await;
        assert!(matches!(refused, Err(StoreError::TakenOver)), "{refused:?}");
        let refused = own.put_users(run, Vec::new()).await;
        assert!(matches!(refused, Err(StoreError::TakenOver)), "{refused:?}");
        own.put_users(next, Vec::new()).await.unwrap();
        second.set_phase(next, Phase::Watched).await.unwrap();
        assert_eq!(first.phase().await.unwrap(), Phase::Watched);
    }
}

#[tokio::test]
async fn whoever_opens_a_file_knows_the_order_of_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let orders = |path: &Path| {
        let beside = SqliteStore::open_read_only(path).unwrap();
        [beside, SqliteStore::open_view(path).unwrap()].map(|store| store.is_total_order())
    };
    let store = open(&path);
    assert_eq!(orders(&path), [true; 2]);
    let run = turn(&store, Phase::Filling).await;
    store.put_order(run, false).await.unwrap();
    turn(&store, Phase::Live).await;
    assert_eq!(orders(&path), [false; 2]);
}
