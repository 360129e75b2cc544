//! How often somebody may ask.

use engine::{Rate, Rates};
use serde::{Deserialize, Serialize};

/// How often each of them may ask; nobody is limited unless it is set. Nodes that share a cache count
/// together.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RateLimits {
    /// A publisher's server, by its app; test and live keys apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<Limit>,
    /// A user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<Limit>,
    /// An address that nobody is known at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<Limit>,
}

/// A limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limit {
    /// Requests in a minute, in the long run.
    pub(crate) per_minute: u32,
    /// Requests at once.
    pub(crate) burst: u32,
}

impl RateLimits {
    /// The same as the engine takes it.
    pub(crate) fn rates(&self) -> Rates {
        let rate = |limit: &Option<Limit>| {
            limit.map(|limit| Rate { per_minute: limit.per_minute, burst: limit.burst })
        };
        Rates { app: rate(&self.app), user: rate(&self.user), address: rate(&self.address) }
    }

    /// Limits of nothing at all, by their names: nobody could ever ask.
    pub(crate) fn empty(&self) -> Option<&'static str> {
        let named = [("app", self.app), ("user", self.user), ("address", self.address)];
        let is_empty =
            |limit: &Option<Limit>| limit.is_some_and(|one| one.per_minute == 0 || one.burst == 0);
        named.into_iter().find(|(_, limit)| is_empty(limit)).map(|(name, _)| name)
    }
}
