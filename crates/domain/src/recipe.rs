//! How a partner's postback reads: which field means what. Recipes are data, not code.
//!
//! [`read::read`] reads a postback by its recipe; what a partner signs is checked in `engine`.

pub mod read;
pub mod time;

mod amount;
mod fields;
mod redact;

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

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|&name| name.to_owned()).collect()
}

fn field_is(field: &str, values: &[&str]) -> FieldIs {
    FieldIs { field: field.to_owned(), values: names(values) }
}

/// The recipes that come with Guerdon.
pub const PRESETS: [&str; 3] = ["generic", "appsflyer", "adjust"];

/// The recipe of that name.
#[must_use]
pub fn preset(name: &str) -> Option<Recipe> {
    match name {
        "generic" => Some(generic()),
        "appsflyer" => Some(appsflyer()),
        "adjust" => Some(adjust()),
        _ => None,
    }
}

fn generic() -> Recipe {
    Recipe {
        name: "generic".to_owned(),
        click_id: names(&["click_id"]),
        event: names(&["event"]),
        event_default: None,
        event_id: names(&["event_id"]),
        event_time: names(&["event_time"]),
        revenue: names(&["revenue"]),
        currency: names(&["currency"]),
        reversal: vec![field_is("reversal", &["true", "1"])],
        rejected: vec![field_is("rejected", &["true", "1"])],
        organic: vec![field_is("organic", &["true", "1"])],
        signature: Some(Signature {
            place: SignaturePlace::Field("signature".to_owned()),
            content: SignedContent::SortedFields,
            algorithm: SignatureAlgorithm::HmacSha256,
            required: false,
        }),
    }
}

/// Field names as AppsFlyer's partner postback macros are commonly mapped; both the hyphen and the
/// underscore spelling occur. A blocked postback carries the reason for which it was blocked.
fn appsflyer() -> Recipe {
    Recipe {
        name: "appsflyer".to_owned(),
        click_id: names(&["clickid", "click_id", "af_click_id"]),
        event: names(&["event_name", "event-name", "mapped_iae", "mapped-iae"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id", "af_event_id", "transaction_id"]),
        event_time: names(&[
            "event_time",
            "event-time",
            "timestamp",
            "install_unix_ts",
            "install-unix-ts",
        ]),
        revenue: names(&["event_revenue", "monetary", "orig_monetary", "orig-monetary"]),
        currency: names(&["event_revenue_currency", "currency"]),
        reversal: vec![
            field_is("is_reversal", &["true", "1"]),
            field_is("reversal", &["true", "1"]),
        ],
        rejected: vec![field_is("blocked_reason", &[]), field_is("blocked-reason", &[])],
        organic: vec![
            field_is("is_organic", &["true", "1"]),
            field_is("media_source", &["organic"]),
            field_is("is_attributed", &["false", "0"]),
        ],
        signature: None,
    }
}

/// Placeholder names of Adjust's callbacks. `event` is the permanent token and comes before the
/// changeable `event_name`; without either the kind of activity is the event.
fn adjust() -> Recipe {
    Recipe {
        name: "adjust".to_owned(),
        click_id: names(&["click_id", "label"]),
        event: names(&["event", "event_token", "event_name", "activity_kind"]),
        event_default: Some("install".to_owned()),
        event_id: names(&["event_id", "callback_id", "nonce"]),
        event_time: names(&["created_at", "event_time", "installed_at"]),
        revenue: names(&["revenue_float", "revenue"]),
        currency: names(&["currency"]),
        reversal: vec![field_is("reversal", &["true", "1"])],
        rejected: vec![field_is("activity_kind", &["rejected_install", "rejected_reattribution"])],
        organic: vec![
            field_is("is_organic", &["true", "1"]),
            field_is("network_name", &["organic"]),
            field_is("tracker_name", &["organic"]),
        ],
        signature: None,
    }
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
