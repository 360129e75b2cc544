//! How a publisher wants to be told about a reward, as data.
//!
//! A [`Dialect`] says which HTTP request tells a publisher's server of one reward or of one reversal,
//! how that request is signed, which answers mean "credited", and when to try again. Every vendor's
//! postback that Guerdon can imitate is a value of this type ([`preset`]), never code: a publisher whose
//! server already understands another network keeps that server and changes a host and a key. Presets
//! are starting values; what a vendor's page leaves open may be overridden field by field.
//!
//! This module holds no serde, no clock and no network. Rendering, signing and sending live in `jobs`.

mod answer;
mod macros;
mod presets;
mod problems;
mod retry;
mod signature;
mod template;

pub use answer::{Answer, BodyTest, StatusRange, StatusSet, SuccessTest};
pub use macros::Macro;
pub use presets::{PRESETS, preset};
pub use problems::Problem;
pub use retry::{
    DEFAULT_LADDER, DEFAULT_REACH_S, JITTER_PERCENT_MAX, RETRIES_MAX, RETRY_AFTER_MAX_S, RetryPlan,
    RetryStep,
};
pub use signature::{Algorithm, Encoding, Part, Place, Signature, SignatureRecipe};
pub use template::{Alias, Piece, TEMPLATE_BYTES_MAX, Template, TemplateError, TemplateErrorKind};

/// Shortest answer time a dialect may allow, in milliseconds: below it a healthy server far away fails.
pub const TIMEOUT_MS_MIN: u32 = 100;

/// Longest answer time a dialect may allow, in milliseconds: a worker is held for all of it.
pub const TIMEOUT_MS_MAX: u32 = 15_000;

/// Most requests that may be in flight to one endpoint at once.
pub const CONCURRENCY_MAX: u16 = 256;

/// One way of telling a publisher's server about rewards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Stable name, for example `buzzvil`; shown in the delivery log.
    pub name: String,
    /// Request method.
    pub method: Method,
    /// The address. `{endpoint_url}` stands for the endpoint's own URL, which may hold macros itself.
    pub url: Template,
    /// Other spellings an endpoint's URL may use for values, for example `[USER_ID]`.
    pub aliases: Vec<Alias>,
    /// Query parameters added to the URL, in this order. A parameter that the endpoint's own URL
    /// already carries under the same name is left as the publisher wrote it.
    pub query: Vec<Field>,
    /// Headers, added after the ones the body and the signature bring.
    pub headers: Vec<Field>,
    /// The request body.
    pub body: Body,
    /// How values are escaped inside the URL.
    pub escaping: Escaping,
    /// How the request is signed, if it is.
    pub signature: Option<Signature>,
    /// Which answers mean that the reward is credited.
    pub success: SuccessTest,
    /// Statuses after which no retry is made (`410` unless the vendor names others).
    pub stop: StatusSet,
    /// When to try again.
    pub retry: RetryPlan,
    /// How taking a reward back is told.
    pub reversal: ReversalStyle,
    /// Time allowed for one attempt, connection included, in milliseconds.
    pub timeout_ms: u32,
    /// Starting value for the number of requests in flight to one endpoint.
    pub concurrency: u16,
}

/// The request method of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`; the reward is in the query.
    Get,
    /// `POST`; the reward is in the body.
    Post,
}

impl Method {
    /// The method as it stands on the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

/// One named value: a query parameter, a form field or a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name as the publisher's server expects it.
    pub name: String,
    /// Value.
    pub value: Template,
    /// Leave the field out when its value is empty.
    pub optional: bool,
    /// Cut the value to this many characters; for titles, never for ids.
    pub max_chars: Option<u16>,
}

impl Field {
    /// A field that is always sent, at full length.
    pub fn new(name: &str, value: impl Into<Template>) -> Self {
        Field { name: name.to_owned(), value: value.into(), optional: false, max_chars: None }
    }

    /// The same field, left out when its value is empty.
    pub fn optional(self) -> Self {
        Field { optional: true, ..self }
    }

    /// The same field, cut to `max_chars` characters.
    pub fn max_chars(self, max_chars: u16) -> Self {
        Field { max_chars: Some(max_chars), ..self }
    }
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// No body.
    None,
    /// `application/x-www-form-urlencoded`, fields in this order.
    Form(Vec<Field>),
    /// `application/json`, members in this order.
    Json(Json),
    /// The Standard Webhooks message `{type, timestamp, data}`.
    StandardWebhook,
    /// A form with one encrypted field.
    Encrypted(Encrypted),
}

/// A form whose field `field` holds base64(AES-CBC(JSON)).
///
/// Key and IV are the endpoint's secrets; the length of the key selects AES-128 or AES-256. The IV is
/// fixed, as the vendor asks, so all attempts carry the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// Name of the form field that carries the cipher text.
    pub field: String,
    /// The JSON that is encrypted.
    pub inner: Json,
    /// Further fields sent in the clear.
    pub plain: Vec<Field>,
}

/// A JSON tree with templates at its leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// An object; members keep their order, so that all attempts carry the same bytes.
    Object(Vec<(String, Json)>),
    /// An array.
    Array(Vec<Json>),
    /// A string.
    Text(Template),
    /// A string, or `null` when it is empty.
    TextOrNull(Template),
    /// A whole number: the rendered text must be one.
    Integer(Template),
    /// A decimal number: the rendered text must be one.
    Number(Template),
    /// `1` or `true` becomes `true`; `0`, `false` or nothing becomes `false`.
    Bool(Template),
}

/// How values are escaped inside a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaping {
    /// RFC 3986: everything but `A-Z a-z 0-9 - . _ ~` becomes `%XX`.
    Rfc3986,
    /// HTML form: a space becomes `+`, everything but `A-Z a-z 0-9 * - . _` becomes `%XX`.
    Form,
    /// Left as it is. A value with `&` or `#` then changes the URL: only for vendors that do so too.
    None,
}

/// How a reversal is told.
///
/// The variant also decides which id a reversal shows as `{transaction_id}`: one of its own (that of
/// its message), where the publisher must see a new event, or that of the reward it takes back, where
/// the publisher looks the reward up. `{original_transaction_id}` is always the latter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReversalStyle {
    /// A message of its own type (`reward.reversed`) under the reward's id.
    SeparateEvent,
    /// The reward's message again, under the reward's id, with one parameter more.
    Param {
        /// Parameter name, for example `negativeCallback`.
        name: String,
        /// Parameter value, for example `true`.
        value: String,
    },
    /// A message under its own id whose amount and payout are negative.
    NegativeAmount,
    /// The reward's id with a prefix.
    IdPrefix {
        /// The prefix, for example `r-`.
        prefix: String,
        /// Parameters added, as (name, value).
        params: Vec<(String, String)>,
        /// Whether amount and payout are negative.
        negative: bool,
    },
    /// The reward's message again under the reward's id, told only if the endpoint's URL contains this
    /// placeholder (AdGate's `{state}`).
    Placeholder(String),
    /// This dialect has no words for it: the delivery stops with that reason.
    NotSupported,
}

impl ReversalStyle {
    /// Parameters that a reversal adds to the request, as (name, value).
    pub fn params(&self) -> Vec<(&str, &str)> {
        match self {
            ReversalStyle::Param { name, value } => vec![(name, value)],
            ReversalStyle::IdPrefix { params, .. } => {
                params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a reversal shows its amount and payout below zero.
    pub fn negative(&self) -> bool {
        match self {
            ReversalStyle::NegativeAmount => true,
            ReversalStyle::IdPrefix { negative, .. } => *negative,
            _ => false,
        }
    }
}

impl Dialect {
    /// A dialect with Guerdon's defaults, to be filled in: `{endpoint_url}` as address, any `2xx` as
    /// success, `410` as stop, the default ladder, 10 s for an attempt, 8 requests in flight.
    pub fn new(name: &str, method: Method) -> Self {
        Dialect {
            name: name.to_owned(),
            method,
            url: Template::of(Macro::EndpointUrl),
            aliases: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            escaping: Escaping::Rfc3986,
            signature: None,
            success: SuccessTest::status(StatusSet::range(200, 299)),
            stop: StatusSet::of(&[410]),
            retry: RetryPlan::default(),
            reversal: ReversalStyle::NotSupported,
            timeout_ms: 10_000,
            concurrency: 8,
        }
    }

    /// Parses an endpoint's URL in this dialect: Guerdon's macros and the dialect's aliases.
    ///
    /// # Errors
    ///
    /// The first thing that is not understood, with its position.
    pub fn endpoint_template(&self, url: &str) -> Result<Template, TemplateError> {
        Template::parse_with(url, &self.aliases)
    }
}

#[cfg(test)]
#[path = "dialect/tests.rs"]
mod tests;
