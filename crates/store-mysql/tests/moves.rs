//! The store can be moved: it passes the contract of `Transfer` on a real server.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use services::MariaDb;
use store::contract::{Failure, MoveFixture, move_cases, run_moves};
use store::{Journal, Movable, Phase, Transfer};
use store_mysql::MysqlStore;

/// One database for each store, on a server that goes with them.
struct Databases {
    server: MariaDb,
    latest: AtomicU32,
    /// The address of each store, by where it stands in memory.
    urls: Mutex<HashMap<usize, String>>,
}

impl Databases {
    async fn open(&self, url: String) -> Movable {
        let store = Movable::of(&Arc::new(common::open(&url).await));
        self.urls.lock().unwrap().insert(place_of(&store.transfer), url);
        store
    }
}

fn place_of(store: &Arc<dyn Transfer>) -> usize {
    Arc::as_ptr(store).cast::<()>() as usize
}

#[async_trait]
impl MoveFixture for Databases {
    async fn fresh(&self) -> Result<Movable, Failure> {
        let number = self.latest.fetch_add(1, Ordering::Relaxed);
        let url = common::database(&self.server, &format!("store_{number}")).await;
        Ok(self.open(url).await)
    }

    async fn reopen(&self, store: Movable) -> Result<Option<Movable>, Failure> {
        let url = self.urls.lock().unwrap().remove(&place_of(&store.transfer));
        drop(store);
        match url {
            Some(url) => Ok(Some(self.open(url).await)),
            None => Err(Failure::new("a store that was never opened")),
        }
    }
}

#[tokio::test]
async fn the_store_can_be_moved() {
    let databases = Databases {
        server: MariaDb::start().unwrap(),
        latest: AtomicU32::new(0),
        urls: Mutex::default(),
    };
    let passed = run_moves(&databases).await.unwrap();
    assert_eq!(passed, move_cases().len());
}

#[tokio::test]
async fn whoever_opens_a_database_knows_the_order_of_its_journal() {
    let server = MariaDb::start().unwrap();
    let url = common::database(&server, "order").await;
    let store = common::open(&url).await;
    assert!(MysqlStore::open_view(&url).await.unwrap().is_total_order());
    let (run, _) = store.take_over().await.unwrap();
    store.set_phase(run, Phase::Filling).await.unwrap();
    store.put_order(run, false).await.unwrap();
    store.set_phase(run, Phase::Live).await.unwrap();
    assert!(!MysqlStore::open_view(&url).await.unwrap().is_total_order());
}
