//! Users in a key-value store, as the Django application's loader has written them.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_http_client::Builder;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde::Deserialize;

use super::rules::Run;

/// The table of the users.
const TABLE: &str = "user_state";

/// A user: his profile and his clicks, oldest first.
#[derive(Deserialize)]
pub(super) struct UserState {
    pub(super) country: String,
    pub(super) platform: String,
    pub(super) gender: String,
    pub(super) age: Option<u16>,
    pub(super) language: String,
    pub(super) clicks: Vec<Run>,
}

/// A store with one value per user.
pub(super) enum StateStore {
    /// One connection, on which requests do not wait for each other.
    Redis(MultiplexedConnection),
    /// A client with kept connections.
    Dynamo(Client),
}

impl StateStore {
    /// Connects to a Redis.
    pub(super) async fn redis(url: &str) -> Result<Self> {
        let client = redis::Client::open(url)?;
        Ok(Self::Redis(client.get_multiplexed_async_connection().await?))
    }

    /// Makes a client for a DynamoDB that takes any credentials.
    pub(super) fn dynamo(endpoint: &str) -> Self {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(Builder::new().build_http())
            .region(Region::new("local"))
            .endpoint_url(endpoint)
            .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"));
        Self::Dynamo(Client::from_conf(config.build()))
    }

    /// A user by one keyed read, or nothing if he was never seen.
    pub(super) async fn load(&self, app: i64, user_id: &str) -> Result<Option<UserState>> {
        let key = format!("{app}:{user_id}");
        let value = match self {
            Self::Redis(connection) => {
                let value: Option<Vec<u8>> =
                    connection.clone().get(format!("{TABLE}:{key}")).await?;
                value
            }
            Self::Dynamo(client) => item(client, key).await?.map(String::into_bytes),
        };
        let read = |value: Vec<u8>| serde_json::from_slice(&value).context("a user cannot be read");
        value.map(read).transpose()
    }
}

async fn item(client: &Client, key: String) -> Result<Option<String>> {
    let asked = client.get_item().table_name(TABLE).key("key", AttributeValue::S(key));
    let found = asked.send().await.context("DynamoDB does not answer")?;
    let Some(mut item) = found.item else { return Ok(None) };
    match item.remove("state") {
        Some(AttributeValue::S(state)) => Ok(Some(state)),
        _ => anyhow::bail!("a user has no state"),
    }
}
