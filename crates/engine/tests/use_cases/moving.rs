//! The state goes from one store to another under load, with runs that are killed anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::catalog::LineItem;
use domain::ids::{AppId, Mode, TransactionId, UnitId};
use domain::ledger::Transaction;
use domain::targeting::Profile;
use domain::verdict::Verdict;
use engine::{
    AttemptOutcome, ConversionError, Ctx, EngineError, Move, MoveError, MoveProgress, MoveReport,
    SessionRequest, Step, StoreError, Viewer, abort_move, move_state, survey_move,
};
use store::contract::Between;
use store::contract::sample::{self as drafts, Draft};
use store::memory::MemoryState;
use store::{
    Identity, Journal, Movable, Opener, Outbox, Outcome, Phase, RunNumber, StateId, Switch,
    Transfer, Users,
};
use tokio::task::JoinSet;

use crate::node::{MISSION, NOW, Node, at, rows_with};
use crate::stuck::{Fate, Stuck};

/// Those who act at once on each of two nodes.
const ACTORS: u64 = 3;
/// Users at first; they are everybody's, and become more.
const PEOPLE: u64 = 20;
/// Records that are written before the first run, and before each further one.
const RECORDS_BEFORE: u64 = 200;
const RECORDS_BETWEEN: u64 = 20;
/// What each actor does after the move.
const ACTS_AFTER: u32 = 30;

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The store that the state goes to, as a node opens it.
struct Next(Arc<MemoryState>);

#[async_trait]
impl Opener for Next {
    async fn open(&self) -> Result<Movable, StoreError> {
        Ok(Movable::of(&self.0))
    }
}

/// Two stores, and two nodes that are configured with both.
struct Ground {
    old: Arc<MemoryState>,
    new: Arc<MemoryState>,
    nodes: [Arc<Node>; 2],
}

impl Ground {
    async fn new() -> Self {
        let rich = |row: &mut LineItem| row.budget.0 *= 1_000;
        let base = Node::with(rows_with(rich), Mode::Live).await;
        let [old, new] = [(); 2].map(|()| Arc::new(MemoryState::new()));
        let node = async || {
            let next = Box::new(Next(Arc::clone(&new)));
            let (node, _) = base.through(|_| Switch::new(Movable::of(&old), Some(next))).await;
            Arc::new(node)
        };
        let nodes = [node().await, node().await];
        Self { old, new, nodes }
    }

    fn run(&self, fate: &Arc<Fate>) -> Move {
        moved(Stuck::end(&self.old, fate), Stuck::end(&self.new, fate))
    }
}

pub(crate) fn moved(from: Movable, to: Movable) -> Move {
    let encode = format::state::encode_state;
    Move { from, to, to_name: "the new store".to_owned(), encode }
}

/// Lets a new run set the phase.
pub(crate) async fn turn(store: &MemoryState, phase: Phase) -> RunNumber {
    let (run, _) = store.take_over().await.expect("a run");
    store.set_phase(run, phase).await.expect("a phase");
    run
}

/// Runs until the run ends or is killed.
pub(crate) async fn run(moved: &Move, fate: &Fate) -> Option<Result<MoveReport, MoveError>> {
    let mut nobody = |_| {};
    tokio::select! {
        ended = move_state(moved, &mut nobody) => Some(ended),
        () = fate.reached.notified() => None,
    }
}

/// Somebody who does this and that for everybody, and remembers what was acknowledged.
struct Actor {
    node: Arc<Node>,
    dice: Dice,
    rewards: BTreeSet<TransactionId>,
    acts: u64,
    refused: u32,
}

impl Actor {
    /// One act; whether it was answered. The only failure is that the stores are between each other.
    async fn act(&mut self) -> bool {
        self.acts += 1;
        let person = self.dice.below(PEOPLE + self.acts / 4);
        let name = format!("user {person}");
        let node = Arc::clone(&self.node);
        let viewer = node.engine.viewer(AppId(1), Mode::Live, UnitId(1), &name).expect("a viewer");
        let ctx = at(1);
        let done = match self.dice.below(6) {
            0 => open(&node, &ctx, &name).await,
            1 | 2 => self.convert(&ctx, &viewer).await,
            3 => self.deliver(&ctx).await,
            4 => node.engine.read_wallet(&ctx, &viewer, None, 5).await.map(drop),
            _ => node.engine.participate(&ctx, &viewer, MISSION).await.map(drop),
        };
        match done {
            Ok(()) | Err(EngineError::NotFound(_) | EngineError::Contended) => true,
            Err(EngineError::Store(StoreError::Moving(_))) => {
                self.refused += 1;
                tokio::task::yield_now().await;
                false
            }
            Err(other) => unreachable!("{other}"),
        }
    }

    async fn convert(&mut self, ctx: &Ctx, viewer: &Viewer) -> Result<(), EngineError> {
        let Ok(started) = self.node.engine.participate(ctx, viewer, MISSION).await? else {
            return Ok(());
        };
        let events = ["install", "level_10", "purchase"];
        let event = events[self.dice.below(3) as usize];
        let reversal: &[(&str, &str)] =
            if self.dice.below(5) == 0 { &[("reversal", "1")] } else { &[] };
        match self.node.post(ctx, &started.click_id, event, reversal).await {
            Ok(answer) => {
                let is_new = answer.verdict == Verdict::Rewarded;
                self.rewards.extend(answer.transaction.filter(|_| is_new));
                Ok(())
            }
            Err(ConversionError::Engine(error)) => Err(error),
            Err(other) => unreachable!("{other}"),
        }
    }

    async fn deliver(&mut self, ctx: &Ctx) -> Result<(), EngineError> {
        let claim = store::Claim {
            now: ctx.now,
            lease_until: ctx.now.plus_seconds(60),
            limit: 5,
            per_endpoint: 5,
            skip: Vec::new(),
        };
        for claimed in self.node.engine.claim_deliveries(ctx, claim).await? {
            let outcome = match self.dice.below(3) {
                0 => AttemptOutcome::Retry { after_seconds: Some(1) },
                // Left to its lease.
                1 => continue,
                _ => AttemptOutcome::Delivered,
            };
            self.node.finish(ctx, claimed, outcome).await?;
        }
        Ok(())
    }
}

async fn open(node: &Node, ctx: &Ctx, name: &str) -> Result<(), EngineError> {
    let request =
        SessionRequest { unit: UnitId(1), user_id: name.to_owned(), profile: Profile::default() };
    node.engine.open_session(ctx, (AppId(1), Mode::Live), request).await.map(drop)
}

/// Starts the actors, who go on until told, and then for a while.
fn start(ground: &Ground, seed: u64, is_over: &Arc<AtomicBool>) -> JoinSet<Actor> {
    let mut actors = JoinSet::new();
    for number in 0..ACTORS * 2 {
        let node = Arc::clone(&ground.nodes[(number % 2) as usize]);
        let dice = Dice(seed * 1_000_003 + number + 1);
        let mut actor = Actor { node, dice, rewards: BTreeSet::new(), acts: 0, refused: 0 };
        let is_over = Arc::clone(is_over);
        actors.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                actor.act().await;
                tokio::task::yield_now().await;
            }
            let mut acts = 0;
            while acts < ACTS_AFTER {
                if actor.act().await {
                    acts += 1;
                } else {
                    tokio::time::sleep(store::LOOK_EVERY).await;
                }
            }
            actor
        });
    }
    actors
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_state_moves_under_load_although_runs_are_killed_anywhere() {
    let mut kills_of = BTreeMap::<&str, u32>::new();
    for seed in 1..=12 {
        let ground = Ground::new().await;
        let is_over = Arc::new(AtomicBool::new(false));
        let actors = start(&ground, seed, &is_over);
        let mut dice = Dice(seed);
        grown(&ground.old, RECORDS_BEFORE).await;
        let mut bound = 100;
        let report = loop {
            // The more runs were killed, the further the next one may come.
            bound += bound / 4;
            let fate = match dice.below(2) {
                0 => Fate::in_pause(dice.below(24)),
                _ => Fate::at(dice.below(bound)),
            };
            if let Some(ended) = run(&ground.run(&fate), &fate).await {
                break ended.unwrap_or_else(|error| unreachable!("seed {seed}: {error}"));
            }
            let between = matches!(ground.old.phase().await, Ok(Phase::Moved(_)));
            *kills_of.entry(if between { "pause" } else { "copy" }).or_default() += 1;
            grown(&ground.old, RECORDS_BETWEEN).await;
        };
        is_over.store(true, Ordering::Relaxed);
        let actors = actors.join_all().await;
        check(&ground, &actors, &report, seed).await;
    }
    assert!(kills_of.values().all(|kills| *kills > 2) && kills_of.len() == 2, "{kills_of:?}");
}

/// Waits until so many records were added, unless the state has moved.
async fn grown(old: &MemoryState, records: u64) {
    let wanted = old.head().await.expect("a head") + records;
    while old.head().await.expect("a head") < wanted
        && !matches!(old.phase().await, Ok(Phase::Moved(_)))
    {
        tokio::task::yield_now().await;
    }
}

/// Nothing is lost, nothing was made twice, and the old store is closed.
async fn check(ground: &Ground, actors: &[Actor], report: &MoveReport, seed: u64) {
    let Ground { old, new, nodes } = ground;
    assert_eq!(new.phase().await.expect("a phase"), Phase::Live);
    nodes[0].assert_clean().await;
    let records = new.read(0, usize::MAX).await.expect("records");
    let before = old.read(0, usize::MAX).await.expect("records");
    assert_eq!(records[..before.len()], before, "seed {seed}");
    let booked = records.iter().flat_map(|stored| &stored.record.transactions);
    let booked: Vec<TransactionId> = booked.map(|one: &Transaction| one.id).collect();
    let distinct: BTreeSet<_> = booked.iter().copied().collect();
    assert_eq!(booked.len(), distinct.len(), "seed {seed}: something was booked twice");
    for actor in actors {
        let lost: Vec<_> = actor.rewards.difference(&distinct).collect();
        assert!(lost.is_empty(), "seed {seed}: acknowledged and lost: {lost:?}");
    }
    let acknowledged: usize = actors.iter().map(|actor| actor.rewards.len()).sum();
    assert!(acknowledged > 0, "seed {seed}: nothing was earned");
    assert!(report.was_done || report.records <= before.len() as u64, "{report:?}");
    // A node that was forgotten when the others were configured.
    let ann = drafts::user("forgotten");
    let change = Draft::of(&ann, NOW).grant(1).change();
    let refused = old.commit(change).await;
    assert!(matches!(&refused, Err(StoreError::Moved(to)) if to == "the new store"), "{refused:?}");
    assert_eq!(old.head().await.expect("a head"), before.len() as u64);
}

#[tokio::test]
async fn a_store_at_rest_is_the_same_after_the_move() {
    let ground = Ground::new().await;
    let dice = Dice(7);
    let node = Arc::clone(&ground.nodes[0]);
    let mut actor = Actor { node, dice, rewards: BTreeSet::new(), acts: 0, refused: 0 };
    for _ in 0..300 {
        assert!(actor.act().await);
    }
    let moved = moved(Movable::of(&ground.old), Movable::of(&ground.new));
    let survey = survey_move(&moved).await.expect("a survey");
    let head = ground.old.head().await.expect("a head");
    let users = ground.old.users(None, 1_000).await.expect("users");
    assert_eq!((survey.records, survey.records_there), (head, 0));
    assert_eq!((survey.users, survey.is_begun), (users.len() as u64, false));
    assert_eq!(ground.new.phase().await.expect("a phase"), Phase::Live);
    let mut steps = Vec::new();
    let report = move_state(&moved, &mut |progress| steps.push(progress)).await.expect("a report");
    assert_eq!((report.records, report.users), (head, users.len() as u64));
    assert!(!report.was_begun && !report.was_done);
    assert!(report.pause >= store::READ_WITHIN && report.took >= report.pause);
    assert!(steps.iter().all(|step| (0.0..=1.0).contains(&step.part)), "{steps:?}");
    for (old, new) in [(&ground.old, &ground.new)] {
        assert_eq!(new.users(None, 1_000).await.unwrap(), users);
        assert_eq!(new.read(0, 10_000).await.unwrap(), old.read(0, 10_000).await.unwrap());
        assert_eq!(new.budget_rows().await.unwrap(), old.budget_rows().await.unwrap());
        let rows = old.delivery_rows(None, 10_000).await.unwrap();
        assert!(rows.len() > 5, "{}", rows.len());
        assert_eq!(new.delivery_rows(None, 10_000).await.unwrap(), rows);
        assert_eq!(new.backlog().await.unwrap().0, report.deliveries);
    }
    let again = move_state(&moved, &mut |_| {}).await.expect("a report");
    assert!(again.was_done);
    assert!(survey_move(&moved).await.expect("a survey").is_done);
    let refused = abort_move(&moved).await.expect_err("a move that is done");
    assert!(refused.to_string().contains("cannot be undone"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_moved_is_left_alone() {
    let words = async |old: Phase, new: Phase, records: bool| {
        let [from, to] = [(); 2].map(|()| Arc::new(MemoryState::new()));
        let ann = drafts::user("ann");
        from.commit(Draft::of(&ann, NOW).grant(1).change()).await.expect("a commit");
        if records {
            let bob = drafts::user("bob");
            to.commit(Draft::of(&bob, NOW).grant(1).change()).await.expect("a commit");
        }
        turn(&from, old.clone()).await;
        turn(&to, new.clone()).await;
        let moved = moved(Movable::of(&from), Movable::of(&to));
        let refused = move_state(&moved, &mut |_| {}).await.expect_err("a refusal").to_string();
        let phases = (from.phase().await.expect("one"), to.phase().await.expect("one"));
        assert_eq!(phases, (old, new), "{refused}");
        refused
    };
    let there = || Phase::Moved("the new store".to_owned());
    let cases = [
        (Phase::Live, Phase::Live, true, "is not empty"),
        (Phase::Filling, Phase::Live, false, "itself being filled"),
        (Phase::Watched, Phase::Live, false, "--abort"),
        (Phase::Live, there(), false, "the old store of another move"),
        (there(), Phase::Live, true, "does not hold it"),
        (there(), Phase::Live, false, "does not hold it"),
        (Phase::Moved("x".to_owned()), Phase::Filling, false, "has been moved to x"),
    ];
    for (old, new, records, part) in cases {
        let found = words(old, new, records).await;
        assert!(found.contains(part), "{found}");
    }
}

#[tokio::test]
async fn an_ended_move_leaves_the_old_store_as_before_and_can_be_begun_again() {
    let ground = Ground::new().await;
    let node = &ground.nodes[0];
    for person in 0..50 {
        open(node, &at(0), &format!("user {person}")).await.expect("a session");
    }
    let fate = Fate::at(60);
    assert!(run(&ground.run(&fate), &fate).await.is_none());
    assert_eq!(ground.old.phase().await.unwrap(), Phase::Watched);
    let moved = moved(Movable::of(&ground.old), Movable::of(&ground.new));
    assert!(survey_move(&moved).await.expect("a survey").is_begun);
    assert!(abort_move(&moved).await.expect("an end"));
    assert!(!abort_move(&moved).await.expect("nothing to end"));
    assert_eq!(ground.old.phase().await.unwrap(), Phase::Live);
    open(node, &at(0), "later").await.expect("a session");
    let report = move_state(&moved, &mut |_| {}).await.expect("a report");
    assert!(report.was_begun);
    assert_eq!(report.users, 51);
}

#[tokio::test]
async fn a_difference_in_the_pause_gives_the_state_back() {
    let [from, to] = [(); 2].map(|()| Arc::new(MemoryState::new()));
    let mut users = Vec::new();
    for number in 0..20 {
        let user = drafts::user(&format!("user {number}"));
        let change = Draft::of(&user, NOW).grant(1).change();
        users.push(drafts::after(&user, &change));
        from.commit(change).await.expect("a commit");
    }
    // The new store holds a record that the old one does not know.
    let run = turn(&to, Phase::Filling).await;
    let mut records = from.read(0, 100).await.unwrap();
    records[3].record.at.0 += 1;
    to.put_records(run, records).await.unwrap();
    let other = moved(Movable::of(&from), Movable::of(&to));
    let refused = move_state(&other, &mut |_| {}).await.expect_err("a difference");
    assert!(matches!(&refused, MoveError::Differs(all) if all == &["record 4"]), "{refused}");
    assert_eq!(from.phase().await.unwrap(), Phase::Watched);
    // One that takes what was last put, and forgets it, is found out in the pause.
    let forgetful = Arc::new(MemoryState::new());
    let loses = Forgetful { inner: Arc::clone(&forgetful), from: Arc::clone(&from) };
    let end = Movable { transfer: Arc::new(loses), ..Movable::of(&forgetful) };
    let other = moved(Movable::of(&from), end);
    abort_move(&other).await.expect("an end");
    let refused = move_state(&other, &mut |_| {}).await.expect_err("a difference");
    assert!(matches!(refused, MoveError::TakenBack(_)), "{refused}");
    assert!(refused.to_string().contains("the old store has the state as before"), "{refused}");
    assert_eq!(from.phase().await.unwrap(), Phase::Live);
    let change = Draft::of(&users[0], NOW).start(2, 0).change();
    assert!(matches!(from.commit(change).await, Ok(Outcome::Applied(_))));
}

/// A store that loses what it is given once the old one has moved, after a last change there.
struct Forgetful {
    inner: Arc<MemoryState>,
    from: Arc<MemoryState>,
}

#[async_trait]
impl Between for Forgetful {
    fn inner(&self) -> &dyn Transfer {
        &*self.inner
    }

    async fn delivery_rows(
        &self,
        after: Option<(store::Seq, domain::ids::DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<store::Claimed>, StoreError> {
        // Between the comparison and the pause somebody is seen for the first time.
        if self.from.phase().await? == Phase::Watched {
            let user = drafts::user("the last one");
            self.from.commit(drafts::profile(&user, 30)).await?;
        }
        self.inner.delivery_rows(after, limit).await
    }

    async fn put_users(&self, run: RunNumber, rows: Vec<store::UserRow>) -> Result<(), StoreError> {
        let last = drafts::user("the last one").state.key();
        let rows = rows.into_iter().filter(|row| row.key != last);
        self.inner.put_users(run, rows.collect()).await
    }
}

/// Also one that nobody had given an identity before the move began, and into a store that was used by
/// mistake before.
#[tokio::test]
async fn a_state_takes_its_identity_along() {
    let (own, other) = (StateId([7; 16]), StateId([8; 16]));
    for (is_late, mistaken) in [(false, None), (false, Some(other)), (true, Some(other))] {
        let [from, to] = [(); 2].map(|()| Arc::new(MemoryState::new()));
        let user = drafts::user("ann");
        from.commit(Draft::of(&user, NOW).grant(1).change()).await.expect("a commit");
        if let Some(mistaken) = mistaken {
            to.keep(mistaken).await.expect("an identity");
        }
        if !is_late {
            from.keep(own).await.expect("an identity");
        }
        let both = moved(Movable::of(&from), Movable::of(&to));
        let mut told = |at: MoveProgress| {
            // A node that starts while the users are copied is the first to give it one.
            if is_late && at.step == Step::CopyUsers {
                futures_util::FutureExt::now_or_never(from.keep(own))
                    .expect("at once")
                    .expect("one");
            }
        };
        move_state(&both, &mut told).await.expect("a move");
        assert_eq!(to.get().await.expect("one"), Some(own), "late {is_late}, {mistaken:?}");
        assert_eq!(from.get().await.expect("one"), Some(own));
    }
}

/// Nobody has ever started a node on it.
#[tokio::test]
async fn a_state_without_an_identity_leaves_the_new_store_its_own() {
    let [from, to] = [(); 2].map(|()| Arc::new(MemoryState::new()));
    from.commit(drafts::profile(&drafts::user("ann"), 30)).await.expect("a commit");
    to.keep(StateId([8; 16])).await.expect("an identity");
    let both = moved(Movable::of(&from), Movable::of(&to));
    move_state(&both, &mut |_| {}).await.expect("a move");
    assert_eq!(to.get().await.expect("one"), Some(StateId([8; 16])));
}

/// Also when the run that begins is not the one that ends.
#[tokio::test]
async fn a_store_without_a_total_order_gives_it_on() {
    for is_paused in [false, true] {
        let [first, from, to] = [(); 3].map(|()| Arc::new(MemoryState::new()));
        let run = turn(&from, Phase::Filling).await;
        from.put_order(run, false).await.expect("an order");
        turn(&from, Phase::Live).await;
        for (number, store) in [(1, &first), (2, &from)] {
            let user = drafts::user(&format!("user {number}"));
            store.commit(Draft::of(&user, NOW).grant(1).change()).await.expect("a commit");
        }
        let other = moved(Movable::of(&from), Movable::of(&to));
        if is_paused {
            turn(&from, Phase::Moved(other.to_name.clone())).await;
            turn(&to, Phase::Filling).await;
        }
        assert!(to.is_total_order());
        let report = move_state(&other, &mut |_| {}).await.expect("a report");
        assert_eq!(report.was_begun, is_paused);
        assert!(!to.is_total_order());
        let user = drafts::user("later");
        to.commit(Draft::of(&user, NOW).grant(1).change()).await.expect("a commit");
        assert!(!to.is_total_order());
        // A store that has one keeps it.
        let next = Arc::new(MemoryState::new());
        let other = moved(Movable::of(&first), Movable::of(&next));
        move_state(&other, &mut |_| {}).await.expect("a report");
        assert!(next.is_total_order());
    }
}
