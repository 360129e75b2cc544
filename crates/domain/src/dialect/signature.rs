//! How a request proves where it comes from.

use super::{Escaping, Template};
use crate::secret::Secret;

/// How a secret of Standard Webhooks begins.
const WHSEC: &str = "whsec_";

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

impl Signature {
    /// Whether a secret has the form that the signature asks for. One that is sealed or a reference
    /// is taken on trust.
    #[must_use]
    pub fn fits(&self, secret: &Secret) -> bool {
        match self {
            Self::Recipe(_) => true,
            Self::StandardWebhooks => {
                let key = secret.expose().strip_prefix(WHSEC);
                !secret.is_plain() || key.is_some_and(is_base64)
            }
        }
    }
}

/// Whether the text is base64 with padding, of one byte or more.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let place = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    // What the last digit says beyond the last byte must be 0.
    let rest = (1_u8 << (2 * padding.min(2))) - 1;
    let last = digits.bytes().next_back().and_then(place);
    text.len().is_multiple_of(4)
        && padding <= 2
        && last.is_some_and(|last| last & rest == 0)
        && digits.bytes().all(|byte| place(byte).is_some())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_standard_webhooks_are_whsec_and_base64() {
        let fits = |text: &str| Signature::StandardWebhooks.fits(&Secret::new(text));
        for good in ["whsec_aGk=", "whsec_AA==", "whsec_MDEy", "whsec_+/+/", "sealed:x", "env:X"] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "",
            "abc",
            "MDEy",
            "whsec_",
            "whsec_====",
            "whsec_A===",
            "whsec_AB==",
            "whsec_aGl=",
            "whsec_aGk",
            "whsec_aGk=\n",
            "whsec_aG-k",
            "whsec_not base64!!",
            "whsec_aG=k",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }
}
