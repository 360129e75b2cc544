//! What the server is, and what it is set to.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::ask::Ask;
use crate::connect::Session;
use crate::error::{Failure, OpenError};
use crate::options::{Options, POINT_MAX};
use crate::sql;

/// The server's settings, as far as they matter here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Asks the server.
    pub(crate) async fn read(session: &mut Session) -> Result<Self, Failure> {
        let rows = session.rows(&Ask::new(sql::SETTINGS), POINT_MAX).await?;
        let pair = |row: &sqlx::mysql::MySqlRow| {
            Ok((row.try_get::<String, _>(0)?.to_ascii_lowercase(), row.try_get(1)?))
        };
        Ok(Self(rows.iter().map(pair).collect::<Result<_, sqlx::Error>>()?))
    }

    /// A setting; empty if the server does not know it.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A setting that is a number.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.get(name).parse().unwrap_or_default()
    }

    /// Whether a setting is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.get(name), "ON" | "1" | "YES")
    }

    /// What the server calls itself.
    pub(crate) fn version(&self) -> &str {
        self.get("version")
    }

    /// Whether the server is new enough.
    pub(crate) fn is_known(&self) -> bool {
        let version = self.version();
        let least = if version.contains("MariaDB") { (10, 6) } else { (8, 0) };
        numbers_of(version).is_some_and(|found| found >= least)
    }

    /// How an acknowledged commit could be lost, in words; nothing if it could not.
    pub(crate) fn unsafe_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let flush = self.get("innodb_flush_log_at_trx_commit");
        if flush != "1" {
            words.push(format!("innodb_flush_log_at_trx_commit is {flush}, not 1"));
        }
        let sync = self.get("sync_binlog");
        if self.is_on("log_bin") && sync != "1" {
            words.push(format!("log_bin is on and sync_binlog is {sync}, not 1"));
        }
        words
    }

    /// Whether the log of statements cannot hold what this store writes.
    pub(crate) fn logs_statements_only(&self) -> bool {
        self.is_on("log_bin") && self.get("binlog_format") == "STATEMENT"
    }
}

/// Fails unless the server is one that keeps what it acknowledges.
pub(crate) async fn check(session: &mut Session, options: &Options) -> Result<(), OpenError> {
    let read = Settings::read(session).await;
    let settings =
        read.map_err(|failure| OpenError::Refused(store::StoreError::from(failure).to_string()))?;
    if !settings.is_known() {
        return Err(OpenError::Server(settings.version().to_owned()));
    }
    if settings.is_on("wsrep_on") {
        return Err(OpenError::Galera);
    }
    if settings.logs_statements_only() {
        let why = "binlog_format is STATEMENT, which refuses every write here; set it to ROW";
        return Err(OpenError::Setting(why.to_owned()));
    }
    let words = settings.unsafe_words();
    if words.is_empty() {
        return Ok(());
    }
    if options.allow_unsafe_durability {
        tracing::warn!(settings = words.join("; "), "acknowledged commits may be lost, as allowed");
        return Ok(());
    }
    Err(OpenError::Unsafe(words.join("; ")))
}

/// The first two numbers of a version such as `10.11.19-MariaDB`. Old drivers had to be told a
/// version below 10, so MariaDB may put `5.5.5-` in front.
fn numbers_of(version: &str) -> Option<(u32, u32)> {
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings(pairs.iter().map(owned).collect())
    }

    #[test]
    fn servers_that_are_new_enough_are_known() {
        for (version, known) in [
            ("8.0.36", true),
            ("8.4.0-log", true),
            ("9.1.0", true),
            ("8.0.mysql_aurora.3.05.2", true),
            ("5.7.44", false),
            ("10.11.19-MariaDB-0+deb12u1-log", true),
            ("5.5.5-10.6.1-MariaDB", true),
            ("10.5.23-MariaDB", false),
            ("11.4.2-MariaDB", true),
            ("", false),
            ("none", false),
        ] {
            assert_eq!(settings(&[("version", version)]).is_known(), known, "{version}");
        }
    }

    #[test]
    fn what_may_lose_a_commit_is_named() {
        let flush = "innodb_flush_log_at_trx_commit";
        for (flushed, log_bin, sync, count) in [
            ("1", "ON", "1", 0),
            ("1", "OFF", "0", 0),
            ("1", "ON", "0", 1),
            ("1", "ON", "1000", 1),
            ("2", "ON", "1", 1),
            ("0", "ON", "0", 2),
            ("", "OFF", "", 1),
        ] {
            let pairs = [(flush, flushed), ("log_bin", log_bin), ("sync_binlog", sync)];
            let words = settings(&pairs).unsafe_words();
            assert_eq!(words.len(), count, "{pairs:?}: {words:?}");
        }
    }
}
