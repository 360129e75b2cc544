//! What can go wrong in a use case, apart from refusals, which are answers.

use store::StoreError;

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed; nothing was acknowledged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others kept changing the same user; nothing was changed here. Try again.
    #[error("the user is being changed by too many at once")]
    Contended,
    /// The session has ended; a new one has to be opened.
    #[error("the session has ended")]
    SessionEnded,
    /// There is no such thing, or it is not the caller's.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The wish cannot be met as it stands; the sentence says what to do.
    #[error("{sentence}")]
    Invalid {
        /// Stable code.
        code: &'static str,
        /// What is wrong and what to do.
        sentence: String,
    },
}
