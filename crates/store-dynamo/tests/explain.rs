//! Every kind of request is explained, and reads are judged by what they meet on a real table.

mod support;

use store::contract::sample::{self, Draft, LINE_ITEM, NOW};
use store::explain::{Explained, Kind, Verdict};
use store::{Budgets as _, Journal as _, Users as _};
use store_dynamo::REQUESTS;
use support::Tables;

/// Reads that only a move or a lost answer needs.
const SELDOM: [&str; 2] = ["ReadImported", "ReadNotes"];

fn worst(one: &Explained) -> Verdict {
    one.judge().into_iter().map(|found| found.verdict).max().unwrap_or(Verdict::Fine)
}

#[tokio::test]
async fn every_request_is_explained_and_none_is_bad() {
    let tables = Tables::start();
    let place = tables.make(4).await;
    let store = support::open(&place).await;
    store.set_limits(LINE_ITEM, sample::limits(1_000), NOW).await.unwrap();
    for number in 0..40 {
        let user = sample::user(&format!("user {number}"));
        store.commit(Draft::of(&user, NOW).grant(1).change()).await.unwrap();
    }
    // New records have no places yet, and explaining gives them none.
    let all = store.explain(NOW).await.unwrap();
    let read = all.iter().find(|one| one.name == "ReadRecords").unwrap();
    assert!(read.facts.unknown.as_ref().unwrap().contains("no place"), "{read:?}");
    // The limits are a record too.
    assert_eq!(store.head().await.unwrap(), 41);
    // Another node remembers nothing of the places.
    let store = support::open(&place).await;
    let all = store.explain(NOW).await.unwrap();
    assert!(all.iter().map(|one| one.name).eq(REQUESTS.iter().map(|one| one.name)));
    assert!(store.meter().total().writes == 0.0, "nothing is written");
    for one in &all {
        assert!(!one.purpose.is_empty(), "{} says what it is for", one.name);
        assert!(worst(one) < Verdict::Bad, "{one:?}");
        let is_made = one.kind == Kind::Read && !SELDOM.contains(&one.name);
        assert_eq!(one.facts.cost.is_some(), is_made, "{}", one.name);
    }
    let cost = |name: &str| all.iter().find(|one| one.name == name).unwrap().facts.cost.unwrap();
    assert_eq!(cost("LoadUser").returned, 1.0);
    assert_eq!(cost("LoadUser").units, Some(1.0));
    assert!(cost("ReadRecords").returned > 1.0);
}
