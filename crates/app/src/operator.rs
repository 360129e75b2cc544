//! How commands reach the catalogue: through a server that runs on the same configuration, or else
//! by opening the database themselves.

use anyhow::{Context, bail};
use serde_json::Value;

use crate::config::Loaded;
use crate::wiring::{self, Node};

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

impl Operator {
    /// Finds out whether a server holds the database, and connects to it if so.
    pub(crate) async fn connect(loaded: &Loaded) -> anyhow::Result<Self> {
        if !store_sqlite::is_locked(&loaded.database())? {
            return Ok(Self::Here(Box::new(wiring::open(loaded).await?)));
        }
        let (current, older) = loaded.master_keys()?;
        let vault = engine::Vault::new(&current, &older);
        let key = data_encoding::HEXLOWER.encode(&vault.derive("command line admin key"));
        let base = format!("http://{}", loaded.config.server.listen);
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self::Server(RemoteOperator { client, base, key }))
    }
}

impl RemoteOperator {
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
        let mut sentence = problem["detail"].as_str().unwrap_or(&body).to_owned();
        for error in problem["errors"].as_array().into_iter().flatten() {
            let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            sentence.push_str(&format!("\n  {}: {}", part("field"), part("message")));
        }
        bail!("{sentence}")
    }
}
