//! Rewards that wait: for budget, and for the next change. The sweep pays them without any event.

use std::sync::Arc;

use domain::catalog::{Aim, Entity, HoldPolicy, Rule, sample};
use domain::change::MESSAGES_MAX;
use domain::ids::{LineItemId, Mode};
use domain::money::{Micros, Points, Ppm};
use domain::verdict::{Reason, Verdict};
use engine::AttemptOutcome;
use store::counting::{CountingStore, Method};
use store::fault::{Fault, FaultyStore};

use crate::node::{Node, at, rows_with};

const DAY: i64 = 24;

/// A line item that holds a fifth of the 3.60 that the mission may pay.
fn scarce(budget: i64) -> Vec<Entity> {
    rows_with(|row| {
        row.budget = Micros(budget);
        row.hold = HoldPolicy::Expected { share: Ppm(200_000), grace: Micros(0) };
    })
}

/// The sample mission, whose first step pays as often as a purchase has units.
fn generous() -> Vec<Entity> {
    let mut rows = sample::entities();
    for row in &mut rows {
        if let Entity::Mission(mission) = row {
            let step = &mut Arc::make_mut(mission).steps[0];
            step.rule = Rule::Event { name: "install".into(), aim: Aim::Sum(Micros(1_000_000)) };
            step.repeat.limit = 100;
        }
    }
    rows
}

/// A user whose second and third step are done, and for whom the budget has nothing left.
async fn waiting() -> (Node, String) {
    let node = Node::with(scarce(1_000_000), Mode::Live).await;
    let click_id = node.start().await;
    for (event, verdict, reason) in [
        ("install", Verdict::Rewarded, Reason::StepDone),
        ("level_10", Verdict::Parked, Reason::AwaitingBudget),
        ("purchase", Verdict::Parked, Reason::AwaitingBudget),
    ] {
        let answer = node.post(&at(1), &click_id, event, &[]).await.expect("an answer");
        assert_eq!((answer.verdict, answer.reason), (verdict, reason), "{event}");
    }
    (node, click_id)
}

async fn raise(node: &Node, hours: i64, budget: i64) {
    let applied = node.engine.apply_entities(&at(hours), &scarce(budget), false, "test").await;
    applied.expect("a larger budget");
}

async fn balance(node: &Node) -> Points {
    node.state.load(node.viewer.user).await.expect("a user").state.balance
}

async fn sweep(node: &Node, hours: i64) -> usize {
    node.engine.sweep(&at(hours), 10).await.expect("a sweep")
}

#[tokio::test]
async fn a_larger_budget_pays_what_waits_without_another_event() {
    let (node, click_id) = waiting().await;
    assert_eq!((sweep(&node, 1).await, sweep(&node, 2).await), (0, 1));
    assert_eq!(balance(&node).await, Points(300));
    raise(&node, 2, 1_600_000).await;
    assert_eq!((sweep(&node, 2).await, balance(&node).await), (0, Points(300)));
    assert_eq!((sweep(&node, 3).await, balance(&node).await), (1, Points(900)));
    raise(&node, 3, 9_000_000).await;
    assert_eq!((sweep(&node, 4).await, balance(&node).await), (1, Points(2_100)));
    assert_eq!(sweep(&node, 5).await, 0);
    let told = node.deliver(&at(5), AttemptOutcome::Delivered).await;
    assert_eq!(told, ["reward.granted 300", "reward.granted 600", "reward.granted 1200"]);
    let again = node.post(&at(6), &click_id, "purchase", &[]).await.expect("an answer");
    assert_eq!(again.verdict, Verdict::Duplicate);
    assert!(again.transaction.is_some(), "a copy of the event names the reward");
    node.assert_clean().await;
}

#[tokio::test]
async fn a_try_in_vain_costs_two_commits_and_leaves_no_record() {
    let (node, _) = waiting().await;
    let head = node.state.head().await.expect("a place");
    let (counted, store) = node.through(CountingStore::new).await;
    store.calls().reset();
    assert_eq!(sweep(&counted, 2).await, 1);
    let calls = [Method::Due, Method::Load, Method::Commit].map(|method| store.calls().of(method));
    assert_eq!(calls, [1, 1, 2]);
    assert_eq!(node.state.head().await.expect("a place"), head);
    node.assert_clean().await;
}

#[tokio::test]
async fn what_waits_when_the_run_ends_gets_its_reason_and_nothing_later() {
    let (node, _) = waiting().await;
    let end = 15 * DAY + 1;
    assert_eq!((sweep(&node, end).await, sweep(&node, end).await), (1, 0));
    raise(&node, end, 9_000_000).await;
    assert_eq!((sweep(&node, 30 * DAY).await, balance(&node).await), (0, Points(300)));
    let loaded = node.state.load(node.viewer.user).await.expect("a user");
    let run = &loaded.state.enrollments[0];
    let snapshot = node.engine.snapshot();
    let mission = snapshot.mission_version(run.mission, run.version).expect("the terms");
    let reasons =
        [0, 1, 2].map(|step| domain::view::step_view(run, mission, step, at(30 * DAY).now).reason);
    assert_eq!(reasons, [None, Some(Reason::BudgetSpent), Some(Reason::BudgetSpent)]);
    let level = node.engine.read_budget(&at(end), LineItemId(1)).await.expect("a level");
    assert_eq!((level.total.held, level.total.booked), (Micros(0), Micros(500_000)));
    node.assert_clean().await;
}

#[tokio::test]
async fn one_sweep_pays_all_that_one_event_earned() {
    let node = Node::with(generous(), Mode::Live).await;
    let click_id = node.start().await;
    let more = [("revenue", "100"), ("currency", "USD")];
    let answer = node.post(&at(1), &click_id, "install", &more).await.expect("an answer");
    assert_eq!(answer.verdict, Verdict::Rewarded);
    assert_eq!(balance(&node).await, Points(300 * MESSAGES_MAX as i64));
    assert_eq!((sweep(&node, 1).await, sweep(&node, 1).await), (1, 0));
    assert_eq!(balance(&node).await, Points(300 * 100));
    let reversal = [more[0], more[1], ("reversal", "1")];
    let taken = node.post(&at(2), &click_id, "install", &reversal).await.expect("an answer");
    assert_eq!(taken.reason, Reason::Reversed);
    assert_eq!((sweep(&node, 2).await, sweep(&node, 2).await), (1, 0));
    assert_eq!(balance(&node).await, Points(0));
    assert_eq!(node.assert_clean().await, 100 * 2 * 6);
}

#[tokio::test]
async fn an_interrupted_sweep_of_what_is_owed_pays_it_once() {
    for fault in [Fault::Unavailable, Fault::UnknownApplied, Fault::UnknownNotApplied, Fault::Stale]
    {
        for nth in 1..=3 {
            let (node, _) = waiting().await;
            raise(&node, 2, 1_600_000).await;
            let script = [(Method::Commit, nth, fault)];
            let (faulty, _) = node.through(|inner| FaultyStore::scripted(inner, &script)).await;
            // Whether the first one fails or not, the second leaves nothing to do.
            let _ = faulty.engine.sweep(&at(3), 10).await;
            faulty.engine.sweep(&at(3), 10).await.expect("a sweep");
            assert_eq!((sweep(&faulty, 3).await, balance(&node).await), (0, Points(900)));
            node.assert_clean().await;
        }
    }
}
