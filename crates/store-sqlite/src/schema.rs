//! Opening connections: the version of SQLite, whose file it is, its layout, and the pragmas.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::OpenError;
use crate::files::create_if_missing;
use crate::{Durability, sql};

/// `GUER` in ASCII; stands in the header of every store.
pub(crate) const APPLICATION_ID: i32 = 0x4755_4552;
/// The first release without the WAL corruption race, as SQLite counts them.
const SQLITE_MIN: i32 = 3_051_003;
/// Bytes of a page. Small, because a commit writes whole pages and a user's state is about 300 bytes.
const PAGE_BYTES: i64 = 4_096;
/// Pages of the log after which the writer moves them into the file: 16 MiB. Larger saves writes
/// of pages that change often, smaller bounds the pause of one checkpoint.
const CHECKPOINT_PAGES: i64 = 4_096;
/// Bytes to which the log's file is cut after a burst has made it longer.
const LOG_BYTES_MAX: i64 = 64 * 1_024 * 1_024;
/// Page cache of the writer: the inner pages and the indexes of some hundred thousand users, and what
/// was used last. Not more, because SQLite goes through the whole cache after each group that has
/// moved rows between pages; a page that is not in it is one read of what the system has in memory.
const WRITER_CACHE_KIB: i64 = 16 * 1_024;
/// Page cache of each reader.
const READER_CACHE_KIB: i64 = 8 * 1_024;
/// Prepared statements that a connection keeps; more than [`sql::STATEMENTS`] has.
const STATEMENTS_KEPT: usize = 128;
/// Target in the log of every statement that is run, at the level TRACE. Whoever wants them says so
/// before the store is opened, so that they cost nothing otherwise.
pub const STATEMENT_LOG: &str = "store_sqlite::statement";
/// How long a statement waits for a lock that a tool outside may hold.
const BUSY_MS: u64 = 5_000;

/// The numbered steps; the schema's version is how many were taken.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_moving.sql"),
    include_str!("migrations/0003_identity.sql"),
];

/// The schema that this release writes.
pub const SCHEMA_VERSION: u32 = STEPS.len() as u32;

/// Opens the connection that writes, creating or upgrading the file where needed.
pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    check_library()?;
    create_if_missing(path)?;
    let conn = Connection::open(path).map_err(|error| refusal(path, error))?;
    let fresh = is_fresh(path, &conn)?;
    if fresh {
        conn.pragma_update(None, "page_size", PAGE_BYTES)?;
    }
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWal(path.display().to_string()));
    }
    set_writer_pragmas(&conn, durability)?;
    migrate(&conn, fresh)?;
    Ok(conn)
}

/// Opens a connection that reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    check_library()?;
    let conn = open_ours(path)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    set_common(&conn)?;
    Ok(conn)
}

/// How long a mover waits before it tries again for the lock of a writer that is never idle, whose
/// groups leave it free for some microseconds only.
const BESIDE_WAIT: std::time::Duration = std::time::Duration::from_micros(500);
/// How often it tries.
const BESIDE_TRIES: i32 = 20_000;

/// Opens a connection for one write beside a server that may have the file.
pub(crate) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    check_library()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| refusal(path, error))?;
    check_ours(path, &conn)?;
    check_version(&conn)?;
    set_writer_pragmas(&conn, Durability::Full)?;
    conn.busy_handler(Some(|tries| {
        std::thread::sleep(BESIDE_WAIT);
        tries < BESIDE_TRIES
    }))?;
    Ok(conn)
}

/// Opens a store for looking at it once, with SQLite's own settings.
pub(crate) fn open_ours(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| refusal(path, error))?;
    check_ours(path, &conn)?;
    Ok(conn)
}

/// Moves everything that the log holds into the file, durably, and leaves the log empty.
///
/// # Errors
/// Somebody reads what only the log holds; or there is no database, which then stays as it is.
pub(crate) fn fold_log(path: &Path) -> Result<(), OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| refusal(path, error))?;
    // Otherwise the end of the connection drops a log that it could not read.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A view may stay open for minutes; waiting some seconds for it would not help.
    conn.busy_timeout(std::time::Duration::ZERO)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    // A rollback journal that was left behind is undone by the first read.
    application_id(path, &conn)?;
    let is_read: bool = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| refusal(path, error))?;
    if is_read {
        return Err(OpenError::InUse(path.display().to_string()));
    }
    Ok(())
}

/// Fails unless the file has exactly the schema of this release.
pub(crate) fn check_version(conn: &Connection) -> Result<(), OpenError> {
    let found = version_of(conn)?;
    match found.cmp(&SCHEMA_VERSION) {
        std::cmp::Ordering::Less => Err(OpenError::Older { found, known: SCHEMA_VERSION }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(OpenError::Newer { found, known: SCHEMA_VERSION }),
    }
}

/// Runs SQLite's own check of the whole content, indexes included.
pub(crate) fn check_content(path: &Path, conn: &Connection) -> Result<(), OpenError> {
    let verdict: String = conn
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| refusal(path, error))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(OpenError::Damaged(path.display().to_string(), verdict))
}

/// The number of steps that the file has taken.
pub(crate) fn version_of(conn: &Connection) -> Result<u32, OpenError> {
    Ok(conn.query_row(sql::META_GET, ["schema_version"], |row| row.get(0))?)
}

/// Whether the order of the journal is that of the commits.
pub(crate) fn has_total_order(conn: &Connection) -> Result<bool, OpenError> {
    Ok(conn.query_row(sql::META_GET, ["total_order"], |row| row.get(0))?)
}

/// Fails unless the file says that it is a store of ours.
pub(crate) fn check_ours(path: &Path, conn: &Connection) -> Result<(), OpenError> {
    if application_id(path, conn)? == APPLICATION_ID {
        return Ok(());
    }
    Err(OpenError::NotOurs(path.display().to_string()))
}

fn check_library() -> Result<(), OpenError> {
    if rusqlite::version_number() < SQLITE_MIN {
        return Err(OpenError::OldSqlite(rusqlite::version().to_owned()));
    }
    Ok(())
}

/// Whether the file is empty; fails if it is neither empty nor ours.
fn is_fresh(path: &Path, conn: &Connection) -> Result<bool, OpenError> {
    if application_id(path, conn)? == APPLICATION_ID {
        return Ok(false);
    }
    let objects: i64 = conn.query_row(sql::SCHEMA_OBJECTS, [], |row| row.get(0))?;
    if objects == 0 && application_id(path, conn)? == 0 {
        return Ok(true);
    }
    Err(OpenError::NotOurs(path.display().to_string()))
}

fn application_id(path: &Path, conn: &Connection) -> Result<i32, OpenError> {
    conn.query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(|error| refusal(path, error))
}

/// What SQLite's refusal means for a file that was to be opened.
fn refusal(path: &Path, error: rusqlite::Error) -> OpenError {
    let shown = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotOurs(shown),
        Some(ErrorCode::CannotOpen) if matches!(path.try_exists(), Ok(false)) => {
            OpenError::Missing(shown)
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse(shown),
        _ => OpenError::Sqlite(error),
    }
}

fn set_writer_pragmas(conn: &Connection, durability: Durability) -> Result<(), OpenError> {
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::OffForTests => "OFF",
    };
    conn.pragma_update(None, "synchronous", synchronous)?;
    // Only macOS needs these: there an ordinary fsync stops at the disk's own cache.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    conn.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    set_common(conn)
}

fn set_common(conn: &Connection) -> Result<(), OpenError> {
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    if tracing::enabled!(target: STATEMENT_LOG, tracing::Level::TRACE) {
        conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(log_statement));
    }
    Ok(())
}

/// Logs a statement that is run, without its values.
fn log_statement(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(_, sql) = event {
        tracing::trace!(target: STATEMENT_LOG, sql);
    }
}

fn migrate(conn: &Connection, fresh: bool) -> Result<(), OpenError> {
    let found = if fresh { 0 } else { version_of(conn)? };
    if found > SCHEMA_VERSION {
        return Err(OpenError::Newer { found, known: SCHEMA_VERSION });
    }
    for (version, step) in (1_u32..).zip(STEPS).skip(found as usize) {
        tracing::info!(schema.version = version, "upgrading the store's layout");
        let transaction = conn.unchecked_transaction()?;
        transaction.execute_batch(step)?;
        transaction.execute(sql::META_SET, ("schema_version", version))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Sets the most pages that the file may have.
pub(crate) fn limit_pages(conn: &Connection, pages: u32) -> rusqlite::Result<()> {
    conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_waits_for_the_disk_and_readers_do_not_block_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = open_writer(&path, crate::Options::default().durability).unwrap();
        let number = |conn: &Connection, pragma: &str| -> i64 {
            conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap()
        };
        let mode: String = writer.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        // 2 is FULL: the log is synchronised before `COMMIT` returns.
        assert_eq!((mode.as_str(), number(&writer, "synchronous")), ("wal", 2));
        assert_eq!(number(&writer, "fullfsync"), 1);
        assert_eq!(number(&writer, "checkpoint_fullfsync"), 1);
        assert_eq!(number(&writer, "page_size"), PAGE_BYTES);
        assert_eq!(number(&writer, "application_id"), i64::from(APPLICATION_ID));
        let reader = open_reader(&path).unwrap();
        assert!(reader.execute_batch("DELETE FROM meta").is_err(), "a reader has written");
    }
}
