//! How a partner's postback reads: which field means what. Recipes are data, not code.
//!
//! [`read::read`] reads a postback by its recipe; what a partner signs is checked in `engine`.

pub mod read;
pub mod time;

mod amount;
mod fields;
mod presets;
mod redact;

pub use presets::{PRESETS, preset};

/// The fields of a partner's postback, each with the names under which it may come; the first that
/// is present and not an unreplaced macro counts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recipe {
    /// `generic`, `appsflyer`, … or what the operator calls his own.
    pub name: String,
    /// Our click id.
    pub click_id: Vec<String>,
    /// Name or token of the event.
    pub event: Vec<String>,
    /// The event when the field is absent, such as `install` on an install postback.
    pub event_default: Option<String>,
    /// The partner's own id of the event.
    pub event_id: Vec<String>,
    /// When it happened: seconds, milliseconds or a date.
    pub event_time: Vec<String>,
    /// Revenue in major units, such as `1.50`.
    pub revenue: Vec<String>,
    /// ISO currency of the revenue.
    pub currency: Vec<String>,
    /// What marks a postback that takes an earlier event back.
    pub reversal: Vec<FieldIs>,
    /// What marks an event that the partner itself refused, such as for fraud.
    pub rejected: Vec<FieldIs>,
    /// What marks an event that no click of ours led to.
    pub organic: Vec<FieldIs>,
    /// The partner's signature, where there is one.
    pub signature: Option<Signature>,
}

/// A field that has one of these values, whatever their case; no values means that it is present.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FieldIs {
    /// The field.
    pub field: String,
    /// The values.
    pub values: Vec<String>,
}

/// How a partner signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Where the signature is.
    pub place: SignaturePlace,
    /// What is signed.
    pub content: SignedContent,
    /// How it is signed.
    pub algorithm: SignatureAlgorithm,
    /// Whether a postback without a signature is refused.
    pub required: bool,
}

/// Where a signature is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignaturePlace {
    /// A field of the query, form or JSON.
    Field(String),
    /// A header.
    Header(String),
}

/// What is signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignedContent {
    /// `name=value` of every field but the signature, sorted by name, joined by `&`.
    SortedFields,
    /// The values of these fields in this order with a joiner between them; an absent one is empty.
    Fields(Vec<String>, String),
    /// The bytes of the body.
    Body,
}

/// How a postback is signed; the signature is lower- or upper-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with MD5.
    HmacMd5,
    /// SHA-256 of the content followed by the key.
    Sha256,
    /// SHA-1 of the content followed by the key.
    Sha1,
    /// MD5 of the content followed by the key.
    Md5,
}

impl Recipe {
    /// Whether fields of the query count. Where the signature is over the body they do not: anybody
    /// could add an event id to a signed body and be paid for it again.
    #[must_use]
    pub fn takes_query(&self) -> bool {
        let content = self.signature.as_ref().map(|signature| &signature.content);
        content != Some(&SignedContent::Body)
    }

    /// What is wrong with the recipe, as pairs of field and message.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.click_id.is_empty() {
            found
                .push(("click_id", "name at least one field that carries the click id".to_owned()));
        }
        if self.event.is_empty() && self.event_default.is_none() {
            found.push(("event", "name a field, or give event_default".to_owned()));
        }
        found
    }
}
