//! How often somebody may ask.

use axum::http::StatusCode;
use domain::ids::AppId;
use engine::{Rate, Rates};
use serde_json::{Value, json};

use crate::server::{ADMIN, APP, APP_TEST, OTHER_APP, Server};

/// No token comes back while a test runs.
fn slow(burst: u32) -> Option<Rate> {
    Some(Rate { per_minute: 1, burst })
}

fn session() -> Value {
    json!({"unit_id": 1, "user_id": "ann", "profile": {"country": "KR"}})
}

#[tokio::test]
async fn nobody_is_limited_unless_it_is_configured() {
    let server = Server::start().await;
    for _ in 0..50 {
        assert_eq!(server.get("/v1/rewards", APP).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_app_that_asks_too_often_is_told_when_to_come_back() {
    let server = Server::limited(Rates { app: slow(3), ..Rates::default() }).await;
    for _ in 0..3 {
        assert_eq!(server.get("/v1/rewards", APP).await.status, StatusCode::OK);
    }
    let answer = server.get("/v1/rewards", APP).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.body["code"], "rate_limited");
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let wait: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(!answer.body["request_id"].as_str().unwrap().is_empty());
    // What is turned away leaves nothing behind, and others are not held up.
    let refused = server.post("/v1/sessions", APP, session()).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let viewer =
        server.engine.viewer(AppId(1), domain::ids::Mode::Live, domain::ids::UnitId(1), "ann");
    let ann = server.engine.list_missions(&server.ctx(), &viewer.unwrap(), |_| ()).await;
    assert!(matches!(ann, Err(engine::EngineError::NotFound("user"))));
    for key in [APP_TEST, OTHER_APP, ADMIN] {
        let path = if key == ADMIN { "/v1/admin/apps" } else { "/v1/rewards" };
        assert_eq!(server.get(path, key).await.status, StatusCode::OK, "{key}");
    }
}

#[tokio::test]
async fn a_user_is_limited_by_himself_whichever_session_he_uses() {
    let server = Server::limited(Rates { user: slow(2), ..Rates::default() }).await;
    let mut tokens = Vec::new();
    for user_id in ["ann", "ann", "bob"] {
        let wish = json!({"unit_id": 1, "user_id": user_id, "profile": {}});
        let opened = server.post("/v1/sessions", APP, wish).await;
        tokens.push(opened.body["token"].as_str().unwrap().to_owned());
        server.pass_seconds(1);
    }
    assert_ne!(tokens[0], tokens[1]);
    let statuses = [&tokens[0], &tokens[1], &tokens[0], &tokens[2]]
        .map(|token| async { server.get("/v1/missions", token).await.status.as_u16() });
    let mut seen = Vec::new();
    for status in statuses {
        seen.push(status.await);
    }
    assert_eq!(seen, [200, 200, 429, 200]);
}

#[tokio::test]
async fn an_unknown_caller_is_limited_by_his_address() {
    let server = Server::limited(Rates { address: slow(2), ..Rates::default() }).await;
    let ask = async |address: &str, key: &str| {
        server.get_from(address, "/v1/missions", key).await.status.as_u16()
    };
    assert_eq!(ask("192.0.2.1", "guess 1").await, 401);
    assert_eq!(ask("192.0.2.1", "guess 2").await, 401);
    assert_eq!(ask("192.0.2.1", "guess 3").await, 429);
    assert_eq!(ask("192.0.2.2", "guess 4").await, 401);
    assert_eq!(ask("192.0.2.1", APP).await, 400);
    // Without an address nobody is held to it.
    assert_eq!(server.get("/v1/missions", "guess 5").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn postbacks_and_probes_are_never_turned_away() {
    let rates = Rates { address: slow(1), app: slow(1), user: slow(1) };
    let server = Server::limited(rates).await;
    for _ in 0..5 {
        for (path, status) in [("/livez", 200), ("/readyz", 200), ("/v1/postbacks/nobody", 404)] {
            let answer = server.get_from("192.0.2.1", path, "").await;
            assert_eq!(answer.status.as_u16(), status, "{path}");
        }
    }
}
