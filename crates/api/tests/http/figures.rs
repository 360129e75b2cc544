//! Budgets, reports, audiences, explanations, trails, and the proof of the books.

use domain::ids::Mode;
use serde_json::json;

use crate::server::{ADMIN, APP, Server};

#[tokio::test]
async fn a_budget_is_what_is_booked_held_and_left() {
    let server = Server::start().await;
    server.reward(1, Mode::Live, "ann").await;
    let path = "/v1/admin/line_items/1/budget";
    let budget = server.get(path, "finance-key").await.expect(200).body;
    let money = |amount: i64| json!({"amount": amount, "currency": "USD"});
    let expected = json!({
        "line_item_id": 1, "as_of": "2026-01-10T12:00:00Z", "budget": money(1_000_000_000),
        "booked": money(100_000), "held": money(3_500_000), "left": money(996_400_000),
        "grace": money(0), "starts": 1, "starts_limit": null,
        "today": {
            "day": "2026-01-10", "budget": null, "booked": money(100_000),
            "held": money(3_500_000), "left": null, "starts": 1, "starts_limit": null,
        },
    });
    assert_eq!(budget, expected);
    let daily = json!({"daily_budget": 5_000_000, "caps": {"daily": 9}});
    server.patch("/v1/admin/line_items/1", daily).await.expect(200);
    server.pass_seconds(86_400);
    let today = server.get(path, ADMIN).await.expect(200).body["today"].clone();
    assert_eq!(today["day"], "2026-01-11");
    assert_eq!((&today["booked"], &today["left"]), (&money(0), &money(5_000_000)));
    assert_eq!((&today["starts"], &today["starts_limit"]), (&json!(0), &json!(9)));
    server.get("/v1/admin/line_items/9/budget", ADMIN).await.expect(404);
}

#[tokio::test]
async fn a_line_item_says_why_it_is_not_serving() {
    let server = Server::start().await;
    let path = "/v1/admin/line_items/1/serving";
    let serving = server.get(path, ADMIN).await.expect(200).body;
    assert_eq!(serving["serving"], true, "{serving}");
    server.patch("/v1/admin/line_items/1", json!({"status": "paused"})).await.expect(200);
    let serving = server.get(path, ADMIN).await.expect(200).body;
    assert_eq!(serving["serving"], false);
    let checks = serving["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["passed"] == false).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["code"], "status");
    server.get("/v1/admin/line_items/9/serving", ADMIN).await.expect(404);
}

#[tokio::test]
async fn a_mission_is_explained() {
    let server = Server::start().await;
    let path = "/v1/missions/1/explain?app_id=1&unit_id=1&user_id=ann";
    assert_eq!(server.get(path, ADMIN).await.expect(404).code(), "unknown_user");
    for mode in [Mode::Live, Mode::Test] {
        server.visit(1, mode, "ann").await;
    }
    let before = server.get(path, "support-key").await.expect(200).body;
    assert_eq!(before["eligible"], true, "{before}");
    server.reward(1, Mode::Live, "ann").await;
    let after = server.get(path, ADMIN).await.expect(200).body;
    assert_eq!(after["eligible"], false);
    let rules = after["rules"].as_array().unwrap();
    let failed: Vec<_> = rules.iter().filter(|rule| rule["passed"] == false).collect();
    assert_eq!(failed[0]["code"], "already_started", "{after}");
    let test = server.get(&format!("{path}&mode=test"), ADMIN).await.expect(200).body;
    assert_eq!(test["eligible"], true);
    for (path, status) in [
        ("/v1/missions/9/explain?app_id=1&unit_id=1&user_id=ann", 404),
        ("/v1/missions/1/explain?app_id=1&unit_id=2&user_id=ann", 422),
        ("/v1/missions/1/explain?app_id=1&unit_id=1&user_id=", 422),
        ("/v1/missions/1/explain?app_id=1&unit_id=1", 400),
        ("/v1/missions/1/explain?app_id=1&unit_id=1&user_id=ann&mode=real", 400),
        ("/v1/missions/x/explain?app_id=1&unit_id=1&user_id=ann", 400),
    ] {
        server.get(path, ADMIN).await.expect(status);
    }
}

#[tokio::test]
async fn every_id_has_a_trail() {
    let server = Server::start().await;
    server.reward(1, Mode::Live, "ann").await;
    let reward = server.get("/v1/rewards", APP).await.expect(200).body["rewards"][0].clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let run = text(&reward["enrollment_id"]);
    let mut user = String::new();
    for (kind, id) in [
        ("enrollment", run.clone()),
        ("transaction", text(&reward["transaction_id"])),
        ("delivery", text(&reward["delivery"]["id"])),
    ] {
        let trail = server.get(&format!("/v1/admin/trail/{id}"), ADMIN).await.expect(200).body;
        assert_eq!(trail["kind"], kind);
        let lines = trail["lines"].as_array().unwrap();
        assert!(lines.iter().all(|line| line["enrollment_id"] == run.as_str()), "{trail}");
        for what in ["participation", "completion", "grant", "delivery"] {
            assert!(lines.iter().any(|line| line["what"] == what), "{what} in {trail}");
        }
        user = text(&trail["user_key"]);
    }
    let trail = server.get(&format!("/v1/admin/trail/{user}"), ADMIN).await.expect(200).body;
    assert_eq!(trail["kind"], "user");
    let whose = "/v1/admin/trail/ann?app_id=1";
    assert_eq!(server.get(whose, ADMIN).await.expect(200).body, trail);
    let unknown = server.get(&format!("{whose}&mode=test"), ADMIN).await.expect(404);
    assert!(unknown.text.contains("among the test users"), "{}", unknown.text);
    let ours = server.get("/v1/admin/trail/ann", ADMIN).await.expect(404);
    assert!(ours.text.contains("with app_id") && !ours.text.contains("yours"), "{}", ours.text);
    server.get("/v1/admin/trail/ann?mode=live", ADMIN).await.expect(400);
    for id in ["x", "00000000000000000000000000", "%00", "%F0%9F%91%BB", &"x".repeat(4_000)] {
        server.get(&format!("/v1/admin/trail/{id}"), ADMIN).await.expect(404);
    }
}

#[tokio::test]
async fn the_books_are_verified() {
    let server = Server::start().await;
    server.reward(1, Mode::Live, "ann").await;
    let path = "/v1/admin/verify";
    let first = server.get(path, "finance-key").await.expect(200).body;
    assert_eq!((&first["sound"], &first["findings"]), (&json!(true), &json!([])), "{first}");
    assert_eq!((&first["users"], &first["deliveries"]), (&json!(1), &json!(1)));
    assert!(first["entries"].as_u64().unwrap() >= 4, "{first}");
    server.pass_seconds(60);
    server.reward(1, Mode::Live, "bob").await;
    let kept = server.get(path, ADMIN).await.expect(200).body;
    assert_eq!((&kept["checked_at"], &kept["users"]), (&json!("2026-01-10T12:00:00Z"), &json!(1)));
    let anew = server.send("POST", path, ADMIN, None).await.expect(200).body;
    assert_eq!((&anew["checked_at"], &anew["users"]), (&json!("2026-01-10T12:01:00Z"), &json!(2)));
    assert_eq!(server.get(path, ADMIN).await.expect(200).body, anew);
}

#[tokio::test]
async fn days_are_reported() {
    let server = Server::start().await;
    server.reward(1, Mode::Live, "ann").await;
    server.reward(1, Mode::Test, "tester").await;
    server.reward(2, Mode::Live, "bob").await;
    server.pass_seconds(86_400);
    server.reward(1, Mode::Live, "cem").await;
    let money = |amount: i64| json!({"amount": amount, "currency": "USD"});
    let span = "from=2026-01-10&to=2026-01-10&by=day";
    let items = server.get(&format!("/v1/admin/reports/line_items?{span}"), ADMIN).await;
    let expected = json!([{
        "line_item_id": 1, "day": "2026-01-10", "participations": 2, "rewards": 2, "reversals": 0,
        "payout": money(200_000), "reward_value": money(120_000),
        "publisher_share": money(40_000), "margin": money(40_000), "points": 120,
    }]);
    assert_eq!(items.expect(200).body["rows"], expected);
    let path = "/v1/admin/reports/apps?from=2026-01-10&to=2026-01-11";
    let apps = server.get(path, ADMIN).await.expect(200).body;
    let row = |at: usize| {
        let row = &apps["rows"][at];
        (
            row["day"].as_str().unwrap(),
            row["app_id"].as_u64().unwrap(),
            row["points"].as_i64().unwrap(),
        )
    };
    let rows: Vec<_> = (0..apps["rows"].as_array().unwrap().len()).map(row).collect();
    assert_eq!(rows, [("2026-01-10", 1, 60), ("2026-01-10", 2, 60), ("2026-01-11", 1, 60)]);
    for query in [
        "",
        "from=2026-01-10",
        "from=2026-01-10&to=2026-01-09",
        "from=2026-01-01&to=2026-04-03",
        "from=10.01.2026&to=2026-01-10",
        "from=2026-02-30&to=2026-03-01",
        "from=-9999-01-01&to=9999-12-31",
        "from=2026-01-10&to=2026-01-10&by=hour",
    ] {
        server.get(&format!("/v1/admin/reports/apps?{query}"), ADMIN).await.expect(400);
    }
    server.get("/v1/admin/reports/apps?from=2026-01-01&to=2026-04-02", ADMIN).await.expect(200);
}

#[tokio::test]
async fn users_go_into_an_audience_and_out() {
    let server = Server::start().await;
    let path = "/v1/admin/segments/1/members";
    let wish =
        |users: &[&str], member: bool| json!({"app_id": 1, "user_ids": users, "member": member});
    for (body, changed) in [
        (wish(&["ann", "bob"], true), 2),
        (wish(&["ann", "cem"], true), 1),
        (wish(&["bob"], false), 1),
        (wish(&["bob"], false), 0),
        (wish(&[], true), 0),
    ] {
        let answer = server.post(path, "support-key", body).await.expect(200);
        assert_eq!(answer.body["changed"], changed);
    }
    let many: Vec<String> = (0..1_001).map(|user| user.to_string()).collect();
    let longest = vec!["x".repeat(256)];
    for (body, status) in [
        (json!({"app_id": 1, "user_ids": many, "member": true}), 422),
        (json!({"app_id": 1, "user_ids": longest, "member": true}), 422),
        (wish(&["ann", ""], true), 422),
        (wish(&["a\nb"], true), 422),
        (json!({"app_id": 9, "user_ids": ["ann"], "member": true}), 404),
        (json!({"app_id": 1, "user_ids": "ann", "member": true}), 422),
        (json!({"app_id": 1, "user_ids": ["ann"]}), 422),
    ] {
        server.post(path, ADMIN, body).await.expect(status);
    }
    let path = "/v1/admin/segments/9/members";
    server.post(path, ADMIN, wish(&["ann"], true)).await.expect(404);
}
