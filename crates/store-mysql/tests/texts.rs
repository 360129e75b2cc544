//! Text and ids come back as they were given, byte by byte, and what only looks alike is told apart.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use domain::catalog::{Catalog, Edit, Entity, Segment};
use domain::ids::{AppId, Mode, SegmentId};
use services::MariaDb;
use store::contract::sample::{self, Draft, NOW};
use store::{CatalogStore, Journal, Outcome, Saved, Users};

/// Texts that some collation, some padding or some character set takes for one another or spoils:
/// letters that differ in case or accent, one letter in two forms, spaces at either end, nothing,
/// wide and narrow letters, what is not in `utf8mb3`, what ends a statement or a text.
const TEXTS: [&str; 22] = [
    "a",
    "A",
    "á",
    "a\u{301}",
    "ａ",
    "a ",
    "a  ",
    " a",
    "a\0",
    "a\t",
    "ss",
    "ß",
    "한글",
    "\u{1112}\u{1161}\u{11ab}글",
    "ｶﾅ",
    "カナ",
    "🎁",
    "🎂",
    "",
    "\0",
    "\\' \" -- ; /* ? */",
    "\u{202e}a",
];

#[tokio::test(flavor = "multi_thread")]
async fn texts_come_back_as_they_were_given() {
    let server = MariaDb::start().unwrap();
    let url = common::database(&server, "texts").await;
    let store = common::open(&url).await;
    let names = TEXTS.iter().zip(1..);
    let put = |(name, id): (&&str, u32)| {
        Edit::Put(Entity::Segment(Segment { id: SegmentId(id), name: (*name).to_owned() }))
    };
    let edits: Vec<Edit> = names.map(put).collect();
    let expected = Catalog::default().edited(&edits);
    assert_eq!(store.save(0, edits, "ann", NOW).await.unwrap(), Saved::At(1));
    for (text, base) in TEXTS.iter().zip(1..) {
        let edit = Edit::Delete(domain::catalog::EntityKind::App, 9);
        assert_eq!(store.save(base, vec![edit], text, NOW).await.unwrap(), Saved::At(base + 1));
    }
    let found = common::open(&url).await.snapshot(None).await.unwrap().unwrap();
    assert_eq!(found.segments, expected.segments);
    let mut authors = store.history(None, 100).await.unwrap();
    authors.reverse();
    let authors: Vec<&str> = authors.iter().skip(1).map(|edit| &*edit.by).collect();
    assert_eq!(authors, TEXTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_only_look_alike_are_told_apart() {
    let server = MariaDb::start().unwrap();
    let url = common::database(&server, "users").await;
    let store = common::open(&url).await;
    for (text, number) in TEXTS.iter().zip(1..) {
        let user = sample::stranger(AppId(1), Mode::Live, text);
        assert_eq!(store.load(user.state.key()).await.unwrap().version, 0, "{text:?} is new");
        let change = Draft::of(&user, NOW).grant(number).change();
        let outcome = store.commit(change.clone()).await.unwrap();
        assert!(matches!(outcome, Outcome::Applied(_)), "{text:?}: {outcome:?}");
        let found = common::open(&url).await.load(user.state.key()).await.unwrap();
        assert_eq!(found, change.after(), "{text:?}");
        let record = store.read(u64::from(number) - 1, 1).await.unwrap().remove(0).record;
        assert_eq!(Some(record), change.record, "{text:?}");
    }
}
