//! Three nodes on one table: never over a limit, never twice, nothing lost.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::budget::{BudgetMove, Guard, Level, Limits, Used};
use domain::change::Loaded;
use domain::ids::{LineItemId, UserKey};
use domain::journal::Chain;
use domain::money::Micros;
use domain::time::Day;
use store::contract::all;
use store::contract::sample::{self, Draft, LINE_ITEM, NOW, TODAY};
use store::{Budgets as _, Journal as _, Outcome, StoreError, Transfer as _, Users as _};
use store_dynamo::{DynamoStore, FaultPlan};
use support::{Dice, Tables, open, until, until_it_answers};

/// Nodes that share the table.
const NODES: usize = 3;
/// Users who want the last unit at once.
const RACERS: usize = 1_000;
/// Races for a last unit; 100 are run where `GUERDON_RACES` says so.
const RACES: u32 = 5;

async fn nodes(tables: &Tables, shards: u32) -> Vec<DynamoStore> {
    let place = tables.make(shards).await;
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(open(&place).await);
    }
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_a_thousand_gets_the_last_unit_whichever_node_he_asks() {
    let tables = Tables::start();
    let nodes = nodes(&tables, 4).await;
    let races = std::env::var("GUERDON_RACES").ok().and_then(|text| text.parse().ok());
    for round in 1..=races.unwrap_or(RACES) {
        let line_item = LineItemId(round);
        nodes[0].set_limits(line_item, sample::limits(100), NOW).await.unwrap();
        let by = BudgetMove { line_item, ..sample::hold(60) };
        let last = async |number: usize| {
            let user = sample::user(&format!("{round} {number}"));
            let change = Draft::of(&user, NOW).grant(1).moving(by).change();
            until_it_answers(&nodes[number % NODES], &change).await
        };
        let outcomes = all((0..RACERS).map(last)).await;
        let won = outcomes.iter().filter(|one| matches!(one, Outcome::Applied(_))).count();
        let over = outcomes.iter().filter(|one| matches!(one, Outcome::OverBudget { .. })).count();
        assert_eq!((won, over), (1, RACERS - 1), "round {round}");
        for node in &nodes {
            let level = node.level(line_item).await.unwrap().unwrap();
            assert_eq!((level.total.held.0, level.total.starts), (60, 1), "round {round}");
        }
    }
}

/// Users who book on the busy line item, and what each of them does.
const WALKERS: usize = 90;
const STEPS: usize = 12;

/// A total, days, starts and grace that are all met on the way.
const TIGHT: Limits = Limits {
    total: Micros(3_000),
    daily: Some(Micros(700)),
    grace: Micros(60),
    starts: Some(400),
    daily_starts: Some(90),
};

/// Whatever the nodes and lanes do at once, what was acknowledged adds up in the budget, total and
/// days, in the journal and in the users, and nowhere goes beyond a limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_days_and_the_journal_add_up_over_three_nodes() {
    let tables = Tables::start();
    let nodes = nodes(&tables, 4).await;
    nodes[0].set_limits(LINE_ITEM, TIGHT, NOW).await.unwrap();
    let walks = all((0..WALKERS).map(|number| walk(&nodes, number))).await;
    let (mut total, mut days, mut refused) = (Used::default(), HashMap::new(), 0);
    for (moves, over) in &walks {
        refused += over;
        for by in moves {
            total = total.moved(by);
            let day = days.entry(by.day).or_insert_with(Used::default);
            *day = day.moved(by);
        }
    }
    let row = nodes[1].budget_rows().await.unwrap().remove(0);
    let found: HashMap<Day, Used> = row.days.into_iter().collect();
    assert_eq!((row.total, found), (total, days.clone()));
    assert!(refused > 50, "{refused} moves were refused");
    assert!(total.committed() <= Micros(TIGHT.total.0 + TIGHT.grace.0), "{total:?}");
    for (day, used) in days {
        let most = TIGHT.daily.unwrap().0 + TIGHT.grace.0;
        assert!(used.committed().0 <= most && used.starts <= 90, "{day:?}: {used:?}");
    }
    let level = nodes[2].level(LINE_ITEM).await.unwrap().unwrap();
    assert_eq!(level.total, total);
    check_journal(&nodes, level, walks.iter().map(|(moves, _)| moves.len()).sum()).await;
}

/// Books at another node each time, over some days, and gives the moves that were made and how many
/// were refused.
async fn walk(nodes: &[DynamoStore], number: usize) -> (Vec<BudgetMove>, usize) {
    let mut dice = Dice::new(number as u64 + 1);
    let (mut made, mut refused): (Vec<BudgetMove>, _) = (Vec::new(), 0);
    let mut user = sample::user(&format!("user {number}"));
    for step in 0..STEPS {
        let day = Day(TODAY.0 - dice.below(5) as i32 * 5);
        let held: i64 = made.iter().filter(|by| by.day == day).map(|by| by.held.0).sum();
        let part = held.min(1 + dice.below(20) as i64).max(0);
        let by = match dice.below(4) {
            0 | 1 => sample::hold(1 + dice.below(20) as i64),
            2 => sample::booking(part, part, Guard::Free),
            _ => sample::booking(part + dice.below(9) as i64, part, Guard::Extra),
        };
        let by = BudgetMove { day, ..by };
        let change = Draft::of(&user, NOW).moving(by).change();
        let node = &nodes[(number + step) % NODES];
        match until_it_answers(node, &change).await {
            Outcome::Applied(_) => {
                made.push(by);
                let known = user.state.clone();
                user = nodes[(number + step + 1) % NODES].load(user.state.key()).await.unwrap();
                assert_eq!((user.version, &user.state), (made.len() as u64, &known));
            }
            Outcome::OverBudget { .. } => refused += 1,
            other => panic!("user {number}, step {step}: {other:?}"),
        }
    }
    (made, refused)
}

/// Every place is there once, each node reads the same, and the chains of the users verify.
async fn check_journal(nodes: &[DynamoStore], level: Level, changes: usize) {
    let records = nodes[0].read(0, 10_000).await.unwrap();
    assert!(records.iter().map(|one| one.seq).eq(1..=changes as u64 + 1), "a place is missing");
    let mut sum = Used::default();
    let mut chains: HashMap<UserKey, Chain> = HashMap::new();
    for stored in &records {
        stored.record.moves.iter().for_each(|by| sum = sum.moved(by));
        if let Some(user) = stored.record.user {
            let chain = chains.entry(user).or_default();
            *chain = chain.with(&stored.record);
            assert_eq!(*chain, stored.chain, "the chain at place {}", stored.seq);
        }
    }
    assert_eq!(sum, level.total, "what the journal adds up to");
    let users: Vec<(UserKey, Loaded)> = nodes[1].scan(None, 1_000).await.unwrap();
    let ends: HashMap<_, _> = users.into_iter().map(|(key, user)| (key, user.chain)).collect();
    assert_eq!(ends, chains);
    for node in nodes {
        assert!(node.read(0, 10_000).await.unwrap() == records, "nodes read different journals");
    }
}

/// Limits that are lowered while everybody spends are never found below what was committed, and hold
/// from the moment that they are acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_change_while_everybody_spends() {
    let tables = Tables::start();
    let nodes = nodes(&tables, 4).await;
    nodes[0].set_limits(LINE_ITEM, sample::limits(200), NOW).await.unwrap();
    let spend = async |number: usize| {
        let user = sample::user(&format!("user {number}"));
        let change = Draft::of(&user, NOW).moving(sample::hold(2)).change();
        let outcome = until_it_answers(&nodes[number % NODES], &change).await;
        i64::from(matches!(outcome, Outcome::Applied(_)))
    };
    let set = async |number: usize| {
        let total = [120, 400, 260, 300][number % 4];
        set_limits(&nodes[number % NODES], sample::limits(total)).await;
        0
    };
    let one = async |number: usize| match number % 25 {
        24 => set(number / 25).await,
        _ => spend(number).await,
    };
    let applied: i64 = all((0..300).map(one)).await.into_iter().sum();
    let level = nodes[1].level(LINE_ITEM).await.unwrap().unwrap();
    assert_eq!(level.total.held.0, 2 * applied);
    assert!(level.total.held.0 <= 400, "{level:?}");
    let latest = nodes[2].read(0, 10_000).await.unwrap().into_iter().rev();
    let mut limits = latest.filter_map(|one| match one.record.cause {
        domain::journal::Cause::LimitsSet { limits, .. } => Some(limits),
        _ => None,
    });
    assert_eq!(limits.next(), Some(level.limits), "the newest limits of the journal hold");
}

/// A line item that is written all the time by all lanes of all nodes, over a network that takes its
/// time, can still be given other limits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_a_busy_line_item_can_be_set() {
    let tables = Tables::start();
    let nodes = nodes(&tables, 16).await;
    nodes[0].set_limits(LINE_ITEM, sample::limits(i64::MAX / 4), NOW).await.unwrap();
    let latency = Duration::from_millis(15);
    let slow = FaultPlan { latency, ..FaultPlan::default() };
    nodes.iter().for_each(|node| node.follow_faults(Some(slow)));
    let stop = AtomicBool::new(false);
    let spend = async |number: usize| {
        let mut user = sample::user(&format!("user {number}"));
        let mut made = 0;
        while !stop.load(Ordering::Relaxed) {
            let change = Draft::of(&user, NOW).moving(sample::hold(1)).change();
            until_it_answers(&nodes[number % NODES], &change).await;
            user = sample::after(&user, &change);
            made += 1;
        }
        made
    };
    let operator = async {
        for total in 1..=3 {
            let limits = sample::limits(i64::MAX / 4 + total);
            set_limits(&nodes[0], limits).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (made, ()) = tokio::join!(all((0..120).map(spend)), operator);
    let level = nodes[1].level(LINE_ITEM).await.unwrap().unwrap();
    assert_eq!(level.total.held.0, made.iter().sum::<i64>());
}

async fn set_limits(node: &DynamoStore, limits: Limits) {
    until(async || match node.set_limits(LINE_ITEM, limits, NOW).await {
        Ok(_) => Some(()),
        Err(StoreError::Unavailable(_) | StoreError::Unknown(_)) => None,
        Err(error) => panic!("{error}"),
    })
    .await;
}
