//! Whatever SQLite is asked to do while every port is used is in the list of statements.
//!
//! A hook on every connection of the process sees the texts, so nothing has to say of itself that it
//! was run. The only test of this program, because the hook is there for good.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;
use std::ffi::{c_char, c_int};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::auto_extension::{init_auto_extension, register_auto_extension};
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, ffi};
use store::Movable;
use store::contract::{Failure, Fixture, MoveFixture, Stores, run, run_moves};
use store_sqlite::{Durability, Options, STATEMENTS, SqliteStore};
use tempfile::TempDir;

/// The texts that were run.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The steps of the schema, whose texts stand by themselves.
const STEPS: [&str; 3] = [
    include_str!("../src/migrations/0001_initial.sql"),
    include_str!("../src/migrations/0002_moving.sql"),
    include_str!("../src/migrations/0003_identity.sql"),
];

/// Whether a text is none of the list's: a setting, or of a step of the schema.
fn is_exception(text: &str) -> bool {
    text.starts_with("PRAGMA ") || STEPS.iter().any(|step| step.contains(text.trim()))
}

#[expect(unsafe_code, reason = "SQLite calls it with a new connection")]
unsafe extern "C" fn watch(
    db: *mut ffi::sqlite3,
    message: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: the arguments are SQLite's own, and the closure neither opens nor closes anything.
    unsafe { init_auto_extension(db, message, look) }
}

fn look(conn: Connection) -> rusqlite::Result<()> {
    conn.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note));
    Ok(())
}

fn note(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(statement, _) = event {
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(statement.sql().into_owned());
    }
}

/// One file for each case.
struct Files {
    folder: TempDir,
    latest: AtomicU32,
    opened: Mutex<Vec<(usize, PathBuf)>>,
}

impl Files {
    fn next(&self) -> PathBuf {
        let latest = self.latest.fetch_add(1, Ordering::Relaxed);
        self.folder.path().join(format!("{latest}.db"))
    }

    fn keep(&self, address: usize, path: PathBuf) {
        self.opened.lock().unwrap().push((address, path));
    }

    fn path_of(&self, address: usize) -> PathBuf {
        let opened = self.opened.lock().unwrap();
        opened.iter().rfind(|one| one.0 == address).unwrap().1.clone()
    }
}

fn open(path: &std::path::Path) -> Result<Arc<SqliteStore>, Failure> {
    let options = Options { durability: Durability::OffForTests, ..Options::default() };
    let opened = SqliteStore::open(path, options);
    Ok(Arc::new(opened.map_err(|error| Failure::new(error.to_string()))?))
}

fn address<T: ?Sized>(store: &Arc<T>) -> usize {
    Arc::as_ptr(store).addr()
}

impl Files {
    fn stores(&self, path: PathBuf) -> Result<Stores, Failure> {
        let store = open(&path)?;
        let stores = Stores { state: store.clone(), catalog: store.clone(), reports: store };
        self.keep(address(&stores.state), path);
        Ok(stores)
    }

    fn movable(&self, path: PathBuf) -> Result<Movable, Failure> {
        let store = Movable::of(&open(&path)?);
        self.keep(address(&store.state), path);
        Ok(store)
    }
}

#[async_trait]
impl Fixture for Files {
    async fn fresh(&self) -> Result<Stores, Failure> {
        self.stores(self.next())
    }

    async fn reopen(&self, stores: Stores) -> Result<Option<Stores>, Failure> {
        let path = self.path_of(address(&stores.state));
        drop(stores);
        self.stores(path).map(Some)
    }
}

#[async_trait]
impl MoveFixture for Files {
    async fn fresh(&self) -> Result<Movable, Failure> {
        self.movable(self.next())
    }

    async fn reopen(&self, store: Movable) -> Result<Option<Movable>, Failure> {
        let path = self.path_of(address(&store.state));
        drop(store);
        self.movable(path).map(Some)
    }
}

#[tokio::test]
async fn what_is_run_is_listed_and_what_is_listed_is_run() {
    #[expect(unsafe_code, reason = "it has to be known to SQLite before the first connection")]
    // SAFETY: no other extension is registered, and none while one is called.
    unsafe { register_auto_extension(watch) }.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = Files { folder, latest: AtomicU32::new(0), opened: Mutex::default() };
    run(&files).await.unwrap();
    run_moves(&files).await.unwrap();
    let first = files.opened.lock().unwrap()[0].1.clone();
    SqliteStore::open_view(&first).unwrap();
    let seen = SEEN.lock().unwrap().clone();
    let listed: BTreeSet<&str> = STATEMENTS.iter().map(|one| one.text).collect();
    let strange: Vec<_> =
        seen.iter().filter(|text| !listed.contains(text.as_str()) && !is_exception(text)).collect();
    assert!(strange.is_empty(), "these are not in the list: {strange:#?}");
    let idle = STATEMENTS.iter().filter(|one| !seen.contains(one.text)).map(|one| one.name);
    assert_eq!(idle.collect::<Vec<_>>(), [""; 0], "these are not run by any port");
}
