//! Calls over HTTP, as a publisher's server, a user's page and an advertiser's partner make them.

use std::net::SocketAddr;

use anyhow::bail;
use serde::Serialize;
use serde_json::Value;

use crate::operator;

/// Calls the demo's server.
pub(super) struct Caller {
    client: reqwest::Client,
    base: String,
}

/// One call.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) path: String,
    /// The bearer key or session token; it is not shown.
    #[serde(skip)]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
}

/// What was answered.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Call {
    /// A call that reads.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), key: None, body: None }
    }

    /// A call that does something.
    pub(super) fn post(path: impl Into<String>) -> Self {
        Self { method: "POST", ..Self::get(path) }
    }

    /// The call, made by whoever has the key.
    pub(super) fn with_key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// The call, with a JSON body.
    pub(super) fn with_body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl Caller {
    pub(super) fn new(server: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { client: operator::client()?, base: format!("http://{server}") })
    }

    /// Makes a call. An answer other than 2xx is an error with its sentence.
    pub(super) async fn call(&self, call: &Call) -> anyhow::Result<Answer> {
        let url = format!("{}{}", self.base, call.path);
        let mut request = match call.method {
            "POST" => self.client.post(url),
            _ => self.client.get(url),
        };
        if let Some(key) = &call.key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            bail!("{} {} was answered {status}: {body}", call.method, call.path);
        }
        Ok(Answer { status: status.as_u16(), body })
    }
}

impl Answer {
    /// A text of the answer.
    pub(super) fn text(&self, name: &str) -> anyhow::Result<String> {
        match self.body[name].as_str() {
            Some(text) => Ok(text.to_owned()),
            None => bail!("the answer has no {name}: {}", self.body),
        }
    }
}
