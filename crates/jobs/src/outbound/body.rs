//! The body of a request while it is being made.

use super::crypto::CipherKey;
use super::render::RenderError;
use super::values::Values;
use data_encoding::BASE64;
use domain::dialect::{Body, Encrypted, Field, Json, Macro, Template};
use serde_json::Value;

/// A body that may still get a signature.
pub(super) enum Draft {
    Nothing,
    Form(Vec<(String, String)>),
    Json(String),
}

impl Draft {
    /// The body without its signature.
    pub(super) fn new(
        body: &Body,
        values: &Values<'_>,
        cipher: Option<&CipherKey>,
    ) -> Result<Self, RenderError> {
        Ok(match body {
            Body::None => Draft::Nothing,
            Body::Form(fields) => Draft::Form(form(fields, values)?),
            Body::Json(json) => Draft::Json(json_text(json, values)?),
            Body::StandardWebhook => Draft::Json(json_text(&standard_webhook(), values)?),
            Body::Encrypted(encrypted) => Draft::Form(sealed(encrypted, values, cipher)?),
        })
    }

    /// The bytes as they stand.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Draft::Nothing => Vec::new(),
            Draft::Form(fields) => url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish()
                .into_bytes(),
            Draft::Json(text) => text.clone().into_bytes(),
        }
    }

    /// What the body is, if there is one.
    pub(super) fn content_type(&self) -> Option<&'static str> {
        match self {
            Draft::Nothing => None,
            Draft::Form(_) => Some("application/x-www-form-urlencoded"),
            Draft::Json(_) => Some("application/json"),
        }
    }

    /// The form's fields; none for other bodies.
    pub(super) fn form(&self) -> &[(String, String)] {
        match self {
            Draft::Form(fields) => fields,
            _ => &[],
        }
    }

    /// The form's fields, to be added to.
    pub(super) fn form_mut(&mut self) -> Option<&mut Vec<(String, String)>> {
        match self {
            Draft::Form(fields) => Some(fields),
            _ => None,
        }
    }

    /// Adds a text at the end: a form field, or a member of the outermost JSON object.
    pub(super) fn add(&mut self, name: &str, value: String) {
        match self {
            Draft::Nothing => {}
            Draft::Form(fields) => fields.push((name.to_owned(), value)),
            Draft::Json(text) => {
                let comma = if text == "{}" { "" } else { "," };
                if text.pop() == Some('}') {
                    text.push_str(&format!("{comma}{}:{}}}", quoted(name), quoted(&value)));
                }
            }
        }
    }
}

/// Guerdon's own message. A reversal has the type `reward.reversed` and names the same transaction.
fn standard_webhook() -> Json {
    let text = |name: &str, value: Macro| (name.to_owned(), Json::Text(Template::of(value)));
    let custom = Json::TextOrNull(Template::of(Macro::Custom));
    let data = vec![
        text("transaction_id", Macro::TransactionId),
        text("user_id", Macro::UserId),
        integer("app_id", Macro::AppId),
        integer("unit_id", Macro::UnitId),
        integer("amount", Macro::Amount),
        text("currency", Macro::Currency),
        integer("mission_id", Macro::MissionId),
        text("mission_title", Macro::MissionTitle),
        integer("step_id", Macro::StepId),
        text("step_title", Macro::StepTitle),
        text("enrollment_id", Macro::EnrollmentId),
        text("occurred_at", Macro::OccurredAt),
        ("custom".to_owned(), custom),
    ];
    Json::Object(vec![
        text("type", Macro::EventType),
        text("timestamp", Macro::EventAtRfc3339),
        ("data".to_owned(), Json::Object(data)),
    ])
}

fn integer(name: &str, value: Macro) -> (String, Json) {
    (name.to_owned(), Json::Integer(Template::of(value)))
}

fn form(fields: &[Field], values: &Values<'_>) -> Result<Vec<(String, String)>, RenderError> {
    fields.iter().filter_map(|field| values.field(field).transpose()).collect()
}

fn sealed(
    encrypted: &Encrypted,
    values: &Values<'_>,
    cipher: Option<&CipherKey>,
) -> Result<Vec<(String, String)>, RenderError> {
    let cipher = cipher.ok_or(RenderError::MissingCipherKey)?;
    let inner = json_text(&encrypted.inner, values)?;
    let data = BASE64.encode(&cipher.encrypt(inner.as_bytes()));
    let mut fields = vec![(encrypted.field.clone(), data)];
    fields.extend(form(&encrypted.plain, values)?);
    Ok(fields)
}

fn json_text(json: &Json, values: &Values<'_>) -> Result<String, RenderError> {
    let mut out = String::new();
    write(json, "body", values, &mut out)?;
    Ok(out)
}

/// Writes one JSON value; `name` is what an error calls it.
fn write(
    json: &Json,
    name: &str,
    values: &Values<'_>,
    out: &mut String,
) -> Result<(), RenderError> {
    match json {
        Json::Object(members) => write_object(members, values, out)?,
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(at, out);
                write(item, name, values, out)?;
            }
            out.push(']');
        }
        Json::Text(text) => out.push_str(&quoted(&values.plain(text)?)),
        Json::TextOrNull(text) => match values.plain(text)? {
            text if text.is_empty() => out.push_str("null"),
            text => out.push_str(&quoted(&text)),
        },
        Json::Integer(text) => {
            let text = values.plain(text)?;
            let number: i64 = text.parse().map_err(|_| RenderError::NotANumber(name.to_owned()))?;
            out.push_str(&number.to_string());
        }
        Json::Number(text) => {
            let text = values.plain(text)?;
            let number: Result<serde_json::Number, _> = serde_json::from_str(&text);
            number.map_err(|_| RenderError::NotANumber(name.to_owned()))?;
            out.push_str(&text);
        }
        Json::Bool(text) => out.push_str(match values.plain(text)?.as_str() {
            "1" | "true" => "true",
            "0" | "false" | "" => "false",
            _ => return Err(RenderError::NotABool(name.to_owned())),
        }),
    }
    Ok(())
}

fn write_object(
    members: &[(String, Json)],
    values: &Values<'_>,
    out: &mut String,
) -> Result<(), RenderError> {
    out.push('{');
    for (at, (name, value)) in members.iter().enumerate() {
        separate(at, out);
        out.push_str(&quoted(name));
        out.push(':');
        write(value, name, values, out)?;
    }
    out.push('}');
    Ok(())
}

fn separate(at: usize, out: &mut String) {
    if at > 0 {
        out.push(',');
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
