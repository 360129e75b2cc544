//! Forms: guarded, and done once.

use axum::http::StatusCode;

use crate::browser::Browser;
use crate::world::{World, american};

/// A form's fields with one of them replaced or, without a value, left out.
fn with(fields: &[(String, String)], name: &str, value: Option<&str>) -> Vec<(String, String)> {
    let kept = fields.iter().filter(|(key, _)| key != name).cloned();
    kept.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect()
}

async fn at_the_castle(world: &World, user: &str) -> Browser {
    let mut page = world.open(user).await;
    page.get("/m/missions/1").await;
    page
}

#[tokio::test]
async fn a_form_without_our_token_does_nothing() {
    let world = World::new().await;
    let other = at_the_castle(&world, "eve").await.form("/start").1;
    let theirs = other.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let mut page = at_the_castle(&world, "ann").await;
    let (address, fields) = page.form("/start");
    let long = "k".repeat(200);
    let cases = [
        with(&fields, "csrf", None),
        with(&fields, "csrf", Some("")),
        with(&fields, "csrf", Some(&theirs)),
        with(&fields, "csrf", Some(&"0".repeat(64))),
        with(&fields, "idempotency_key", None),
        with(&fields, "idempotency_key", Some(&long)),
        Vec::new(),
    ];
    for fields in cases {
        page.post(&address, &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{fields:?}");
        assert_eq!(page.text("h1"), "The page was open for too long");
        assert_eq!(page.attributes("main a.btn", "href"), ["/m/missions/1"]);
    }
    page.get("/m").await;
    assert!(page.texts(".running").is_empty(), "nothing was started");
    page.post(&address, &fields).await;
    assert_eq!(page.status, 303, "the same form with its own token");
}

#[tokio::test]
async fn a_form_needs_a_session() {
    let world = World::new().await;
    let (address, fields) = at_the_castle(&world, "ann").await.form("/start");
    let mut stranger = Browser::new(world.router.clone());
    stranger.post(&address, &fields).await;
    assert_eq!(stranger.status, 401);
    let mut eve = world.open("eve").await;
    eve.post(&address, &fields).await;
    assert_eq!(eve.status, 403, "another user's form");
    assert_eq!(runs(&world, "ann").await, 0);
}

async fn runs(world: &World, user: &str) -> usize {
    let (ctx, token) = (world.ctx(), world.token(user, american()).await);
    let viewer = engine::Viewer::of(&world.engine.session(&ctx, &token).unwrap());
    world.engine.list_enrollments(&ctx, &viewer, 0, 9).await.unwrap().0.len()
}

#[tokio::test]
async fn two_taps_on_an_answer_cost_one_try() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/2").await;
    page.submit("/start", &[]).await;
    let (address, fields) = page.form("/complete");
    let wrong = with(&fields, "answer", Some("0"));
    for _ in 0..2 {
        page.post(&address, &wrong).await;
        assert_eq!(page.at, "/m/missions/2?n=wrong-1", "the second tap is answered as the first");
    }
    page.submit("/complete", &[("answer", "0")]).await;
    assert_eq!(page.at, "/m/missions/2?n=wrong-0", "a form of a new page is a new try");
}

#[tokio::test]
async fn starting_twice_is_starting_once() {
    let world = World::new().await;
    let mut page = at_the_castle(&world, "ann").await;
    let (address, fields) = page.form("/start");
    page.post(&address, &fields).await;
    let landing = page.at.clone();
    page.post(&address, &fields).await;
    assert_eq!(page.at, landing);
    assert_eq!(runs(&world, "ann").await, 1);
}

#[tokio::test]
async fn evidence_must_fit_the_step() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    page.get("/m/missions/2").await;
    page.submit("/start", &[]).await;
    let (address, fields) = page.form("/complete");
    for evidence in ["visit", "check_in"] {
        let forged = with(&fields, "evidence", Some(evidence));
        let forged = with(&forged, "idempotency_key", Some(evidence));
        page.post(&address, &forged).await;
        assert_eq!(page.at, "/m/missions/2");
        assert_eq!(page.text(".step .state"), "Ready to do");
    }
    page.post(&address, &with(&fields, "answer", Some("300"))).await;
    assert_eq!(page.at, "/m/missions/2?n=no-answer", "a number that no answer has");
}

#[tokio::test]
async fn one_user_sees_nothing_of_another() {
    let world = World::new().await;
    let mut ann = world.open("ann").await;
    ann.get("/m/missions/2").await;
    ann.submit("/start", &[]).await;
    let (address, fields) = ann.form("/complete");
    ann.submit("/complete", &[("answer", "1")]).await;
    let mut eve = world.open("eve").await;
    assert!(eve.texts(".running").is_empty());
    eve.get("/m/missions/2").await;
    assert!(eve.texts(".step .state").is_empty(), "an offer, not Ann's run");
    let own = eve.form("/start").1;
    let csrf = own.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let fields = with(&with(&fields, "csrf", Some(&csrf)), "answer", Some("1"));
    eve.post(&address, &fields).await;
    assert_eq!(eve.status, 404, "she has no run of it");
    eve.get("/m/wallet").await;
    assert_eq!(eve.text(".hero-sum"), "0 P");
    assert_eq!(eve.texts(".entry").len(), 0);
}

#[tokio::test]
async fn the_address_of_a_form_leads_to_its_mission() {
    let world = World::new().await;
    let mut page = world.open("ann").await;
    for form in ["start", "steps/1/visit", "steps/1/complete"] {
        page.get(&format!("/m/missions/4/{form}")).await;
        assert_eq!((page.status, page.at.as_str()), (200, "/m/missions/4"));
    }
}
