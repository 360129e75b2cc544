//! Dialects as they are written: the name of a preset, or a table.

use domain::dialect::{
    self, Algorithm, Alias, Answer, Body, BodyTest, Dialect, Encoding, Encrypted, Escaping, Field,
    Json, Method, Part, Place, RetryPlan, RetryStep, ReversalStyle, Signature, SignatureRecipe,
    StatusSet, SuccessTest,
};

use super::human::{SecondsText, StatusText, TemplateText};
use super::mirror::{Mirror, is_default, mirror, mirror_enum};
use super::preset::preset_form;

preset_form! {
    /// A dialect; written as [`DialectChoice`].
    DialectForm,
    /// The name of a preset, or a table of what differs from one.
    DialectChoice,
    /// How a publisher is told, field by field; absent fields are the preset's.
    DialectDoc = Dialect {
        /// Request method.
        method: MethodDoc,
        /// The address; `{endpoint_url}` stands for the endpoint's own.
        url: TemplateText,
        /// Other spellings an endpoint's URL may use for values.
        aliases: Vec<AliasDoc>,
        /// Query parameters added to the URL, in this order.
        query: Vec<FieldDoc>,
        /// Headers.
        headers: Vec<FieldDoc>,
        /// The request body.
        body: BodyDoc,
        /// How values are escaped inside the URL.
        escaping: EscapingDoc,
        /// How the request is signed; `none` if it is not.
        signature: SignatureDoc,
        /// The answers that mean "credited"; it is enough that one fits.
        success: Vec<AnswerDoc>,
        /// Statuses after which no retry is made.
        stop: Vec<StatusText>,
        /// When to try again.
        retry: RetryDoc,
        /// How taking a reward back is told.
        reversal: ReversalDoc,
        /// Time allowed for one attempt, in milliseconds.
        timeout_ms: u32,
        /// Starting value for the number of requests in flight.
        concurrency: u16,
    }
    preset: dialect::preset, names: dialect::PRESETS, blank: blank, default: "standard_webhooks"
}

/// What a dialect without a preset starts from.
fn blank(doc: &DialectDoc) -> Dialect {
    Dialect::new(doc.name.as_deref().unwrap_or_default(), Method::Post)
}

mirror! {
    /// Another spelling of a value inside an endpoint's URL.
    AliasDoc = Alias {
        /// The spelling, brackets included.
        text: String,
        /// What stands for it.
        value: TemplateText,
    }

    /// One named value: a query parameter, a form field or a header.
    FieldDoc = Field {
        /// Name as the publisher's server expects it.
        name: String,
        /// Value.
        value: TemplateText,
        /// Leave the field out when its value is empty.
        #[serde(default, skip_serializing_if = "is_default")]
        optional: bool,
        /// Cut the value to this many characters.
        #[serde(default, skip_serializing_if = "is_default")]
        max_chars: Option<u16>,
    }

    /// A form with one encrypted field.
    EncryptedDoc = Encrypted {
        /// Name of the form field that carries the cipher text.
        field: String,
        /// The JSON that is encrypted.
        inner: JsonDoc,
        /// Further fields sent in the clear.
        #[serde(default, skip_serializing_if = "is_default")]
        plain: Vec<FieldDoc>,
    }

    /// Parts, joined, hashed, written somewhere.
    SignatureRecipeDoc = SignatureRecipe {
        /// What is hashed, in order.
        parts: Vec<PartDoc>,
        /// What stands between two parts.
        #[serde(default, skip_serializing_if = "is_default")]
        joiner: String,
        /// The hash.
        algorithm: AlgorithmDoc,
        /// How the hash is written.
        encoding: EncodingDoc,
        /// Where it goes.
        place: PlaceDoc,
    }

    /// One kind of answer.
    AnswerDoc = Answer {
        /// Statuses.
        statuses: Vec<StatusText>,
        /// What the body must say.
        #[serde(default, skip_serializing_if = "is_default")]
        body: BodyTestDoc,
    }

    /// When to try again.
    RetryDoc = RetryPlan {
        /// Delays in order; after the last one the delivery is parked.
        steps: Vec<RetryStepDoc>,
        /// How much longer a delay may get, in percent.
        jitter_percent: u8,
    }

    /// The same delay so many times.
    RetryStepDoc = RetryStep {
        /// Delay after the attempt before.
        delay_s: SecondsText,
        /// How many retries follow that delay.
        times: u16,
    }
}

mirror_enum! {
    /// The request method.
    MethodDoc = Method {
        /// The reward is in the query.
        Get,
        /// The reward is in the body.
        Post,
    }

    /// The body of a request.
    BodyDoc = Body {
        /// No body.
        None,
        /// A form, fields in this order.
        Form(fields: Vec<FieldDoc>),
        /// JSON, members in this order.
        Json(json: JsonDoc),
        /// The Standard Webhooks message.
        StandardWebhook,
        /// A form with one encrypted field.
        Encrypted(form: EncryptedDoc),
    }

    /// A JSON tree with templates at its leaves.
    JsonDoc = Json {
        /// An object; a list, because the order of its members counts.
        Object(members: Vec<MemberDoc>),
        /// An array.
        #[schema(no_recursion)]
        Array(items: Vec<JsonDoc>),
        /// A string.
        Text(text: TemplateText),
        /// A string, or `null` where the text is empty.
        TextOrNull(text: TemplateText),
        /// A whole number.
        Integer(text: TemplateText),
        /// A decimal number.
        Number(text: TemplateText),
        /// A truth value.
        Bool(text: TemplateText),
    }

    /// How values are escaped inside a URL.
    EscapingDoc = Escaping {
        /// RFC 3986.
        Rfc3986,
        /// HTML form.
        Form,
        /// Left as it is.
        None,
    }

    /// One part of what is hashed.
    PartDoc = Part {
        /// Text with values, unescaped.
        Text(text: TemplateText),
        /// The endpoint's secret.
        Secret,
        /// All query and form parameters, sorted by name.
        AllParamsSorted {
            /// How names and values are escaped.
            escaping: EscapingDoc,
            /// How often values are escaped.
            passes: u8,
        },
        /// The whole URL as sent, without the signature itself.
        FullUrl,
        /// The bytes of the body.
        Body,
        /// Time of the attempt in unix seconds.
        Timestamp,
    }

    /// The hash of a signature.
    AlgorithmDoc = Algorithm {
        /// MD5.
        Md5,
        /// SHA-1.
        Sha1,
        /// SHA-256.
        Sha256,
        /// HMAC-MD5.
        HmacMd5,
        /// HMAC-SHA-1.
        HmacSha1,
        /// HMAC-SHA-256.
        HmacSha256,
    }

    /// How a hash is written.
    EncodingDoc = Encoding {
        /// Lower-case hexadecimal.
        Hex,
        /// Base64 with padding.
        Base64,
    }

    /// Where a signature goes.
    PlaceDoc = Place {
        /// A query parameter of this name.
        Query(name: String),
        /// A header.
        Header {
            /// Header name.
            name: String,
            /// Value, for example `t={timestamp},v1={signature}`.
            value: TemplateText,
        },
        /// A form field of this name.
        FormField(name: String),
        /// A member of this name in the outermost JSON object.
        JsonField(name: String),
        /// Wherever the URL or a field says `{signature}`.
        Macro,
    }

    /// What a body must say.
    #[derive(Default)]
    BodyTestDoc = BodyTest {
        /// Anything.
        #[default]
        Any,
        /// Exactly this text.
        Equals(text: TemplateText),
        /// This text somewhere.
        Contains(text: TemplateText),
        /// A JSON body whose member at `path` is `value`.
        JsonEquals {
            /// Member names from the outermost object inwards.
            path: Vec<String>,
            /// Expected text.
            value: String,
        },
    }

    /// How a reversal is told.
    ReversalDoc = ReversalStyle {
        /// A message of its own type under its own id.
        SeparateEvent,
        /// The reward's message again, with one parameter more.
        Param {
            /// Parameter name.
            name: String,
            /// Parameter value.
            value: String,
        },
        /// A message under its own id whose amount and payout are negative.
        NegativeAmount,
        /// The reward's id with a prefix.
        IdPrefix {
            /// The prefix.
            prefix: String,
            /// Parameters added.
            #[serde(default, skip_serializing_if = "is_default")]
            params: Vec<ParamDoc>,
            /// Whether amount and payout are negative.
            #[serde(default, skip_serializing_if = "is_default")]
            negative: bool,
        },
        /// The reward's message again, told only if the endpoint's URL contains this placeholder.
        Placeholder(text: String),
        /// The delivery stops with that reason.
        NotSupported,
    }
}

/// How a request is signed.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SignatureDoc {
    /// It is not.
    None,
    /// A vendor's recipe.
    Recipe(SignatureRecipeDoc),
    /// Standard Webhooks.
    StandardWebhooks,
}

/// A parameter with its value.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ParamDoc {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A member of a JSON object.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberDoc {
    /// Its name.
    pub name: String,
    /// Its value.
    #[schema(no_recursion)]
    pub value: JsonDoc,
}

impl Mirror<Option<Signature>> for SignatureDoc {
    fn of(value: &Option<Signature>) -> Self {
        match value {
            None => Self::None,
            Some(Signature::Recipe(recipe)) => Self::Recipe(Mirror::of(recipe)),
            Some(Signature::StandardWebhooks) => Self::StandardWebhooks,
        }
    }

    fn into_domain(self) -> Option<Signature> {
        match self {
            Self::None => None,
            Self::Recipe(recipe) => Some(Signature::Recipe(recipe.into_domain())),
            Self::StandardWebhooks => Some(Signature::StandardWebhooks),
        }
    }
}

impl Mirror<(String, String)> for ParamDoc {
    fn of((name, value): &(String, String)) -> Self {
        Self { name: name.clone(), value: value.clone() }
    }

    fn into_domain(self) -> (String, String) {
        (self.name, self.value)
    }
}

impl Mirror<(String, Json)> for MemberDoc {
    fn of((name, value): &(String, Json)) -> Self {
        Self { name: name.clone(), value: Mirror::of(value) }
    }

    fn into_domain(self) -> (String, Json) {
        (self.name, self.value.into_domain())
    }
}

impl Mirror<StatusSet> for Vec<StatusText> {
    fn of(value: &StatusSet) -> Self {
        Mirror::of(&value.ranges)
    }

    fn into_domain(self) -> StatusSet {
        StatusSet { ranges: self.into_domain() }
    }
}

impl Mirror<SuccessTest> for Vec<AnswerDoc> {
    fn of(value: &SuccessTest) -> Self {
        Mirror::of(&value.any_of)
    }

    fn into_domain(self) -> SuccessTest {
        SuccessTest { any_of: self.into_domain() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<Dialect, String> {
        serde_json::from_value::<DialectForm>(value.clone())
            .map(|form| form.0)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_preset_is_its_name_and_survives_in_full() {
        for name in dialect::PRESETS {
            let preset = dialect::preset(name).unwrap();
            assert_eq!(serde_json::to_value(DialectForm(preset.clone())).unwrap(), json!(name));
            let own = Dialect { name: "own".to_owned(), ..preset };
            let value = serde_json::to_value(DialectForm(own.clone())).unwrap();
            assert_eq!(read(&value), Ok(own), "{value}");
        }
    }

    #[test]
    fn a_changed_preset_is_what_changed() {
        let mut changed = dialect::preset("standard_webhooks").unwrap();
        changed.timeout_ms = 3_000;
        changed.signature = None;
        let value = serde_json::to_value(DialectForm(changed.clone())).unwrap();
        let expected =
            json!({"preset": "standard_webhooks", "timeout_ms": 3_000, "signature": "none"});
        assert_eq!(value, expected);
        assert_eq!(read(&value), Ok(changed));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let cases = [
            (json!("nobody"), "there is no preset \"nobody\"; use one of standard_webhooks"),
            (json!({"preset": "nobody"}), "there is no preset \"nobody\""),
            (json!({}), "name a preset, or give a name of its own"),
            (json!({"preset": "buzzvil", "urls": 1}), "unknown field `urls`"),
            (json!({"preset": "buzzvil", "url": "{nobody}"}), "unknown macro {nobody}"),
            (json!(1), "invalid type: integer `1`, expected the name of a preset, or a table"),
        ];
        for (value, expected) in cases {
            let told = read(&value).map(drop).unwrap_err();
            assert!(told.starts_with(expected), "{told}\nfor {expected}");
        }
    }
}
