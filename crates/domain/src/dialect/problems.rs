//! What is wrong with a dialect, all of it at once, so that it can be shown beside the fields.

use super::{
    Body, BodyTest, CONCURRENCY_MAX, Dialect, Field, JITTER_PERCENT_MAX, Json, Macro, Method, Part,
    Place, RETRIES_MAX, ReversalStyle, Signature, SignatureRecipe, TIMEOUT_MS_MAX, TIMEOUT_MS_MIN,
    Template,
};
use std::fmt;

/// Headers that the HTTP client writes itself.
const RESERVED_HEADERS: &[&str] =
    &["connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"];

/// One thing wrong with a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field, for example `query.snuid` or `signature.place`.
    pub field: String,
    /// One sentence on what is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// The list being made.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, field: &str, message: &str) {
        self.0.push(Problem { field: field.to_owned(), message: message.to_owned() });
    }

    fn add_if(&mut self, wrong: bool, field: &str, message: &str) {
        if wrong {
            self.add(field, message);
        }
    }
}

/// Where a template stands; decides which macros it may name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spot {
    Url,
    Query,
    Header,
    Body,
    Signed,
    SignatureHeader,
    Answer,
}

impl Dialect {
    /// Everything wrong with this dialect; empty when it can be used.
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Problems::default();
        self.check_basics(&mut found);
        self.check_url(&mut found);
        self.check_fields(&mut found);
        self.check_body(&mut found);
        self.check_signature(&mut found);
        self.check_success(&mut found);
        self.check_retry(&mut found);
        found.0
    }

    /// Everything wrong with an endpoint's URL in this dialect.
    pub fn endpoint_problems(&self, url: &str) -> Vec<Problem> {
        let mut found = Problems::default();
        match self.endpoint_template(url) {
            Err(error) => found.add("url", &error.to_string()),
            Ok(template) => self.check_endpoint(&template, &mut found),
        }
        found.0
    }

    fn check_endpoint(&self, url: &Template, found: &mut Problems) {
        found.add_if(
            !url.host_is_fixed(),
            "url",
            "it must begin with http:// or https:// and a host without macros",
        );
        self.check_spot(Spot::Query, "url", url, found);
        found.add_if(
            !self.identifies_itself() && !names_transaction(url),
            "url",
            "it must name {transaction_id}, or the same reward could be credited twice",
        );
    }

    fn check_basics(&self, found: &mut Problems) {
        found.add_if(self.name.is_empty(), "name", "a dialect needs a name");
        found.add_if(
            !(TIMEOUT_MS_MIN..=TIMEOUT_MS_MAX).contains(&self.timeout_ms),
            "timeout_ms",
            &format!("it must be between {TIMEOUT_MS_MIN} and {TIMEOUT_MS_MAX}"),
        );
        found.add_if(
            !(1..=CONCURRENCY_MAX).contains(&self.concurrency),
            "concurrency",
            &format!("it must be between 1 and {CONCURRENCY_MAX}"),
        );
        for alias in &self.aliases {
            found.add_if(
                alias.text.len() < 3,
                "aliases",
                "an alias needs at least three characters, or it would be found by accident",
            );
            self.check_spot(Spot::Query, "aliases", &alias.value, found);
        }
        found.add_if(
            matches!(&self.reversal, ReversalStyle::Placeholder(text) if text.is_empty()),
            "reversal",
            "the placeholder is empty",
        );
    }

    fn check_url(&self, found: &mut Problems) {
        let own = self.url.names(Macro::EndpointUrl);
        found.add_if(
            !own && !self.url.host_is_fixed(),
            "url",
            "it must name {endpoint_url} or begin with http:// or https:// and a host without macros",
        );
        self.check_spot(Spot::Url, "url", &self.url, found);
        found.add_if(
            !own && !self.identifies_itself(),
            "url",
            "nothing names {transaction_id}, so the same reward could be credited twice",
        );
    }

    fn check_fields(&self, found: &mut Problems) {
        self.check_list(Spot::Query, "query", &self.query, found);
        self.check_list(Spot::Header, "headers", &self.headers, found);
        for field in &self.headers {
            check_header_name(&format!("headers.{}", field.name), &field.name, found);
        }
    }

    fn check_body(&self, found: &mut Problems) {
        found.add_if(
            self.method == Method::Get && self.body != Body::None,
            "body",
            "a GET request has no body",
        );
        match &self.body {
            Body::None | Body::StandardWebhook => {}
            Body::Form(fields) => self.check_list(Spot::Body, "body", fields, found),
            Body::Json(json) => self.check_json(json, found),
            Body::Encrypted(encrypted) => {
                self.check_json(&encrypted.inner, found);
                self.check_list(Spot::Body, "body.plain", &encrypted.plain, found);
                found.add_if(
                    encrypted.field.is_empty()
                        || encrypted.plain.iter().any(|f| f.name == encrypted.field),
                    "body.field",
                    "it needs a name of its own",
                );
            }
        }
    }

    fn check_json(&self, json: &Json, found: &mut Problems) {
        found.add_if(
            !matches!(json, Json::Object(_)),
            "body",
            "the outermost JSON value must be an object",
        );
        each_leaf(json, &mut |leaf| self.check_spot(Spot::Body, "body", leaf, found));
    }

    fn check_list(&self, spot: Spot, list: &str, fields: &[Field], found: &mut Problems) {
        for (at, field) in fields.iter().enumerate() {
            let path = format!("{list}.{}", field.name);
            found.add_if(field.name.is_empty(), &path, "the name is empty");
            found.add_if(
                fields[..at].iter().any(|before| before.name == field.name),
                &path,
                "the name is used twice",
            );
            self.check_spot(spot, &path, &field.value, found);
        }
    }

    /// Reports macros that may not stand in `spot`.
    fn check_spot(&self, spot: Spot, path: &str, template: &Template, found: &mut Problems) {
        let names = |value| template.names(value);
        found.add_if(
            spot != Spot::Url && names(Macro::EndpointUrl),
            path,
            "{endpoint_url} belongs into the dialect's url only",
        );
        found.add_if(
            names(Macro::Secret) && !matches!(spot, Spot::Header | Spot::Signed),
            path,
            "a secret here would end up in logs; sign with it, or send it in a header",
        );
        found.add_if(
            names(Macro::Signature) && spot != Spot::SignatureHeader && !self.signs_by_macro(),
            path,
            "{signature} needs a signature whose place is the macro",
        );
        found.add_if(
            names(Macro::Timestamp) && spot == Spot::Body,
            path,
            "{timestamp} changes with every attempt and a body must not; use {event_at}",
        );
    }

    fn check_signature(&self, found: &mut Problems) {
        let Some(Signature::Recipe(recipe)) = &self.signature else {
            return;
        };
        found.add_if(
            !recipe.algorithm.keyed() && !recipe.parts.contains(&Part::Secret),
            "signature.parts",
            "without the secret anyone could make this hash",
        );
        found.add_if(recipe.parts.is_empty(), "signature.parts", "there is nothing to sign");
        for part in &recipe.parts {
            match part {
                Part::Text(text) => self.check_spot(Spot::Signed, "signature.parts", text, found),
                Part::AllParamsSorted { passes, .. } => found.add_if(
                    !(1..=2).contains(passes),
                    "signature.parts",
                    "values are escaped once or twice",
                ),
                _ => {}
            }
        }
        self.check_place(recipe, found);
    }

    fn check_place(&self, recipe: &SignatureRecipe, found: &mut Problems) {
        let has = |wanted: fn(&Part) -> bool| recipe.parts.iter().any(wanted);
        let in_body = matches!(recipe.place, Place::FormField(_) | Place::JsonField(_));
        let place = "signature.place";
        found.add_if(
            in_body && has(|p| matches!(p, Part::Body)),
            place,
            "a signature over the body cannot stand in the body",
        );
        found.add_if(
            in_body && has(part_changes_with_time),
            place,
            "a signature over the time of the attempt cannot stand in the body, which must not change",
        );
        match &recipe.place {
            Place::Query(name) => found.add_if(name.is_empty(), place, "the name is empty"),
            Place::Header { name, value } => {
                check_header_name(place, name, found);
                self.check_spot(Spot::SignatureHeader, place, value, found);
                found.add_if(
                    !value.names(Macro::Signature),
                    place,
                    "the header's value must name {signature}",
                );
            }
            Place::FormField(name) => found.add_if(
                name.is_empty() || !matches!(self.body, Body::Form(_) | Body::Encrypted(_)),
                place,
                "it needs a name and a form",
            ),
            Place::JsonField(name) => found.add_if(
                name.is_empty() || !matches!(self.body, Body::Json(_)),
                place,
                "it needs a name and a JSON body",
            ),
            Place::Macro => found.add_if(
                has(|p| matches!(p, Part::FullUrl | Part::Body | Part::AllParamsSorted { .. })),
                place,
                "the request cannot be signed before the signature is in it",
            ),
        }
    }

    fn check_success(&self, found: &mut Problems) {
        let answers = &self.success.any_of;
        found.add_if(
            answers.iter().all(|a| a.statuses.is_empty()),
            "success",
            "no answer would ever count as success",
        );
        for answer in answers {
            let ranges = &answer.statuses.ranges;
            found.add_if(
                ranges.iter().any(|r| r.first < 200 || r.last > 599 || r.first > r.last),
                "success",
                "statuses lie between 200 and 599",
            );
            found.add_if(
                (300..400).any(|status| answer.statuses.contains(status)),
                "success",
                "a redirect is never followed, so it cannot mean that the reward arrived",
            );
            found.add_if(
                answer.statuses.overlaps(&self.stop),
                "stop",
                "a status cannot mean success and stop",
            );
            match &answer.body {
                BodyTest::Equals(text) | BodyTest::Contains(text) => {
                    self.check_spot(Spot::Answer, "success", text, found);
                }
                BodyTest::JsonEquals { path, .. } => {
                    found.add_if(path.is_empty(), "success", "the path is empty");
                }
                BodyTest::Any => {}
            }
        }
    }

    fn check_retry(&self, found: &mut Problems) {
        let steps = &self.retry.steps;
        found.add_if(
            self.retry.retries() > RETRIES_MAX,
            "retry",
            &format!("at most {RETRIES_MAX} retries"),
        );
        found.add_if(
            steps.iter().any(|step| step.delay_s == 0),
            "retry",
            "a delay is at least one second",
        );
        found.add_if(
            self.retry.jitter_percent > JITTER_PERCENT_MAX,
            "retry",
            &format!("jitter is at most {JITTER_PERCENT_MAX} percent"),
        );
    }

    /// Whether query or body name the transaction.
    fn identifies_itself(&self) -> bool {
        let mut named =
            names_transaction(&self.url) || self.query.iter().any(|f| names_transaction(&f.value));
        match &self.body {
            Body::None => {}
            Body::StandardWebhook => named = true,
            Body::Form(fields) => named |= fields.iter().any(|f| names_transaction(&f.value)),
            Body::Json(json) => each_leaf(json, &mut |leaf| named |= names_transaction(leaf)),
            Body::Encrypted(encrypted) => {
                each_leaf(&encrypted.inner, &mut |leaf| named |= names_transaction(leaf));
            }
        }
        named
    }

    /// Whether `{signature}` has a meaning outside the signature's own header.
    fn signs_by_macro(&self) -> bool {
        matches!(
            &self.signature,
            Some(Signature::Recipe(SignatureRecipe { place: Place::Macro, .. }))
        )
    }
}

fn names_transaction(template: &Template) -> bool {
    template.names(Macro::TransactionId) || template.names(Macro::OriginalTransactionId)
}

fn part_changes_with_time(part: &Part) -> bool {
    match part {
        Part::Timestamp => true,
        Part::Text(text) => text.names(Macro::Timestamp),
        _ => false,
    }
}

fn each_leaf(json: &Json, visit: &mut impl FnMut(&Template)) {
    match json {
        Json::Object(members) => members.iter().for_each(|(_, value)| each_leaf(value, visit)),
        Json::Array(items) => items.iter().for_each(|item| each_leaf(item, visit)),
        Json::Text(leaf)
        | Json::TextOrNull(leaf)
        | Json::Integer(leaf)
        | Json::Number(leaf)
        | Json::Bool(leaf) => visit(leaf),
    }
}

fn check_header_name(path: &str, name: &str, found: &mut Problems) {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    found.add_if(name.is_empty() || !name.bytes().all(token), path, "this is no header name");
    found.add_if(
        RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()),
        path,
        "this header is written by the HTTP client itself",
    );
}
