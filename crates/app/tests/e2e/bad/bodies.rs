//! Bodies: absent, huge, of another type, broken, ambiguous, and with values that cannot be.

use serde_json::{Value, json};

use super::Target;
use crate::support::catalog::{GENERIC, LIVE_KEY};
use crate::support::http::Request;
use crate::support::problem::{Case, case, refuses};

const JSON: &str = "application/json";

fn session() -> Request {
    Request::post("/v1/sessions").bearer(LIVE_KEY)
}

/// A session with one field of the request changed.
fn with(field: &str, value: Value) -> Request {
    let mut wish = json!({"unit_id": 1, "user_id": "u"});
    wish[field] = value;
    session().json(&wish)
}

/// A session with one field of the profile.
fn profile(field: &str, value: Value) -> Request {
    with("profile", json!({ field: value }))
}

/// A session with a body spelled out.
fn spelled(body: impl Into<Vec<u8>>) -> Request {
    session().body(JSON, body)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn bodies() -> Vec<Case> {
    let good = r#"{"unit_id":1,"user_id":"u"}"#;
    let huge = format!(
        "{{\"unit_id\":1,\"user_id\":\"u\",\"profile\":{{\"custom\":\"{}\"}}}}",
        "x".repeat(70_000)
    );
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let deep_field = format!("{{\"unit_id\":1,\"user_id\":{deep}}}");
    let many = format!("{{{}\"unit_id\":1}}", "\"a\":1,".repeat(5_000));
    vec![
        case("no body", session(), 415, "unsupported_media_type"),
        case("an empty body", session().header("content-type", JSON), 400, "empty_body"),
        case("a huge body", spelled(huge), 413, "body_too_large"),
        case("no content type", session().body("", good), 415, "unsupported_media_type"),
        case("text", session().body("text/plain", good), 415, "unsupported_media_type"),
        case(
            "a form",
            session().body("application/x-www-form-urlencoded", good),
            415,
            "unsupported_media_type",
        ),
        case(
            "nearly JSON",
            session().body("application/jsonx", good),
            415,
            "unsupported_media_type",
        ),
        case(
            "UTF-16",
            session().body("application/json; charset=utf-16", utf16(good)),
            400,
            "bad_json",
        ),
        case("a mark of byte order", spelled(format!("\u{feff}{good}")), 400, "bad_json"),
        case(
            "bytes that are no text",
            spelled(b"{\"unit_id\":1,\"user_id\":\"\xff\"}"),
            400,
            "bad_json",
        ),
        case("a truncated body", spelled(&good[..20]), 400, "bad_json"),
        case("two bodies", spelled(format!("{good}{good}")), 400, "bad_json"),
        case("a comment", spelled(format!("{good}//")), 400, "bad_json"),
        case("a comma too many", spelled(good.replace('}', ",}")), 400, "bad_json"),
        case("single quotes", spelled(good.replace('"', "'")), 400, "bad_json"),
        case("a bottomless body", spelled(deep), 422, "invalid_field"),
        case("a bottomless field", spelled(deep_field), 422, "invalid_field"),
        case("a list", spelled("[]"), 422, "invalid_field"),
        case("a number", spelled("1"), 422, "invalid_field"),
        case("null", spelled("null"), 422, "invalid_field"),
        case(
            "a name twice",
            spelled(r#"{"unit_id":1,"user_id":"u","user_id":"v"}"#),
            422,
            "invalid_field",
        ),
        case("a name 5,000 times", spelled(many), 422, "invalid_field"),
        case("a lone surrogate", spelled(r#"{"unit_id":1,"user_id":"\ud800"}"#), 400, "bad_json"),
        case(
            "a raw control character",
            spelled("{\"unit_id\":1,\"user_id\":\"a\u{1}\"}"),
            400,
            "bad_json",
        ),
        case("a missing field", spelled(r#"{"unit_id":1}"#), 422, "invalid_field"),
        case("an unknown field", with("is_admin", json!(true)), 422, "invalid_field"),
        case("an unknown field of the profile", profile("balance", json!(1)), 422, "invalid_field"),
    ]
}

fn values() -> Vec<Case> {
    let spelled_age =
        |age: &str| spelled(format!(r#"{{"unit_id":1,"user_id":"u","profile":{{"age":{age}}}}}"#));
    vec![
        case("no user", with("user_id", json!("")), 422, "bad_user_id"),
        case("a long user", with("user_id", json!("x".repeat(256))), 422, "bad_user_id"),
        case("a user of 10 kB", with("user_id", json!("x".repeat(10_000))), 422, "bad_user_id"),
        case("a NUL", with("user_id", json!("a\0b")), 422, "bad_user_id"),
        case("a line end", with("user_id", json!("a\r\nset-cookie: x=1")), 422, "bad_user_id"),
        case("a number for a user", with("user_id", json!(7)), 422, "invalid_field"),
        case("null for a user", with("user_id", Value::Null), 422, "invalid_field"),
        case("another app's unit", with("unit_id", json!(2)), 422, "unknown_unit"),
        case("no such unit", with("unit_id", json!(4_000_000_000_u32)), 422, "unknown_unit"),
        case(
            "a unit beyond 32 bits",
            with("unit_id", json!(4_294_967_297_u64)),
            422,
            "invalid_field",
        ),
        case("a negative unit", with("unit_id", json!(-1)), 422, "invalid_field"),
        case("a text for a unit", with("unit_id", json!("1")), 422, "invalid_field"),
        case("a fraction for a unit", with("unit_id", json!(1.5)), 422, "invalid_field"),
        case("an old age", profile("age", json!(121)), 422, "invalid_field"),
        case("an age beyond 8 bits", profile("age", json!(257)), 422, "invalid_field"),
        case("a negative age", profile("age", json!(-1)), 422, "invalid_field"),
        case("an age of 1e309", spelled_age("1e309"), 400, "bad_json"),
        case("an age of NaN", spelled_age("NaN"), 400, "bad_json"),
        case("an age of 0x10", spelled_age("0x10"), 400, "bad_json"),
        case("an age of 1_0", spelled_age("1_0"), 400, "bad_json"),
        case("a country of three letters", profile("country", json!("KOR")), 422, "invalid_field"),
        case("a country of digits", profile("country", json!("00")), 422, "invalid_field"),
        case("a full-width country", profile("country", json!("ＫＲ")), 422, "invalid_field"),
        case("no such platform", profile("platform", json!("Android")), 422, "invalid_field"),
        case("no such gender", profile("gender", json!("")), 422, "invalid_field"),
        case("no language", profile("language", json!("x")), 422, "invalid_field"),
        case("a path for a language", profile("language", json!("../en")), 422, "invalid_field"),
        case("no version", profile("os_version", json!("fourteen")), 422, "invalid_field"),
        case("a version of -1", profile("os_version", json!("-1")), 422, "invalid_field"),
        case("a full-width version", profile("os_version", json!("１４")), 422, "invalid_field"),
        case("a line end in a model", profile("device_model", json!("a\nb")), 422, "invalid_field"),
        case("a long advertising id", profile("ifa", json!("x".repeat(256))), 422, "invalid_field"),
        case("a long text", profile("custom", json!("x".repeat(1_025))), 422, "invalid_field"),
        case("501 apps", profile("installed_apps", json!(vec!["a"; 501])), 422, "invalid_field"),
        case(
            "a day for an offset",
            profile("utc_offset_minutes", json!(1_440)),
            422,
            "invalid_field",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_cannot_be_read_are_refused() {
    let target = Target::new().await;
    refuses(&target.client, bodies()).await;
    refuses(&target.client, values()).await;
    target.must_be_unharmed().await;
}

/// A body with its length announced wrongly or not at all, in a route that needs none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_postbacks_are_read_or_refused() {
    let target = Target::new().await;
    let post = || Request::post(format!("/v1/postbacks/{GENERIC}"));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let fields: String = (0..501).map(|number| format!("f{number}=1&")).collect();
    let form = "application/x-www-form-urlencoded";
    let cases = vec![
        case("a huge body", post().body(form, vec![b'x'; 65_537]), 413, "body_too_large"),
        case("XML", post().body("text/xml", "<a/>"), 415, "unsupported_media_type"),
        case(
            "several parts",
            post().body("multipart/form-data; boundary=x", "--x--"),
            415,
            "unsupported_media_type",
        ),
        case("truncated JSON", post().body(JSON, "{\"click_id\":\"a"), 400, "bad_json"),
        case("UTF-16", post().body(JSON, utf16("{}")), 400, "bad_json"),
        case("a lone surrogate", post().body(JSON, r#"{"event":"\udfff"}"#), 400, "bad_json"),
        case("a bottomless body", post().body(JSON, deep), 400, "bad_json"),
        case("a number of 1e309", post().body(JSON, r#"{"revenue":1e309}"#), 400, "bad_json"),
        case("501 fields", post().body(form, fields.clone()), 400, "too_many_fields"),
        case(
            "501 parameters",
            Request::get(format!("/v1/postbacks/{GENERIC}?{fields}")),
            400,
            "too_many_fields",
        ),
        case(
            "no such partner",
            Request::get("/v1/postbacks/nobody?event=install"),
            404,
            "unknown_partner",
        ),
        case(
            "a partner in another case",
            Request::get(format!("/v1/postbacks/{}", GENERIC.to_uppercase())),
            404,
            "unknown_partner",
        ),
        case(
            "a partner with a blank",
            Request::get(format!("/v1/postbacks/{GENERIC}%20")),
            404,
            "unknown_partner",
        ),
        case(
            "an app's key",
            Request::get(format!("/v1/postbacks/{LIVE_KEY}")),
            404,
            "unknown_partner",
        ),
    ];
    refuses(&target.client, cases).await;
    target.must_be_unharmed().await;
}
