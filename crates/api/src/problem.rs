//! What went wrong, as RFC 9457 `application/problem+json` with a stable `code`.
//!
//! A handler returns a [`Problem`]; [`crate::around`] writes it down, because only there the request
//! id is known. Each code means one thing, and its sentence says what to do.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{ApplyError, EngineError, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// Media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
/// How long a caller waits before he asks an overloaded or interrupted server again, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Why a request has no other answer.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    pub(crate) errors: Vec<FieldProblem>,
    pub(crate) retry_after: Option<u32>,
    /// For the log only: what the caller has no business to know.
    pub(crate) cause: Option<String>,
    /// Whether an operator has brought it about and it passes by itself.
    pub(crate) is_expected: bool,
}

/// One field that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// The field, such as `profile.age` or `missions[3].steps[1].payout`.
    pub(crate) field: String,
    /// What is wrong with it and what would be right.
    pub(crate) message: String,
    /// The line in the document that was sent, from 1, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
}

/// A problem as it is answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDoc<'a> {
    /// `urn:guerdon:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// The stable code.
    code: &'a str,
    /// What happened and what to do, in a sentence.
    detail: &'a str,
    /// Names this request in the logs.
    request_id: &'a str,
    /// The fields that are wrong, if it is about fields.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldProblem],
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            cause: None,
            is_expected: false,
        }
    }

    pub(crate) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let detail = format!("There is no such {what}, or it is not yours.");
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// A session that has expired, was ended, or is none of ours. Which of them is nobody's business.
    pub(crate) fn no_session() -> Self {
        let detail =
            "The session has ended or is not known; open a new one with POST /v1/sessions.";
        Self::unauthenticated(detail)
    }

    pub(crate) fn unavailable(cause: impl Into<String>) -> Self {
        let detail = "Nothing was recorded; send the same request again in a moment.";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        problem.retry_after = Some(RETRY_AFTER_SECONDS);
        problem.cause = Some(cause.into());
        problem
    }

    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        let detail = "The server failed at this request; tell its operator the request id.";
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail);
        problem.cause = Some(cause.into());
        problem
    }

    pub(crate) fn with_errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors;
        self
    }

    /// The answer, once the request has an id.
    pub(crate) fn written(&self, request_id: &str) -> Response {
        let document = ProblemDoc {
            kind: format!("urn:guerdon:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            request_id,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Hands the problem to [`crate::around`], which knows the request id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(StoreError::Corrupt(cause)) => Self::internal(cause),
            EngineError::Store(error @ StoreError::Moving(_)) => {
                Self { is_expected: true, ..Self::unavailable(error.to_string()) }
            }
            EngineError::Store(error) => Self::unavailable(error.to_string()),
            EngineError::Contended => Self::unavailable(EngineError::Contended.to_string()),
            EngineError::SessionEnded => Self::no_session(),
            EngineError::NotFound("user") => Self::new(
                StatusCode::NOT_FOUND,
                "unknown_user",
                "This user was never seen; check his id, or open a session for him first with \
                 POST /v1/sessions.",
            ),
            EngineError::NotFound(what) => Self::not_found(what),
            EngineError::Invalid { code, sentence } => Self::invalid(code, sentence),
        }
    }
}

impl From<ApplyError> for Problem {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Invalid(problems) => {
                let detail = "Nothing was saved: the catalogue would not hold together.";
                Self::invalid("invalid_catalog", detail)
                    .with_errors(problems.iter().map(FieldProblem::of_catalog).collect())
            }
            ApplyError::BelowCommitted(id, level) => {
                let committed = level.total.committed().0;
                let detail = format!(
                    "Nothing was saved: line item {id} has {committed} micro-units booked and held; \
                     its budget cannot be lower."
                );
                Self::new(StatusCode::CONFLICT, "below_committed", detail)
            }
            ApplyError::Conflict(revision) => {
                let detail = format!(
                    "Nothing was saved: somebody else's edit came first and made revision {revision}; \
                     look at it and send yours again."
                );
                Self::new(StatusCode::CONFLICT, "conflict", detail)
            }
            ApplyError::Engine(error) => error.into(),
        }
    }
}

impl FieldProblem {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), line: None }
    }

    pub(crate) fn of_catalog(problem: &domain::catalog::Problem) -> Self {
        let dot = if problem.field.is_empty() { "" } else { "." };
        let field = format!("{}/{}{dot}{}", problem.kind.name(), problem.id, problem.field);
        Self::new(field, problem.message.clone())
    }
}

/// Answers a path that nothing is served at; it may hold a secret, so it is not repeated (X3).
pub(crate) async fn no_such_path() -> Problem {
    let detail = "Nothing is served at this path; /openapi.json lists what is.";
    Problem::new(StatusCode::NOT_FOUND, "no_such_path", detail)
}

/// Answers a method that a path does not have.
pub(crate) async fn wrong_method() -> Problem {
    let detail = "This path has no such method; the Allow header lists those it has.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
