//! The embedded store passes the contract of the ports, on files that are closed and opened again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use store::Movable;
use store::contract::{Failure, Fixture, MoveFixture, Stores, cases, move_cases, run, run_moves};
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// One file for each case, in a folder that goes with it.
struct Files {
    folder: TempDir,
    latest: AtomicU32,
    /// The stores that can be moved, as they stand in memory, and their files.
    movable: Mutex<Vec<(usize, PathBuf)>>,
}

impl Files {
    fn in_folder(folder: TempDir) -> Self {
        Self { folder, latest: AtomicU32::new(0), movable: Mutex::default() }
    }

    fn movable(&self) -> MutexGuard<'_, Vec<(usize, PathBuf)>> {
        self.movable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self) -> PathBuf {
        let latest = self.latest.load(Ordering::Relaxed);
        self.folder.path().join(format!("{latest}.db"))
    }

    fn open_latest(&self) -> Result<Stores, Failure> {
        let store = open(&self.path())?;
        Ok(Stores { state: store.clone(), catalog: store.clone(), reports: store })
    }

    fn open_movable(&self, path: PathBuf) -> Result<Movable, Failure> {
        let store = Movable::of(&open(&path)?);
        self.movable().push((address(&store), path));
        Ok(store)
    }
}

fn open(path: &std::path::Path) -> Result<Arc<SqliteStore>, Failure> {
    let opened = SqliteStore::open(path, Options::default());
    Ok(Arc::new(opened.map_err(|error| Failure::new(error.to_string()))?))
}

fn address(store: &Movable) -> usize {
    Arc::as_ptr(&store.state).addr()
}

#[async_trait]
impl Fixture for Files {
    async fn fresh(&self) -> Result<Stores, Failure> {
        self.latest.fetch_add(1, Ordering::Relaxed);
        self.open_latest()
    }

    async fn reopen(&self, stores: Stores) -> Result<Option<Stores>, Failure> {
        drop(stores);
        self.open_latest().map(Some)
    }
}

#[async_trait]
impl MoveFixture for Files {
    async fn fresh(&self) -> Result<Movable, Failure> {
        self.latest.fetch_add(1, Ordering::Relaxed);
        self.open_movable(self.path())
    }

    async fn reopen(&self, store: Movable) -> Result<Option<Movable>, Failure> {
        let wanted = address(&store);
        let found = self.movable().iter().rfind(|one| one.0 == wanted).cloned();
        let (_, path) = found.ok_or_else(|| Failure::new("a store of somebody else"))?;
        drop(store);
        self.open_movable(path).map(Some)
    }
}

#[tokio::test]
async fn the_embedded_store_can_be_moved() {
    let passed = run_moves(&Files::in_folder(tempfile::tempdir().unwrap())).await.unwrap();
    assert_eq!(passed, move_cases().len());
}

#[tokio::test]
async fn the_embedded_store_passes_every_case() {
    let passed = run(&Files::in_folder(tempfile::tempdir().unwrap())).await.unwrap();
    assert_eq!(passed, cases().len());
}
