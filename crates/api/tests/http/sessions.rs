//! Sessions that a publisher ends.

use std::collections::BTreeSet;

use domain::ids::Mode;
use serde_json::{Value, json};

use crate::server::{APP, APP_TEST, Answer, OTHER_APP, Server};

/// Every operation that a session may call, with a request that is answered well.
const OPERATIONS: [(&str, &str, &str); 8] = [
    ("GET", "/v1/missions", ""),
    ("GET", "/v1/missions/{id}", ""),
    ("POST", "/v1/missions/{id}/participations", "{}"),
    ("POST", "/v1/missions/{id}/steps/{step_id}/completions", "{}"),
    ("GET", "/v1/enrollments", ""),
    ("GET", "/v1/enrollments/{run}", ""),
    ("POST", "/v1/inquiries", r#"{"enrollment_id": "{run}", "step_id": 1}"#),
    ("GET", "/v1/wallet", ""),
];

async fn open(server: &Server, key: &str, unit: u32, user_id: &str) -> String {
    let wish = json!({"unit_id": unit, "user_id": user_id});
    let opened = server.post("/v1/sessions", key, wish).await.expect(201);
    opened.body["token"].as_str().unwrap().to_owned()
}

async fn revoke(server: &Server, key: &str, user_id: &str) -> Answer {
    server.send("DELETE", &format!("/v1/users/{user_id}/sessions"), key, None).await
}

async fn status(server: &Server, token: &str) -> u16 {
    server.get("/v1/wallet", token).await.status.as_u16()
}

/// Calls an operation about mission 1 and that run of it.
async fn call(server: &Server, operation: (&str, &str, &str), run: &str, key: &str) -> Answer {
    let (method, template, body) = operation;
    let path = template.replace("{id}", "1").replace("{step_id}", "4").replace("{run}", run);
    let body = (!body.is_empty()).then(|| ("application/json", body.replace("{run}", run)));
    server.send(method, &path, key, body).await
}

#[tokio::test]
async fn every_operation_refuses_an_ended_session() {
    let server = Server::start().await;
    let accepts = |operation: &Value| {
        operation["security"]
            .as_array()
            .is_some_and(|callers| callers.iter().any(|caller| caller.get("session").is_some()))
    };
    let described = server.operations().into_iter().filter(|(_, _, one)| accepts(one));
    let described: BTreeSet<_> = described.map(|(method, path, _)| (method, path)).collect();
    let listed = OPERATIONS.map(|(method, path, _)| (method.into(), path.replace("{run}", "{id}")));
    assert_eq!(described, BTreeSet::from(listed));

    let token = open(&server, APP, 1, "ann").await;
    let started = server.post("/v1/missions/1/participations", &token, json!({})).await;
    let run = started.body["enrollment_id"].as_str().unwrap();
    for operation in OPERATIONS {
        let answer = call(&server, operation, run, &token).await;
        assert!(answer.status.is_success(), "{operation:?}: {}", answer.text);
    }
    revoke(&server, APP, "ann").await.expect(204);
    for operation in OPERATIONS {
        let answer = call(&server, operation, run, &token).await.expect(401);
        assert_eq!(answer.code(), "unauthenticated", "{operation:?}");
        assert!(answer.body["detail"].as_str().unwrap().contains("POST /v1/sessions"));
    }
    let list = server.get("/v1/enrollments?user_id=ann&unit_id=1", APP).await.expect(200);
    assert_eq!(list.body["enrollments"][0]["id"], run);
}

/// The clock stands still here, so all of it happens within one millisecond.
#[tokio::test]
async fn a_session_that_is_opened_afterwards_counts_at_once() {
    let server = Server::start().await;
    let first = open(&server, APP, 1, "ann").await;
    for _ in 0..2 {
        let answer = revoke(&server, APP, "ann").await.expect(204);
        assert_eq!(answer.text, "");
    }
    let second = open(&server, APP, 1, "ann").await;
    assert_eq!([status(&server, &first).await, status(&server, &second).await], [401, 200]);
    revoke(&server, APP, "ann").await.expect(204);
    let third = open(&server, APP, 1, "ann").await;
    for (token, expected) in [(&first, 401), (&second, 401), (&third, 200)] {
        assert_eq!(status(&server, token).await, expected);
    }
    server.pass_seconds(4 * 3_600);
    assert_eq!(status(&server, &third).await, 401);
}

/// X1 and X6: the same id is another user for another publisher and for a test key.
#[tokio::test]
async fn a_key_ends_only_sessions_of_its_own_users() {
    let server = Server::start().await;
    let ann = open(&server, APP, 1, "ann").await;
    let bob = open(&server, APP, 1, "bob").await;
    for key in [OTHER_APP, APP_TEST] {
        let answer = revoke(&server, key, "ann").await.expect(404);
        assert_eq!(answer.code(), "unknown_user");
    }
    let (other, test) =
        (open(&server, OTHER_APP, 2, "ann").await, open(&server, APP_TEST, 1, "ann").await);
    let all = async || {
        let mut all = Vec::new();
        for token in [&ann, &bob, &other, &test] {
            all.push(status(&server, token).await);
        }
        all
    };
    revoke(&server, APP_TEST, "ann").await.expect(204);
    assert_eq!(all().await, [200, 200, 200, 401]);
    revoke(&server, OTHER_APP, "ann").await.expect(204);
    assert_eq!(all().await, [200, 200, 401, 401]);
    for caller in [ann.as_str(), "", "stranger"] {
        revoke(&server, caller, "ann").await.expect(401);
    }
    assert_eq!(all().await, [200, 200, 401, 401]);
    revoke(&server, APP, "ann").await.expect(204);
    assert_eq!(all().await, [401, 200, 401, 401]);
}

#[tokio::test]
async fn a_user_id_is_read_from_the_path_as_it_was_given() {
    let server = Server::start().await;
    for (user_id, in_path) in [("a/b?c=%20 d", "a%2Fb%3Fc%3D%2520%20d"), ("앤", "%EC%95%A4")] {
        let token = open(&server, APP, 1, user_id).await;
        revoke(&server, APP, in_path).await.expect(204);
        assert_eq!(status(&server, &token).await, 401, "{user_id}");
    }
    server.visit(1, Mode::Live, "ann").await;
    revoke(&server, APP, "Ann").await.expect(404);
    for bad in ["a%00", &"x".repeat(256)] {
        assert_eq!(revoke(&server, APP, bad).await.expect(422).code(), "bad_user_id");
    }
    revoke(&server, APP, "%FF").await.expect(400);
    let answer = server.send("DELETE", "/v1/users/ann/sessions?all=1", APP, None).await;
    assert_eq!(answer.expect(400).code(), "bad_parameter");
}
