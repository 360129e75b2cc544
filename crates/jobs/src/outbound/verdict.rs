//! What an answer means, and what follows from it.

use super::guard::Refused;
use super::render::RenderError;
use super::values::Values;
use domain::dialect::{BodyTest, Dialect, StatusSet};
use serde_json::Value;

/// Most bytes of an answer that are read.
pub(crate) const ANSWER_READ_MAX: usize = 64 * 1024;

/// Most bytes of an answer that are kept for the delivery log.
pub(crate) const ANSWER_KEPT_MAX: usize = 1024;

/// A dialect's tests with the message's values in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expectation {
    answers: Vec<(StatusSet, Wanted)>,
    stop: StatusSet,
}

/// What a body must say.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Anything,
    Equals(String),
    Contains(String),
    Json { path: Vec<String>, value: String },
}

/// What a status alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Credited, whatever the body says.
    Accepted,
    /// Credited if the body says so.
    DependsOnBody,
    /// No more attempts.
    Stop,
    /// A redirect, which is never followed.
    Redirect,
    /// Anything else.
    NotAccepted,
}

impl Expectation {
    pub(super) fn new(dialect: &Dialect, values: &Values<'_>) -> Result<Self, RenderError> {
        let mut answers = Vec::new();
        for answer in &dialect.success.any_of {
            let wanted = match &answer.body {
                BodyTest::Any => Wanted::Anything,
                BodyTest::Equals(text) => Wanted::Equals(values.plain(text)?),
                BodyTest::Contains(text) => Wanted::Contains(values.plain(text)?),
                BodyTest::JsonEquals { path, value } => {
                    Wanted::Json { path: path.clone(), value: value.clone() }
                }
            };
            answers.push((answer.statuses.clone(), wanted));
        }
        let stop = dialect.stop.clone();
        Ok(Expectation { answers, stop })
    }

    pub(super) fn look(&self, status: u16) -> Look {
        let mut fitting = self.answers.iter().filter(|(set, _)| set.contains(status)).peekable();
        if self.stop.contains(status) {
            Look::Stop
        } else if (300..400).contains(&status) {
            Look::Redirect
        } else if fitting.peek().is_none() {
            Look::NotAccepted
        } else if fitting.any(|(_, wanted)| *wanted == Wanted::Anything) {
            Look::Accepted
        } else {
            Look::DependsOnBody
        }
    }

    /// Whether some answer with this status accepts this body.
    pub(super) fn accepts(&self, status: u16, body: &[u8]) -> bool {
        self.answers.iter().any(|(set, wanted)| set.contains(status) && wanted.fits(body))
    }
}

impl Wanted {
    fn fits(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        match self {
            Wanted::Anything => true,
            Wanted::Equals(expected) => text == expected.trim(),
            Wanted::Contains(expected) => text.contains(expected.trim()),
            Wanted::Json { path, value } => json_fits(text, path, value),
        }
    }
}

fn json_fits(text: &str, path: &[String], expected: &str) -> bool {
    let Ok(root) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    let found = path.iter().try_fold(&root, |at, name| match at {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    });
    match found {
        Some(Value::String(text)) => text == expected,
        Some(Value::Number(number)) => number.to_string() == expected,
        Some(Value::Bool(is)) => is.to_string() == expected,
        Some(Value::Null) => expected == "null",
        _ => false,
    }
}

/// One attempt, over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// What it means.
    pub(crate) outcome: Outcome,
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// How long it took, in milliseconds.
    pub(crate) duration_ms: u32,
    /// The first bytes of the answer, at most [`ANSWER_KEPT_MAX`]; bytes that are no printable UTF-8
    /// are written `\xNN`.
    pub(crate) answer_head: String,
    /// What the HTTP client said went wrong; no URL, no secret.
    pub(crate) error: Option<String>,
}

/// What an attempt means for its delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The publisher has it.
    Delivered,
    /// To be tried again, if the plan has attempts left.
    Retry {
        /// The server's `Retry-After` in seconds.
        after_s: Option<u32>,
        /// Why.
        why: Why,
    },
    /// Not to be tried again.
    Stop {
        /// Why.
        why: Why,
    },
}

/// Why an attempt did not deliver.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    /// A status that is no success.
    #[error("the server answered {0}")]
    Status(u16),
    /// A status that means stop.
    #[error("the server answered {0}, which asks us to stop")]
    StopStatus(u16),
    /// A redirect.
    #[error("the server answered {0}; redirects are not followed")]
    Redirect(u16),
    /// The right status, another body.
    #[error("the answer's body is not the acknowledgement that this dialect expects")]
    Body,
    /// No answer in time, or not all of it.
    #[error("no complete answer within {0} ms")]
    Timeout(u32),
    /// Nobody listens there.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// No connection for another reason.
    #[error("no connection could be made")]
    Connect,
    /// No TLS session: certificate, name or protocol.
    #[error("no TLS session could be made")]
    Tls,
    /// The connection broke before the answer was complete, or the answer was not HTTP.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// The name could not be looked up.
    #[error("the host name could not be looked up")]
    Lookup,
    /// The guard refused the address; nothing was sent.
    #[error("not sent: {0}")]
    Refused(Refused),
    /// The app has no endpoint for rewards of this mode; nothing was sent.
    #[error("not sent: the app has no endpoint for these rewards; they can be pulled meanwhile")]
    NoEndpoint,
    /// The attempt broke down inside Guerdon.
    #[error("the attempt broke down inside Guerdon")]
    Panicked,
    /// The request could not be made; nothing was sent.
    #[error("not sent: {0}")]
    Unrenderable(RenderError),
}

impl Why {
    /// Stable name for metrics and filters.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Why::Status(_) => "status",
            Why::StopStatus(_) => "stop_status",
            Why::Redirect(_) => "redirect",
            Why::Body => "body",
            Why::Timeout(_) => "timeout",
            Why::ConnectionRefused => "connection_refused",
            Why::Connect => "connect",
            Why::Tls => "tls",
            Why::Broken => "broken",
            Why::Lookup => "lookup",
            Why::Refused(_) => "egress_refused",
            Why::NoEndpoint => "no_endpoint",
            Why::Panicked => "panicked",
            Why::Unrenderable(_) => "unrenderable",
        }
    }

    /// Whether the server was called and did not answer in full: it is down or slow.
    pub(crate) fn is_silence(&self) -> bool {
        match self {
            Why::Timeout(_)
            | Why::ConnectionRefused
            | Why::Connect
            | Why::Tls
            | Why::Broken
            | Why::Lookup => true,
            Why::Status(_)
            | Why::StopStatus(_)
            | Why::Redirect(_)
            | Why::Body
            | Why::Refused(_)
            | Why::NoEndpoint
            | Why::Panicked
            | Why::Unrenderable(_) => false,
        }
    }
}

impl Attempt {
    /// An attempt that got no answer.
    pub(crate) fn failed(why: Why, duration_ms: u32, error: Option<String>) -> Self {
        Attempt {
            outcome: Outcome::Retry { after_s: None, why },
            status: None,
            duration_ms,
            answer_head: String::new(),
            error,
        }
    }

    /// One line for the delivery log: why it failed, and the head of the answer; at most
    /// [`ANSWER_KEPT_MAX`] bytes.
    pub(crate) fn note(&self) -> String {
        let why = match &self.outcome {
            Outcome::Delivered => String::new(),
            Outcome::Retry { why, .. } | Outcome::Stop { why } => why.to_string(),
        };
        let parts = [Some(why.as_str()), self.error.as_deref(), Some(&self.answer_head)];
        let said: Vec<&str> = parts.into_iter().flatten().filter(|p| !p.is_empty()).collect();
        let mut note = said.join(": ");
        note.truncate(note.floor_char_boundary(ANSWER_KEPT_MAX));
        note
    }
}

/// A message that cannot be put into a request is an attempt that sent nothing.
impl From<RenderError> for Attempt {
    fn from(error: RenderError) -> Self {
        let stop = error.is_final();
        let mut attempt = Attempt::failed(Why::Unrenderable(error), 0, None);
        if stop && let Outcome::Retry { why, .. } = attempt.outcome {
            attempt.outcome = Outcome::Stop { why };
        }
        attempt
    }
}

/// The head of an answer as text that is safe to store and show.
pub(super) fn head_of(body: &[u8]) -> String {
    let mut out = String::new();
    for chunk in body.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() && !matches!(c, '\n' | '\t') {
                push_escaped(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut out);
            } else {
                out.push(c);
            }
        }
        push_escaped(chunk.invalid(), &mut out);
        if out.len() >= ANSWER_KEPT_MAX {
            break;
        }
    }
    out.truncate(out.floor_char_boundary(ANSWER_KEPT_MAX));
    out
}

fn push_escaped(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
