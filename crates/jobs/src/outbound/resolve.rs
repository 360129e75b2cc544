//! Names to addresses, checked at the moment a connection is opened.
//!
//! The HTTP client connects to exactly the addresses that were checked: there is no second look-up
//! between check and connection, so a name cannot be rebound in between. A pooled connection stays with
//! the address it was opened to.

use super::guard::{EgressPolicy, Refused};
use reqwest::dns::{Addrs, Name, Resolving};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

/// Most addresses of one name that are tried in turn.
const ADDRESSES_TRIED_MAX: usize = 8;

/// The future of a look-up.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Looks names up. Tests answer what they like.
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, in the order in which they should be tried.
    ///
    /// # Errors
    ///
    /// A name that does not exist or a name server that does not answer.
    fn resolve<'a>(&'a self, host: &'a str) -> Lookup<'a>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A resolver that answers with checked addresses or not at all.
#[derive(Clone)]
pub(super) struct GuardedDns {
    pub(super) policy: Arc<EgressPolicy>,
    pub(super) resolver: Arc<dyn Resolve>,
}

impl GuardedDns {
    async fn lookup(self, host: String) -> Result<Vec<SocketAddr>, Refused> {
        let found = self
            .resolver
            .resolve(&host)
            .await
            .map_err(|error| Refused::Lookup(error.to_string()))?;
        self.policy.check_resolved(&host, &found)?;
        let tried = found.into_iter().take(ADDRESSES_TRIED_MAX);
        Ok(tried.map(|ip| SocketAddr::new(ip, 0)).collect())
    }
}

impl reqwest::dns::Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = self.clone().lookup(name.as_str().to_owned());
        Box::pin(async move {
            let found: Addrs = Box::new(lookup.await?.into_iter());
            Ok(found)
        })
    }
}
