//! The configuration: one typed tree with defaults, read once and handed down in parts.

mod address;
mod beside;
mod loaded;
mod rate_limits;
mod stores;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use address::Address;
pub(crate) use beside::{Broker, Cache, Redis};
pub(crate) use loaded::Loaded;
pub(crate) use rate_limits::RateLimits;
pub(crate) use stores::{Dynamo, Mysql, Sqlite, State, Store};

/// Name of the configuration file, looked for in the current folder.
pub(crate) const FILE_NAME: &str = "guerdon.toml";

/// A configuration with every setting at its default and a word about each. A test keeps it equal to
/// the defaults in code.
pub(crate) const DEFAULT_TEXT: &str = include_str!("../config.default.toml");

/// Everything that can be set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) store: Store,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_state: Option<State>,
    pub(crate) cache: Cache,
    pub(crate) broker: Broker,
    pub(crate) rate_limits: RateLimits,
    pub(crate) secrets: Secrets,
    pub(crate) admin_keys: Vec<AdminKey>,
    pub(crate) jobs: Jobs,
    pub(crate) egress: Egress,
    pub(crate) log: Log,
    pub(crate) traces: Traces,
}

impl Config {
    /// Every address of a server in it.
    fn addresses(&self) -> Vec<Address<'_>> {
        let mut addresses = Vec::new();
        if let Store::Mysql(mysql) = &self.store {
            addresses.push(mysql.address("store.url"));
        }
        for (field, state) in [("state.url", &self.state), ("next_state.url", &self.next_state)] {
            if let Some(State::Mysql(mysql)) = state {
                addresses.push(mysql.address(field));
            }
        }
        match &self.cache {
            Cache::Redis(redis) => addresses.push(redis.address("cache.url")),
            Cache::RedisCluster(cluster) => addresses.extend(cluster.addresses("cache.urls")),
            Cache::None {} | Cache::InProcess { .. } => {}
        }
        if let Broker::Redis(redis) = &self.broker {
            addresses.push(redis.address("broker.url"));
        }
        addresses
    }
}

/// Where the server listens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address and port of HTTP.
    pub(crate) listen: SocketAddr,
    /// The address under which users and partners reach it; page links begin with it.
    pub(crate) public_url: String,
    /// How many proxies of one's own stand before the server. The address of a client is the one that
    /// the outermost of them has written into `X-Forwarded-For`.
    pub(crate) proxies: usize,
    /// How long a stop waits for requests that are under way, in seconds.
    pub(crate) stop_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
            proxies: 0,
            stop_seconds: 10,
        }
    }
}

/// Where the master key is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Secrets {
    /// File with the master key, relative to the configuration file; 64 hexadecimal digits, and
    /// older keys that still open on further lines.
    pub(crate) master_key_file: PathBuf,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { master_key_file: PathBuf::from("master.key") }
    }
}

/// A key of the admin API.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminKey {
    /// What the audit log calls its owner.
    pub(crate) name: String,
    /// `admin`, `ad_ops`, `finance`, `support` or `read_only`.
    pub(crate) role: Role,
    /// Digest of the key, as `guerdon key admin` prints it.
    pub(crate) digest: String,
}

/// What an admin key may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// The catalogue.
    AdOps,
    /// Budgets, reports and verification.
    Finance,
    /// Trails and explanations.
    Support,
    /// Reading.
    ReadOnly,
}

/// Work in the background.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Jobs {
    /// Whether this process does background work.
    pub(crate) enabled: bool,
    /// Most postbacks in flight at once.
    pub(crate) deliveries_in_flight: usize,
    /// How often holds and deadlines are looked after, in milliseconds.
    pub(crate) sweep_ms: u64,
    /// How often the catalogue and budgets are looked at, in milliseconds.
    pub(crate) refresh_ms: u64,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { enabled: true, deliveries_in_flight: 256, sweep_ms: 1_000, refresh_ms: 1_000 }
    }
}

/// Which addresses postbacks may reach.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Egress {
    /// Private networks that are allowed, such as `10.1.0.0/16`; none by default.
    pub(crate) allow_private: Vec<String>,
}

/// What is logged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    /// `text` or `json`.
    pub(crate) format: LogFormat,
    /// Levels by target, such as `info` or `warn,engine=debug`.
    pub(crate) filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

/// Where traces of requests go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Traces {
    /// Where a collector takes OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; without it
    /// there are no traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) otlp_url: Option<String>,
    /// One request in so many is traced, unless its caller traces it or does not.
    pub(crate) keep_one_in: u32,
}

impl Default for Traces {
    fn default() -> Self {
        Self { otlp_url: None, keep_one_in: 1 }
    }
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
