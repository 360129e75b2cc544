//! What goes wrong in SQLite, in the words of the ports.

use format::catalog::StoredError;
use rusqlite::ErrorCode;
use store::StoreError;

/// Why a file could not be opened, backed up or restored. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process serves this file.
    #[error("{0} is in use by another process; stop it, or point this one at another file")]
    InUse(String),
    /// The file is no SQLite database, or one of another program.
    #[error("{0} is not a Guerdon store; it was left untouched")]
    NotOurs(String),
    /// A newer release wrote the file.
    #[error(
        "the file has schema {found}, this release knows up to {known}; \
         run the newer release, or restore a backup made before the upgrade"
    )]
    Newer {
        /// Schema of the file.
        found: u32,
        /// Newest schema that this release knows.
        known: u32,
    },
    /// An older release wrote the file and it was opened without the right to change it.
    #[error("the file has schema {found}, this release needs {known}; start the server once")]
    Older {
        /// Schema of the file.
        found: u32,
        /// Schema that this release needs.
        known: u32,
    },
    /// The linked SQLite can corrupt a file that is written and read at the same time.
    #[error("SQLite {0} has a corruption bug in its WAL; 3.51.3 or later is needed")]
    OldSqlite(String),
    /// The file system cannot do what durability needs.
    #[error("the file system of {0} does not support a write-ahead log; use a local disk")]
    NoWal(String),
    /// There is nothing to open.
    #[error("there is no file {0}")]
    Missing(String),
    /// The target is already there.
    #[error("{0} already exists; it was left untouched")]
    Exists(String),
    /// The content fails SQLite's own check.
    #[error("{0} is damaged: {1}")]
    Damaged(String, String),
    /// The operating system refused.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// SQLite refused. Its words are in the message, so they are not the source as well.
    #[error("SQLite: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Why a unit of work failed; the transaction around it is rolled back.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A statement failed.
    Sql(rusqlite::Error),
    /// The final `COMMIT` failed.
    Commit(rusqlite::Error),
    /// The answer is an error of the port.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StoredError> for Failure {
    fn from(why: StoredError) -> Self {
        Self::Store(StoreError::Corrupt(format!("catalogue: {why}")))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(error) => store_error(&error),
            // When the write or fsync of the log fails, its last frame may still have reached the
            // disk and be found there after a crash.
            Failure::Commit(error) if code_of(&error) == Some(ErrorCode::SystemIoFailure) => {
                Self::Unknown(error.to_string())
            }
            Failure::Commit(error) => store_error(&error),
        }
    }
}

/// An error of SQLite outside of `COMMIT`, where nothing can have been changed.
pub(crate) fn store_error(error: &rusqlite::Error) -> StoreError {
    match code_of(error) {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        Some(_) => StoreError::Unavailable(error.to_string()),
        // The rest are values of the wrong type or size in a column.
        None => StoreError::Corrupt(error.to_string()),
    }
}

fn code_of(error: &rusqlite::Error) -> Option<ErrorCode> {
    error.sqlite_error_code()
}
