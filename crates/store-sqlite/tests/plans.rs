//! Every statement is explained and judged, and what goes wrong is seen.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;

use rusqlite::Connection;
use store::contract::sample::{self, Draft, NOW};
use store::explain::{Explained, Kind, Verdict};
use store::{Claim, Outbox as _, Users as _};
use store_sqlite::{Options, STATEMENTS, SqliteStore};

/// Users with a record and a delivery each: more than the rules let any statement read for nothing.
const USERS: u32 = 600;

/// A file in use.
async fn filled(path: &Path) {
    let store = SqliteStore::open(path, Options::default()).unwrap();
    for number in 0..USERS {
        let user = sample::user(&format!("user {number}"));
        store.commit(Draft::of(&user, NOW).grant(1).change()).await.unwrap();
    }
    let lease_until = domain::time::Timestamp(NOW.0 + 1);
    let claim = Claim { now: NOW, lease_until, limit: 9, per_endpoint: 9, skip: Vec::new() };
    assert_eq!(store.claim(claim).await.unwrap().len(), 9);
}

async fn explained(path: &Path) -> Vec<Explained> {
    SqliteStore::open_read_only(path).unwrap().explain(NOW).await.unwrap()
}

/// What is bad, with the word for it.
fn bad(all: &[Explained]) -> Vec<(&'static str, &'static str)> {
    let of = |one: &Explained| one.judge().into_iter().map(|found| (one.name, found)).collect();
    let found = all.iter().flat_map(|one| -> Vec<_> { of(one) });
    let bad = found.filter(|(_, found)| found.verdict == Verdict::Bad);
    bad.map(|(name, found)| (name, found.code)).collect()
}

#[tokio::test]
async fn every_statement_is_explained_and_none_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    filled(&path).await;
    let before = std::fs::read(&path).unwrap();
    let all = explained(&path).await;
    assert_eq!(bad(&all), []);
    assert!(all.iter().map(|one| one.name).eq(STATEMENTS.iter().map(|one| one.name)));
    assert!(all.iter().all(|one| !one.purpose.is_empty()), "each says what it is for");
    for one in &all {
        let is_read = one.kind == Kind::Read;
        assert_eq!(one.facts.cost.is_some(), is_read, "{}: only what reads is run", one.name);
        assert!(!is_read || !one.facts.steps.is_empty(), "{}", one.name);
    }
    let load = all.iter().find(|one| one.name == "USER_LOAD").unwrap();
    assert_eq!(load.facts.cost.unwrap().returned, 1.0, "the key is a user's");
    assert_eq!(std::fs::read(&path).unwrap(), before, "nothing is written");
}

#[tokio::test]
async fn a_lost_index_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    for (index, wanted) in [
        ("users_due", &["USERS_DUE"][..]),
        ("deliveries_waiting", &["DELIVERY_WAITING"]),
        ("deliveries_ready", &["ENDPOINT_EARLIEST", "ENDPOINT_READY"]),
    ] {
        let path = folder.path().join(format!("{index}.db"));
        filled(&path).await;
        Connection::open(&path).unwrap().execute_batch(&format!("DROP INDEX {index}")).unwrap();
        let bad = bad(&explained(&path).await);
        for name in wanted {
            assert!(bad.iter().any(|found| found.0 == *name), "{index}: {name} in {bad:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_file_says_that_it_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    drop(SqliteStore::open(&path, Options::default()).unwrap());
    let all = explained(&path).await;
    assert_eq!(bad(&all), []);
    for name in ["USER_LOAD", "JOURNAL_READ", "BUDGET_DAY", "DELIVERY_BY_KEY", "REPORT_READ"] {
        let one = all.iter().find(|one| one.name == name).unwrap();
        assert_eq!(one.judge()[0].code, "no rows", "{name}");
    }
}
