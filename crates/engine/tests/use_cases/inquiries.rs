//! Inquiries: answered from the evidence, kept with the answer, and found again in the trail.

use domain::ids::{EnrollmentId, StepId};
use domain::inquire::{Answer, MESSAGE_CHARS_MAX};
use domain::money::Points;
use domain::verdict::{Finding, Reason, Verdict};
use engine::{EngineError, Inquiry, SessionRequest, TrailLine};

use crate::node::{MISSION, Node, at};

fn inquiry(node: &Node, step: u32) -> Inquiry {
    let enrollment = EnrollmentId::derive(&node.viewer.user, MISSION);
    Inquiry { enrollment, step: StepId(step), message: None }
}

async fn ask(node: &Node, hours: i64, step: u32) -> Answer {
    let ctx = at(hours);
    let answer = node.engine.inquire(&ctx, &node.viewer, inquiry(node, step)).await;
    assert_eq!(ctx.spent().calls, 3);
    answer.expect("an answer")
}

/// The inquiries of a trail: status, code and message.
fn inquiries(lines: &[TrailLine]) -> Vec<(&str, &str, Option<&str>)> {
    let lines = lines.iter().filter(|line| line.what == "inquiry");
    let told = lines.map(|line| (line.verdict.expect("an answer"), line.raw.as_deref()));
    told.map(|((status, code), message)| (status, code, message)).collect()
}

#[tokio::test]
async fn an_inquiry_follows_the_evidence() {
    let node = Node::new().await;
    let click_id = node.start().await;
    let answer = ask(&node, 1, 1).await;
    assert_eq!((answer.finding, answer.until), (Finding::NotSeenYet, Some(at(25).now)));
    assert_eq!(ask(&node, 2, 1).await, answer);
    let organic = node.post(&at(3), &click_id, "install", &[("organic", "1")]).await;
    assert_eq!(organic.expect("an answer").reason, Reason::Organic);
    let answer = ask(&node, 4, 1).await;
    assert_eq!((answer.finding, answer.reason), (Finding::DidNotCount, Some(Reason::Organic)));
    assert!(answer.sentence().ends_with(Reason::Organic.sentence()));
    let paid = node.post(&at(5), &click_id, "install", &[]).await.expect("an answer");
    assert_eq!(paid.verdict, Verdict::Rewarded);
    let answer = ask(&node, 6, 1).await;
    assert_eq!((answer.finding, answer.points), (Finding::Paid, Some(Points(300))));
    assert_eq!(answer.at, Some(at(5).now));
    node.assert_clean().await;
}

#[tokio::test]
async fn what_never_comes_ends_with_support() {
    let node = Node::new().await;
    node.start().await;
    assert_eq!(ask(&node, 1, 1).await.finding, Finding::NotSeenYet);
    assert_eq!(ask(&node, 24, 1).await.finding, Finding::NotSeenYet);
    let answer = ask(&node, 25, 1).await;
    assert_eq!((answer.finding, answer.reason), (Finding::NeedsSupport, None));
    let trail = node.engine.trail(&at(26), &inquiry(&node, 1).enrollment.to_string()).await;
    let told =
        [("answered", "not_seen_yet"), ("answered", "not_seen_yet"), ("open", "needs_support")];
    let told = told.map(|(status, code)| (status, code, None));
    assert_eq!(inquiries(&trail.expect("a trail").lines), told);
}

#[tokio::test]
async fn a_message_is_kept_with_its_answer() {
    let node = Node::new().await;
    node.start().await;
    let message = Some("I opened it twice.\n두 번".to_owned());
    let asked = Inquiry { message: message.clone(), ..inquiry(&node, 4) };
    let answer = node.engine.inquire(&at(1), &node.viewer, asked.clone()).await;
    assert_eq!(answer.expect("an answer").finding, Finding::NotDone);
    let trail = node.engine.trail(&at(2), &asked.enrollment.to_string()).await.expect("a trail");
    assert_eq!(inquiries(&trail.lines), [("answered", "not_done", message.as_deref())]);
    let shown = node.engine.show_enrollment(&at(2), &node.viewer, asked.enrollment).await;
    let (_, _, timeline) = shown.expect("a run");
    assert_eq!(inquiries(&timeline).len(), 1);
    assert!(timeline[1].sentence.contains(Finding::NotDone.sentence()), "{timeline:?}");
}

#[tokio::test]
async fn what_is_not_the_users_is_not_found() {
    let node = Node::new().await;
    node.start().await;
    let own = inquiry(&node, 1);
    let bob = node.engine.viewer(node.viewer.app, node.viewer.mode, node.viewer.unit, "bob");
    let bob = bob.expect("a viewer");
    let stranger = node.engine.inquire(&at(1), &bob, own.clone()).await;
    assert!(matches!(stranger, Err(EngineError::NotFound("user"))), "{stranger:?}");
    let request = SessionRequest {
        unit: bob.unit,
        user_id: "bob".to_owned(),
        profile: domain::targeting::Profile::default(),
    };
    node.engine.open_session(&at(1), (bob.app, bob.mode), request).await.expect("a session");
    let foreign = node.engine.inquire(&at(1), &bob, own.clone()).await;
    assert!(matches!(foreign, Err(EngineError::NotFound("enrollment"))), "{foreign:?}");
    let unknown = node.engine.inquire(&at(1), &node.viewer, inquiry(&node, 99)).await;
    assert!(matches!(unknown, Err(EngineError::NotFound("step"))), "{unknown:?}");
    for message in ["a\0".to_owned(), "x".repeat(MESSAGE_CHARS_MAX + 1)] {
        let ctx = at(1);
        let asked = Inquiry { message: Some(message), ..own.clone() };
        let refused = node.engine.inquire(&ctx, &node.viewer, asked).await;
        let is_refused = matches!(refused, Err(EngineError::Invalid { code: "bad_message", .. }));
        assert!(is_refused && ctx.spent().calls == 0, "{refused:?}");
    }
    let trail = node.engine.trail(&at(2), &own.enrollment.to_string()).await.expect("a trail");
    assert_eq!(inquiries(&trail.lines), []);
}
