//! The embedded store passes the contract of the ports, on files that are closed and opened again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use store::contract::{Failure, Fixture, Stores, cases, run};
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// One file for each case, in a folder that goes with it.
struct Files {
    folder: TempDir,
    latest: AtomicU32,
}

impl Files {
    fn open_latest(&self) -> Result<Stores, Failure> {
        let latest = self.latest.load(Ordering::Relaxed);
        let path: PathBuf = self.folder.path().join(format!("{latest}.db"));
        let opened = SqliteStore::open(&path, Options::default());
        let store = Arc::new(opened.map_err(|error| Failure::new(error.to_string()))?);
        Ok(Stores { state: store.clone(), catalog: store.clone(), reports: store })
    }
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

#[tokio::test]
async fn the_embedded_store_passes_every_case() {
    let files = Files { folder: tempfile::tempdir().unwrap(), latest: AtomicU32::new(0) };
    let passed = run(&files).await.unwrap();
    assert_eq!(passed, cases().len());
}
