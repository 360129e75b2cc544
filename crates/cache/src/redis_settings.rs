//! Which Redis, and how patient we are with it.

use std::time::Duration;

use redis::{Client, IntoConnectionInfo};

/// How long a connect may take, greeting included. Without a limit of its own a connect to a host
/// that swallows packets takes minutes.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// How long an answer may take. A healthy Redis answers in well under a millisecond; who waits
/// longer is better served by the store.
const ANSWER_WITHIN: Duration = Duration::from_millis(50);

/// One node, or a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One node, or whatever stands at one address.
    One,
    /// A Redis Cluster.
    Cluster,
}

/// Which Redis to use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedisSettings {
    /// One node or a cluster.
    pub shape: Shape,
    /// Addresses such as `redis://:password@host:6379`; of a cluster, some of its nodes.
    pub urls: Vec<String>,
    /// Begins every key and channel, so that installations can share a Redis.
    pub prefix: String,
    /// How long an answer may take; then Redis counts as gone.
    pub answer_within: Duration,
}

/// An address that cannot be used; what is wrong is said without the password in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("address {place} of Redis cannot be used: {reason}")]
pub struct BadUrl {
    /// Which one, from 1.
    pub place: usize,
    /// Why.
    pub reason: String,
}

impl RedisSettings {
    /// With the usual prefix and patience.
    #[must_use]
    pub fn new(shape: Shape, urls: Vec<String>) -> Self {
        Self { shape, urls, prefix: "guerdon".to_owned(), answer_within: ANSWER_WITHIN }
    }

    /// A client for each address.
    pub(crate) fn clients(&self) -> Result<Vec<Client>, BadUrl> {
        let client = |(index, url): (usize, &String)| {
            let client = url.as_str().into_connection_info().and_then(Client::open);
            client.map_err(|error| BadUrl {
                place: index + 1,
                reason: error.detail().unwrap_or("it is no Redis address").to_owned(),
            })
        };
        if self.urls.is_empty() {
            return Err(BadUrl { place: 1, reason: "there is none".to_owned() });
        }
        self.urls.iter().enumerate().map(client).collect()
    }
}
