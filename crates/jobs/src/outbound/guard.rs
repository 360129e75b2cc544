//! Where a request may go (X2).
//!
//! A publisher chooses the URL, so the URL is hostile. It is read by one parser only, the one the HTTP
//! client uses, which turns decimal, octal, hexadecimal and full-width spellings of an address into the
//! address, and names into ASCII. Then: `http` or `https`, no user name, an allowed port, and for an
//! address in the URL itself, an allowed address. Names are checked when a connection is opened
//! ([`super::resolve`]), each address of each answer, so a name that changes its mind is caught.

use super::ranges::not_public;
use ipnet::IpNet;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use url::{Host, Url};

/// What an operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EgressPolicy {
    /// Networks that are allowed although they are not public.
    pub(crate) allow_private: Vec<IpNet>,
    /// Host names, in lower case and without a final dot, whose addresses need not be public.
    pub(crate) allow_hosts: Vec<String>,
    /// Ports that may be called.
    pub(crate) ports: Vec<RangeInclusive<u16>>,
}

/// Only the public internet, on ports 80, 443 and from 1024.
impl Default for EgressPolicy {
    fn default() -> Self {
        EgressPolicy {
            allow_private: Vec::new(),
            allow_hosts: Vec::new(),
            ports: vec![80..=80, 443..=443, 1024..=u16::MAX],
        }
    }
}

/// Why a request may not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The text is no URL.
    #[error("this is no URL: {0}")]
    NotAUrl(String),
    /// Neither `http` nor `https`.
    #[error("only http and https are allowed, not {0}")]
    Scheme(String),
    /// `user@` or `user:password@` before the host.
    #[error("a user name or password in the URL is not allowed")]
    UserInfo,
    /// A port outside the allowed ranges.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// No host.
    #[error("the URL has no host")]
    NoHost,
    /// An address that is not public and not allowed.
    #[error("address {ip} is not public ({range})")]
    Address {
        /// The address.
        ip: IpAddr,
        /// The range it lies in.
        range: &'static str,
    },
    /// The name has no address.
    #[error("the host name has no address")]
    NoAddress,
    /// The name could not be looked up.
    #[error("the host name could not be looked up: {0}")]
    Lookup(String),
}

impl EgressPolicy {
    /// Adds one entry of the configuration: a network (`10.2.0.0/16`), an address, or a host name.
    ///
    /// # Errors
    ///
    /// The entry itself if it is none of these.
    pub(crate) fn allow(&mut self, entry: &str) -> Result<(), Refused> {
        let entry = entry.trim();
        if let Ok(net) = entry.parse::<IpNet>() {
            self.allow_private.push(net);
        } else if let Ok(ip) = entry.parse::<IpAddr>() {
            self.allow_private.push(IpNet::from(ip));
        } else {
            match Host::parse(entry) {
                Ok(Host::Domain(name)) => self.allow_hosts.push(without_dot(&name).to_owned()),
                _ => return Err(Refused::NotAUrl(entry.to_owned())),
            }
        }
        Ok(())
    }

    /// Checks everything that can be known without looking a name up.
    ///
    /// # Errors
    ///
    /// The first rule that the URL breaks.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo);
        }
        let port = url.port_or_known_default().unwrap_or(0);
        if !self.ports.iter().any(|range| range.contains(&port)) {
            return Err(Refused::Port(port));
        }
        match url.host() {
            None => Err(Refused::NoHost),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(ip)) => self.check_ip(ip.into()),
            Some(Host::Ipv6(ip)) => self.check_ip(ip.into()),
        }
    }

    /// Checks one address.
    ///
    /// # Errors
    ///
    /// An address that is neither public nor in an allowed network.
    pub(crate) fn check_ip(&self, ip: IpAddr) -> Result<(), Refused> {
        match not_public(ip) {
            Some(range) if !self.allow_private.iter().any(|net| net.contains(&ip)) => {
                Err(Refused::Address { ip, range })
            }
            _ => Ok(()),
        }
    }

    /// Checks what a name resolved to. One bad address among good ones refuses them all: it is no
    /// accident, and which of them would be called is not ours to choose.
    ///
    /// # Errors
    ///
    /// No address at all, or the first one that is not allowed.
    pub(crate) fn check_resolved(&self, host: &str, found: &[IpAddr]) -> Result<(), Refused> {
        if found.is_empty() {
            return Err(Refused::NoAddress);
        }
        let host = host.to_ascii_lowercase();
        if self.allow_hosts.iter().any(|allowed| allowed == without_dot(&host)) {
            return Ok(());
        }
        found.iter().try_for_each(|ip| self.check_ip(*ip))
    }
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
