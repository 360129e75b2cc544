//! Edits of the catalogue: what is refused, before and when they are made.

use domain::catalog::{Endpoint, Entity, sample};
use domain::dialect;
use domain::ids::Mode;
use domain::money::Micros;
use domain::secret::Secret;
use domain::targeting::Profile;
use engine::{ApplyError, SessionRequest};

use crate::node::{MISSION, Node, at, rows_with};

#[tokio::test]
async fn a_preview_refuses_a_budget_below_what_is_committed_as_applying_does() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let bob = SessionRequest {
        unit: node.viewer.unit,
        user_id: "bob".to_owned(),
        profile: Profile::default(),
    };
    let whose = (node.viewer.app, Mode::Live);
    node.engine.open_session(&at(1), whose, bob).await.expect("a session");
    let bob = node.engine.viewer(whose.0, whose.1, node.viewer.unit, "bob").expect("a viewer");
    let started = node.engine.participate(&at(1), &bob, MISSION).await.expect("an answer");
    started.expect("a start");
    // 0.50 is booked and 6.70 is held.
    for (budget, is_refused) in [(7_199_999, true), (7_200_000, false)] {
        let rows = rows_with(|row| {
            row.budget = Micros(budget);
            // A day may be limited below what it has committed: nothing new starts on it then.
            row.daily_budget = Some(Micros(3_600_000));
        });
        let base = node.engine.snapshot();
        let difference = node.engine.difference(&base, &rows, false);
        let previewed = node.engine.preview(&base, &difference);
        assert_eq!(node.engine.snapshot().revision(), base.revision());
        let applied = node.engine.apply_difference(&at(2), &base, difference, "test").await;
        assert_eq!(previewed.is_err(), is_refused, "{previewed:?}");
        match (previewed, applied) {
            (
                Err(ApplyError::BelowCommitted(id, level)),
                Err(ApplyError::BelowCommitted(also, same)),
            ) => assert_eq!((id, level), (also, same)),
            (Ok(()), Ok(_)) => {}
            (previewed, applied) => unreachable!("{previewed:?} and then {applied:?}"),
        }
    }
}

/// The sample rows with those secrets in a Standard Webhooks endpoint.
fn rows_with_secrets(secrets: &[&str]) -> Vec<Entity> {
    let mut rows = sample::entities();
    for row in &mut rows {
        if let Entity::App(app) = row {
            app.postback = Some(Endpoint {
                url: "https://p.example/".to_owned(),
                dialect: dialect::preset("standard_webhooks").expect("a dialect"),
                secrets: secrets.iter().map(|secret| Secret::new(*secret)).collect(),
            });
        }
    }
    rows
}

#[tokio::test]
async fn a_secret_that_could_not_sign_is_refused_before_it_is_sealed() {
    let node = Node::with(sample::entities(), Mode::Live).await;
    for bad in ["abc", "whsec_not base64!!", "whsec_"] {
        let rows = rows_with_secrets(&["whsec_aGVsbG8=", bad]);
        let applied = node.engine.apply_entities(&at(1), &rows, false, "test").await;
        let Err(ApplyError::Invalid(problems)) = applied else { unreachable!("{applied:?}") };
        let told = &problems[0];
        assert_eq!(told.field, "postback.secrets[1]");
        assert!(told.message.contains("openssl rand -base64 32"), "{}", told.message);
        assert!(!told.message.contains("abc") && !told.message.contains("!!"), "{}", told.message);
    }
    let rows = rows_with_secrets(&["whsec_aGVsbG8=", "env:OLD", "sealed:elsewhere"]);
    let applied = node.engine.apply_entities(&at(1), &rows, false, "test").await;
    applied.expect("an edit");
    let snapshot = node.engine.snapshot();
    let app = snapshot.catalog().apps.values().next().expect("an app");
    let secrets = &app.postback.as_ref().expect("an endpoint").secrets;
    assert!(secrets.iter().all(|secret| !secret.is_plain()));
    let opened = node.engine.vault().open_secret(&secrets[0]).expect("the secret");
    assert_eq!(opened, Secret::new("whsec_aGVsbG8="));
    let again = node.engine.apply_entities(&at(2), &rows, false, "test").await;
    assert_eq!(again.expect("no edit").difference.edits, []);
}
