//! `/livez`, `/readyz` and `/metrics`.

use api::Dependency;
use serde_json::json;

use crate::server::Server;

fn dependency(is_required: bool, problem: Option<&str>) -> Dependency {
    let problem = problem.map(str::to_owned);
    Dependency { name: "store".to_owned(), is_required, problem }
}

#[tokio::test]
async fn a_server_says_that_it_lives() {
    let server = Server::start().await;
    let alive = server.get("/livez", "").await.expect(200);
    assert_eq!(alive.body, json!({"status": "alive"}));
    let metrics = server.get("/metrics", "").await.expect(200);
    assert_eq!(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(metrics.text, "guerdon_up 1\n");
}

#[tokio::test]
async fn readiness_is_that_of_what_is_needed() {
    let store = |ok: bool, problem: Option<&str>| json!([{"name": "store", "required": ok, "ok": problem.is_none(), "problem": problem}]);
    for (dependencies, status, body) in [
        (vec![], 200, json!({"status": "ready", "dependencies": []})),
        (
            vec![dependency(false, Some("late"))],
            200,
            json!({"status": "degraded", "dependencies": store(false, Some("late"))}),
        ),
        (
            vec![dependency(true, Some("gone"))],
            503,
            json!({"status": "down", "dependencies": store(true, Some("gone"))}),
        ),
    ] {
        let server = Server::with(dependencies).await;
        assert_eq!(server.get("/readyz", "").await.expect(status).body, body);
    }
}
