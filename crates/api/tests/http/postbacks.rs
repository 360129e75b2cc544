//! `/v1/postbacks/{partner_token}` with the recipes of several partners, as they send them.

use domain::catalog::sample::PARTNER_TOKEN;
use domain::ids::Mode;
use serde_json::json;

use crate::server::{APP, Server};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Gives the sample advertiser's connection that recipe, and starts a run; the click id.
async fn connect(server: &Server, recipe: &str, user: &str) -> String {
    let names =
        json!({"sng_level": "install", "first_open": "install", "bz_action_complete": "install"});
    let partner = json!({"recipe": recipe, "event_names": names});
    server.patch("/v1/admin/partners/1", partner).await.expect(200);
    server.visit(1, Mode::Live, user).await;
    let path = format!("/v1/missions/1/participations?user_id={user}&unit_id=1");
    let started = server.post(&path, APP, json!({})).await.expect(201);
    started.body["click_id"].as_str().unwrap().to_owned()
}

/// Recipe, query, and media type and body of a POST; `CLICK` stands for the click id.
type Case = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const CASES: [Case; 5] = [
    ("singular", "", Some((JSON, r#"{"cl":"CLICK","name":"sng_level","utc":1768046400}"#))),
    (
        "branch",
        "",
        Some((
            JSON,
            r#"{"name":"INSTALL","customer_event_alias":"first_open","id":9,"attributed":true,
                "last_attributed_touch_data":{"~click_id":"CLICK"},"timestamp":1768046400000}"#,
        )),
    ),
    ("airbridge", "?clickID=CLICK&eventName=install&eventTimestamp=1768046400000", None),
    (
        "adbrix",
        "",
        Some((FORM, "cb_1=CLICK&event_type_code=install&event_time=2026-01-10+12:00:00")),
    ),
    ("buzzvil", "?bz_tracking_id=CLICK", None),
];

#[tokio::test]
async fn partners_send_what_their_recipes_read() {
    for (recipe, query, body) in CASES {
        let server = Server::start().await;
        let click_id = connect(&server, recipe, "ann").await;
        let filled = |text: &str| text.replace("CLICK", &click_id);
        let path = format!("/v1/postbacks/{PARTNER_TOKEN}{}", filled(query));
        let method = if body.is_some() { "POST" } else { "GET" };
        for verdict in ["rewarded", "duplicate"] {
            let body = body.map(|(kind, text)| (kind, filled(text)));
            let answer = server.send(method, &path, "", body).await.expect(200);
            assert_eq!(answer.body["verdict"], verdict, "{recipe}: {}", answer.text);
        }
    }
}
