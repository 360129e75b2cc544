//! Edits of the catalogue and additions to the reports when the way to the database fails: each
//! happens once, and whoever made it hears of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use domain::catalog::{Catalog, Edit, Entity, Segment};
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
    vec![segment_of(1, name)]
}

fn other_segment(name: &str) -> Vec<Edit> {
    vec![segment_of(2, name)]
}

fn segment_of(id: u32, name: &str) -> Edit {
    Edit::Put(Entity::Segment(Segment { id: SegmentId(id), name: name.to_owned() }))
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

/// Two nodes, of which one knows the catalogue at revision 2: two segments.
async fn two_nodes(server: &MariaDb, name: &str) -> (MysqlStore, MysqlStore, Catalog) {
    let url = common::database(server, name).await;
    let (one, other) = (common::open(&url).await, common::open(&url).await);
    one.save(0, segment("One"), "ann", NOW).await.unwrap();
    one.save(1, other_segment("Two"), "ann", NOW).await.unwrap();
    let known = other.snapshot(None).await.unwrap().unwrap();
    assert_eq!((known.revision, known.segments.len()), (2, 2));
    (one, other, known)
}

/// A row that cannot be read any more is in nobody's way as long as it is not edited.
#[tokio::test]
async fn an_edit_of_another_node_is_read_alone() {
    let server = MariaDb::start().unwrap();
    let (one, other, mut known) = two_nodes(&server, "alone").await;
    server.sql("UPDATE alone.catalog SET body = '{' WHERE id = 1").unwrap();
    for base in [2, 3] {
        let edits = other_segment(&format!("Edit {base}"));
        assert_eq!(one.save(base, edits.clone(), "ann", NOW).await.unwrap(), Saved::At(base + 1));
        let newer = other.snapshot(Some(&known)).await.unwrap().unwrap();
        assert_eq!(newer, known.edited(&edits));
        known = newer;
    }
    let whole = other.snapshot(None).await;
    assert!(matches!(whole, Err(StoreError::Corrupt(_))), "{whole:?}");
}

/// A revision that was reached by another edit than the one that was seen is another catalogue.
#[tokio::test]
async fn a_catalogue_that_was_put_back_in_place_is_read_whole() {
    let server = MariaDb::start().unwrap();
    let (one, other, known) = two_nodes(&server, "restored").await;
    let restore = "UPDATE restored.catalog SET body = REPLACE(body, 'One', 'Old') WHERE id = 1; \
                   UPDATE restored.catalog_history SET edit = 'another' WHERE revision = 2";
    server.sql(restore).unwrap();
    one.save(2, other_segment("Three"), "ann", NOW).await.unwrap();
    let newer = other.snapshot(Some(&known)).await.unwrap().unwrap();
    let names: Vec<_> = newer.segments.values().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Old", "Three"]);
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
