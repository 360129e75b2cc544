//! Paths, queries, methods and keys.

use serde_json::json;

use super::Target;
use crate::support::catalog::{GENERIC, LIVE_KEY, OTHER_LIVE_KEY};
use crate::support::http::Request;
use crate::support::problem::{Case, case, refuses};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_cannot_be_read_are_refused() {
    let target = Target::new().await;
    let token = target.user.token.clone();
    let get = |path: &str| Request::get(path).bearer(&token);
    let queries = [
        "limit=0",
        "limit=-1",
        "limit=501",
        "limit=1e2",
        "limit=+5",
        "limit=%EF%BC%91",
        "limit=",
        "limit=1&limit=2",
        "limit=99999999999999999999",
        "LIMIT=1",
        "page=2",
        "cursor=%00",
        "cursor=AAAA",
        "cursor=..%2F..%2Fetc",
        "limit[]=1",
        "limit%5B%5D=1",
        "limit=0x10",
    ];
    let bad_queries = queries
        .map(|query| case(query, get(&format!("/v1/missions?{query}")), 400, "bad_parameter"));
    refuses(&target.client, bad_queries.into()).await;
    let on_behalf = [
        ("", 400),
        ("user_id=victim", 400),
        ("unit_id=1", 400),
        ("user_id=victim&unit_id=x", 400),
        ("user_id=victim&user_id=b&unit_id=1", 400),
        ("user_id=victim&unit_id=1&unit_id=1", 400),
        ("user_id=victim&unit_id=-1", 400),
        ("user_id=&unit_id=1", 422),
        ("user_id=a%00&unit_id=1", 422),
        ("user_id=victim&unit_id=2", 422),
    ];
    for (query, status) in on_behalf {
        let ask = Request::get(format!("/v1/missions?{query}")).bearer(LIVE_KEY);
        assert_eq!(target.client.send(&ask).await.status, status, "{query}");
    }
    let cases = vec![
        case("no number", get("/v1/missions/eleven"), 400, "bad_path"),
        case("a sign", get("/v1/missions/-1"), 400, "bad_path"),
        case("beyond 32 bits", get("/v1/missions/4294967296"), 400, "bad_path"),
        case("a NUL", get("/v1/missions/11%00"), 400, "bad_path"),
        case("bad UTF-8", get("/v1/enrollments/%ff"), 400, "bad_path"),
        case("full-width digits", get("/v1/missions/%EF%BC%91%EF%BC%91"), 400, "bad_path"),
        case("no such mission", get("/v1/missions/999"), 404, "not_found"),
        case("a way up", get("/v1/missions/../../etc/passwd"), 404, "no_such_path"),
        case("an escaped way up", get("/v1/enrollments/..%2F..%2Fetc%2Fpasswd"), 404, "not_found"),
        case(
            "a long id",
            get(&format!("/v1/enrollments/{}", "x".repeat(10_000))),
            404,
            "not_found",
        ),
        case("two slashes", get("//v1/missions"), 404, "no_such_path"),
        case("a slash at the end", get("/v1/missions/"), 404, "no_such_path"),
        case("another case", get("/V1/missions"), 404, "no_such_path"),
        case("no such path", get("/v1/"), 404, "no_such_path"),
        case(
            "a wrong method",
            Request::new("DELETE", "/v1/missions").bearer(&token),
            405,
            "method_not_allowed",
        ),
        case(
            "a made-up method",
            Request::new("PAY", "/v1/wallet").bearer(&token),
            405,
            "method_not_allowed",
        ),
        case(
            "a postback by PUT",
            Request::new("PUT", format!("/v1/postbacks/{GENERIC}")),
            405,
            "method_not_allowed",
        ),
    ];
    refuses(&target.client, cases).await;
    target.must_be_unharmed().await;
}

/// Every kind of caller with every other's key.
fn strangers(target: &Target) -> Vec<Case> {
    let (token, admin) = (target.user.token.as_str(), target.node.admin_key.as_str());
    let unknown = (401, "unauthenticated");
    let calls = [
        ("GET", "/v1/missions", vec!["", admin, GENERIC, "nobody"]),
        ("GET", "/v1/wallet", vec!["", admin, "nobody"]),
        ("POST", "/v1/missions/11/participations", vec!["", admin, "nobody"]),
        ("POST", "/v1/sessions", vec!["", token, admin, GENERIC, "nobody"]),
        ("GET", "/v1/rewards", vec!["", token, admin, "nobody"]),
        ("GET", "/v1/deliveries", vec!["", token, admin, "nobody"]),
        ("POST", "/v1/deliveries/replay", vec!["", token, admin, "nobody"]),
        ("GET", "/v1/admin/apps", vec!["", token, LIVE_KEY, GENERIC, "nobody"]),
        ("GET", "/v1/admin/catalog", vec!["", token, LIVE_KEY, "nobody"]),
        ("POST", "/v1/admin/catalog/apply", vec!["", token, LIVE_KEY, "nobody"]),
        ("DELETE", "/v1/admin/apps/1", vec!["", token, LIVE_KEY, "nobody"]),
        ("GET", "/v1/admin/line_items/11/budget", vec!["", token, LIVE_KEY, "nobody"]),
        ("GET", "/v1/admin/trail/x", vec!["", token, LIVE_KEY, "nobody"]),
        ("GET", "/v1/admin/verify", vec!["", token, LIVE_KEY, "nobody"]),
        (
            "GET",
            "/v1/missions/11/explain?app_id=1&unit_id=1&user_id=victim",
            vec!["", token, LIVE_KEY],
        ),
    ];
    let cases = calls.into_iter().flat_map(|(method, path, keys)| {
        keys.into_iter().map(move |key| {
            let request = Request::new(method, path);
            let request = if key.is_empty() { request } else { request.bearer(key) };
            case(path, request, unknown.0, unknown.1)
        })
    });
    let odd = |value: &str| Request::get("/v1/wallet").header("authorization", value);
    let altered = format!("{}A{}", &token[..10], &token[11..]);
    let schemes = [
        case("Basic", odd(&format!("Basic {token}")), 401, "unauthenticated"),
        case("no scheme", odd(token), 401, "unauthenticated"),
        case("no token", odd("Bearer "), 401, "unauthenticated"),
        case("two tokens", odd(&format!("Bearer {token}, Bearer {token}")), 401, "unauthenticated"),
        case("an altered token", odd(&format!("Bearer {altered}")), 401, "unauthenticated"),
        case(
            "a cut token",
            odd(&format!("Bearer {}", &token[..token.len() - 1])),
            401,
            "unauthenticated",
        ),
        case("a click id", odd(&format!("Bearer {}", target.click)), 401, "unauthenticated"),
        case("bytes", odd("Bearer \u{fffd}"), 401, "unauthenticated"),
    ];
    cases.chain(schemes).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_acts_with_another_callers_key() {
    let target = Target::new().await;
    refuses(&target.client, strangers(&target)).await;
    // A page of another site has the cookie sent along, but cannot act with it.
    let cookie = format!("guerdon_session={}", target.user.token);
    let tap = Request::post("/v1/missions/11/participations").header("cookie", &cookie);
    let origins =
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")];
    let cases = origins.map(|(name, value)| {
        case("a foreign page", tap.clone().header(name, value), 403, "cross_origin")
    });
    refuses(&target.client, cases.into()).await;
    refuses(&target.client, vec![case("no origin", tap.clone(), 403, "cross_origin")]).await;
    target.client.send(&tap.header("sec-fetch-site", "same-origin")).await.expect(200);

    let enrollments = target.user.get("/v1/enrollments").await.expect(200).json();
    let id = enrollments["enrollments"][0]["id"]
        .as_str()
        .or(enrollments["enrollments"][0]["enrollment_id"].as_str());
    let path = format!("/v1/enrollments/{}", id.unwrap_or_else(|| panic!("{enrollments}")));
    target.user.get(&path).await.expect(200);
    let other = crate::support::people::User::open(&target.client, "other").await;
    other.get(&path).await.expect(404);
    let wish = json!({"unit_id": 2, "user_id": "victim"});
    let foreign =
        crate::support::people::User::open_with(&target.client, OTHER_LIVE_KEY, wish).await;
    foreign.get(&path).await.expect(404);
    target.must_be_unharmed().await;
}
