//! A quiz that is lost, and rewards on hold: what a user is told that he can earn and has earned.

use std::sync::Arc;

use domain::catalog::{Choice, Entity, Mission, Rule, sample};
use domain::complete::{Completion, Evidence};
use domain::ids::{LineItemId, Mode, StepId};
use domain::money::{Micros, Points};
use domain::verdict::{Reason, Refusal, Verdict};

use crate::node::{MISSION, Node, at};

fn rows(change: impl Fn(&mut Mission)) -> Vec<Entity> {
    let mut rows = sample::entities();
    for row in &mut rows {
        if let Entity::Mission(mission) = row {
            change(Arc::make_mut(mission));
        }
    }
    rows
}

/// The number of runs that are listed, and the points that can be earned and have been.
async fn listed(node: &Node, hours: i64) -> (usize, i64, i64) {
    let ctx = at(hours);
    let list = node.engine.list_missions(&ctx, &node.viewer, |list| {
        (list.runs.len(), list.earnable.0, list.earned.0)
    });
    list.await.expect("a list")
}

#[tokio::test]
async fn a_lost_quiz_earns_nothing_and_holds_nothing() {
    let quiz = rows(|mission| {
        let choices = vec![Choice { texts: Vec::new() }; 2].into();
        mission.steps[1].rule =
            Rule::Quiz { question: Box::default(), choices, answer: 1, attempts: 1 };
        mission.steps.truncate(3);
    });
    let node = Node::with(quiz, Mode::Live).await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    assert_eq!(listed(&node, 1).await, (1, 1_800, 300));
    let wish = Completion { mission: MISSION, step: StepId(2), evidence: Evidence::Quiz(0) };
    let missed = node.engine.complete_step(&at(2), &node.viewer, wish).await.expect("an answer");
    assert_eq!((missed.reason, missed.attempts_left), (Reason::WrongAnswer, Some(0)));
    assert_eq!(listed(&node, 2).await, (0, 0, 300));
    let level = node.engine.read_budget(&at(2), LineItemId(1)).await.expect("a level");
    assert_eq!((level.total.held, level.total.booked), (Micros(0), Micros(500_000)));
    let again = node.engine.complete_step(&at(3), &node.viewer, wish).await.expect("an answer");
    assert_eq!((again.verdict, again.reason), (Verdict::Rejected, Reason::NoAttempts));
    let behind = node.post(&at(3), &click_id, "purchase", &[]).await.expect("an answer");
    assert_eq!((behind.verdict, behind.reason), (Verdict::Ignored, Reason::NoAttempts));
    let tap = node.participate(&at(3)).await.expect("an answer").expect_err("a refusal");
    assert_eq!(tap.refusal, Refusal::AlreadyDone);
    assert_eq!(node.engine.sweep(&at(400), 10).await.expect("a sweep"), 0);
    node.assert_clean().await;
}

#[tokio::test]
async fn points_on_hold_are_not_earned_yet() {
    let node = Node::with(rows(|mission| mission.steps[0].hold_hours = 24), Mode::Live).await;
    let click_id = node.start().await;
    let answer = node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    assert_eq!(answer.verdict, Verdict::Pending);
    let wallet = async |hours: i64| {
        let wallet = node.engine.read_wallet(&at(hours), &node.viewer, None, 10).await;
        let wallet = wallet.expect("a wallet");
        assert_eq!(listed(&node, hours).await.2, wallet.earned.0);
        (wallet.balance, wallet.pending, wallet.earned)
    };
    assert_eq!(wallet(2).await, (Points(0), Points(300), Points(0)));
    assert_eq!(node.engine.sweep(&at(25), 10).await.expect("a sweep"), 1);
    assert_eq!(wallet(25).await, (Points(300), Points(0), Points(300)));
    node.post(&at(26), &click_id, "install", &[("reversal", "1")]).await.expect("an answer");
    assert_eq!(wallet(26).await, (Points(0), Points(0), Points(0)));
    node.assert_clean().await;
}
