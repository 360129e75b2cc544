//! Who may call what: every described operation with every kind of caller.

use api::Role;
use serde_json::{Value, json};

use crate::server::{ADMIN, APP, APP_TEST, OTHER_APP, ROLES, Server};

/// A path whose parameters are filled in with something that is well formed.
fn filled(template: &str) -> String {
    let path = template
        .replace("{delivery_id}", "00000000000000000000000000")
        .replace("{step_id}", "4")
        .replace("{user_id}", "nobody")
        .replace("{partner_token}", "nobody");
    match template.contains("/trail/") || template.starts_with("/v1/deliveries") {
        true => path.replace("{id}", "00000000000000000000000000"),
        false => path.replace("{id}", "1"),
    }
}

fn accepts(operation: &Value, caller: &str) -> bool {
    let callers = operation["security"].as_array().map(Vec::as_slice).unwrap_or_default();
    callers.iter().any(|one| one.get(caller).is_some())
}

async fn ask(server: &Server, method: &str, template: &str, key: &str) -> u16 {
    let body = (method != "GET").then(|| ("application/json", "{}".to_owned()));
    server.send(method, &filled(template), key, body).await.status.as_u16()
}

#[tokio::test]
async fn nobody_and_strangers_are_refused_everywhere() {
    let server = Server::start().await;
    let mut checked = 0;
    for (method, template, operation) in server.operations() {
        if operation.get("security").is_none() {
            continue;
        }
        for key in ["", "stranger", "admin-key ", "sample-live-keY"] {
            let is_known = key.trim() == ADMIN && accepts(operation, "admin_key");
            let status = ask(&server, &method, &template, key).await;
            assert_eq!(status == 401, !is_known, "{method} {template} {key:?}: {status}");
            checked += 1;
        }
    }
    assert!(checked > 200, "{checked}");
}

#[tokio::test]
async fn only_open_routes_have_no_callers() {
    let server = Server::start().await;
    let open = ["/livez", "/readyz", "/metrics", "/openapi.json", "/v1/postbacks/{partner_token}"];
    for (method, template, operation) in server.operations() {
        let is_open = operation.get("security").is_none();
        assert_eq!(is_open, open.contains(&template.as_str()), "{method} {template}");
        let callers = ["admin_key", "app_key", "session"];
        assert!(is_open || callers.iter().any(|caller| accepts(operation, caller)), "{template}");
    }
}

#[tokio::test]
async fn publishers_are_no_operators_and_operators_no_publishers() {
    let server = Server::start().await;
    for (method, template, operation) in server.operations() {
        for (caller, key) in [("admin_key", APP), ("admin_key", APP_TEST), ("app_key", ADMIN)] {
            if accepts(operation, caller) {
                let status = ask(&server, &method, &template, key).await;
                assert_eq!(status, 401, "{method} {template} {key}");
            }
        }
    }
}

/// Who may do what is not reading: everybody reads.
fn may(role: Role, method: &str, template: &str) -> bool {
    let is_help = template.contains("/members") || template.contains("/replay");
    let is_edit = method != "GET" && !template.ends_with("/verify") && !is_help;
    // The export holds sealed secrets, so it is for those who may apply it.
    let is_edit = is_edit || template == "/v1/admin/catalog";
    match role {
        Role::Admin | Role::AdOps => true,
        Role::Support => !is_edit,
        Role::Finance | Role::ReadOnly => !is_edit && !is_help,
    }
}

#[tokio::test]
async fn roles_do_what_they_may() {
    let mut checked = 0;
    for (role, key) in ROLES {
        let server = Server::start().await;
        for (method, template, operation) in server.operations() {
            if !accepts(operation, "admin_key") {
                continue;
            }
            let status = ask(&server, &method, &template, key).await;
            let is_refused = status == 403;
            assert_eq!(!is_refused, may(role, &method, &template), "{role:?} {method} {template}");
            assert_ne!(status, 401, "{role:?} {method} {template}");
            checked += 1;
        }
    }
    assert!(checked > 250, "{checked}");
}

/// X1: no id of one publisher ever reads or changes another's.
#[tokio::test]
async fn an_app_reaches_nothing_of_another() {
    let server = Server::start().await;
    server.reward(1, domain::ids::Mode::Live, "ann").await;
    let own = server.get("/v1/deliveries", APP).await.expect(200);
    let id = own.body["deliveries"][0]["id"].as_str().unwrap();
    for key in [OTHER_APP, APP_TEST] {
        let list = server.get("/v1/deliveries", key).await.expect(200);
        assert_eq!(list.body["deliveries"], json!([]));
        let list = server.get("/v1/rewards", key).await.expect(200);
        assert_eq!(list.body["rewards"], json!([]));
        server.get(&format!("/v1/deliveries/{id}"), key).await.expect(404);
        server.post(&format!("/v1/deliveries/{id}/replay"), key, json!({})).await.expect(404);
        let span = json!({"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z", "state": "queued"});
        let replayed = server.post("/v1/deliveries/replay", key, span).await.expect(200);
        assert_eq!(replayed.body["replayed"], 0);
    }
    let path = format!("/v1/admin/apps/2/deliveries/{id}/replay");
    server.post(&path, ADMIN, json!({})).await.expect(404);
    let cursor = server.get("/v1/rewards", APP).await.body["next"].as_str().unwrap().to_owned();
    let refused = server.get(&format!("/v1/rewards?after={cursor}"), OTHER_APP).await.expect(409);
    assert_eq!(refused.body["code"], "unknown_place");
}
