//! What goes wrong with a request, in words that a caller can act on.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;
use store::StoreError;

use crate::value::Item;

/// Why a table could not be opened or created. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such table, or it was left half made.
    #[error("the table {0} is not there or not complete; run `guerdon migrate`")]
    Missing(String),
    /// The table has other keys.
    #[error("the table {0} is not a Guerdon store; it was left untouched")]
    NotOurs(String),
    /// A newer release wrote the table.
    #[error("the table has layout {found}, this release knows {known}; run the newer release")]
    Newer {
        /// Layout of the table.
        found: u64,
        /// Layout that this release knows.
        known: u64,
    },
    /// The number of shards cannot be had.
    #[error("a table has from 1 to {most} shards, not {asked}")]
    Shards {
        /// What was asked for.
        asked: u32,
        /// The most there may be.
        most: u32,
    },
    /// DynamoDB did not answer as it should.
    #[error("DynamoDB: {0}")]
    Server(String),
}

/// Why a request failed, after it was repeated as often as is safe.
#[derive(Debug)]
pub(crate) enum Failed {
    /// A transaction or conditional write was refused, by a condition of at least one item; nothing
    /// was changed. One reason for each item, in order.
    Refused(Vec<Reason>),
    /// Throttled, in conflict with others, or never sent; nothing was changed.
    Busy(String),
    /// The change may or may not have been made.
    Unknown(String),
    /// The request can never succeed, or what was read does not decode; nothing was changed.
    Store(StoreError),
}

/// What a transaction has against one of its items.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Reason {
    /// Nothing.
    Fine,
    /// Its condition does not hold on this item, if there is one and it was asked for.
    Condition(Option<Item>),
    /// Another transaction was at it.
    Conflict,
    /// Too many requests for its partition.
    Throttled,
}

impl Failed {
    /// What is stored contradicts itself.
    pub(crate) fn corrupt(words: impl Into<String>) -> Self {
        Self::Store(StoreError::Corrupt(words.into()))
    }

    /// What went wrong, without what that means for the caller.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Refused(reasons) => format!("others were faster again and again: {reasons:?}"),
            Self::Busy(words) | Self::Unknown(words) => words,
            Self::Store(error) => error.why().to_owned(),
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Store(error) => error,
            Failed::Unknown(words) => Self::Unknown(words),
            Failed::Busy(_) | Failed::Refused(_) => Self::Unavailable(failed.words()),
        }
    }
}

/// How one attempt of a request failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// See [`Failed::Refused`].
    Refused(Vec<Reason>),
    /// Nothing was changed, and it may succeed soon.
    Busy(String),
    /// The answer was lost.
    Unknown(String),
    /// Nobody has answered. It was made, if at all, only if it was sent.
    Silent {
        /// What is known of it.
        words: String,
        /// Whether it may have been sent.
        is_sent: bool,
    },
    /// It cannot succeed.
    Fatal(String),
}

impl Trouble {
    /// Whether sending it again is safe, if that it was made twice is (`is_idempotent`).
    pub(crate) fn is_worth_repeating(&self, is_idempotent: bool) -> bool {
        match self {
            Self::Busy(_) => true,
            Self::Unknown(_) => is_idempotent,
            Self::Silent { is_sent, .. } => is_idempotent || !is_sent,
            Self::Refused(_) | Self::Fatal(_) => false,
        }
    }

    /// What the SDK says of an attempt.
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let words = words(error);
        match error {
            SdkError::ConstructionFailure(_) => Self::Fatal(words),
            SdkError::ServiceError(answer) => Self::of_answer(answer.err(), words),
            _ => Self::Silent { words, is_sent: !was_never_sent(error) },
        }
    }

    fn of_answer(error: &impl ProvideErrorMetadata, words: String) -> Self {
        match error.code().unwrap_or_default() {
            "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "TransactionConflictException" => Self::Busy(words),
            "InternalServerError" | "ServiceUnavailable" | "TransactionInProgressException" => {
                Self::Unknown(words)
            }
            "ConditionalCheckFailedException" => Self::Refused(vec![Reason::Condition(None)]),
            _ => Self::Fatal(words),
        }
    }

    /// What a cancelled transaction has against its items. Refused if a condition failed; otherwise
    /// only others were in the way.
    pub(crate) fn of_reasons(found: Vec<CancellationReason>) -> Self {
        let mut reasons = Vec::with_capacity(found.len());
        for reason in found {
            reasons.push(match reason.code().unwrap_or("None") {
                "None" => Reason::Fine,
                "ConditionalCheckFailed" => Reason::Condition(reason.item),
                "TransactionConflict" => Reason::Conflict,
                "ProvisionedThroughputExceeded" | "ThrottlingError" => Reason::Throttled,
                other => {
                    let message = reason.message().unwrap_or_default();
                    return Self::Fatal(format!("transaction: {other}: {message}"));
                }
            });
        }
        let is_refused = reasons.iter().any(|reason| matches!(reason, Reason::Condition(_)));
        if is_refused { Self::Refused(reasons) } else { Self::Busy(format!("{reasons:?}")) }
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(reasons) => Self::Refused(reasons),
            Trouble::Busy(words) | Trouble::Silent { words, is_sent: false } => Self::Busy(words),
            Trouble::Unknown(words) | Trouble::Silent { words, is_sent: true } => {
                Self::Unknown(words)
            }
            Trouble::Fatal(words) => Self::Store(StoreError::Unavailable(words)),
        }
    }
}

/// The whole chain of causes in one line: the SDK's own line says only "dispatch failure".
pub(crate) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn was_never_sent(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}
