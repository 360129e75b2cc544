//! `/v1/rewards` and `/v1/deliveries`, and the same for operators.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use domain::ids::Mode;
use engine::{AttemptNote, AttemptOutcome, Claim, Finished};
use serde_json::{Value, json};

use crate::server::{ADMIN, APP, APP_TEST, NOON, Server};

#[tokio::test]
async fn rewards_are_pulled_without_gap_or_repeat() {
    let server = Server::start().await;
    let empty = server.get("/v1/rewards?after=", APP).await.expect(200);
    let mut next = empty.body["next"].as_str().unwrap().to_owned();
    let mut pulled = Vec::new();
    for round in 0..5 {
        for user in 0..3 {
            server.reward(1, Mode::Live, &format!("user {round}.{user}")).await;
            server.reward(1, Mode::Test, &format!("user {round}.{user}")).await;
            server.reward(2, Mode::Live, &format!("user {round}.{user}")).await;
        }
        loop {
            let path = format!("/v1/rewards?limit=2&after={next}");
            let page = server.get(&path, APP).await.expect(200);
            page.body["next"].as_str().unwrap().clone_into(&mut next);
            pulled.extend(page.body["rewards"].as_array().unwrap().clone());
            if page.body["has_more"] == false {
                break;
            }
        }
    }
    let users: Vec<_> = pulled.iter().map(|one| one["user_id"].as_str().unwrap()).collect();
    let expected: Vec<_> =
        (0..15).map(|place| format!("user {}.{}", place / 3, place % 3)).collect();
    assert_eq!(users, expected);
    let ids: BTreeSet<_> = pulled.iter().map(|one| one["transaction_id"].to_string()).collect();
    assert_eq!(ids.len(), 15);
    let again = server.get(&format!("/v1/rewards?after={next}"), APP).await.expect(200);
    assert_eq!((&again.body["rewards"], &again.body["next"]), (&json!([]), &json!(next)));
    // The same reward at another place: the server was restored, and others have taken its place.
    let place = String::from_utf8(BASE64URL_NOPAD.decode(next.as_bytes()).unwrap()).unwrap();
    let (list, rest) = place.split_once(':').unwrap();
    let moved = format!("{list}:9{rest}");
    let moved = BASE64URL_NOPAD.encode(moved.as_bytes());
    let refused = server.get(&format!("/v1/rewards?after={moved}"), APP).await.expect(409);
    assert_eq!(refused.body["code"], "unknown_place");
}

#[tokio::test]
async fn a_reward_says_what_its_postback_says() {
    let server = Server::start().await;
    server.reward(1, Mode::Live, "ann").await;
    let page = server.get("/v1/rewards", APP).await.expect(200);
    let mut reward = page.body["rewards"][0].clone();
    for id in ["transaction_id", "enrollment_id"] {
        assert_eq!(reward[id].as_str().map(str::len), Some(26), "{id}");
        reward.as_object_mut().unwrap().remove(id);
    }
    assert_eq!(reward["delivery"]["id"].as_str().map(str::len), Some(26));
    reward["delivery"].as_object_mut().unwrap().remove("id");
    let expected = json!({
        "type": "reward.granted", "user_id": "ann", "app_id": 1, "unit_id": 1,
        "amount": 60, "currency": "P", "mission_id": 1, "mission_title": "Castle",
        "step_id": 4, "step_title": "Check in", "custom": null,
        "occurred_at": "2026-01-10T12:00:00Z", "booked_at": "2026-01-10T12:00:00Z",
        "delivery": {
            "state": "queued", "attempts": 0, "next_attempt_at": "2026-01-10T12:00:00Z",
            "last_status": null, "last_attempt": null,
        },
    });
    assert_eq!(reward, expected);
}

/// Lets the first due delivery of app 1 end in vain.
async fn stop_one(server: &Server) {
    let claim = Claim {
        now: NOON,
        lease_until: NOON.plus_seconds(30),
        limit: 1,
        per_endpoint: 1,
        skip: Vec::new(),
    };
    let ctx = server.ctx();
    let claimed = server.engine.claim_deliveries(&ctx, claim).await.unwrap().remove(0);
    let note = AttemptNote { at: NOON, status: Some(410), note: "gone".to_owned(), duration_ms: 7 };
    let finished = Finished { claimed, outcome: AttemptOutcome::Stop, note, jitter: 0 };
    let dialect = domain::dialect::preset("standard_webhooks").unwrap();
    server.engine.finish_delivery(&ctx, &dialect, finished).await.unwrap();
}

#[tokio::test]
async fn deliveries_are_listed_by_state_and_replayed() {
    let server = Server::start().await;
    for user in ["ann", "bob", "cem"] {
        server.reward(1, Mode::Live, user).await;
    }
    stop_one(&server).await;
    let stopped = server.get("/v1/deliveries?state=stopped", APP).await.expect(200);
    let one = &stopped.body["deliveries"][0];
    assert_eq!(stopped.body["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!((&one["attempts"], &one["last_status"]), (&json!(1), &json!(410)));
    assert_eq!(one["last_attempt"]["note"], "gone");
    let path = format!("/v1/deliveries/{}", one["id"].as_str().unwrap());
    assert_eq!(&server.get(&path, APP).await.expect(200).body, one);

    let seen = server.get("/v1/admin/apps/1/deliveries?state=stopped", "read-only-key").await;
    assert_eq!(seen.expect(200).body, stopped.body);
    let other = server.get("/v1/admin/apps/1/deliveries?mode=test", ADMIN).await.expect(200);
    assert_eq!(other.body["deliveries"], json!([]));

    let replayed = server.send("POST", &format!("{path}/replay"), APP, None).await.expect(200);
    assert_eq!(replayed.body, json!({"replayed": 1}));
    assert_eq!(server.get(&path, APP).await.expect(200).body["state"], "queued");
}

#[tokio::test]
async fn a_span_of_time_is_replayed() {
    let server = Server::start().await;
    for user in ["ann", "bob"] {
        server.reward(1, Mode::Live, user).await;
    }
    stop_one(&server).await;
    let span = |from: &str, to: &str| json!({"from": from, "to": to, "state": "stopped"});
    let noon = "2026-01-10T12:00:00Z";
    let cases = [
        (span("2026-01-10T11:00:00Z", noon), 0),
        (span(noon, "2026-01-10T21:00:01+09:00"), 1),
        (span(noon, "2026-01-10T12:00:01Z"), 0),
    ];
    for (body, count) in cases {
        let answer = server.post("/v1/deliveries/replay", APP, body).await.expect(200);
        assert_eq!(answer.body["replayed"], count);
    }
    stop_one(&server).await;
    let path = "/v1/admin/apps/1/deliveries/replay";
    let body = span(noon, "2026-01-10T12:00:01Z");
    let test = server.post(&format!("{path}?mode=test"), ADMIN, body.clone()).await.expect(200);
    assert_eq!(test.body["replayed"], 0);
    let live = server.post(path, "support-key", body).await.expect(200);
    assert_eq!(live.body["replayed"], 1);
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let server = Server::start().await;
    for user in 0..5 {
        server.reward(1, Mode::Test, &format!("user {user}")).await;
    }
    let (mut path, mut users) = ("/v1/deliveries?limit=2".to_owned(), Vec::new());
    loop {
        let page = server.get(&path, APP_TEST).await.expect(200);
        let list = page.body["deliveries"].as_array().unwrap();
        users.extend(list.iter().map(|one| one["user_id"].as_str().unwrap().to_owned()));
        let Value::String(cursor) = &page.body["next_cursor"] else { break };
        path = format!("/v1/deliveries?limit=2&cursor={cursor}");
    }
    assert_eq!(users, ["user 0", "user 1", "user 2", "user 3", "user 4"]);
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let server = Server::start().await;
    for (path, status) in [
        ("/v1/deliveries?state=lost", 400),
        ("/v1/deliveries?state=queued&state=parked", 400),
        ("/v1/deliveries?limit=0", 400),
        ("/v1/deliveries?after=x", 400),
        ("/v1/rewards?after=x", 400),
        ("/v1/rewards?cursor=x", 400),
        ("/v1/rewards?limit=-1", 400),
        ("/v1/deliveries/x", 404),
        ("/v1/deliveries/00000000000000000000000000", 404),
    ] {
        server.get(path, APP).await.expect(status);
    }
    let refused = server.get("/v1/rewards?after=x", APP).await.expect(400);
    assert_eq!(refused.fields(), ["after"]);
    let good =
        json!({"from": "2026-01-10T12:00:00Z", "to": "2026-01-10T13:00:00Z", "state": "parked"});
    let cases = [
        (json!({"from": "yesterday"}), "from"),
        (json!({"from": "2026-01-10T12:00:00"}), "from"),
        (json!({"to": "2026-01-10T12:00:00Z"}), "to"),
        (json!({"state": "lost"}), "state"),
        (json!({"state": null}), "state"),
        (json!({"from": 1}), "from"),
        (json!({"limit": 1}), "limit"),
    ];
    for (patch, field) in cases {
        let body = format::catalog::patch_json(good.clone(), patch);
        let answer = server.post("/v1/deliveries/replay", APP, body).await.expect(422);
        assert_eq!(answer.fields(), [field], "{}", answer.text);
    }
    server.post("/v1/deliveries/replay", APP, good).await.expect(200);
    for path in ["/v1/admin/apps/9/deliveries", "/v1/admin/apps/9/deliveries?mode=test"] {
        server.get(path, ADMIN).await.expect(404);
    }
    server.get("/v1/admin/apps/1/deliveries?mode=real", ADMIN).await.expect(400);
}
