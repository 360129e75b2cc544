//! What support asks: a user's trail by his publisher's id, and sentences that read as such.

use domain::decide::Rule;
use domain::ids::{AppId, LineItemId, Mode};
use engine::{AttemptOutcome, EngineError};

use crate::node::{MISSION, Node, at, rows_with};

#[tokio::test]
async fn a_user_is_found_by_the_id_that_his_publisher_gives_him() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let ctx = at(2);
    let trail = node.engine.trail_of_user(&ctx, AppId(1), Mode::Live, "ann").await;
    let trail = trail.expect("a trail");
    // He is loaded, one page is read, and one delivery.
    assert_eq!(ctx.spent().calls, 3);
    assert_eq!(trail.user, node.viewer.user);
    let by_key = node.engine.trail(&at(2), &trail.user.to_string()).await;
    assert_eq!(by_key.expect("the same trail"), trail);
    for (app, mode, user_id) in
        [(1, Mode::Test, "ann"), (2, Mode::Live, "ann"), (1, Mode::Live, "bob")]
    {
        let other = node.engine.trail_of_user(&at(2), AppId(app), mode, user_id).await;
        assert!(matches!(other, Err(EngineError::NotFound("user"))), "{other:?}");
    }
}

#[tokio::test]
async fn trails_count_attempts_and_points_in_words() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let told = async || {
        let trail = node.engine.trail_of_user(&at(9), AppId(1), Mode::Live, "ann").await;
        let lines = trail.expect("a trail").lines;
        let line = |what: &str| lines.iter().find(|line| line.what == what).cloned();
        (line("grant").expect("a grant").sentence, line("delivery").expect("one").sentence)
    };
    let grant = "Step 1, occurrence 1: 300 points to the wallet, 0 on hold.".to_owned();
    let retry = AttemptOutcome::Retry { after_seconds: None };
    node.deliver(&at(1), retry).await;
    assert_eq!(
        told().await,
        (grant.clone(), "retrying after 1 attempt: the publisher answered 200.".to_owned())
    );
    node.deliver(&at(2), AttemptOutcome::Delivered).await;
    assert_eq!(
        told().await,
        (grant, "delivered after 2 attempts: the publisher answered 200.".to_owned())
    );
}

#[tokio::test]
async fn rules_are_explained_in_whole_sentences() {
    let node = Node::with(
        rows_with(|row| {
            row.advertised_app = None;
            row.caps.total = Some(1);
        }),
        Mode::Live,
    )
    .await;
    let explained = async || {
        let verdicts = node.engine.explain_mission(&at(1), &node.viewer, MISSION).await;
        let verdicts = verdicts.expect("verdicts");
        [
            Rule::NewUsersOnly,
            Rule::UserCapTotal,
            Rule::BudgetTotal,
            Rule::BudgetDaily,
            Rule::CapTotal,
            Rule::CapDaily,
        ]
        .map(|rule| verdicts.iter().find(|one| one.rule == rule).expect("it").detail.clone())
    };
    assert_eq!(
        explained().await,
        [
            "the mission is for new users only; the line item advertises no app",
            "the user has started 0 missions of the line item; he may start as many as he likes",
            "budget: 0 of 1000000000 micro-units are used, and a participation needs 3600000",
            "budget of the day: 0 micro-units are used, and there is no limit",
            "participations: 0 of 1 are used",
            "participations today: 0 are used, and there is no limit",
        ]
    );
    node.start().await;
    assert_eq!(
        explained().await[1..],
        [
            "the user has started 1 mission of the line item; he may start as many as he likes",
            "budget: 3600000 of 1000000000 micro-units are used, and a participation needs 3600000",
            "budget of the day: 3600000 micro-units are used, and there is no limit",
            "participations: 1 of 1 are used",
            "participations today: 1 are used, and there is no limit",
        ]
    );
}

#[tokio::test]
async fn conditions_of_serving_are_told_in_words() {
    let node = Node::with(rows_with(|row| row.caps.total = Some(1)), Mode::Live).await;
    let told = async || {
        let checks = node.engine.why_not_serving(&at(1), LineItemId(1)).await.expect("checks");
        let details = checks
            .into_iter()
            .filter(|one| ["ad_groups", "missions", "currency", "budget"].contains(&one.code));
        details.map(|one| one.detail).collect::<Vec<_>>()
    };
    let common = ["active now: 1 ad group", "active now: 1 mission", "1 app can be paid in USD"];
    let before = told().await;
    assert_eq!(
        (&before[..3], before[3].as_str()),
        (&common.map(String::from)[..], "left of the budget: 1000000000 micro-units")
    );
    node.start().await;
    assert_eq!(
        told().await[3],
        "the number of participations leaves no room for another participation; raise the limit"
    );
}
