//! Edits of the catalogue and additions to the reports when the way to the database fails: each
//! happens once, and whoever made it hears of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use domain::catalog::{Edit, Entity, Segment};
use domain::ids::SegmentId;
use domain::journal::Chain;
use domain::time::Day;
use services::{MariaDb, Proxy};
use store::contract::all;
use store::contract::sample::{self, Draft, NOW};
use store::{CatalogStore, Reports, Saved, StoreError, Stored};
use store_mysql::MysqlStore;

/// A server, a proxy before it, and a store that goes through the proxy.
async fn start(name: &str) -> (MariaDb, Proxy, MysqlStore) {
    let server = MariaDb::start().unwrap();
    let proxy = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()))).unwrap();
    common::database(&server, name).await;
    let url = format!("mysql://root@127.0.0.1:{}/{name}", proxy.port());
    let store = common::open(&url).await;
    // A session is open from here on, so what is cut is something that is asked on it.
    store.cursor().await.unwrap();
    (server, proxy, store)
}

fn segment(name: &str) -> Vec<Edit> {
    let name = name.to_owned();
    vec![Edit::Put(Entity::Segment(Segment { id: SegmentId(1), name }))]
}

fn reward(seq: u64) -> Stored {
    let user = sample::user("ann");
    let record = Draft::of(&user, NOW).grant(1).change().record.unwrap();
    Stored { seq, chain: Chain::default(), record }
}

async fn rewards(store: &MysqlStore) -> u64 {
    let figures = store.figures(Day(i32::MIN), Day(i32::MAX)).await.unwrap();
    figures.iter().map(|(_, figures)| figures.rewards).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_whose_answer_is_lost_is_found_again() {
    let (_server, proxy, store) = start("edits").await;
    for (pattern, base) in [(b"UPDATE".as_slice(), 0), (b"COMMIT", 1), (b"START TRANSACTION", 2)] {
        proxy.cut_answer_after(pattern);
        let saved = store.save(base, segment("One"), "ann", NOW).await.unwrap();
        assert_eq!(saved, Saved::At(base + 1), "{}", String::from_utf8_lossy(pattern));
        assert_eq!(proxy.answers_cut() as u64, base + 1, "nothing was cut");
        let late = store.save(base, segment("Two"), "bob", NOW).await.unwrap();
        assert_eq!(late, Saved::Conflict(base + 1), "the next edit of that revision");
    }
    assert_eq!(store.history(None, 10).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addition_whose_answer_is_lost_is_made_once() {
    let (_server, proxy, store) = start("additions").await;
    for (pattern, seq) in [(b"COMMIT".as_slice(), 1), (b"INSERT INTO report_days", 2)] {
        proxy.cut_answer_after(pattern);
        assert_eq!(store.add(&[reward(seq)]).await.unwrap(), seq);
        assert_eq!(proxy.answers_cut() as u64, seq, "nothing was cut");
        assert_eq!(rewards(&store).await, seq);
    }
}

/// Sessions that the server ended while they were idle are not noticed by anybody.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_have_ended_are_opened_again() {
    let (server, proxy, store) = start("ended").await;
    let reads = async || all((0..8).map(|_| store.snapshot(None))).await;
    for round in 0..3_u64 {
        assert!(reads().await.iter().all(Result::is_ok), "round {round}");
        proxy.cut_all();
        let saved = store.save(round, segment("One"), "ann", NOW).await.unwrap();
        assert_eq!(saved, Saved::At(round + 1));
    }
    server.kill().unwrap();
    assert!(matches!(store.snapshot(None).await, Err(StoreError::Unavailable(_))));
    let begun = Instant::now();
    assert!(matches!(store.cursor().await, Err(StoreError::Unavailable(_))));
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    server.restart().unwrap();
    while store.snapshot(None).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is not back");
    }
    assert_eq!(store.history(None, 10).await.unwrap().len(), 3);
}
