//! The store on MariaDB passes the contract of the ports, one database for each case.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use services::MariaDb;
use store::contract::{Failure, Fixture, Stores, cases, run};

/// One server for all cases, one database for each.
struct Databases {
    server: MariaDb,
    latest: AtomicU32,
}

impl Databases {
    async fn open_latest(&self) -> Stores {
        let name = format!("case_{}", self.latest.load(Ordering::Relaxed));
        let store = Arc::new(common::open(&self.server.url(&name)).await);
        Stores { state: store.clone(), catalog: store.clone(), reports: store }
    }
}

#[async_trait]
impl Fixture for Databases {
    async fn fresh(&self) -> Result<Stores, Failure> {
        let number = 1 + self.latest.fetch_add(1, Ordering::Relaxed);
        common::database(&self.server, &format!("case_{number}")).await;
        Ok(self.open_latest().await)
    }

    async fn reopen(&self, stores: Stores) -> Result<Option<Stores>, Failure> {
        drop(stores);
        Ok(Some(self.open_latest().await))
    }
}

impl Databases {
    fn on(server: MariaDb) -> Self {
        Self { server, latest: AtomicU32::new(0) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_on_mariadb_passes_every_case() {
    let passed = run(&Databases::on(MariaDb::start().unwrap())).await.unwrap();
    assert_eq!(passed, cases().len());
}

/// What a session, a table or a text is by default on some servers, all of it at once.
#[tokio::test(flavor = "multi_thread")]
async fn the_settings_of_a_server_make_no_difference() {
    let server = MariaDb::start_with(&[
        "--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,NO_UNSIGNED_SUBTRACTION",
        "--transaction-isolation=SERIALIZABLE",
        "--autocommit=0",
        "--completion-type=CHAIN",
        "--default-storage-engine=MyISAM",
        "--character-set-server=latin1",
        "--collation-server=latin1_swedish_ci",
        "--default-time-zone=+09:00",
        "--innodb-strict-mode=OFF",
    ]);
    let passed = run(&Databases::on(server.unwrap())).await.unwrap();
    assert_eq!(passed, cases().len());
}
