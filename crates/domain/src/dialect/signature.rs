//! How a request proves where it comes from.

use super::{Escaping, Template};

/// How a request is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// A vendor's recipe.
    Recipe(SignatureRecipe),
    /// Standard Webhooks: headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, the last
    /// `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`. While two secrets are live there are
    /// two signatures, separated by a space. Secrets are `whsec_` and base64.
    StandardWebhooks,
}

/// Parts, joined, hashed, written somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureRecipe {
    /// What is hashed, in order.
    pub parts: Vec<Part>,
    /// What stands between two parts.
    pub joiner: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// How the hash is written.
    pub encoding: Encoding,
    /// Where it goes.
    pub place: Place,
}

/// One part of what is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text with values, unescaped.
    Text(Template),
    /// The endpoint's secret.
    Secret,
    /// All query and form parameters as `name=value` joined by `&`, sorted by the bytes of the name.
    AllParamsSorted {
        /// How names and values are escaped; with [`Escaping::None`] they are not.
        escaping: Escaping,
        /// How often *values* are escaped: 1 is usual; 2 follows vendors' samples that escape each
        /// value and then call a builder that escapes again.
        passes: u8,
    },
    /// The whole URL as sent, without the signature itself.
    FullUrl,
    /// The bytes of the body.
    Body,
    /// Time of the attempt in unix seconds.
    Timestamp,
}

/// The hash of a recipe. The keyed ones take the endpoint's secret as key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5 over the parts; one of them must be the secret.
    Md5,
    /// SHA-1 over the parts; one of them must be the secret.
    Sha1,
    /// SHA-256 over the parts; one of them must be the secret.
    Sha256,
    /// HMAC-MD5.
    HmacMd5,
    /// HMAC-SHA-1.
    HmacSha1,
    /// HMAC-SHA-256.
    HmacSha256,
}

impl Algorithm {
    /// Whether the secret is the key; otherwise it must be one of the parts.
    pub fn keyed(self) -> bool {
        matches!(self, Algorithm::HmacMd5 | Algorithm::HmacSha1 | Algorithm::HmacSha256)
    }
}

/// How a hash is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal.
    Hex,
    /// Base64 with padding.
    Base64,
}

/// Where a signature goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A query parameter of this name, added last.
    Query(String),
    /// A header.
    Header {
        /// Header name.
        name: String,
        /// Value, for example `t={timestamp},v1={signature}`.
        value: Template,
    },
    /// A form field of this name, added last.
    FormField(String),
    /// A member of this name in the outermost JSON object, added last.
    JsonField(String),
    /// Wherever the URL or a field says `{signature}`.
    Macro,
}
