//! Addresses that a page may point at. A value of these types is safe to put into `src` or `href`:
//! no `javascript:`, no `data:`, nothing that leaves the attribute.

use std::fmt;

/// Longest address accepted. Tracking links with every macro filled stay under it.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// Schemes a landing link may have, the same as in the catalogue: the web, and those of the two
/// mobile systems that open a store or an app.
const LANDING_SCHEMES: [&str; 6] =
    ["https://", "http://", "market://", "intent://", "itms-apps://", "itms-appss://"];

/// Where an image lies: `https`, or a path on this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUrl(String);

/// Where a mission leads: the web, an app store, or a path on this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandingUrl(String);

impl ImageUrl {
    /// `None` for anything but `https://…` and `/…`. Callers show the kind's icon instead.
    pub fn parse(raw: &str) -> Option<Self> {
        let accepted = is_local(raw) || has_scheme(raw, "https://");
        (is_clean(raw) && accepted).then(|| Self(raw.to_owned()))
    }
}

impl LandingUrl {
    /// `None` for a scheme that could run in this page or open a file.
    pub fn parse(raw: &str) -> Option<Self> {
        let accepted = is_local(raw) || LANDING_SCHEMES.iter().any(|s| has_scheme(raw, s));
        (is_clean(raw) && accepted).then(|| Self(raw.to_owned()))
    }

    /// The host to name to the user ("opens shop.example"); nothing for stores and own paths.
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        let web = has_scheme(&self.0, "https://") || has_scheme(&self.0, "http://");
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit('@').next()?;
        (web && !host.is_empty()).then_some(host)
    }
}

impl fmt::Display for ImageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LandingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `//host` and `/\host` leave this server, so they are not local.
fn is_local(raw: &str) -> bool {
    raw.starts_with('/') && !raw.starts_with("//") && !raw.starts_with("/\\")
}

fn has_scheme(raw: &str, scheme: &str) -> bool {
    raw.len() > scheme.len()
        && raw.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

fn is_clean(raw: &str) -> bool {
    let forbidden = |c: char| c.is_whitespace() || c.is_control() || "\"'<>`\\".contains(c);
    raw.len() <= ADDRESS_BYTES_MAX && !raw.contains(forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images() {
        for good in ["https://cdn.example/a.png?v=2", "/m/media/7.webp"] {
            assert!(ImageUrl::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "http://cdn.example/a.png",
            "//cdn.example/a.png",
            "/\\cdn.example",
            "data:image/png;base64,AA",
            "https://",
            "https://a/\"onerror=1",
            "javascript:alert(1)",
        ] {
            assert!(ImageUrl::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn landings() {
        for good in [
            "https://go.example/c?x=1&y=2",
            "market://details?id=app",
            "HTTPS://go.example",
            "itms-apps://x/y",
            "intent://x#Intent;package=com.example;end",
        ] {
            assert!(LandingUrl::parse(good).is_some(), "{good}");
        }
        for bad in ["javascript:alert(1)", "data:text/html,x", " https://a", "file:///etc", "//a"] {
            assert!(LandingUrl::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn hosts() {
        let host = |raw: &str| LandingUrl::parse(raw).and_then(|l| l.host().map(str::to_owned));
        assert_eq!(host("https://go.example/c?x=1").as_deref(), Some("go.example"));
        assert_eq!(host("https://user@evil.example?x").as_deref(), Some("evil.example"));
        assert_eq!(host("market://details?id=app"), None);
        assert_eq!(host("/m/demo"), None);
    }
}
