//! What runs beside the stores and may vanish at any time: the cache and the broker.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::address::Address;

/// What remembers what was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub(crate) enum Cache {
    /// Nothing does.
    None {},
    /// Every process for itself.
    InProcess {
        /// Most bytes that it takes, in MiB.
        #[serde(default = "default_megabytes")]
        megabytes: u64,
    },
    /// One server of Redis for all.
    Redis(Redis),
    /// A cluster of Redis for all.
    RedisCluster(RedisCluster),
}

/// What tells other processes at once that there is work or a new catalogue. Without it they look
/// every now and then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "snake_case")]
pub(crate) enum Broker {
    /// Nothing does.
    None {},
    /// A server of Redis.
    Redis(Redis),
}

/// A server of Redis.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redis {
    /// `redis://host:port` or, with TLS, `rediss://host:port`.
    pub(crate) url: String,
    /// Begins every key, so that installations can share a server.
    #[serde(default = "default_prefix")]
    pub(crate) prefix: String,
    /// The variable with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_env: Option<String>,
    /// The file with the password, relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_file: Option<PathBuf>,
}

/// A cluster of Redis.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedisCluster {
    /// Some of its servers, of which one has to answer at the start; the others are learned.
    pub(crate) urls: Vec<String>,
    /// Begins every key, so that installations can share a server.
    #[serde(default = "default_prefix")]
    pub(crate) prefix: String,
    /// The variable with the password, the same for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_env: Option<String>,
    /// The file with the password, relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_file: Option<PathBuf>,
}

fn default_megabytes() -> u64 {
    64
}

fn default_prefix() -> String {
    "guerdon".to_owned()
}

impl Default for Cache {
    fn default() -> Self {
        Self::None {}
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self::None {}
    }
}

impl Redis {
    /// Its address; `field` is where that is written.
    pub(crate) fn address<'a>(&'a self, field: &'a str) -> Address<'a> {
        let (env, file) = (self.password_env.as_deref(), self.password_file.as_ref());
        redis_address(field, &self.url, env, file)
    }
}

impl RedisCluster {
    /// The addresses of its servers; `field` is where they are written.
    pub(crate) fn addresses<'a>(&'a self, field: &'a str) -> Vec<Address<'a>> {
        let (env, file) = (self.password_env.as_deref(), self.password_file.as_ref());
        self.urls.iter().map(|url| redis_address(field, url, env, file)).collect()
    }
}

fn redis_address<'a>(
    field: &'a str,
    url: &'a str,
    password_env: Option<&'a str>,
    password_file: Option<&'a PathBuf>,
) -> Address<'a> {
    Address { field, url, schemes: &["redis", "rediss"], password_env, password_file }
}
