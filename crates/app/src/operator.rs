//! How commands reach the catalogue: through a server that runs on the same configuration, or else
//! by opening the database themselves.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::config::Loaded;
use crate::wiring::{self, Node};

/// How long an answer may take; a large catalogue is compiled in well under a second.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Who answers a command.
pub(crate) enum Operator {
    /// A running server, over its own HTTP interface.
    Server(RemoteOperator),
    /// This process, on the database.
    Here(Box<Node>),
}

/// A running server.
pub(crate) struct RemoteOperator {
    client: reqwest::Client,
    base: String,
    key: String,
}

/// What the server refused, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Refused {
    detail: String,
    pub(crate) errors: Vec<RefusedField>,
}

/// A field of the document that was sent.
#[derive(Debug)]
pub(crate) struct RefusedField {
    pub(crate) field: String,
    pub(crate) message: String,
    /// Its line, where the server knows it.
    pub(crate) line: Option<u64>,
}

impl Operator {
    /// Opens the database, or connects to the server that holds it. Trying to open it is the
    /// question itself, so no server can slip in between.
    pub(crate) async fn connect(loaded: &Loaded) -> anyhow::Result<Self> {
        match wiring::open(loaded).await {
            Ok(node) => Ok(Self::Here(Box::new(node))),
            Err(error) if wiring::is_in_use(&error) => {
                Ok(Self::Server(RemoteOperator::connect(loaded)?))
            }
            Err(error) => Err(error),
        }
    }
}

/// The client with which this process calls servers that it trusts: its own.
pub(crate) fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build()?)
}

impl RemoteOperator {
    /// The server that runs on this configuration, and the key that both derive from its master key.
    fn connect(loaded: &Loaded) -> anyhow::Result<Self> {
        let key = wiring::cli_key(&wiring::vault(loaded)?);
        let base = format!("http://{}", loaded.config.server.listen);
        Ok(Self { client: client()?, base, key })
    }

    /// Sends text and returns the answer; a problem becomes an error with its sentence.
    pub(crate) async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: String,
    ) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.header("content-type", content_type).body(body);
        Ok(serde_json::from_str(&self.send(request).await?)?)
    }

    /// Asks for a text.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<String> {
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<String> {
        let answer = request.bearer_auth(&self.key).send().await.with_context(|| {
            format!(
                "the database is held by another process, and no server answers at {}",
                self.base
            )
        })?;
        let status = answer.status();
        let body = answer.text().await?;
        if status.is_success() {
            return Ok(body);
        }
        let problem: Value = serde_json::from_str(&body).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or(&body).to_owned();
        let errors = problem["errors"].as_array().into_iter().flatten().map(|error| RefusedField {
            field: error["field"].as_str().unwrap_or_default().to_owned(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            line: error["line"].as_u64(),
        });
        Err(Refused { detail, errors: errors.collect() }.into())
    }
}
