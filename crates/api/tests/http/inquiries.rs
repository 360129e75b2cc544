//! `POST /v1/inquiries`.

use domain::ids::Mode;
use serde_json::{Value, json};

use crate::server::{ADMIN, APP, APP_TEST, OTHER_APP, Server};

const ANN: &str = "/v1/inquiries?user_id=ann&unit_id=1";
const BOB: &str = "/v1/inquiries?user_id=bob&unit_id=1";

/// Ann has started mission 1 and checked in; the id of her run.
async fn started(server: &Server) -> String {
    server.reward(1, Mode::Live, "ann").await;
    let runs = server.get("/v1/enrollments?user_id=ann&unit_id=1", APP).await.expect(200);
    runs.body["enrollments"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_inquiry_is_answered_at_once() {
    let server = Server::start().await;
    let run = started(&server).await;
    let paid = server.post(ANN, APP, json!({"enrollment_id": run, "step_id": 4})).await.expect(201);
    let expected = json!({
        "enrollment_id": run, "step_id": 4, "status": "answered", "answer": "paid", "reason": null,
        "sentence": "The step is done and its reward is in the wallet.", "points": 60,
        "at": "2026-01-10T12:00:00Z", "until": null, "progress": null, "needs_step_id": null,
    });
    assert_eq!(paid.body, expected);
    let wish = json!({"enrollment_id": run, "step_id": 1, "message": "I installed it.\nTwice."});
    for _ in 0..2 {
        let unseen = server.post(ANN, APP, wish.clone()).await.expect(201);
        assert_eq!(unseen.body["answer"], "not_seen_yet");
        assert_eq!(unseen.body["until"], "2026-01-11T12:00:00Z");
        server.pass_seconds(12 * 3_600);
    }
    let open = server.post(ANN, APP, wish).await.expect(201);
    assert_eq!(
        (&open.body["status"], &open.body["answer"]),
        (&json!("open"), &json!("needs_support"))
    );

    let path = format!("/v1/enrollments/{run}?user_id=ann&unit_id=1");
    let shown = server.get(&path, APP).await.expect(200);
    let answers = [
        ("answered", "paid"),
        ("answered", "not_seen_yet"),
        ("answered", "not_seen_yet"),
        ("open", "needs_support"),
    ];
    assert_eq!(inquiries(&shown.body["timeline"]), answers);
    let trail = server.get(&format!("/v1/admin/trail/{run}"), ADMIN).await.expect(200);
    assert_eq!(inquiries(&trail.body["lines"]), answers);
    assert!(trail.text.contains(r"I installed it.\nTwice."), "{}", trail.text);
}

/// The inquiries among the lines of a timeline: status and code.
fn inquiries(lines: &Value) -> Vec<(&str, &str)> {
    let lines = lines.as_array().unwrap().iter().filter(|line| line["what"] == "inquiry");
    lines.map(|one| (one["verdict"].as_str().unwrap(), one["reason"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_run_of_somebody_else_is_not_found() {
    let server = Server::start().await;
    let run = started(&server).await;
    let wish = json!({"enrollment_id": run, "step_id": 4});
    assert_eq!(server.post(BOB, APP, wish.clone()).await.expect(404).code(), "unknown_user");
    server.visit(1, Mode::Live, "bob").await;
    server.visit(1, Mode::Test, "ann").await;
    server.visit(2, Mode::Live, "ann").await;
    let other = "/v1/inquiries?user_id=ann&unit_id=2";
    for (path, key) in [(BOB, APP), (ANN, APP_TEST), (other, OTHER_APP)] {
        let refused = server.post(path, key, wish.clone()).await.expect(404);
        assert_eq!(refused.code(), "not_found", "{path} {key}");
    }
    server.post(ANN, "", wish).await.expect(401);
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let server = Server::start().await;
    let run = started(&server).await;
    let long = "가".repeat(501);
    for (wish, status, code) in [
        (json!({"enrollment_id": run, "step_id": 99}), 404, "not_found"),
        (json!({"enrollment_id": "nonsense", "step_id": 4}), 404, "not_found"),
        (json!({"enrollment_id": "0".repeat(26), "step_id": 4}), 404, "not_found"),
        (json!({"enrollment_id": run}), 422, "invalid_field"),
        (json!({"enrollment_id": run, "step_id": "4"}), 422, "invalid_field"),
        (json!({"enrollment_id": run, "step_id": 4, "more": 1}), 422, "invalid_field"),
        (json!({"enrollment_id": run, "step_id": 4, "message": long}), 422, "bad_message"),
        (json!({"enrollment_id": run, "step_id": 4, "message": "\u{0}"}), 422, "bad_message"),
        (json!({"enrollment_id": run, "step_id": 4, "message": "\u{1b}[0m"}), 422, "bad_message"),
    ] {
        let refused = server.post(ANN, APP, wish.clone()).await.expect(status);
        assert_eq!(refused.code(), code, "{wish}");
    }
    let path = format!("/v1/enrollments/{run}?user_id=ann&unit_id=1");
    let shown = server.get(&path, APP).await.expect(200);
    assert_eq!(inquiries(&shown.body["timeline"]), []);
    for message in [Value::Null, json!(""), json!(&long[..500 * "가".len()])] {
        let wish = json!({"enrollment_id": run, "step_id": 4, "message": message});
        server.post(ANN, APP, wish).await.expect(201);
    }
}
