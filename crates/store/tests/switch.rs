//! A node that follows its state to another store.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper that has nothing to return has to fail it"
)]

#[path = "switch/silent.rs"]
mod silent;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use store::contract::sample::{self, Draft, NOW};
use store::memory::MemoryState;
use store::{
    Journal, LOOK_EVERY, Movable, Opener, Outcome, PAUSE_MAX, Phase, RunNumber, StoreError, Switch,
    Transfer, Users,
};
use tokio::task::JoinSet;
use tokio::time::Instant;

use silent::{SILENCE, Silent};

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
        let run = turn(&self.new, Phase::Filling).await;
        self.new.put_records(run, self.old.read(0, 100).await.unwrap()).await.unwrap();
        self.new.put_users(run, self.old.users(None, 100).await.unwrap()).await.unwrap();
    }

    async fn away(&self) {
        turn(&self.old, Phase::Moved("the moon".to_owned())).await;
    }
}

/// Lets a new run set the phase.
async fn turn(store: &MemoryState, phase: Phase) -> RunNumber {
    let (run, _) = store.take_over().await.unwrap();
    store.set_phase(run, phase).await.unwrap();
    run
}

fn why<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(StoreError::Unavailable(why)) => why,
        other => unreachable!("{other:?}"),
    }
}

/// What is said while the state is between the stores.
fn on_its_way<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(moving @ StoreError::Moving(_)) => moving.to_string(),
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
    let words = on_its_way(pair.node.commit(second.clone()).await);
    assert!(words.contains("on its way to the moon") && words.contains("try again"), "{words}");
    assert!(!pair.node.has_moved());
    turn(&pair.new, Phase::Live).await;
    let outcome = loop {
        match pair.node.commit(second.clone()).await {
            Err(StoreError::Moving(_)) => tokio::time::sleep(LOOK_EVERY).await,
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
    turn(&pair.old, Phase::Live).await;
    assert_eq!(pair.node.head().await.unwrap(), 2);
}

#[tokio::test]
async fn a_change_in_the_moment_of_the_move_is_made_at_once_in_the_new_store() {
    let pair = Pair::new();
    let (ann, bob) = (sample::user("ann"), sample::user("bob"));
    pair.node.commit(Draft::of(&ann, NOW).grant(1).change()).await.unwrap();
    pair.copy().await;
    pair.away().await;
    turn(&pair.new, Phase::Live).await;
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
    let words = on_its_way(pair.node.commit(Draft::of(&ann, NOW).grant(1).change()).await);
    assert!(words.contains("somebody else has it"), "{words}");
    // Both are told the same for a moment, without anybody being asked again.
    assert_eq!(on_its_way(pair.node.load(ann.state.key()).await), words);
    turn(&pair.old, Phase::Live).await;
    let change = Draft::of(&ann, NOW).grant(1).change();
    while let Err(error) = pair.node.commit(change.clone()).await {
        assert!(matches!(error, StoreError::Moving(_)), "{error}");
        tokio::time::sleep(LOOK_EVERY).await;
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
    turn(&old, Phase::Moved("the moon".to_owned())).await;
    let change = Draft::of(&ann, NOW).grant(1).change();
    assert!(matches!(node.load(ann.state.key()).await, Err(StoreError::Moved(_))));
    assert!(matches!(node.commit(change).await, Err(StoreError::Moved(to)) if to == "the moon"));
    // Nor does one that is configured with a store that is not whole.
    let new = Arc::new(MemoryState::new());
    turn(&new, Phase::Filling).await;
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
    turn(&pair.new, Phase::Live).await;
    // Another node has written to the new store: whoever reads now, however shortly after, sees it.
    let elsewhere = Draft::of(&known, NOW).grant(2).change();
    pair.new.commit(elsewhere).await.unwrap();
    assert_eq!(pair.node.load(ann.state.key()).await.unwrap().version, 2);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_stays_between_the_stores_is_a_failure() {
    let pair = Pair::new();
    let ann = sample::user("ann").state.key();
    pair.is_ready.store(false, Ordering::Relaxed);
    pair.away().await;
    let begun = Instant::now();
    while begun.elapsed() < PAUSE_MAX {
        let words = on_its_way(pair.node.load(ann).await);
        assert!(words.starts_with("the state is on its way to the moon; try again"), "{words}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let words = why(pair.node.load(ann).await);
    assert!(words.contains("to the moon for 30 seconds (somebody else has it)"), "{words}");
    // Taken back and moved again, it is a new pause.
    turn(&pair.old, Phase::Live).await;
    tokio::time::sleep(LOOK_EVERY).await;
    pair.node.load(ann).await.unwrap();
    pair.away().await;
    tokio::time::sleep(LOOK_EVERY).await;
    on_its_way(pair.node.load(ann).await);
}

/// Many shards move one after the other: one may refuse a change while the phase is still another.
#[tokio::test]
async fn a_part_that_has_moved_before_the_others_is_on_its_way() {
    let old = Arc::new(MemoryState::new());
    let watched = Silent::new(Arc::new(MemoryState::new()));
    watched.is_silent.store(false, Ordering::SeqCst);
    turn(&old, Phase::Moved("the moon".to_owned())).await;
    let current = Movable { transfer: watched, ..Movable::of(&old) };
    let opener = Ready(Arc::new(MemoryState::new()), Arc::default());
    let node = Switch::new(current.clone(), Some(Box::new(opener)));
    let change = Draft::of(&sample::user("ann"), NOW).grant(1).change();
    let words = on_its_way(node.commit(change.clone()).await);
    assert!(words.contains("to the moon; try again in a moment"), "{words}");
    // A node that knows no other store is told where the state has gone.
    let forgotten = Switch::new(current, None).commit(change).await;
    assert!(matches!(forgotten, Err(StoreError::Moved(to)) if to == "the moon"));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_is_not_made_again_by_everybody_who_waited_for_it() {
    const CALLERS: u32 = 20;
    let silent = Silent::new(Arc::new(MemoryState::new()));
    let node = Arc::new(Switch::new(silent.movable(), None));
    let ann = sample::user("ann").state.key();
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let node = Arc::clone(&node);
        callers.spawn(async move { why(node.load(ann).await) });
    }
    let told = callers.join_all().await;
    assert!(told.iter().all(|words| words == "nothing was heard of it"), "{told:?}");
    assert!(begun.elapsed() < SILENCE * 2, "they have waited for {:?}", begun.elapsed());
    assert_eq!(silent.asked.load(Ordering::SeqCst), 1);
    // It is remembered until it is time to look again, and no longer.
    silent.is_silent.store(false, Ordering::SeqCst);
    assert_eq!(why(node.load(ann).await), told[0]);
    tokio::time::sleep(LOOK_EVERY).await;
    assert_eq!(node.load(ann).await.unwrap().version, 0);
    assert_eq!(silent.asked.load(Ordering::SeqCst), 2);
}
