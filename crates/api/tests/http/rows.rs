//! `/v1/admin/{kind}` and `/v1/admin/{kind}/{id}`.

use domain::catalog::Entity;
use engine::ApplyError;
use serde_json::{Value, json};

use crate::server::{ADMIN, Answer, Server};

/// A new row of each kind that goes with the fixture, and a field of it to change.
fn new_rows() -> Vec<(&'static str, Value, &'static str, Value)> {
    let digest = |byte: &str| json!(byte.repeat(32));
    let app = json!({
        "publisher_id": 2, "name": "Third app", "user_share": "50%",
        "currency": {"name": "coins", "rates": {"USD": "100"}},
        "keys": [{"mode": "live", "digest": digest("ab")}],
    });
    let line_item =
        json!({"advertiser_id": 1, "name": "Autumn", "currency": "USD", "budget": 5_000_000});
    let mission = json!({
        "line_item_id": 1, "window_seconds": "7d", "landing_url": "https://x.example/?c={click_id}",
        "creatives": [{"language": "en", "title": "Two"}],
        "steps": [{
            "id": 1, "payout": 1_000_000, "rule": "check_in",
            "texts": [{"language": "en", "title": "Come"}],
        }],
    });
    let partner = json!({"advertiser_id": 1, "name": "MMP", "token_digest": digest("cd")});
    vec![
        ("publishers", json!({"name": "Third"}), "name", json!("3rd")),
        ("apps", app, "user_share", json!("55%")),
        ("units", json!({"app_id": 1, "name": "Lobby"}), "name", json!("Hall")),
        ("advertisers", json!({"name": "Shop"}), "name", json!("Store")),
        ("orders", json!({"advertiser_id": 1, "name": "Spring"}), "name", json!("Summer")),
        ("segments", json!({"name": "New"}), "name", json!("Old")),
        ("line_items", line_item, "priority", json!(7)),
        ("ad_groups", json!({"line_item_id": 1, "name": "Korea"}), "bid", json!(9)),
        ("missions", mission, "typical_minutes", json!(5)),
        ("partners", partner, "enabled", json!(false)),
    ]
}

#[tokio::test]
async fn rows_of_every_kind_live_and_die() {
    let server = Server::start().await;
    for (kind, row, field, value) in new_rows() {
        let all = format!("/v1/admin/{kind}");
        let created = server.post(&all, ADMIN, row.clone()).await.expect(201);
        let id = created.body["id"].as_u64().unwrap();
        let one = format!("{all}/{id}");
        assert_eq!(created.headers["location"], one.as_str());
        assert_eq!(server.get(&one, ADMIN).await.expect(200).body, created.body);
        let listed = server.get(&all, ADMIN).await.expect(200);
        assert_eq!(listed.body["items"].as_array().unwrap().last(), Some(&created.body), "{kind}");

        let twin = json!({"id": id});
        let twin = format::catalog::patch_json(row, twin);
        let refused = server.post(&all, ADMIN, twin).await.expect(409);
        assert_eq!(refused.code(), "already_exists");

        let changed = server.patch(&one, json!({ field: value })).await.expect(200);
        assert_eq!(changed.body[field], value, "{kind}");
        assert_eq!(server.get(&one, ADMIN).await.expect(200).body, changed.body);
        let moved = server.patch(&one, json!({"id": id + 1})).await.expect(422);
        assert_eq!(moved.fields(), ["id"]);

        server.delete(&one).await.expect(204);
        for answer in [
            server.get(&one, ADMIN).await,
            server.patch(&one, json!({})).await,
            server.delete(&one).await,
        ] {
            assert_eq!(answer.expect(404).code(), "not_found");
        }
    }
}

#[tokio::test]
async fn lists_are_paged() {
    let server = Server::start().await;
    let first = server.get("/v1/admin/apps?limit=1", ADMIN).await.expect(200);
    assert_eq!(first.body["items"][0]["id"], 1);
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let path = format!("/v1/admin/apps?limit=1&cursor={cursor}");
    let second = server.get(&path, ADMIN).await.expect(200);
    assert_eq!(second.body["items"][0]["id"], 2);
    assert_eq!(second.body["next_cursor"], Value::Null);
    let path = format!("/v1/admin/units?cursor={cursor}");
    assert_eq!(server.get(&path, ADMIN).await.expect(400).fields(), ["cursor"]);
}

#[tokio::test]
async fn a_null_gives_the_default() {
    let server = Server::start().await;
    let patched =
        server.patch("/v1/admin/line_items/1", json!({"priority": null})).await.expect(200);
    assert_eq!(patched.body["priority"], 0);
    let refused = server.patch("/v1/admin/line_items/1", json!({"name": null})).await.expect(422);
    assert!(refused.text.contains("missing field `name`"), "{}", refused.text);
    assert_eq!(refused.fields(), ["name"]);
}

#[tokio::test]
async fn secrets_are_never_shown_and_survive_what_was_shown() {
    let server = Server::start().await;
    let app = "/v1/admin/apps/1";
    let endpoint = json!({"url": "https://p.example/", "secrets": ["whsec_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=", "env:GUERDON_SECRET_OLD"]});
    let shown = server.patch(app, json!({"postback": endpoint})).await.expect(200);
    assert_eq!(shown.body["postback"]["secrets"], json!(["(secret)", "env:GUERDON_SECRET_OLD"]));
    let sealed = |server: &Server| {
        let snapshot = server.engine.snapshot();
        let app = &snapshot.catalog().apps[&domain::ids::AppId(1)];
        let secrets = app.postback.clone().unwrap().secrets;
        secrets.iter().map(|one| one.expose().to_owned()).collect::<Vec<_>>()
    };
    let before = sealed(&server);
    assert!(before[0].starts_with("sealed:"));

    let back = server.patch(app, shown.body.clone()).await.expect(200);
    assert_eq!(back.body, shown.body);
    assert_eq!(sealed(&server), before);

    for list in [
        json!(["(secret)"]),
        json!(["new", "(secret)"]),
        json!(["env:GUERDON_SECRET_OLD", "(secret)"]),
    ] {
        let refused = server.patch(app, json!({"postback": {"secrets": list}})).await.expect(422);
        assert!(refused.fields()[0].starts_with("postback.secrets["), "{:?}", refused.fields());
    }
    assert_eq!(sealed(&server), before);
    let mut copy = shown.body;
    copy["id"] = json!(9);
    server.post("/v1/admin/apps", ADMIN, copy).await.expect(422);
}

#[tokio::test]
async fn references_and_rules_are_checked() {
    let server = Server::start().await;
    let cases = [
        (server.post("/v1/admin/units", ADMIN, json!({"app_id": 99, "name": "X"})).await, "app_id"),
        (server.patch("/v1/admin/apps/1", json!({"user_share": "101%"})).await, "user_share"),
        (server.patch("/v1/admin/missions/1", json!({"steps": []})).await, "steps"),
        (server.delete("/v1/admin/publishers/1").await, "apps/1.publisher_id"),
    ];
    for (answer, field) in cases {
        let answer = answer.expect(422);
        assert_eq!(answer.code(), "invalid_catalog");
        assert!(answer.fields().contains(&field), "{field} in {:?}", answer.fields());
    }
    for user in ["ann", "bob"] {
        server.reward(1, domain::ids::Mode::Live, user).await;
    }
    let budget = json!({"budget": 7_199_999});
    let lowered = server.patch("/v1/admin/line_items/1", budget).await.expect(409);
    assert_eq!(lowered.code(), "below_committed");
}

/// What was decided on an old catalogue is not saved on a newer one.
#[tokio::test]
async fn an_edit_that_comes_second_is_refused() {
    let server = Server::start().await;
    let engine = &server.engine;
    let base = engine.snapshot();
    server.patch("/v1/admin/segments/1", json!({"name": "First"})).await.expect(200);
    let mut row = base.catalog().segments[&domain::ids::SegmentId(1)].clone();
    "Second".clone_into(&mut row.name);
    let difference = engine.difference(&base, &[Entity::Segment(row)], false);
    let refused = engine.apply_difference(&server.ctx(), &base, difference, "late").await;
    assert!(matches!(refused, Err(ApplyError::Conflict(2))), "{refused:?}");
    let kept = server.get("/v1/admin/segments/1", ADMIN).await.expect(200);
    assert_eq!(kept.body["name"], "First");
}

/// Whoever came under the number of a deleted row would inherit its users and their money.
#[tokio::test]
async fn a_deleted_rows_number_is_not_given_again() {
    let server = Server::start().await;
    for (kind, row, ..) in new_rows() {
        let all = format!("/v1/admin/{kind}");
        let first = server.post(&all, ADMIN, row.clone()).await.expect(201).body;
        let id = first["id"].as_u64().unwrap();
        server.delete(&format!("{all}/{id}")).await.expect(204);
        let next = server.post(&all, ADMIN, row).await.expect(201).body;
        assert_eq!(next["id"], id + 1, "{kind}");
        server.delete(&format!("{all}/{}", id + 1)).await.expect(204);
        let back = server.post(&all, ADMIN, first).await.expect(201).body;
        assert_eq!(back["id"], id, "the same {kind} put back");
    }
}

#[tokio::test]
async fn what_gives_booked_money_its_meaning_is_not_edited() {
    let server = Server::start().await;
    let cases = [
        ("/v1/admin/line_items/1", json!({"currency": "KRW"}), "currency"),
        ("/v1/admin/line_items/1", json!({"utc_offset": "+09:00"}), "utc_offset"),
        ("/v1/admin/line_items/1", json!({"status": "draft"}), "status"),
        ("/v1/admin/apps/1", json!({"publisher_id": 2}), "publisher_id"),
        ("/v1/admin/units/1", json!({"app_id": 2}), "app_id"),
    ];
    for (path, patch, field) in cases {
        let refused = server.patch(path, patch).await.expect(422);
        assert_eq!(refused.code(), "invalid_catalog");
        assert_eq!(refused.fields(), [field]);
    }
    assert_eq!(server.engine.snapshot().revision(), 1);

    let unit = server.get("/v1/admin/units/2", ADMIN).await.expect(200).body;
    let app = server.get("/v1/admin/apps/2", ADMIN).await.expect(200).body;
    server.delete("/v1/admin/units/2").await.expect(204);
    server.delete("/v1/admin/apps/2").await.expect(204);
    let taken_over = format::catalog::patch_json(app.clone(), json!({"publisher_id": 1}));
    let refused = server.post("/v1/admin/apps", ADMIN, taken_over).await.expect(422);
    assert_eq!(refused.fields(), ["publisher_id"]);
    server.post("/v1/admin/apps", ADMIN, app).await.expect(201);
    server.post("/v1/admin/units", ADMIN, unit).await.expect(201);
}

#[tokio::test]
async fn bad_bodies_are_refused() {
    let server = Server::start().await;
    let json = "application/json";
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let huge = format!("{{\"name\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let cases: [(&str, &str, u16, &str); 16] = [
        (json, "", 400, "empty_body"),
        (json, "{", 400, "bad_json"),
        (json, "{\"name\": \"A\"} {}", 400, "bad_json"),
        (json, "{\"name\": \"\u{0}\"}", 400, "bad_json"),
        (json, &deep, 400, "bad_json"),
        (json, &huge, 413, "body_too_large"),
        ("text/plain", "{\"name\": \"A\"}", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "name=A", 415, "unsupported_media_type"),
        (json, "{\"name\": \"A\", \"name\": \"B\"}", 422, "invalid_field"),
        (json, "[]", 422, "invalid_field"),
        (json, "{\"name\": 1}", 422, "invalid_field"),
        (json, "{\"name\": \"A\", \"nick\": \"B\"}", 422, "invalid_field"),
        (json, "{\"name\": \"A\", \"id\": -1}", 422, "invalid_field"),
        (json, "{\"name\": \"A\", \"id\": 4294967296}", 422, "invalid_field"),
        (json, "{\"name\": \"A\", \"id\": null}", 422, "invalid_field"),
        (json, "{\"name\": \"\"}", 422, "invalid_catalog"),
    ];
    for (media_type, body, status, code) in cases {
        let body = Some((media_type, body.to_owned()));
        let answer = server.send("POST", "/v1/admin/publishers", ADMIN, body).await;
        assert_eq!(answer.expect(status).code(), code);
    }
}

#[tokio::test]
async fn bad_numbers_and_parameters_are_refused() {
    let server = Server::start().await;
    let cases = [
        ("/v1/admin/apps/0", 404),
        ("/v1/admin/apps/4294967295", 404),
        ("/v1/admin/apps/4294967296", 400),
        ("/v1/admin/apps/-1", 400),
        ("/v1/admin/apps/x", 400),
        ("/v1/admin/apps/%00", 400),
        ("/v1/admin/apps/%FF", 400),
        ("/v1/admin/apps/1%2e0", 400),
        ("/v1/admin/apps/1?limit=1", 400),
        ("/v1/admin/campaigns", 404),
        ("/v1/admin/apps?limit=0", 400),
        ("/v1/admin/apps?limit=201", 400),
        ("/v1/admin/apps?limit=1&limit=2", 400),
        ("/v1/admin/apps?limit=", 400),
        ("/v1/admin/apps?offset=1", 400),
        ("/v1/admin/apps?cursor=%00", 400),
    ];
    for (path, status) in cases {
        let answer: Answer = server.get(path, ADMIN).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
    }
    let answer = server.send("PUT", "/v1/admin/apps/1", ADMIN, None).await.expect(405);
    assert!(answer.headers.contains_key("allow"));
}
