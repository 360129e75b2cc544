//! What is known of a user without reading him is never older than what was acknowledged (S3).

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use store::contract::sample;
use store::{Outcome, Users as _};
use store_sqlite::{Durability, Options, SqliteStore};

/// Versions that are committed while others look.
const VERSIONS: u8 = 200;
/// Who looks at the same time.
const LOOKERS: usize = 4;

fn open(path: &Path) -> SqliteStore {
    let options = Options { durability: Durability::OffForTests, ..Options::default() };
    SqliteStore::open(path, options).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_sees_at_a_glance_what_was_overtaken() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder.path().join("a.db")));
    let (acknowledged, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let key = sample::user("ann").state.key();
    let look = || {
        let store = Arc::clone(&store);
        let (acknowledged, is_over) = (Arc::clone(&acknowledged), Arc::clone(&is_over));
        tokio::spawn(async move {
            while !is_over.load(Ordering::Acquire) {
                let least = acknowledged.load(Ordering::Acquire);
                if let Some(glance) = store.glance(key) {
                    assert!(glance.version >= least, "{glance:?} after version {least}");
                }
                store.load(key).await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let lookers: Vec<_> = (0..LOOKERS).map(|_| look()).collect();
    let mut user = sample::user("ann");
    for age in 1..=VERSIONS {
        // Whoever looks now sees what is about to be overtaken.
        store.load(key).await.unwrap();
        let known = store.glance(key).map_or(0, |glance| glance.version);
        assert_eq!(known, user.version, "read a moment ago");
        let change = sample::profile(&user, age);
        user = sample::after(&user, &change);
        assert!(matches!(store.commit(change).await.unwrap(), Outcome::Applied(_)));
        acknowledged.store(user.version, Ordering::Release);
    }
    is_over.store(true, Ordering::Release);
    for looker in lookers {
        looker.await.unwrap();
    }
}

#[tokio::test]
async fn who_was_read_is_known_until_he_is_changed_and_only_to_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let (ann, key) = (sample::user("ann"), sample::user("ann").state.key());
    let version = || store.glance(key).map(|glance| glance.version);
    let change = sample::profile(&ann, 30);
    let ann = sample::after(&ann, &change);
    store.commit(change).await.unwrap();
    assert_eq!(version(), None);
    store.load(key).await.unwrap();
    assert_eq!(version(), Some(1));
    store.commit(sample::profile(&ann, 31)).await.unwrap();
    assert_eq!(version(), None);
    let onlooker = SqliteStore::open_read_only(&path).unwrap();
    onlooker.load(key).await.unwrap();
    assert_eq!(onlooker.glance(key), None);
}
