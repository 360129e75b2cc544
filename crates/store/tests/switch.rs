//! A node that follows its state to another store.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper that has nothing to return has to fail it"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use store::contract::sample::{self, Draft, NOW};
use store::memory::MemoryState;
use store::{Journal, Movable, Opener, Outcome, Phase, StoreError, Switch, Transfer, Users};

/// Gives a store away, once there is one to give.
struct Ready(Arc<MemoryState>, Arc<AtomicBool>);

#[async_trait]
impl Opener for Ready {
    async fn open(&self) -> Result<Movable, StoreError> {
        match self.1.load(Ordering::Relaxed) {
            true => Ok(Movable::of(&self.0)),
            false => Err(StoreError::Unavailable("somebody else has it".to_owned())),
        }
    }
}

/// Two stores and a node that goes from one to the other.
struct Pair {
    old: Arc<MemoryState>,
    new: Arc<MemoryState>,
    is_ready: Arc<AtomicBool>,
    node: Switch,
}

impl Pair {
    fn new() -> Self {
        let [old, new] = [(); 2].map(|()| Arc::new(MemoryState::new()));
        let is_ready = Arc::new(AtomicBool::new(true));
        let opener = Ready(Arc::clone(&new), Arc::clone(&is_ready));
        let node = Switch::new(Movable::of(&old), Some(Box::new(opener)));
        Self { old, new, is_ready, node }
    }

    /// Copies everything, as a mover does.
    async fn copy(&self) {
        self.new.set_phase(Phase::Filling).await.unwrap();
        self.new.put_records(self.old.read(0, 100).await.unwrap()).await.unwrap();
        self.new.put_users(self.old.users(None, 100).await.unwrap()).await.unwrap();
    }

    async fn away(&self) {
        self.old.set_phase(Phase::Moved("the moon".to_owned())).await.unwrap();
    }
}

fn why<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(StoreError::Unavailable(why)) => why,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn a_change_goes_to_the_one_store_that_has_the_state() {
    let pair = Pair::new();
    let ann = sample::user("ann");
    let first = Draft::of(&ann, NOW).grant(1).change();
    let known = sample::after(&ann, &first);
    assert!(matches!(pair.node.commit(first.clone()).await, Ok(Outcome::Applied(_))));
    pair.copy().await;
    pair.away().await;
    let second = Draft::of(&known, NOW).grant(2).change();
    let words = why(pair.node.commit(second.clone()).await);
    assert!(words.contains("on its way to the moon") && words.contains("try again"), "{words}");
    assert!(!pair.node.has_moved());
    pair.new.set_phase(Phase::Live).await.unwrap();
    let outcome = loop {
        match pair.node.commit(second.clone()).await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(store::LOOK_EVERY).await,
            outcome => break outcome,
        }
    };
    assert!(matches!(outcome, Ok(Outcome::Applied(_))), "{outcome:?}");
    assert!(pair.node.has_moved());
    assert_eq!((pair.old.head().await.unwrap(), pair.new.head().await.unwrap()), (1, 2));
    // What was applied in the old store is known to the new one.
    assert!(matches!(pair.node.commit(second).await, Ok(Outcome::Replayed)));
    assert_eq!(pair.node.load(ann.state.key()).await.unwrap().version, 2);
    // It never goes back.
    pair.old.set_phase(Phase::Live).await.unwrap();
    assert_eq!(pair.node.head().await.unwrap(), 2);
}

#[tokio::test]
async fn a_change_in_the_moment_of_the_move_is_made_at_once_in_the_new_store() {
    let pair = Pair::new();
    let (ann, bob) = (sample::user("ann"), sample::user("bob"));
    pair.node.commit(Draft::of(&ann, NOW).grant(1).change()).await.unwrap();
    pair.copy().await;
    pair.away().await;
    pair.new.set_phase(Phase::Live).await.unwrap();
    let outcome = pair.node.commit(Draft::of(&bob, NOW).grant(1).change()).await;
    assert!(matches!(outcome, Ok(Outcome::Applied(_))), "{outcome:?}");
    assert_eq!(pair.new.head().await.unwrap(), 2);
}

#[tokio::test]
async fn a_move_that_is_taken_back_is_forgotten() {
    let pair = Pair::new();
    let ann = sample::user("ann");
    pair.is_ready.store(false, Ordering::Relaxed);
    pair.away().await;
    let words = why(pair.node.commit(Draft::of(&ann, NOW).grant(1).change()).await);
    assert!(words.contains("somebody else has it"), "{words}");
    // Both are told the same for a moment, without anybody being asked again.
    assert_eq!(why(pair.node.load(ann.state.key()).await), words);
    pair.old.set_phase(Phase::Live).await.unwrap();
    let change = Draft::of(&ann, NOW).grant(1).change();
    while let Err(error) = pair.node.commit(change.clone()).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        tokio::time::sleep(store::LOOK_EVERY).await;
    }
    assert_eq!(pair.old.head().await.unwrap(), 1);
}

#[tokio::test]
async fn a_store_without_the_newest_record_is_not_gone_on_with() {
    let pair = Pair::new();
    for (name, at) in [("ann", 0), ("bob", 1)] {
        let user = sample::user(name);
        let at = domain::time::Timestamp(NOW.0 + at);
        pair.node.commit(Draft::of(&user, at).grant(1).change()).await.unwrap();
    }
    pair.away().await;
    // An empty one, as a wrong address would name.
    let refused = pair.node.commit(Draft::of(&sample::user("eve"), NOW).grant(1).change()).await;
    let Err(StoreError::Corrupt(why)) = refused else { unreachable!("{refused:?}") };
    assert!(why.contains("lacks record 2") && why.contains("configuration"), "{why}");
    assert!(!pair.node.has_moved());
}

#[tokio::test]
async fn a_forgotten_node_neither_reads_nor_writes() {
    let old = Arc::new(MemoryState::new());
    let (node, ann) = (Switch::new(Movable::of(&old), None), sample::user("ann"));
    old.set_phase(Phase::Moved("the moon".to_owned())).await.unwrap();
    let change = Draft::of(&ann, NOW).grant(1).change();
    assert!(matches!(node.load(ann.state.key()).await, Err(StoreError::Moved(_))));
    assert!(matches!(node.commit(change).await, Err(StoreError::Moved(to)) if to == "the moon"));
    // Nor does one that is configured with a store that is not whole.
    let new = Arc::new(MemoryState::new());
    new.set_phase(Phase::Filling).await.unwrap();
    let early = Switch::new(Movable::of(&new), None);
    let words = why(early.load(ann.state.key()).await);
    assert!(words.contains("not whole yet"), "{words}");
}

#[tokio::test]
async fn reads_follow_without_a_change_that_is_refused() {
    let pair = Pair::new();
    let ann = sample::user("ann");
    let change = Draft::of(&ann, NOW).grant(1).change();
    let known = sample::after(&ann, &change);
    pair.node.commit(change).await.unwrap();
    pair.copy().await;
    pair.away().await;
    tokio::time::sleep(store::READ_WITHIN).await;
    pair.new.set_phase(Phase::Live).await.unwrap();
    // Another node has written to the new store: whoever reads now, however shortly after, sees it.
    let elsewhere = Draft::of(&known, NOW).grant(2).change();
    pair.new.commit(elsewhere).await.unwrap();
    assert_eq!(pair.node.load(ann.state.key()).await.unwrap().version, 2);
}
