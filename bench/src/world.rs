//! What a client knows of the seeded world: how much there is, the keys, and how to ask for things.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Answer, Conn};
use crate::feed::{bearer, get, post};

/// What the seed command says.
#[derive(Deserialize)]
pub(crate) struct World {
    #[serde(flatten)]
    pub(crate) contents: Contents,
    /// The events of a mission, in order; a mission with fewer steps has the first ones.
    pub(crate) events: Vec<String>,
    app_key: String,
    unit_id: u32,
    partner_token: String,
    /// The pattern of user ids, with `{n}` for the number.
    user_id: String,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Contents {
    pub(crate) users: u32,
    enrollments_per_user: u32,
    in_progress_per_user: u32,
    line_items: u32,
    ad_groups: u32,
    missions: u32,
    steps: u32,
}

impl Contents {
    /// In one sentence.
    pub(crate) fn sentence(&self) -> String {
        let Self { users, enrollments_per_user: enrollments, line_items, ad_groups, .. } = self;
        let Self { in_progress_per_user: in_progress, missions, steps, .. } = self;
        let done = match in_progress {
            0 => String::new(),
            _ => format!(" ({in_progress} with a step done)"),
        };
        format!(
            "The data are {users} users with {enrollments} enrollments each{done}, {line_items} line \
             items, {ad_groups} ad groups, {missions} missions and {steps} steps."
        )
    }
}

impl World {
    /// Asks for a user's missions as his publisher's server.
    pub(crate) fn missions(&self, address: SocketAddr, user: u32) -> Vec<u8> {
        get(address, &format!("/v1/missions?{}", self.on_behalf(user)), &bearer(&self.app_key))
    }

    /// The same, if they have changed.
    pub(crate) fn missions_unless(&self, address: SocketAddr, user: u32, etag: &str) -> Vec<u8> {
        let headers = format!("{}if-none-match: {etag}\r\n", bearer(&self.app_key));
        get(address, &format!("/v1/missions?{}", self.on_behalf(user)), &headers)
    }

    /// Opens a session for a user; its token.
    pub(crate) async fn session(
        &self,
        conn: &mut Conn,
        address: SocketAddr,
        user: u32,
    ) -> Result<String> {
        let user_id = self.user_id(user);
        let body = json!({"unit_id": self.unit_id, "user_id": user_id, "profile": profile(user)});
        let request = post(address, "/v1/sessions", &bearer(&self.app_key), &body.to_string());
        let opened = conn.ask(&request).await?.json(&[201])?;
        Ok(opened["token"].as_str().context("the session has no token")?.to_owned())
    }

    /// Starts a mission for a user, or goes on with it, as his publisher's server.
    pub(crate) fn participate(&self, address: SocketAddr, user: u32, mission: u64) -> Vec<u8> {
        let path = format!("/v1/missions/{mission}/participations?{}", self.on_behalf(user));
        post(address, &path, &bearer(&self.app_key), "{}")
    }

    /// Reports an event as the partner.
    pub(crate) fn postback(
        &self,
        address: SocketAddr,
        click: &str,
        event: &str,
        id: &str,
    ) -> Vec<u8> {
        let token = &self.partner_token;
        let path = format!("/v1/postbacks/{token}?click_id={click}&event={event}&event_id={id}");
        get(address, &path, "")
    }

    fn on_behalf(&self, user: u32) -> String {
        format!("user_id={}&unit_id={}", self.user_id(user), self.unit_id)
    }

    fn user_id(&self, user: u32) -> String {
        self.user_id.replace("{n}", &user.to_string())
    }
}

/// The profile that a user was seeded with. With another country, platform or gender he would fit
/// other missions than those he has started.
fn profile(user: u32) -> Value {
    let kind = user as usize % 30;
    json!({
        "country": (["KR", "JP", "US", "DE", "BR"][kind % 5]),
        "platform": (["android", "ios", "web"][kind / 5 % 3]),
        "gender": (["female", "male"][kind / 15]),
        "age": 15 + user / 30 % 50,
        "os_version": "14.4",
        "language": "en",
    })
}

/// Asks for the missions of a session's user.
pub(crate) fn missions_of_session(address: SocketAddr, token: &str) -> Vec<u8> {
    get(address, "/v1/missions", &bearer(token))
}

/// Store calls of a request, as its answer says: `store;dur=0.041;desc="1"`.
pub(crate) fn store_calls(answer: &Answer<'_>) -> Result<u32> {
    let timing = answer.header("server-timing").context("the answer has no Server-Timing")?;
    let calls = timing.split("desc=\"").nth(1).and_then(|rest| rest.split('"').next());
    calls.and_then(|calls| calls.parse().ok()).with_context(|| format!("no calls in {timing:?}"))
}
