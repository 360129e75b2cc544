//! The main ways through the product, from the list to the books.

use domain::ids::{AppId, DeliveryId, LineItemId, Mode};
use domain::money::{Micros, Points};
use domain::verdict::{Reason, Refusal, Verdict};
use engine::{AttemptOutcome, ConversionError, DeliveryFilter, DeliveryState, Replay};

use crate::node::{MISSION, Node, at, rows_with};

async fn listed(node: &Node, hours: i64) -> (usize, usize, i64) {
    let ctx = at(hours);
    let list = node.engine.list_missions(&ctx, &node.viewer, |list| {
        (list.runs.len(), list.offers.all().len(), list.earnable.0)
    });
    list.await.expect("a list")
}

#[tokio::test]
async fn a_user_takes_a_mission_from_the_list_to_the_wallet() {
    let node = Node::new().await;
    assert_eq!(listed(&node, 0).await, (0, 1, 2_160));
    let click_id = node.start().await;
    assert_eq!(listed(&node, 0).await, (1, 0, 2_160));
    for (hours, event) in [(1, "install"), (2, "level_10"), (3, "purchase")] {
        let answer = node.post(&at(hours), &click_id, event, &[]).await.expect("an answer");
        assert_eq!((answer.verdict, answer.reason), (Verdict::Rewarded, Reason::StepDone));
    }
    assert_eq!(listed(&node, 3).await, (1, 0, 60));
    let answer = node.check_in(&at(4)).await.expect("an answer");
    assert_eq!(answer.verdict, Verdict::Rewarded);
    assert_eq!(listed(&node, 4).await, (0, 0, 0));
    let wallet = node.engine.read_wallet(&at(4), &node.viewer, None, 10).await.expect("a wallet");
    assert_eq!((wallet.balance, wallet.pending), (Points(2_160), Points(0)));
    let lines: Vec<i64> = wallet.lines.iter().map(|line| line.wallet.0).collect();
    assert_eq!(lines, [60, 1_200, 600, 300]);
    let told = node.deliver(&at(4), AttemptOutcome::Delivered).await;
    assert_eq!(told.len(), 4);
    assert_eq!(node.deliver(&at(5), AttemptOutcome::Delivered).await, [""; 0]);
    assert_eq!(node.assert_clean().await, 4 * 6);
}

#[tokio::test]
async fn a_run_that_is_left_gives_its_hold_back() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let held = |level: domain::budget::Level| (level.total.held, level.total.booked);
    let level = node.engine.read_budget(&at(1), LineItemId(1)).await.expect("a level");
    assert_eq!(held(level), (Micros(3_100_000), Micros(500_000)));
    assert_eq!(node.engine.sweep(&at(15 * 24), 10).await.expect("a sweep"), 0);
    assert_eq!(node.engine.sweep(&at(15 * 24 + 1), 10).await.expect("a sweep"), 1);
    assert_eq!(node.engine.sweep(&at(15 * 24 + 1), 10).await.expect("a sweep"), 0);
    let level = node.engine.read_budget(&at(400), LineItemId(1)).await.expect("a level");
    assert_eq!(held(level), (Micros(0), Micros(500_000)));
    let late = node.post(&at(400), &click_id, "level_10", &[]).await.expect("an answer");
    assert_eq!((late.verdict, late.reason), (Verdict::Ignored, Reason::Late));
    node.assert_clean().await;
}

#[tokio::test]
async fn a_reversal_is_told_after_its_grant() {
    let node = Node::new().await;
    let click_id = node.start().await;
    let first = node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let taken = node.post(&at(2), &click_id, "install", &[("reversal", "1")]).await;
    let taken = taken.expect("an answer");
    assert_eq!((taken.verdict, taken.reason), (Verdict::Rejected, Reason::Reversed));
    assert_eq!(taken.transaction, first.transaction);
    assert_eq!(node.deliver(&at(2), AttemptOutcome::Delivered).await, ["reward.granted 300"]);
    assert_eq!(node.deliver(&at(2), AttemptOutcome::Delivered).await, ["reward.reversed 300"]);
    let wallet = node.engine.read_wallet(&at(3), &node.viewer, None, 10).await.expect("a wallet");
    assert_eq!((wallet.balance, wallet.earned), (Points(0), Points(0)));
    node.assert_clean().await;
}

#[tokio::test]
async fn a_delivery_that_failed_is_tried_again_and_can_be_replayed() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let retry = AttemptOutcome::Retry { after_seconds: Some(7_200) };
    assert_eq!(node.deliver(&at(1), retry).await.len(), 1);
    assert_eq!(node.deliver(&at(2), AttemptOutcome::Delivered).await, [""; 0]);
    assert_eq!(node.deliver(&at(3), AttemptOutcome::Stop).await.len(), 1);
    assert_eq!(node.deliver(&at(300), AttemptOutcome::Delivered).await, [""; 0]);
    let app = (AppId(1), Mode::Live);
    let filter = DeliveryFilter { app: app.0, mode: app.1, state: None, after: None, limit: 9 };
    let all = node.engine.list_deliveries(&at(300), filter).await.expect("deliveries");
    assert_eq!(all.iter().map(|one| one.state).collect::<Vec<_>>(), [DeliveryState::Stopped]);
    let which = Replay::One(all[0].message.id);
    let again = node.engine.replay_deliveries(&at(300), app, which).await.expect("a replay");
    assert_eq!(again, 1);
    let unknown = Replay::One(DeliveryId([1; 16]));
    assert!(node.engine.replay_deliveries(&at(300), app, unknown).await.is_err());
    assert_eq!(node.deliver(&at(300), AttemptOutcome::Delivered).await.len(), 1);
    node.assert_clean().await;
}

#[tokio::test]
async fn what_cannot_be_matched_leaves_a_trace() {
    let node = Node::new().await;
    let click_id = node.start().await;
    let forged = click_id.replace(|letter: char| letter.is_ascii_digit(), "x");
    for (click_id, event, reason) in [
        (forged.as_str(), "install", Reason::ForgedClick),
        ("", "install", Reason::NoClick),
        (click_id.as_str(), "", Reason::BadField),
    ] {
        let answer = node.post(&at(1), click_id, event, &[]).await.expect("an answer");
        assert_eq!((answer.verdict, answer.reason), (Verdict::Rejected, reason), "{event}");
    }
    let unknown = node.post(&at(1), &click_id, "dance", &[]).await.expect("an answer");
    assert_eq!((unknown.verdict, unknown.reason), (Verdict::Ignored, Reason::NoSuchStep));
    let report = node.report(&at(2)).await;
    assert_eq!(report.findings, []);
    assert_eq!(report.verdicts[&Verdict::Rejected], 3);
    assert_eq!(report.verdicts[&Verdict::Ignored], 1);
}

#[tokio::test]
async fn the_last_unit_of_a_budget_serves_one_user() {
    let node = Node::with(rows_with(|row| row.budget = Micros(3_600_000)), Mode::Live).await;
    node.start().await;
    let second = node.engine.viewer(AppId(1), Mode::Live, node.viewer.unit, "bob").expect("bob");
    let request = engine::SessionRequest {
        unit: second.unit,
        user_id: "bob".to_owned(),
        profile: domain::targeting::Profile::default(),
    };
    let opened = node.engine.open_session(&at(0), (AppId(1), Mode::Live), request).await;
    opened.expect("a session");
    let ctx = at(1);
    let list = node.engine.list_missions(&ctx, &second, |list| list.offers.all().len());
    assert_eq!(list.await.expect("a list"), 0);
    let refused = node.engine.participate(&at(1), &second, MISSION).await.expect("an answer");
    assert_eq!(refused.expect_err("a refusal").refusal, Refusal::Exhausted);
    node.assert_clean().await;
}

#[tokio::test]
async fn a_test_user_is_told_and_costs_nothing() {
    let node = Node::with(rows_with(|_| {}), Mode::Test).await;
    let click_id = node.start().await;
    let answer = node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    assert_eq!(answer.verdict, Verdict::Rewarded);
    let level = node.engine.read_budget(&at(1), LineItemId(1)).await;
    assert_eq!(level.expect("a level").total, domain::budget::Used::default());
    let filter =
        DeliveryFilter { app: AppId(1), mode: Mode::Test, state: None, after: None, limit: 9 };
    let told = node.engine.list_deliveries(&at(1), filter).await.expect("deliveries");
    assert_eq!(told.len(), 1);
    node.assert_clean().await;
}

#[tokio::test]
async fn an_unknown_connection_is_no_partner() {
    let node = Node::new().await;
    let postback = engine::Postback {
        token: "guessed",
        fields: &domain::recipe::read::Fields::new(Vec::new()),
        header: &|_| None,
        body: b"",
    };
    let answer = node.engine.receive_conversion(&at(1), &postback).await;
    assert!(matches!(answer, Err(ConversionError::UnknownPartner)));
}

#[tokio::test]
async fn verification_finds_what_is_told_of_an_app_that_was_deleted() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let fewer = node.without_app().await;
    assert_eq!(fewer.report(&at(2)).await.findings, []);
}
