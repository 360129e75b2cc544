//! Endpoints that point inwards: no publisher makes the server call what only the server can reach.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::PATIENCE;
use crate::support::catalog::{AMPLE, base, campaign, digest, on_event};
use crate::support::crowd::in_turns;
use crate::support::http::{Client, Request};
use crate::support::node::{Node, Setup};
use crate::support::people::{User, convert};
use crate::support::publisher::WEBHOOK_SECRET;

/// Addresses of endpoints, with `{port}` for a port on which somebody listens on this machine.
const INWARD: [&str; 34] = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://127。0。0。1:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[fd00::1]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/",
    "http://192.168.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1:{port}/",
    "http://224.0.0.1:{port}/",
    "http://255.255.255.255:{port}/",
    "http://user:pass@127.0.0.1:{port}/",
    "http://93.184.215.14:22/",
];

/// An app whose rewards are told to that address.
fn app(number: usize, url: &str) -> String {
    let (id, url) = (number + 100, format!("{url:?}"));
    format!(
        r#"
[[apps]]
id = {id}
publisher_id = 1
name = "App {id}"
user_share = "60%"
currency = {{ name = "P", rates = {{ USD = "1000" }} }}
keys = [{{ mode = "live", digest = "{}" }}]
postback = {{ url = {url}, secrets = ["{WEBHOOK_SECRET}"] }}

[[units]]
id = {id}
app_id = {id}
name = "Unit {id}"
"#,
        digest(&key(number))
    )
}

fn key(number: usize) -> String {
    format!("egress-key-{number}")
}

/// The app's only delivery, once an attempt was made.
async fn attempted(client: &Client, key: &str) -> Value {
    let look = async {
        loop {
            let ask = Request::get("/v1/deliveries").bearer(key);
            let delivery = client.send(&ask).await.expect(200).json()["deliveries"][0].clone();
            if delivery["attempts"].as_u64().is_some_and(|attempts| attempts > 0) {
                return delivery;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("no attempt is made")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_endpoint_reaches_what_is_not_public() {
    let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = inside.local_addr().unwrap().port().to_string();
    let urls: Vec<String> = INWARD.iter().map(|url| url.replace("{port}", &port)).collect();
    let apps: String = urls.iter().enumerate().map(|(number, url)| app(number, url)).collect();
    let catalog = base("http://127.0.0.1:9")
        + &apps
        + &campaign(11, AMPLE, &[&on_event("install", 1_000_000)]);
    let node = Node::start_with(&catalog, Setup { allow_private: "", ..Setup::default() });
    let client = Arc::new(node.client());
    let refused = in_turns(8, urls.len(), |number| {
        let client = Arc::clone(&client);
        async move {
            let wish = json!({"unit_id": number + 100, "user_id": "ann"});
            let user = User::open_with(&client, &key(number), wish).await;
            let click = user.start(11).await;
            convert(&client, &click, "install", "e").await;
            (number, attempted(&client, &key(number)).await)
        }
    });
    for (number, delivery) in refused.await {
        let (url, note) = (&urls[number], delivery["last_attempt"]["note"].to_string());
        assert_eq!(delivery["last_status"], Value::Null, "{url}: {delivery}");
        let says_why = ["not public", "not allowed", "no address", "looked up"];
        assert!(says_why.iter().any(|why| note.contains(why)), "{url}: {note}");
    }
    let knock = tokio::time::timeout(std::time::Duration::ZERO, inside.accept()).await;
    assert!(knock.is_err(), "somebody was called");
    node.finish();
}
