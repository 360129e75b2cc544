//! What every page is: a struct that renders, a status, a statement about caching, and samples.

use askama::Template;

/// Headers that every answer with HTML carries, beside its `cache-control`.
///
/// The policy is a constant: no inline style or script, nothing from other hosts but images.
/// `same-origin` and not `no-referrer`: with the latter browsers send `Origin: null` with our own
/// forms. The frame ancestors are added by [`content_security_policy`].
pub const SECURITY_HEADERS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// What the page may load and who may frame it. `frame_ancestors` are origins from the catalogue
/// such as `https://shop.example`; anything else in them is left out. Without one, nobody may.
pub fn content_security_policy(frame_ancestors: &[&str]) -> String {
    let origins: Vec<&str> = frame_ancestors.iter().copied().filter(|o| is_origin(o)).collect();
    let ancestors = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self' https:; form-action 'self'; \
         base-uri 'none'; frame-ancestors {ancestors}"
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
        body,
    })
}

/// The entity tag is a hash of the body: it changes exactly when something on the page does, such
/// as a deadline that came an hour nearer.
fn etag(body: &str) -> String {
    let hash = blake3::hash(body.as_bytes()).to_hex();
    format!("\"{}\"", &hash.as_str()[..24])
}

fn is_origin(raw: &str) -> bool {
    let host = raw.strip_prefix("https://").or_else(|| raw.strip_prefix("http://localhost"));
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:*".contains(c);
    host.is_some_and(|host| host.chars().all(allowed)) && raw.len() > "https://".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_takes_origins_only() {
        let policy = content_security_policy(&["https://shop.example", "http://localhost:3000"]);
        assert!(policy.ends_with("frame-ancestors https://shop.example http://localhost:3000"));
        for bad in ["*", "https://a; script-src *", "javascript:x", "https://", "https://a/b"] {
            assert!(content_security_policy(&[bad]).ends_with("frame-ancestors 'none'"));
        }
    }

    #[test]
    fn policy_allows_nothing_inline() {
        let policy = content_security_policy(&[]);
        assert!(!policy.contains("unsafe-inline"));
        assert!(!policy.contains("script-src"));
    }
}
