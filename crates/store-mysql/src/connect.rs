//! Opening sessions: the address, TLS, what a session is set to, and asking on it within limits.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tokio::time::timeout;

use crate::ask::Ask;
use crate::error::{Failure, OpenError, number_of};
use crate::options::{
    CONNECT_MAX, LOCK_WAIT_SECONDS, READER_SILENCE_SECONDS, SCAN_MAX, TABLE_WAIT_SECONDS,
    WRITER_SILENCE_SECONDS,
};

/// Statements that a session keeps prepared: those of one row, and those of many rows in the sizes
/// that come up.
const STATEMENTS_KEPT: usize = 256;

/// What may stand behind the `?` of an address. Anything else is refused, because a misspelt
/// `ssl-mode` would otherwise be a connection that anybody can read.
const URL_KEYS: [&str; 5] = ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket"];

/// What a session is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Reads, and short transactions on the catalogue and the reports.
    Reader,
    /// The transactions of the state.
    Writer,
    /// Reads at one moment.
    View,
    /// Changes of the schema, which may take as long as they need.
    Migrator,
}

/// Where the database is, and how to get in.
#[derive(Clone)]
pub(crate) struct Connector {
    options: MySqlConnectOptions,
    /// Host, port and database, without the password, for messages.
    shown: String,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.shown).finish()
    }
}

impl Connector {
    /// Reads `mysql://user:password@host:port/database?ssl-mode=…`.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        check_keys(url)?;
        let options = MySqlConnectOptions::from_str(url)
            .map_err(|error| OpenError::Url(format!("the database's address: {error}")))?;
        let Some(database) = options.get_database().filter(|name| !name.is_empty()) else {
            let why = "the database's address names no database: mysql://user@host/DATABASE";
            return Err(OpenError::Url(why.to_owned()));
        };
        let shown = format!("{}:{}/{database}", options.get_host(), options.get_port());
        let options = options
            .collation("utf8mb4_bin")
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .statement_cache_capacity(STATEMENTS_KEPT)
            .disable_statement_logging();
        Ok(Self { options, shown })
    }

    /// Host, port and database.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Opens a session that is set up for its role.
    pub(crate) async fn open(&self, role: Role) -> Result<Session, Failure> {
        let opening = async {
            let mut conn = self.options.connect().await?;
            conn.execute(AssertSqlSafe(settings_of(role))).await?;
            Ok(Session { conn })
        };
        timeout(CONNECT_MAX, opening).await.unwrap_or(Err(Failure::Late(CONNECT_MAX)))
    }

    /// The same, with a failure that tells an operator what to do.
    pub(crate) async fn open_first(&self, role: Role) -> Result<Session, OpenError> {
        self.open(role).await.map_err(|failure| self.refusal(failure))
    }

    /// What a failure to come in means.
    pub(crate) fn refusal(&self, failure: Failure) -> OpenError {
        let shown = self.shown.clone();
        match failure {
            Failure::Sql(error) if matches!(number_of(&error), Some(1045 | 1698)) => {
                OpenError::Unknown(shown, error.to_string())
            }
            // Access denied to the database; no such database.
            Failure::Sql(error) if matches!(number_of(&error), Some(1044 | 1049)) => {
                OpenError::Denied(shown, error.to_string())
            }
            Failure::Sql(sqlx::Error::Configuration(why)) => OpenError::Url(why.to_string()),
            Failure::Late(limit) => OpenError::Unreachable(shown, format!("nothing for {limit:?}")),
            failure if failure.is_lost() => {
                OpenError::Unreachable(shown, store::StoreError::from(failure).to_string())
            }
            failure => OpenError::Refused(store::StoreError::from(failure).to_string()),
        }
    }
}

/// What a session is set to, whatever the server's own settings are: nothing is cut or rounded in
/// silence, and a statement sees what was committed before it began.
///
/// MariaDB would make a table of a list of a thousand values, and then walk along what is looked for in
/// it; that is left off.
///
/// What stands in `/*M! … */` is read by MariaDB only, `/*!80000 … */` by MySQL only.
fn settings_of(role: Role) -> String {
    let silence = match role {
        Role::Writer => WRITER_SILENCE_SECONDS,
        Role::Reader | Role::View | Role::Migrator => READER_SILENCE_SECONDS,
    };
    let mut settings = format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1, \
         completion_type = 0, innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}, wait_timeout = {silence} \
         /*M! , in_predicate_conversion_threshold = 0 */"
    );
    match role {
        Role::Writer => {
            settings.push_str(&format!(" /*M! , idle_transaction_timeout = {silence} */"))
        }
        Role::Reader => {
            let (seconds, millis) = (SCAN_MAX.as_secs(), SCAN_MAX.as_millis());
            settings.push_str(&format!(
                " /*M! , max_statement_time = {seconds} */ /*!80000 , max_execution_time = {millis} */"
            ));
        }
        Role::Migrator => {
            settings.push_str(&format!(", lock_wait_timeout = {TABLE_WAIT_SECONDS}"));
        }
        Role::View => {}
    }
    let isolation = if role == Role::View { "REPEATABLE READ" } else { "READ COMMITTED" };
    settings.push_str(&format!("; SET SESSION TRANSACTION ISOLATION LEVEL {isolation}"));
    settings
}

/// One connection. Once an answer has failed with [`Failure::is_lost`], or a call was given up half
/// way, it is only good for being dropped.
pub(crate) struct Session {
    conn: MySqlConnection,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    /// The connection itself, for statements that are put together for a group. Whoever uses it sets
    /// his own limits.
    pub(crate) fn conn(&mut self) -> &mut MySqlConnection {
        &mut self.conn
    }

    /// The rows that a statement finds.
    pub(crate) async fn rows(
        &mut self,
        ask: &Ask,
        limit: Duration,
    ) -> Result<Vec<MySqlRow>, Failure> {
        let query = ask.query()?;
        in_time(limit, query.fetch_all(&mut self.conn)).await
    }

    /// The first row that a statement finds.
    pub(crate) async fn row(
        &mut self,
        ask: &Ask,
        limit: Duration,
    ) -> Result<Option<MySqlRow>, Failure> {
        Ok(self.rows(ask, limit).await?.into_iter().next())
    }

    /// Runs a statement, and says how many rows it was about, changed or not.
    pub(crate) async fn run(&mut self, ask: &Ask, limit: Duration) -> Result<u64, Failure> {
        let query = ask.query()?;
        Ok(in_time(limit, query.execute(&mut self.conn)).await?.rows_affected())
    }

    /// Runs a statement without parameters, or several, that are not prepared.
    pub(crate) async fn plain(
        &mut self,
        text: &'static str,
        limit: Duration,
    ) -> Result<(), Failure> {
        in_time(limit, self.conn.execute(sqlx::raw_sql(text))).await?;
        Ok(())
    }
}

async fn in_time<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Failure> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(Failure::Sql),
        Err(_) => Err(Failure::Late(limit)),
    }
}

/// Fails on a key of the address's query that means nothing here.
fn check_keys(url: &str) -> Result<(), OpenError> {
    let Some((_, query)) = url.split_once('?') else { return Ok(()) };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let key = pair.split_once('=').map_or(pair, |(key, _)| key);
        if !URL_KEYS.contains(&key) {
            return Err(OpenError::Url(format!(
                "the database's address says `{key}`, which means nothing; known are {}",
                URL_KEYS.join(", ")
            )));
        }
    }
    Ok(())
}
