//! The database, and what a request asks of it.

use std::str::FromStr;

use anyhow::Result;
use axum::http::HeaderValue;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlPoolOptions, MySqlRow, MySqlSslMode};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, MySql, MySqlPool};

/// Connections: one for each of the most callers at once.
const CONNECTIONS: u32 = 32;
/// Statements that a connection keeps prepared. Lists of ids come in as many lengths as users have
/// missions.
const STATEMENTS_KEPT: usize = 1_000;

/// What a request has asked of stores.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Calls {
    pub(super) sql: u32,
    pub(super) kv: u32,
}

impl Calls {
    /// As Django says it.
    pub(super) fn header(self) -> HeaderValue {
        let text = format!("sql={} kv={}", self.sql, self.kv);
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// Kept connections.
#[derive(Clone)]
pub(super) struct Database {
    pool: MySqlPool,
}

impl Database {
    /// Connections are opened when they are needed, and kept.
    pub(super) fn open(url: &str) -> Result<Self> {
        let options = MySqlConnectOptions::from_str(url)?
            .statement_cache_capacity(STATEMENTS_KEPT)
            .ssl_mode(MySqlSslMode::Disabled)
            .disable_statement_logging();
        // A look whether a connection is still there would be one more round trip for each request.
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// A connection for one request.
    pub(super) async fn session(&self) -> Result<Session, sqlx::Error> {
        Ok(Session { connection: self.pool.acquire().await?, statements: 0 })
    }
}

/// A connection that counts what it is asked.
pub(super) struct Session {
    connection: PoolConnection<MySql>,
    statements: u32,
}

impl Session {
    /// The rows that a statement finds.
    pub(super) async fn all(
        &mut self,
        query: Query<'_, MySql, MySqlArguments>,
    ) -> Result<Vec<MySqlRow>, sqlx::Error> {
        self.statements += 1;
        query.fetch_all(&mut *self.connection).await
    }

    /// The one row that a statement finds, if it finds one.
    pub(super) async fn one(
        &mut self,
        query: Query<'_, MySql, MySqlArguments>,
    ) -> Result<Option<MySqlRow>, sqlx::Error> {
        self.statements += 1;
        query.fetch_optional(&mut *self.connection).await
    }

    /// What has been asked.
    pub(super) fn calls(&self) -> Calls {
        Calls { sql: self.statements, kv: 0 }
    }
}

/// A statement whose last condition is a list of ids; nothing else than their number is put into it.
pub(super) fn in_ids<'q>(
    before: &str,
    ids: &[i64],
    after: &str,
) -> Query<'q, MySql, MySqlArguments> {
    // No id is 0, so the list of nobody finds nothing.
    let ids = if ids.is_empty() { &[0] } else { ids };
    let marks = vec!["?"; ids.len()].join(", ");
    let text = AssertSqlSafe(format!("{before} ({marks}) {after}"));
    ids.iter().fold(sqlx::query(text), |query, id| query.bind(*id))
}
