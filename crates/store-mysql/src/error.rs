//! What goes wrong in MySQL, in the words of the ports, and what may be tried again.

use std::time::Duration;

use format::catalog::StoredError;
use sqlx::mysql::MySqlDatabaseError;
use store::StoreError;

/// Why a database could not be opened, checked or migrated. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be used.
    #[error("{0}")]
    Url(String),
    /// Nobody answers there.
    #[error("the database at {0} does not answer: {1}; check that it runs and can be reached")]
    Unreachable(String, String),
    /// The server does not know the user, or not with this password.
    #[error("the server of the database at {0} lets nobody in with this user and password: {1}")]
    Unknown(String, String),
    /// The user may not come into this database, or there is none.
    #[error("the database at {0} is not there for this user: {1}")]
    Denied(String, String),
    /// The server is too old, or of another make.
    #[error("the server calls itself {0}; MySQL 8.0 or MariaDB 10.6, or later, is needed")]
    Server(String),
    /// An acknowledged commit could be lost.
    #[error(
        "the server may lose acknowledged commits: {0}; set that on the server, or allow it \
         explicitly with `allow_unsafe_durability`"
    )]
    Unsafe(String),
    /// Several servers would write at once.
    #[error("the server writes through Galera, which does not keep row locks between its nodes")]
    Galera,
    /// What the server is set to cannot work.
    #[error("{0}")]
    Setting(String),
    /// The database belongs to another program.
    #[error("{0} holds tables that are not Guerdon's; give Guerdon a database of its own")]
    NotOurs(String),
    /// The layout is older than this release.
    #[error("the database has schema {found}, this release needs {known}; run `guerdon migrate`")]
    Older {
        /// Schema of the database; 0 if it is empty.
        found: u32,
        /// Schema that this release needs.
        known: u32,
    },
    /// The layout is newer than this release.
    #[error(
        "the database has schema {found}, this release knows up to {known}; run the release that \
         ran `guerdon migrate`, or a newer one"
    )]
    Newer {
        /// Schema of the database.
        found: u32,
        /// Newest schema that this release knows.
        known: u32,
    },
    /// Somebody else migrates.
    #[error("another `guerdon migrate` is at work on this database; wait for it")]
    Migrating,
    /// The server refused.
    #[error("the database refused: {0}")]
    Refused(String),
}

/// Why a statement failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server or the connection said so.
    Sql(sqlx::Error),
    /// No answer came within that time; the connection is given up.
    Late(Duration),
    /// The answer is an error of the port.
    Store(StoreError),
}

/// Numbers of errors after which the transaction is rolled back and is worth another try: the row
/// has changed, a lock was not had in time, a deadlock.
const RETRIED: [u16; 3] = [1020, 1205, 1213];

/// Numbers of errors that end the connection: shutdown, killed, idle for too long.
const ENDED: [u16; 7] = [1053, 1077, 1079, 1152, 1158, 1927, 4031];

/// Numbers of errors that say that what is stored contradicts itself or the schema: damaged tables
/// and indexes, a key that is there already, a value that does not fit its column.
const CORRUPT: [u16; 14] =
    [126, 1030, 1034, 1035, 1048, 1054, 1062, 1146, 1194, 1264, 1366, 1406, 1690, 1712];

impl Failure {
    /// The server's number for the error.
    pub(crate) fn number(&self) -> Option<u16> {
        match self {
            Self::Sql(error) => number_of(error),
            Self::Late(_) | Self::Store(_) => None,
        }
    }

    /// Whether the transaction is rolled back and may well pass at the next try.
    pub(crate) fn is_passing(&self) -> bool {
        self.number().is_some_and(|number| RETRIED.contains(&number))
    }

    /// Whether the connection is gone: what was under way on it may have been done or not, and
    /// nothing more can be asked on it.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Late(_) => true,
            Self::Store(_) => false,
            Self::Sql(error) => match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed => true,
                other => number_of(other).is_some_and(|number| ENDED.contains(&number)),
            },
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoredError> for Failure {
    fn from(why: StoredError) -> Self {
        Self::Store(StoreError::Corrupt(format!("catalogue: {why}")))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Outside of `COMMIT`, where nothing can have been changed. Whoever commits looks at
/// [`Failure::is_lost`] first.
impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Late(limit) => {
                Self::Unavailable(format!("the database gave no answer within {limit:?}"))
            }
            Failure::Sql(error) => match &error {
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::ColumnIndexOutOfBounds { .. }
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::RowNotFound => Self::Corrupt(error.to_string()),
                other if number_of(other).is_some_and(|number| CORRUPT.contains(&number)) => {
                    Self::Corrupt(error.to_string())
                }
                _ => Self::Unavailable(error.to_string()),
            },
        }
    }
}

/// The server's number for an error.
pub(crate) fn number_of(error: &sqlx::Error) -> Option<u16> {
    let database = error.as_database_error()?;
    Some(database.try_downcast_ref::<MySqlDatabaseError>()?.number())
}
