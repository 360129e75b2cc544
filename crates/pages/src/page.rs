//! What every page is: a struct that renders, a status, a statement about caching, and samples.

use askama::Template;

/// Headers that every answer carries, beside its own `cache-control`.
///
/// `same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` with our own
/// forms. Neither tells another site our address, which may hold a session token.
pub const SECURITY_HEADERS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Where the forms of a page may lead: to this server.
pub const FORMS_STAY: &str = "'self'";
/// The same for a form whose answer sends the user on to an advertiser. Browsers hold every hop of
/// such a redirect against the policy, and nobody knows the hops beforehand.
pub const FORMS_LEAD_OUT: &str = "'self' https: http: market: intent: itms-apps: itms-appss:";

/// What a page may load, and where its forms may lead.
///
/// Nothing inline and nothing from other hosts but images. Any site may frame the page: which ones
/// embed it is the publishers' choice, and there is nothing to steal, since another site's frame
/// never gets the cookie and shows a user's page only to somebody who has his token already.
pub fn content_security_policy(form_targets: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action {form_targets}; \
         base-uri 'none'; frame-ancestors *"
    )
}

/// How long an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    /// Never: the page holds forms or a click's address, and must be fresh on the way back.
    NoStore,
    /// In this browser only, and asked for again each time; an `ETag` makes that cheap.
    Revalidate,
}

impl CachePolicy {
    /// Value of the `cache-control` header.
    pub fn header(self) -> &'static str {
        match self {
            Self::NoStore => "private, no-store",
            Self::Revalidate => "private, no-cache",
        }
    }
}

/// A page of this crate.
pub trait Page: Template + Sized {
    /// Name for metrics and tests; the template is `<NAME>.html`.
    const NAME: &'static str;

    /// HTTP status of the answer.
    fn status(&self) -> u16 {
        200
    }

    /// How long the answer may be kept.
    fn cache(&self) -> CachePolicy;

    /// Where its forms may lead, as [`content_security_policy`] takes it.
    fn form_targets(&self) -> &'static str {
        FORMS_STAY
    }

    /// Realistic values of the page, for its test, for designers and for screenshots.
    fn samples() -> Vec<Sample<Self>>;
}

/// One realistic value of a page.
#[derive(Clone, Debug)]
pub struct Sample<P> {
    /// Names the sample; unique within its page.
    pub name: &'static str,
    /// The value.
    pub page: P,
}

/// A page as it goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// Value of `cache-control`.
    pub cache_control: &'static str,
    /// Value of `etag`, for pages that may be revalidated.
    pub etag: Option<String>,
    /// Value of `content-security-policy`.
    pub policy: String,
    /// The HTML.
    pub body: String,
}

/// Renders a page with what its answer's head needs.
pub fn render<P: Page>(page: &P) -> Result<Rendered, askama::Error> {
    let body = page.render()?;
    let cache = page.cache();
    Ok(Rendered {
        status: page.status(),
        cache_control: cache.header(),
        etag: (cache == CachePolicy::Revalidate).then(|| etag(&body)),
        policy: content_security_policy(page.form_targets()),
        body,
    })
}

/// The entity tag is a hash of the body: it changes exactly when something on the page does, such
/// as a deadline that came an hour nearer.
fn etag(body: &str) -> String {
    let hash = blake3::hash(body.as_bytes()).to_hex();
    format!("\"{}\"", &hash.as_str()[..24])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_allows_nothing_inline() {
        for targets in [FORMS_STAY, FORMS_LEAD_OUT] {
            let policy = content_security_policy(targets);
            assert!(policy.starts_with("default-src 'none';"));
            assert!(!policy.contains("unsafe-inline"));
            assert!(!policy.contains("script-src"));
            assert!(policy.contains(&format!("form-action {targets};")));
        }
    }
}
