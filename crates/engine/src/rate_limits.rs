//! `admit`: how often somebody may ask. The buckets are in the cache, so nodes that share one count
//! together; while it is gone each node counts by itself.
//!
//! | step | store calls |
//! |---|---|
//! | take a token | 0; one of the cache |

use std::net::IpAddr;
use std::sync::Arc;

use domain::ids::{AppId, Mode, UserKey};
use store::{Allowance, Cache, CacheKey, Rate};

use crate::Engine;

/// Who asks, as far as that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    /// A publisher's server, by the key of its app.
    App(AppId, Mode),
    /// A user, by any of his sessions.
    User(UserKey),
    /// Nobody known, by his address.
    Address(IpAddr),
}

/// How often each of them may ask; no rate is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// The keys of one app, test and live apart.
    pub app: Option<Rate>,
    /// One user.
    pub user: Option<Rate>,
    /// One address, or one network of 64 bits where addresses are long.
    pub address: Option<Rate>,
}

/// The limits of a node.
pub(crate) struct RateLimits {
    rates: Rates,
    cache: Arc<dyn Cache>,
}

impl Engine {
    /// Limits how often somebody may ask from now on.
    #[must_use]
    pub fn with_rate_limits(mut self, rates: Rates, cache: Arc<dyn Cache>) -> Self {
        self.limits = Some(RateLimits { rates, cache });
        self
    }

    /// Whether anybody is limited.
    #[must_use]
    pub fn has_rate_limits(&self) -> bool {
        self.limits.as_ref().is_some_and(|limits| limits.rates != Rates::default())
    }

    /// Takes one token of his.
    pub async fn admit(&self, asker: Asker) -> Allowance {
        let Some(limits) = &self.limits else { return Allowance::Allowed };
        let Some(rate) = limits.rates.of(asker) else { return Allowance::Allowed };
        limits.cache.take(bucket_of(asker), rate).await
    }
}

impl Rates {
    fn of(&self, asker: Asker) -> Option<Rate> {
        match asker {
            Asker::App(..) => self.app,
            Asker::User(_) => self.user,
            Asker::Address(_) => self.address,
        }
    }
}

fn bucket_of(asker: Asker) -> CacheKey {
    match asker {
        Asker::App(app, mode) => {
            let mut id = app.0.to_le_bytes().to_vec();
            id.push(u8::from(mode == Mode::Live));
            CacheKey::of("bucket of an app", &id)
        }
        Asker::User(user) => CacheKey::of("bucket of a user", &user.0),
        Asker::Address(address) => CacheKey::of("bucket of an address", &network(address)),
    }
}

/// A household has one short address or 2^64 long ones.
fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(short) => short.octets().to_vec(),
        IpAddr::V6(long) => long.octets()[..8].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_belong_to_one_asker() {
        let address = |text: &str| Asker::Address(text.parse().unwrap());
        let askers = [
            Asker::App(AppId(1), Mode::Live),
            Asker::App(AppId(1), Mode::Test),
            Asker::App(AppId(2), Mode::Live),
            Asker::User(UserKey([1; 16])),
            address("192.0.2.1"),
            address("192.0.2.2"),
            address("2001:db8:0:1::1"),
            address("2001:db8:0:2::1"),
        ];
        let buckets: std::collections::BTreeSet<_> = askers.into_iter().map(bucket_of).collect();
        assert_eq!(buckets.len(), askers.len());
    }

    #[test]
    fn a_network_has_one_bucket_however_its_addresses_are_written() {
        let bucket = |text: &str| bucket_of(Asker::Address(text.parse().unwrap()));
        assert_eq!(bucket("::ffff:192.0.2.1"), bucket("192.0.2.1"));
        assert_eq!(bucket("2001:db8:0:1::1"), bucket("2001:db8:0:1:ffff::2"));
    }
}
