//! For every route a request that does what the route is for.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use domain::catalog::sample;
use serde_json::{Value, json};

use crate::world::{ADMIN, ANN, World};

/// A user whom nobody has seen before; each route has one of its own.
fn somebody(route: &str) -> String {
    format!("somebody of {route}").replace([' ', '/', '{', '}'], "-")
}

/// On whose behalf an app key asks.
fn on_behalf(user: &str) -> String {
    format!("user_id={}&unit_id=1", user.replace(' ', "%20"))
}

/// The request of a route, with what has to be there before it.
pub(crate) async fn of(world: &World, route: &str) -> Request<Body> {
    let (method, path) = route.split_once(' ').unwrap();
    if let Some(below) = path.strip_prefix("/m") {
        return page(world, method, below, route).await;
    }
    if path.starts_with("/v1/admin/") {
        return admin(world, method, path).await;
    }
    user(world, method, path, route).await
}

/// What publishers, partners and their users ask.
async fn user(world: &World, method: &str, path: &str, route: &str) -> Request<Body> {
    let (ann, new) = (on_behalf(ANN), somebody(route));
    let (key, none) = (sample::LIVE_KEY, None);
    let get = |address: String| asked(method, &address, key, none.clone());
    let post = |address: String, body| asked(method, &address, key, Some(body));
    match (method, path) {
        (_, "/v1/sessions") => post(path.to_owned(), json!({"unit_id": 1, "user_id": new})),
        (_, "/v1/users/{user_id}/sessions") => get(path.replace("{user_id}", ANN)),
        (_, "/v1/missions/{id}/explain") => {
            let address = format!("/v1/missions/1/explain?app_id=1&{ann}");
            asked(method, &address, ADMIN, None)
        }
        (_, "/v1/missions/{id}/participations") => {
            world.token(&new).await;
            post(format!("/v1/missions/1/participations?{}", on_behalf(&new)), json!({}))
        }
        (_, "/v1/missions/{id}/steps/{step_id}/completions") => {
            start(world, &new).await;
            let address = format!("/v1/missions/1/steps/4/completions?{}", on_behalf(&new));
            post(address, json!({}))
        }
        (_, "/v1/enrollments/{id}") => get(format!("/v1/enrollments/{}?{ann}", run(world).await)),
        (_, "/v1/inquiries") => {
            let body = json!({"enrollment_id": run(world).await, "step_id": 1, "message": "Why?"});
            post(format!("/v1/inquiries?{ann}"), body)
        }
        (_, "/v1/postbacks/{partner_token}") => {
            let click = start(world, &new).await;
            let token = sample::PARTNER_TOKEN;
            let address = format!("/v1/postbacks/{token}?event=install&click_id={click}");
            asked(method, &address, "", None)
        }
        (_, "/v1/deliveries/replay") => post(path.to_owned(), span()),
        (_, "/v1/deliveries/{id}" | "/v1/deliveries/{id}/replay") => {
            get(path.replace("{id}", &delivery(world).await))
        }
        (_, "/v1/missions" | "/v1/enrollments" | "/v1/wallet") => get(format!("{path}?{ann}")),
        (_, "/v1/missions/{id}") => get(format!("/v1/missions/1?{ann}")),
        _ => get(path.to_owned()),
    }
}

/// What operators ask.
async fn admin(world: &World, method: &str, path: &str) -> Request<Body> {
    let get = |address: &str| asked(method, address, ADMIN, None);
    let post = |address: &str, body| asked(method, address, ADMIN, Some(body));
    match path.strip_prefix("/v1/admin").unwrap() {
        "/catalog/apply" => {
            let row = |id: u32| json!({"id": id, "name": format!("Advertiser {id}")});
            let rows: Vec<Value> = (100..100 + world.rows).map(row).collect();
            post(path, json!({"advertisers": rows}))
        }
        "/segments/{id}/members" => {
            let users: Vec<String> = (1..=world.rows).map(|user| format!("user {user}")).collect();
            let body = json!({"app_id": 1, "user_ids": users, "member": true});
            post("/v1/admin/segments/1/members", body)
        }
        "/trail/{id}" => get(&format!("/v1/admin/trail/{}", run(world).await)),
        "/reports/line_items" | "/reports/apps" => {
            get(&format!("{path}?from=2026-01-10&to=2026-01-10&by=day"))
        }
        "/apps/{id}/deliveries/replay" => post("/v1/admin/apps/1/deliveries/replay", span()),
        "/apps/{id}/deliveries/{delivery_id}/replay" => {
            get(&format!("/v1/admin/apps/1/deliveries/{}/replay", delivery(world).await))
        }
        below => match rows_of(below) {
            Some(kind) => row(world, method, kind, path).await,
            None => get(&path.replace("{id}", "1")),
        },
    }
}

/// The kind of rows that an address is about.
fn rows_of(below: &str) -> Option<&str> {
    let kind = below.trim_start_matches('/').trim_end_matches("/{id}");
    new_row(kind).is_some().then_some(kind)
}

/// A row is made, looked at, changed and deleted: a new one each time.
async fn row(world: &World, method: &str, kind: &str, path: &str) -> Request<Body> {
    let (new, change) = new_row(kind).unwrap();
    let all = format!("/v1/admin/{kind}");
    match (method, path.ends_with("{id}")) {
        ("GET", false) => asked(method, &all, ADMIN, None),
        ("POST", false) => asked(method, &all, ADMIN, Some(new)),
        ("GET", true) => asked(method, &format!("{all}/1"), ADMIN, None),
        (_, true) => {
            let made = world.text(asked("POST", &all, ADMIN, Some(other(new)))).await;
            let made: Value = serde_json::from_str(&made).unwrap();
            let one = format!("{all}/{}", made["id"]);
            match method {
                "PATCH" => patch(&one, change),
                _ => asked(method, &one, ADMIN, None),
            }
        }
        _ => panic!("{method} {path} is not known here"),
    }
}

/// The same row with other secrets, since no two may have the same.
fn other(mut row: Value) -> Value {
    let count = DIGESTS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let digest = json!(format!("{count:064x}"));
    if row.get("token_digest").is_some() {
        row["token_digest"] = digest;
    } else if row.get("keys").is_some() {
        row["keys"][0]["digest"] = digest;
    }
    row
}

static DIGESTS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);

/// A row of each kind that goes with the catalogue, and a change of it.
fn new_row(kind: &str) -> Option<(Value, Value)> {
    let digest = |byte: &str| json!(byte.repeat(32));
    let name = json!({"name": "Another"});
    Some(match kind {
        "publishers" | "advertisers" | "segments" => (json!({"name": "New"}), name),
        "apps" => {
            let row = json!({
                "publisher_id": 1, "name": "Third app", "user_share": "50%",
                "currency": {"name": "coins", "rates": {"USD": "100"}},
                "keys": [{"mode": "live", "digest": digest("ab")}],
            });
            (row, name)
        }
        "units" => (json!({"app_id": 1, "name": "Lobby"}), name),
        "orders" => (json!({"advertiser_id": 1, "name": "Spring"}), name),
        "line_items" => {
            let row =
                json!({"advertiser_id": 1, "name": "New", "currency": "USD", "budget": 5_000_000});
            (row, json!({"budget": 6_000_000}))
        }
        "ad_groups" => (json!({"line_item_id": 1, "name": "Korea"}), name),
        "missions" => {
            let step = json!({
                "id": 1, "payout": 1_000_000, "rule": "check_in",
                "texts": [{"language": "en", "title": "Come"}],
            });
            let row = json!({
                "line_item_id": 1, "window_seconds": "7d",
                "landing_url": "https://x.example/?c={click_id}",
                "creatives": [{"language": "en", "title": "Two"}], "steps": [step],
            });
            (row, json!({"typical_minutes": 5}))
        }
        "partners" => {
            let row = json!({"advertiser_id": 1, "name": "MMP", "token_digest": digest("cd")});
            (row, name)
        }
        _ => return None,
    })
}

/// A page, or a form on one.
async fn page(world: &World, method: &str, below: &str, route: &str) -> Request<Body> {
    let user = if method == "POST" { somebody(route) } else { ANN.to_owned() };
    let token = world.token(&user).await;
    if below.ends_with("/steps/{step_id}/visit") || below.ends_with("/complete") {
        start_if_new(world, &user).await;
    }
    let fill = |pattern: &str| {
        let filled = pattern.replace("{token}", &token).replace("{id}", "1");
        let filled = filled.replace("{step_id}", "4").replace("{*rest}", "nowhere/else");
        format!("/m{}", filled.replace("{name}", name_of(pattern)))
    };
    let address = fill(below);
    if method == "GET" {
        return with_cookie(Request::get(address), &token).body(Body::empty()).unwrap();
    }
    let root = if below.starts_with("/u/") { "/u/{token}" } else { "" };
    let mission = fill(&format!("{root}/missions/{{id}}"));
    let shown = with_cookie(Request::get(mission), &token).body(Body::empty()).unwrap();
    let shown = world.text(shown).await;
    let fields = [
        ("csrf", field(&shown, "csrf")),
        ("idempotency_key", field(&shown, "idempotency_key")),
        ("evidence", "check_in".to_owned()),
    ];
    let form = fields.map(|(name, value)| format!("{name}={value}")).join("&");
    let asked = with_cookie(Request::post(address), &token);
    let asked = asked.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    asked.body(Body::from(form)).unwrap()
}

/// The names of stylesheets.
fn name_of(pattern: &str) -> &'static str {
    if pattern.starts_with("/theme") { "336699-8.css" } else { &pages::assets::stylesheet().name }
}

/// The value of a hidden field, which needs no encoding.
fn field(page: &str, name: &str) -> String {
    let begin = format!("name=\"{name}\" value=\"");
    let rest = page.split(&begin).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

fn with_cookie(request: axum::http::request::Builder, token: &str) -> axum::http::request::Builder {
    request.header(COOKIE, format!("guerdon_session={token}"))
}

/// A user starts the first mission; the click id.
async fn start(world: &World, user: &str) -> String {
    world.token(user).await;
    let address = format!("/v1/missions/1/participations?{}", on_behalf(user));
    let started = world.text(asked("POST", &address, sample::LIVE_KEY, Some(json!({})))).await;
    let started: Value = serde_json::from_str(&started).unwrap();
    started["click_id"].as_str().unwrap().to_owned()
}

async fn start_if_new(world: &World, user: &str) {
    if user != ANN {
        start(world, user).await;
    }
}

/// The id of one of the runs.
async fn run(world: &World) -> String {
    first(world, &format!("/v1/enrollments?{}", on_behalf(ANN)), "enrollments").await
}

/// The id of a delivery that has stopped.
async fn delivery(world: &World) -> String {
    world.refuse_all().await;
    first(world, "/v1/deliveries?state=stopped", "deliveries").await
}

async fn first(world: &World, address: &str, list: &str) -> String {
    let text = world.text(asked("GET", address, sample::LIVE_KEY, None)).await;
    let read: Value = serde_json::from_str(&text).unwrap();
    read[list][0]["id"].as_str().unwrap_or_else(|| panic!("{address}: {text}")).to_owned()
}

fn span() -> Value {
    json!({"from": "2026-01-10T00:00:00Z", "to": "2026-01-11T00:00:00Z", "state": "stopped"})
}

fn asked(method: &str, address: &str, key: &str, body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(address);
    if !key.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    match body {
        Some(body) => {
            let request = request.header(CONTENT_TYPE, "application/json");
            request.body(Body::from(body.to_string())).unwrap()
        }
        None => request.body(Body::empty()).unwrap(),
    }
}

fn patch(address: &str, change: Value) -> Request<Body> {
    let request = Request::patch(address).header(AUTHORIZATION, format!("Bearer {ADMIN}"));
    let request = request.header(CONTENT_TYPE, "application/merge-patch+json");
    request.body(Body::from(change.to_string())).unwrap()
}
