//! Names to addresses, checked at the moment a connection is opened.
//!
//! The HTTP client connects to exactly the addresses that were checked: there is no second look-up
//! between check and connection, so a name cannot be rebound in between. A pooled connection stays with
//! the address it was opened to.

use super::guard::{EgressPolicy, Refused};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Most addresses of one name that are tried in turn.
const ADDRESSES_TRIED_MAX: usize = 8;

/// The resolver of the operating system, which answers with checked addresses or not at all.
#[derive(Clone)]
pub(super) struct GuardedDns {
    pub(super) policy: Arc<EgressPolicy>,
}

impl GuardedDns {
    async fn lookup(self, host: String) -> Result<Vec<SocketAddr>, Refused> {
        let found = tokio::net::lookup_host((host.as_str(), 0))
            .await
            .map_err(|error| Refused::Lookup(error.to_string()))?;
        let found: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        self.policy.check_resolved(&host, &found)?;
        let tried = found.into_iter().take(ADDRESSES_TRIED_MAX);
        Ok(tried.map(|ip| SocketAddr::new(ip, 0)).collect())
    }
}

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.clone().lookup(name.as_str().to_owned());
        Box::pin(async move {
            let found: Addrs = Box::new(lookup.await?.into_iter());
            Ok(found)
        })
    }
}
