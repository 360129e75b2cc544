//! Two runs of a mover at a time, and one that sleeps at any moment while something else is done: the
//! later one has the move, and the earlier one changes nothing and says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::change::Loaded;
use domain::ids::UserKey;
use engine::{MoveError, abort_move, move_state};
use store::contract::sample::{self as drafts, Draft};
use store::memory::MemoryState;
use store::{Journal, Movable, Outcome, Phase, StoreError, Transfer, Users};

use crate::moving::{moved, run};
use crate::node::NOW;
use crate::stuck::{Fate, Stuck};

/// Users at first.
const PEOPLE: u32 = 12;
/// Calls of a run within which a rival that dies has died; each counts before and after.
const DEATHS: [u64; 5] = [5, 9, 13, 21, 33];

/// The call at which a run takes the first store over.
const TAKES_OVER: u64 = 8;

/// What is done while a run sleeps.
#[derive(Clone, Copy, Debug)]
enum Rival {
    /// Another run, to its end.
    Finishes,
    /// Another run, which is killed at that call.
    Dies(u64),
    /// The move is ended.
    Aborts,
}

/// Two stores, and what was acknowledged of whom.
struct Ground {
    old: Arc<MemoryState>,
    new: Arc<MemoryState>,
    people: BTreeMap<UserKey, Loaded>,
    missions: u32,
}

impl Ground {
    async fn new() -> Self {
        let [old, new] = [(); 2].map(|()| Arc::new(MemoryState::new()));
        let people = (0..PEOPLE).map(|number| drafts::user(&format!("user {number}")));
        let people = people.map(|user| (user.state.key(), user)).collect();
        let mut ground = Self { old, new, people, missions: 0 };
        ground.live().await;
        ground
    }

    fn ends(&self) -> [Movable; 2] {
        [&self.old, &self.new].map(Movable::of)
    }

    fn stuck_ends(&self, fate: &Arc<Fate>) -> [Movable; 2] {
        [&self.old, &self.new].map(|store| Stuck::end(store, fate))
    }

    async fn phases(&self) -> [Phase; 2] {
        [self.old.phase().await.expect("a phase"), self.new.phase().await.expect("a phase")]
    }

    /// Everybody does something, and somebody new comes, where the state is; if it is anywhere.
    async fn live(&mut self) {
        self.missions += 1;
        let newcomer = drafts::user(&format!("newcomer {}", self.missions));
        self.people.insert(newcomer.state.key(), newcomer);
        let store = match self.phases().await {
            [Phase::Live | Phase::Watched, _] => &self.old,
            [_, Phase::Live] => &self.new,
            _ => return,
        };
        for user in self.people.values_mut() {
            let change = Draft::of(user, NOW).grant(self.missions).change();
            let after = drafts::after(user, &change);
            match store.commit(change).await {
                Ok(Outcome::Applied(_)) => *user = after,
                other => unreachable!("{other:?}"),
            }
        }
    }

    /// What was acknowledged is there.
    async fn check(&self, store: &MemoryState, scene: &str) {
        for (key, known) in self.people.iter().filter(|(_, known)| known.version > 0) {
            assert_eq!(store.load(*key).await.expect("a user"), *known, "{scene}");
        }
    }
}

/// Whether the first run has come as far as that call.
async fn sleeps_at(call: u64, rival: Rival) -> bool {
    let scene = format!("asleep at call {call}, {rival:?}");
    let mut ground = Ground::new().await;
    let fate = Fate::at(call);
    let [from, to] = ground.stuck_ends(&fate);
    let (first, mut nobody) = (moved(from, to), |_| {});
    let sleeper = move_state(&first, &mut nobody);
    tokio::pin!(sleeper);
    tokio::select! {
        ended = &mut sleeper => {
            ended.unwrap_or_else(|error| unreachable!("{scene}: {error}"));
            return false;
        }
        () = fate.reached.notified() => {}
    }
    ground.live().await;
    let [from, to] = ground.ends();
    let plain = moved(from, to);
    match rival {
        Rival::Finishes => drop(move_state(&plain, &mut |_| {}).await.expect(&scene)),
        Rival::Aborts => match abort_move(&plain).await {
            Ok(_) => assert_eq!(ground.phases().await[0], Phase::Live, "{scene}"),
            Err(error) => assert!(error.to_string().contains("cannot be undone"), "{scene}"),
        },
        Rival::Dies(end) => {
            let fate = Fate::at(end);
            let [from, to] = ground.stuck_ends(&fate);
            drop(run(&moved(from, to), &fate).await);
        }
    }
    ground.live().await;
    let before = ground.phases().await;
    fate.woken.notify_one();
    let ended = sleeper.await;
    let after = ground.phases().await;
    match &ended {
        // It slept before it had begun, or when it had ended.
        Ok(_) => assert!(matches!(after, [Phase::Moved(_), Phase::Live]), "{scene}: {after:?}"),
        // It found something else there before it took the stores over.
        Err(MoveError::Refused(_)) if call < TAKES_OVER => assert_eq!(after, before, "{scene}"),
        Err(MoveError::TakenOver) => {}
        Err(other) => unreachable!("{scene}: {other}"),
    }
    if !matches!(rival, Rival::Dies(_)) {
        assert!(after == before || ended.is_ok(), "{scene}: {before:?} became {after:?}");
        assert!(after.contains(&Phase::Live), "{scene}: {after:?}");
    }
    let is_begun = ground.new.head().await.expect("a head") > 0;
    assert!(!is_begun || after != [Phase::Live, Phase::Live], "{scene}");
    ground.live().await;
    let third = move_state(&plain, &mut |_| {}).await;
    third.unwrap_or_else(|error| unreachable!("{scene}: {error}"));
    ground.live().await;
    ground.check(&ground.new, &scene).await;
    let user = ground.people.values().next().expect("a user");
    let refused = ground.old.commit(Draft::of(user, NOW).grant(99).change()).await;
    assert!(matches!(refused, Err(StoreError::Moved(_))), "{scene}: {refused:?}");
    true
}

/// Lets a run sleep at each of its calls, and says how many there are.
async fn at_each_call(rival: Rival) -> u64 {
    let mut call = 0;
    while sleeps_at(call, rival).await {
        call += 1;
    }
    call
}

#[tokio::test(start_paused = true)]
async fn a_run_that_wakes_after_another_has_finished_changes_nothing() {
    assert!(at_each_call(Rival::Finishes).await > 100);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_wakes_after_the_move_was_ended_changes_nothing() {
    assert!(at_each_call(Rival::Aborts).await > 100);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_wakes_after_another_was_killed_loses_nobody() {
    for end in DEATHS {
        assert!(at_each_call(Rival::Dies(end)).await > 100);
    }
}

#[tokio::test]
async fn only_the_move_that_is_under_way_is_ended() {
    let ground = Ground::new().await;
    let [from, to] = ground.ends();
    // While the state is on its way to another store, whether it is paused or not.
    let others = moved(from.clone(), Movable::of(&Arc::new(MemoryState::new())));
    for phase in [Phase::Moved("another store".to_owned()), Phase::Watched] {
        crate::moving::turn(&ground.old, phase.clone()).await;
        let store = Arc::new(MemoryState::new());
        store.commit(drafts::profile(&drafts::user("eve"), 30)).await.expect("a commit");
        let wrong = moved(from.clone(), Movable::of(&store));
        let refused = abort_move(&wrong).await.expect_err("a refusal").to_string();
        assert!(refused.contains("name the right store with --to"), "{refused}");
        assert_eq!(ground.phases().await, [phase, Phase::Live]);
    }
    // Nothing can have been acknowledged in a store that is empty.
    assert!(abort_move(&others).await.expect("an end"));
    assert_eq!(ground.phases().await[0], Phase::Live);
    assert!(!abort_move(&moved(from, to)).await.expect("nothing to end"));
}
