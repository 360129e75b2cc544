//! `/v1/admin/catalog`.

use serde_json::{Value, json};

use crate::server::{ADMIN, Answer, Server};

const APPLY: &str = "/v1/admin/catalog/apply";

async fn apply(server: &Server, query: &str, text: &str) -> Answer {
    let body = Some(("application/toml", text.to_owned()));
    server.send("POST", &format!("{APPLY}{query}"), ADMIN, body).await
}

#[tokio::test]
async fn an_export_changes_nothing_when_it_is_applied() {
    let server = Server::start().await;
    let secret = json!({"test_postback": {"url": "https://t.example/", "secrets": ["whsec_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ="]}});
    server.patch("/v1/admin/apps/1", secret).await.expect(200);
    for (format, media_type) in [("toml", "application/toml"), ("json", "application/json")] {
        let path = format!("/v1/admin/catalog?format={format}");
        let exported = server.get(&path, ADMIN).await.expect(200);
        assert_eq!(exported.headers["content-type"], media_type);
        assert!(exported.text.contains("sealed:") && !exported.text.contains("whsec_"));
        let body = Some((media_type, exported.text));
        let applied = server.send("POST", &format!("{APPLY}?prune=true"), ADMIN, body).await;
        let nothing =
            json!({"revision": 2, "dry_run": false, "created": [], "changed": [], "deleted": []});
        assert_eq!(applied.expect(200).body, nothing);
    }
}

#[tokio::test]
async fn a_sealed_secret_of_another_row_is_refused() {
    let server = Server::start().await;
    let endpoint = |secret: &str| json!({"url": "https://t.example/", "secrets": [secret]});
    let own = endpoint("whsec_aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=");
    server.patch("/v1/admin/apps/1", json!({"postback": own})).await.expect(200);
    let exported = server.get("/v1/admin/catalog?format=json", ADMIN).await.expect(200);
    let app = &exported.body["apps"][0];
    let sealed = app["postback"]["secrets"][0].as_str().unwrap();

    let body = json!({"test_postback": endpoint(sealed)});
    let refused = server.patch("/v1/admin/apps/1", body).await.expect(422);
    assert_eq!(refused.fields(), ["test_postback.secrets[0]"]);
    assert!(refused.text.contains("give the plain secret"), "{}", refused.text);

    let mut copy = app.clone();
    copy["test_postback"] = endpoint(sealed);
    let file = json!({"apps": [copy]}).to_string();
    for query in ["", "?dry_run=true"] {
        let body = Some(("application/json", file.clone()));
        let refused = server.send("POST", &format!("{APPLY}{query}"), ADMIN, body).await;
        assert_eq!(refused.expect(422).fields(), ["apps[0].test_postback.secrets[0]"]);
    }
    let body = json!({"postback": endpoint("env:PROD_DB_PASSWORD")});
    let refused = server.patch("/v1/admin/apps/1", body).await.expect(422);
    assert_eq!(refused.fields(), ["postback.secrets[0]"]);
}

#[tokio::test]
async fn a_file_tells_its_difference_and_then_makes_it() {
    let server = Server::start().await;
    let file =
        "[[segments]]\nid = 1\nname = \"Big spenders\"\n[[publishers]]\nid = 3\nname = \"Third\"\n";
    let expected = |revision: u64, dry_run: bool| {
        json!({
            "revision": revision, "dry_run": dry_run,
            "created": [{"kind": "publishers", "id": 3}],
            "changed": [{"kind": "segments", "id": 1, "fields": [
                {"path": "name", "old": "\"Whales\"", "new": "\"Big spenders\""},
            ]}],
            "deleted": [],
        })
    };
    let dry = apply(&server, "?dry_run=true", file).await.expect(200);
    assert_eq!(dry.body, expected(1, true));
    assert_eq!(server.engine.snapshot().revision(), 1);
    assert_eq!(apply(&server, "", file).await.expect(200).body, expected(2, false));
    let again = apply(&server, "?dry_run=false&prune=false", file).await.expect(200);
    assert_eq!((&again.body["revision"], &again.body["changed"]), (&json!(2), &json!([])));
}

#[tokio::test]
async fn a_dry_run_refuses_what_applying_refuses() {
    let server = Server::start().await;
    for user in ["ann", "bob"] {
        server.reward(1, domain::ids::Mode::Live, user).await;
    }
    let exported = server.get("/v1/admin/catalog", ADMIN).await.expect(200).text;
    let bold = exported.replace("budget = 1000000000", "budget = 7199999");
    assert_ne!(bold, exported);
    for query in ["?dry_run=true", "?dry_run=false"] {
        let refused = apply(&server, query, &bold).await.expect(409);
        assert_eq!(refused.code(), "below_committed");
        assert!(refused.text.contains("7200000 micro-units"), "{}", refused.text);
    }
}

#[tokio::test]
async fn what_a_file_does_not_name_goes_if_it_says_so() {
    let server = Server::start().await;
    let file = "prune = true\n";
    let dry = apply(&server, "?dry_run=true", file).await.expect(200);
    assert_eq!(dry.body["deleted"].as_array().map(Vec::len), Some(13));
    apply(&server, "", file).await.expect(200);
    assert_eq!(server.get("/v1/admin/apps", ADMIN).await.expect(200).body["items"], json!([]));
}

#[tokio::test]
async fn errors_name_field_and_line() {
    let server = Server::start().await;
    let cases = [
        ("a = [", "", 1),
        ("[[publishers]]\nid = 3\nname = 2\n", "publishers[0].name", 3),
        ("[[units]]\nid = 9\nname = \"U\"\napp_id = 77\n", "units[0].app_id", 4),
        ("campaigns = []", "campaigns", 1),
        (
            "[[partners]]\nid = 1\nadvertiser_id = 1\nname = \"M\"\nsecrets = [\"(secret)\"]\n\
             token_digest = \"00000000000000000000000000000000000000000000000000000000000000ff\"",
            "partners[0].secrets[0]",
            0,
        ),
    ];
    for (text, field, line) in cases {
        for query in ["", "?dry_run=true"] {
            let answer = apply(&server, query, text).await.expect(422);
            assert_eq!(answer.code(), "invalid_catalog");
            assert_eq!(answer.fields(), [field], "{text}");
            let told = answer.body["errors"][0]["line"].as_u64().unwrap_or(0);
            assert_eq!(told, line, "{text}");
        }
    }
    assert_eq!(server.engine.snapshot().revision(), 1);
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let server = Server::start().await;
    let cases = [
        ("?dry_run=maybe", "application/toml", "", 400),
        ("?dryrun=true", "application/toml", "", 400),
        ("?prune=true&prune=false", "application/toml", "", 400),
        ("", "text/plain", "", 415),
        ("", "application/json", "", 422),
        ("", "application/json", "[]", 422),
        ("", "application/json", "{\"units\": [], \"units\": []}", 422),
        ("", "application/json", "{}", 200),
        ("", "application/toml; charset=utf-8", "", 200),
    ];
    for (query, media_type, body, status) in cases {
        let body = Some((media_type, body.to_owned()));
        server.send("POST", &format!("{APPLY}{query}"), ADMIN, body).await.expect(status);
    }
    let huge = "#".repeat(16 * 1024 * 1024 + 1);
    assert_eq!(apply(&server, "", &huge).await.expect(413).code(), "body_too_large");
    server.get("/v1/admin/catalog?format=xml", ADMIN).await.expect(400);
}

#[tokio::test]
async fn edits_have_a_history() {
    let server = Server::start().await;
    server.patch("/v1/admin/segments/1", json!({"name": "One"})).await.expect(200);
    server.post("/v1/admin/segments", "ad-ops-key", json!({"name": "Two"})).await.expect(201);
    let path = "/v1/admin/catalog/history?limit=2";
    let first = server.get(path, ADMIN).await.expect(200);
    let told = |at: usize| (&first.body["items"][at]["by"], &first.body["items"][at]["summary"]);
    assert_eq!(told(0), (&json!("AdOps"), &json!("put segments 2")));
    assert_eq!(told(1), (&json!("Admin"), &json!("put segments 1")));
    assert_eq!(first.body["items"][0]["at"], "2026-01-10T12:00:00Z");
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("{path}&cursor={cursor}"), ADMIN).await.expect(200);
    assert_eq!(rest.body["items"][0]["by"], "fixture");
    assert_eq!(rest.body["next_cursor"], Value::Null);
}
