//! The store passes the contract of the ports, with one shard and with four, on tables that are left
//! and opened again.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use store::Movable;
use store::contract::{Case, Failure, Fixture, MoveFixture, Stores, cases, move_cases, run_moves};
use store::memory::{MemoryCatalog, MemoryReports};
use store_dynamo::{DynamoStore, Place};
use support::Tables;

/// One table for each case.
struct Fresh {
    tables: Tables,
    shards: u32,
    latest: Mutex<Option<Place>>,
}

impl Fresh {
    fn with(shards: u32) -> Self {
        Self { tables: Tables::start(), shards, latest: Mutex::default() }
    }

    async fn make(&self) -> Result<Arc<DynamoStore>, Failure> {
        let place = self.tables.make(self.shards).await;
        *self.latest.lock().unwrap() = Some(place.clone());
        open(&place).await
    }

    async fn open_latest(&self) -> Result<Arc<DynamoStore>, Failure> {
        let latest = self.latest.lock().unwrap().clone();
        open(&latest.ok_or_else(|| Failure::new("no table was made"))?).await
    }
}

async fn open(place: &Place) -> Result<Arc<DynamoStore>, Failure> {
    let opened = DynamoStore::open(place).await;
    Ok(Arc::new(opened.map_err(|error| Failure::new(error.to_string()))?))
}

/// The catalogue and the reports are not on this store; the cases about them are passed over.
fn stores(state: Arc<DynamoStore>) -> Stores {
    let (catalog, reports) = (Arc::new(MemoryCatalog::new()), Arc::new(MemoryReports::new()));
    Stores { state, catalog, reports }
}

#[async_trait]
impl Fixture for Fresh {
    async fn fresh(&self) -> Result<Stores, Failure> {
        Ok(stores(self.make().await?))
    }

    async fn reopen(&self, stores_: Stores) -> Result<Option<Stores>, Failure> {
        drop(stores_);
        Ok(Some(stores(self.open_latest().await?)))
    }
}

#[async_trait]
impl MoveFixture for Fresh {
    async fn fresh(&self) -> Result<Movable, Failure> {
        Ok(Movable::of(&self.make().await?))
    }

    async fn reopen(&self, store: Movable) -> Result<Option<Movable>, Failure> {
        drop(store);
        Ok(Some(Movable::of(&self.open_latest().await?)))
    }
}

async fn passes_every_case(shards: u32) {
    let fixture = Fresh::with(shards);
    let is_ours =
        |case: &Case| !case.name.starts_with("catalog_") && !case.name.starts_with("reports_");
    let mut failures = Vec::new();
    for case in cases().into_iter().filter(is_ours) {
        if let Err(failure) = (case.run)(&fixture).await {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn a_table_with_one_shard_passes_every_case() {
    passes_every_case(1).await;
}

#[tokio::test]
async fn a_table_with_four_shards_passes_every_case() {
    passes_every_case(4).await;
}

#[tokio::test]
async fn a_table_with_four_shards_can_be_moved() {
    let passed = run_moves(&Fresh::with(4)).await.unwrap();
    assert_eq!(passed, move_cases().len());
}
