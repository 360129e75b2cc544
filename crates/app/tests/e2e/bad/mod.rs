//! What must do no harm: everything that can be wrong with a request, as tables of cases over HTTP.
//!
//! After each table the server is alive, nothing was booked, and the books are right.

mod bodies;
mod parameters;
mod identities;

mod postbacks;
mod signatures;

mod wire;

mod catalogs;
mod texts;
mod egress;

use std::sync::Arc;

use serde_json::json;

use crate::support::catalog::{AMPLE, LIVE_KEY, base, campaign, on_event};
use crate::support::http::{Client, Request};
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;

/// A server at which things are thrown, and a user who must not gain by it.
struct Target {
    node: Node,
    client: Arc<Client>,
    publisher: Publisher,
    user: User,
    /// The user's click on mission 11, which pays for `install` and for `purchase`s of 1 USD in all.
    click: String,
}

impl Target {
    async fn new() -> Self {
        let publisher = Publisher::open().await;
        let sum = "payout = 500_000, rule = { event = { name = \"purchase\", aim = { sum = 1_000_000 } } }";
        let steps = [on_event("install", 1_000_000), sum.to_owned()];
        let any = format!("{AMPLE}\n");
        let catalog = campaign(11, &any, &steps.each_ref().map(String::as_str));
        let catalog = catalog.replace("window_seconds", "sequence = \"any\"\nwindow_seconds");
        let node = Node::start(&(base(&publisher.base()) + &catalog));
        let client = Arc::new(node.client());
        let user = User::open(&client, "victim").await;
        let click = user.start(11).await;
        Self { node, client, publisher, user, click }
    }

    /// Nothing was booked, and the server still does its work.
    async fn must_be_unharmed(self) {
        let Self { node, client, publisher, user, click } = self;
        let wallet = user.wallet().await;
        assert_eq!((&wallet["balance"], &wallet["pending"]), (&json!(0), &json!(0)), "{wallet}");
        assert_eq!(wallet["entries"], json!([]));
        let budget = Request::get("/v1/admin/line_items/11/budget").bearer(&node.admin_key);
        let budget = client.send(&budget).await.expect(200).json();
        assert_eq!(budget["booked"]["amount"], 0, "{budget}");
        let rewards = Request::get("/v1/rewards").bearer(LIVE_KEY);
        assert_eq!(client.send(&rewards).await.expect(200).json()["rewards"], json!([]));
        assert!(publisher.received().is_empty());
        client.send(&Request::get("/livez")).await.expect(200);
        client.send(&Request::get("/readyz")).await.expect(200);
        let paid = convert(&client, &click, "install", "the real one").await;
        assert_eq!(paid.said(), ("rewarded", "step_done"));
        publisher.wait_for_rewards(1).await;
        assert_eq!(publisher.check().len(), 1);
        node.finish();
    }
}
