//! Users, and the partner that reports what they do.

use std::sync::Arc;

use serde_json::{Value, json};

use super::catalog::{GENERIC, LIVE_KEY};
use super::http::{Answer, Client, Request, form};

/// A user with an open session.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) page_url: String,
    client: Arc<Client>,
}

impl User {
    /// Opens a session in the first app.
    pub(crate) async fn open(client: &Arc<Client>, id: &str) -> Self {
        Self::open_with(client, LIVE_KEY, json!({"unit_id": 1, "user_id": id})).await
    }

    /// Opens a session as an app's server asks for it.
    pub(crate) async fn open_with(client: &Arc<Client>, key: &str, wish: Value) -> Self {
        let answer = client.send(&Request::post("/v1/sessions").bearer(key).json(&wish)).await;
        let opened = answer.expect(201).json();
        let text = |name: &str| opened[name].as_str().unwrap().to_owned();
        let id = wish["user_id"].as_str().unwrap().to_owned();
        Self { id, token: text("token"), page_url: text("page_url"), client: Arc::clone(client) }
    }

    /// Asks as this user's page.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.client.send(&Request::get(target).bearer(&self.token)).await
    }

    pub(crate) async fn post(&self, target: &str, body: &Value) -> Answer {
        self.client.send(&Request::post(target).bearer(&self.token).json(body)).await
    }

    /// The tap.
    pub(crate) async fn participate(&self, mission: u32) -> Answer {
        self.post(&format!("/v1/missions/{mission}/participations"), &json!({})).await
    }

    /// Starts a mission, and gives the click id.
    pub(crate) async fn start(&self, mission: u32) -> String {
        let started = self.participate(mission).await.expect(201).json();
        started["click_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn wallet(&self) -> Value {
        self.get("/v1/wallet").await.expect(200).json()
    }

    pub(crate) async fn balance(&self) -> i64 {
        self.wallet().await["balance"].as_i64().unwrap()
    }

    /// One mission with everything about it.
    pub(crate) async fn mission(&self, id: u32) -> Value {
        self.get(&format!("/v1/missions/{id}")).await.expect(200).json()
    }
}

/// What became of a conversion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    pub(crate) verdict: String,
    pub(crate) reason: String,
    pub(crate) transaction: Option<String>,
}

impl Verdict {
    /// Reads an answer.
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.clone().expect(200).json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Self {
            verdict: text("verdict").unwrap(),
            reason: text("reason").unwrap(),
            transaction: text("transaction_id"),
        }
    }

    /// Verdict and reason, to be compared.
    pub(crate) fn said(&self) -> (&str, &str) {
        (&self.verdict, &self.reason)
    }
}

/// A conversion as the generic partner sends it.
pub(crate) fn conversion(click_id: &str, event: &str, event_id: &str) -> Request {
    let pairs = [("click_id", click_id), ("event", event), ("event_id", event_id)];
    Request::get(format!("/v1/postbacks/{GENERIC}?{}", form(&pairs)))
}

/// Sends it, and gives the verdict.
pub(crate) async fn convert(client: &Client, click_id: &str, event: &str, id: &str) -> Verdict {
    Verdict::of(&client.send(&conversion(click_id, event, id)).await)
}
