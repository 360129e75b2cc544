//! One server for all tests of a program, and tables on it.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, and some programs use none that do"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use domain::change::Change;
use services::Dynamo;
use store::{Committed, Outcome, StoreError, Users as _};
use store_dynamo::{DynamoStore, Place, create};

/// How long a change is asked for again; a caller's patience and that of a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause before a store is asked again that could not answer.
const AGAIN: Duration = Duration::from_millis(20);

/// A server, and a table for whoever asks.
pub(crate) struct Tables {
    pub(crate) server: Dynamo,
    latest: AtomicU32,
}

impl Tables {
    pub(crate) fn start() -> Self {
        Self { server: Dynamo::start().unwrap(), latest: AtomicU32::new(0) }
    }

    /// The place of a table that is not made yet.
    pub(crate) fn place(&self) -> Place {
        let latest = self.latest.fetch_add(1, Ordering::Relaxed);
        Place {
            table: format!("guerdon-{latest}"),
            endpoint: Some(self.server.endpoint()),
            region: Some("local".to_owned()),
            has_credentials: false,
        }
    }

    /// A new table with so many shards.
    pub(crate) async fn make(&self, shards: u32) -> Place {
        let place = self.place();
        create(&place, shards).await.unwrap();
        place
    }
}

/// A node's store on a table.
pub(crate) async fn open(place: &Place) -> DynamoStore {
    DynamoStore::open(place).await.unwrap()
}

/// Commits until it is known what became of the change: an outcome that is unknown, or a store that
/// cannot answer now, is asked again with the same change.
pub(crate) async fn until_it_answers(store: &DynamoStore, change: &Change) -> Outcome {
    let mut was_unknown = false;
    until(async || match store.commit(change.clone()).await {
        // It was made by the attempt whose answer was lost.
        Ok(Outcome::Replayed) if was_unknown => Some(Outcome::Applied(Committed::default())),
        Ok(outcome) => Some(outcome),
        Err(StoreError::Unknown(_)) => {
            was_unknown = true;
            None
        }
        Err(StoreError::Unavailable(_)) => None,
        Err(error) => panic!("{error}"),
    })
    .await
}

/// Asks until there is an answer.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(AGAIN).await;
    }
    panic!("the store did not answer for {PATIENCE:?}");
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed))
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}
