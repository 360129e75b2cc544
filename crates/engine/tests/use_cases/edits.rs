//! Edits of the catalogue: what is refused, before and when they are made.

use std::sync::Arc;

use domain::catalog::{Edit, Endpoint, Entity, sample};
use domain::dialect;
use domain::ids::{AppId, LineItemId, Mode};
use domain::money::{CurrencyCode, Micros};
use domain::secret::Secret;
use domain::targeting::Profile;
use engine::{
    ApplyError, Engine, MasterKey, SealError, SecretOwner, SessionRequest, Stores, Vault,
};
use store::CatalogStore as _;
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};

use crate::node::{MISSION, Node, at, rows_with};

/// A second user starts the mission.
async fn start_another(node: &Node) {
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
}

#[tokio::test]
async fn a_preview_refuses_a_budget_below_what_is_committed_as_applying_does() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    start_another(&node).await;
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
    let rows = rows_with_secrets(&["whsec_aGVsbG8=", "env:GUERDON_SECRET_OLD"]);
    let applied = node.engine.apply_entities(&at(1), &rows, false, "test").await;
    applied.expect("an edit");
    let snapshot = node.engine.snapshot();
    let app = snapshot.catalog().apps.values().next().expect("an app");
    let secrets = &app.postback.as_ref().expect("an endpoint").secrets;
    assert!(secrets.iter().all(|secret| !secret.is_plain()));
    let owner = SecretOwner::App(app.id, Mode::Live);
    let opened = node.engine.vault().open_secret(&secrets[0], owner).expect("the secret");
    assert_eq!(opened, Secret::new("whsec_aGVsbG8="));
    let again = node.engine.apply_entities(&at(2), &rows, false, "test").await;
    assert_eq!(again.expect("no edit").difference.edits, []);
}

/// The sample rows with a second line item, and what both may spend.
fn rows_with_budgets(first: i64, second: i64) -> Vec<Entity> {
    let mut rows = rows_with(|row| row.budget = Micros(first));
    let line_item = rows.iter().find_map(|row| match row {
        Entity::LineItem(row) => Some(row.clone()),
        _ => None,
    });
    let mut other = line_item.expect("a line item");
    (other.id, other.advertised_app) = (LineItemId(2), None);
    (other.budget, other.daily_budget) = (Micros(second), None);
    rows.push(Entity::LineItem(other));
    rows
}

#[tokio::test]
async fn a_refused_edit_leaves_every_limit_as_it_was() {
    let node = Node::new().await;
    node.start().await;
    start_another(&node).await;
    let small = rows_with_budgets(100_000_000, 4_000_000);
    node.engine.apply_entities(&at(1), &small, false, "test").await.expect("an edit");
    let before: Vec<_> = node.state.levels().await.expect("levels");
    // One of the two is raised, the other is lowered too far, in either order of their numbers.
    let refused = rows_with_budgets(4_000_000, 100_000_000);
    let applied = node.engine.apply_entities(&at(2), &refused, false, "test").await;
    assert!(matches!(applied, Err(ApplyError::BelowCommitted(LineItemId(1), _))), "{applied:?}");
    assert_eq!(node.state.levels().await.expect("levels"), before);
    // Somebody else's edit comes first.
    let base = node.engine.snapshot();
    let late = node.engine.difference(&base, &rows_with_budgets(50_000_000, 9_000_000), false);
    let first = rows_with_budgets(100_000_000, 5_000_000);
    node.engine.apply_entities(&at(3), &first, false, "test").await.expect("an edit");
    let before: Vec<_> = node.state.levels().await.expect("levels");
    let applied = node.engine.apply_difference(&at(4), &base, late, "test").await;
    assert!(matches!(applied, Err(ApplyError::Conflict(_))), "{applied:?}");
    assert_eq!(node.state.levels().await.expect("levels"), before);
}

/// The secrets of the sample app's endpoint as they are kept.
fn kept(node: &Node) -> Vec<Secret> {
    let snapshot = node.engine.snapshot();
    let app = snapshot.catalog().apps.values().next().expect("an app");
    app.postback.as_ref().expect("an endpoint").secrets.clone()
}

#[tokio::test]
async fn a_sealed_secret_is_taken_in_its_own_row_only() {
    let node = Node::with(sample::entities(), Mode::Live).await;
    let rows = rows_with_secrets(&["whsec_aGVsbG8="]);
    node.engine.apply_entities(&at(1), &rows, false, "test").await.expect("an edit");
    let sealed = kept(&node)[0].clone();

    let exported = rows_with_secrets(&[sealed.expose()]);
    let again = node.engine.apply_entities(&at(2), &exported, false, "test").await;
    assert_eq!(again.expect("no edit").difference.edits, []);

    let (mut as_test, mut as_app, mut as_partner) = (exported.clone(), exported.clone(), exported);
    for row in as_test.iter_mut() {
        if let Entity::App(app) = row {
            app.test_postback = app.postback.clone();
        }
    }
    for row in as_app.iter_mut() {
        if let Entity::App(app) = row {
            app.id.0 += 100;
            app.keys.clear();
        }
    }
    for row in as_partner.iter_mut() {
        if let Entity::Partner(partner) = row {
            partner.secrets = vec![sealed.clone()];
        }
    }
    let elsewhere = Vault::new(&MasterKey::new([8; 32]), &[]);
    let owner = SecretOwner::App(AppId(1), Mode::Live);
    let elsewhere = elsewhere.seal_secret(&Secret::new("whsec_aGVsbG8="), owner);
    let cases = [
        (as_test, "test_postback.secrets[0]"),
        (as_app, "postback.secrets[0]"),
        (as_partner, "secrets[0]"),
        (rows_with_secrets(&[sealed.expose(), elsewhere.expose()]), "postback.secrets[1]"),
        (rows_with_secrets(&["sealed:elsewhere"]), "postback.secrets[0]"),
    ];
    for (rows, field) in cases {
        let base = node.engine.snapshot();
        let difference = node.engine.difference(&base, &rows, false);
        let previewed = node.engine.preview(&base, &difference);
        let applied = node.engine.apply_difference(&at(3), &base, difference, "test").await;
        for refused in [previewed.err(), applied.err()] {
            let Some(ApplyError::Invalid(problems)) = refused else { unreachable!("{refused:?}") };
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert_eq!(problems[0].field, field);
            let told = &problems[0].message;
            assert!(told.contains("sealed for another row") && !told.contains("whsec"), "{told}");
        }
    }
    assert_eq!(kept(&node), [sealed]);
}

#[tokio::test]
async fn a_variable_that_is_not_for_secrets_is_refused() {
    let node = Node::with(sample::entities(), Mode::Live).await;
    let rows = rows_with_secrets(&["whsec_aGVsbG8=", "env:PATH"]);
    let applied = node.engine.apply_entities(&at(1), &rows, false, "test").await;
    let Err(ApplyError::Invalid(problems)) = applied else { unreachable!("{applied:?}") };
    assert_eq!(problems[0].field, "postback.secrets[1]");
    assert!(problems[0].message.contains("GUERDON_SECRET_"), "{}", problems[0].message);
}

#[tokio::test]
async fn secrets_that_cannot_be_opened_are_named() {
    let node = Node::with(sample::entities(), Mode::Live).await;
    assert_eq!(node.engine.closed_secrets(), []);
    let rows = rows_with_secrets(&["whsec_aGVsbG8=", "env:GUERDON_SECRET_NOT_SET"]);
    node.engine.apply_entities(&at(1), &rows, false, "test").await.expect("an edit");
    let closed = node.engine.closed_secrets();
    assert_eq!(closed.len(), 1, "{closed:?}");
    let variable = "GUERDON_SECRET_NOT_SET".to_owned();
    assert_eq!(closed[0].why, SealError::NoSuchVariable(variable));
    assert_eq!(
        closed[0].to_string(),
        "apps 1 postback.secrets[1]: the environment variable GUERDON_SECRET_NOT_SET is not set"
    );
}

/// The currency that money was booked in stays, for a file and its dry run alike, also by the detour
/// of deleting the row first.
#[tokio::test]
async fn a_line_item_keeps_the_currency_of_what_is_booked() {
    let node = Node::new().await;
    let click_id = node.start().await;
    node.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    let in_won = rows_with(|row| row.currency = CurrencyCode::parse("KRW").expect("a currency"));
    for is_deleted in [false, true] {
        let base = node.engine.snapshot();
        assert_eq!(base.catalog().line_items.is_empty(), is_deleted);
        let difference = node.engine.difference(&base, &in_won, false);
        let previewed = node.engine.preview(&base, &difference);
        let applied = node.engine.apply_difference(&at(2), &base, difference, "test").await;
        let (Err(ApplyError::Invalid(problems)), Err(ApplyError::Invalid(same))) =
            (previewed, applied)
        else {
            unreachable!("it was not refused")
        };
        assert_eq!(problems, same);
        let told: Vec<_> = problems.iter().map(|one| (one.id, one.field.as_str())).collect();
        assert_eq!(told, [(1, "currency")]);
        assert!(problems[0].message.ends_with("make a new line item in KRW"));
        assert_eq!(node.engine.snapshot().revision(), base.revision());
        if !is_deleted {
            node.engine
                .apply_entities(&at(3), &[], true, "test")
                .await
                .expect("an empty catalogue");
        }
    }
    let back = node.engine.apply_entities(&at(4), &sample::entities(), false, "test").await;
    back.expect("the same rows put back");
}

#[tokio::test]
async fn a_catalogue_is_newer_once_and_an_empty_one_never_is() {
    let catalog = Arc::new(MemoryCatalog::new());
    let stores = Stores {
        state: Arc::new(MemoryState::new()),
        catalog: Arc::clone(&catalog) as _,
        reports: Arc::new(MemoryReports::new()),
    };
    let engine = Engine::new(stores, Vault::new(&MasterKey::new([7; 32]), &[]));
    for _ in 0..2 {
        assert!(!engine.refresh_catalog(&at(0)).await.expect("a refresh"));
    }
    let edits = sample::entities().into_iter().map(Edit::Put).collect();
    catalog.save(0, edits, "test", at(0).now).await.expect("an edit");
    for is_newer in [true, false] {
        assert_eq!(engine.refresh_catalog(&at(0)).await.expect("a refresh"), is_newer);
    }
}

/// What is served after an edit was made in memory beside the store, which keeps its own.
#[tokio::test]
async fn what_is_served_after_an_edit_is_what_the_store_keeps() {
    let node = Node::new().await;
    let shorter = sample::entities().into_iter().map(|row| match row {
        Entity::Mission(row) => {
            let mut row = domain::catalog::Mission::clone(&row);
            row.window_seconds -= 1;
            Entity::Mission(Arc::new(row))
        }
        row => row,
    });
    let edits: [(Vec<Entity>, bool); 4] = [
        (rows_with(|row| row.budget = Micros(row.budget.0 + 1)), false),
        (shorter.collect(), false),
        // Everything goes, and comes back.
        (Vec::new(), true),
        (sample::entities(), false),
    ];
    for (place, (rows, prune)) in edits.into_iter().enumerate() {
        let before = node.engine.snapshot();
        let applied = node.engine.apply_entities(&at(1), &rows, prune, "test").await;
        let applied = applied.expect("an edit");
        let served = node.engine.snapshot();
        assert_eq!(
            (served.revision(), applied.revision),
            (before.revision() + 1, served.revision())
        );
        let kept = node.catalog.snapshot(None).await.expect("a catalogue");
        assert_eq!(Some(served.catalog()), kept.as_ref(), "after edit {place}");
    }
    assert_eq!(node.engine.snapshot().versions().len(), 3);
}
