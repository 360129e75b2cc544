//! Whatever the server is asked to do while every port is used is in the list of statements.
//!
//! The server itself says what it was asked, in its general log: what is prepared, and what is sent as
//! text with its values. Values and the number of rows are left out on both sides.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use services::MariaDb;
use store::Movable;
use store::contract::sample::NOW;
use store::contract::{Failure, Fixture, MoveFixture, Stores, run, run_moves};
use store_mysql::{MysqlStore, Options, STATEMENTS, are_one, checks};

/// How statements begin that are none of the list's: the settings of a session, the steps of the
/// schema, and what the test itself asks.
const EXCEPTIONS: [&str; 4] = ["SET", "CREATETABLE", "INSERTIGNOREINTO", "CREATEDATABASE"];

/// Statements that nothing here asks by themselves: after a lost answer, within another statement, and
/// for steps of the schema that are still to come.
const ELSEWHERE: [&str; 4] = ["WRITER_GROUP", "NUMBERS_IN_STATE", "HAS_COLUMN", "HAS_INDEX"];
/// A writer that has had nothing to do for a while asks it, so it depends on the machine whether
/// anything does here.
const AFTER_A_REST: &str = "PING";

/// One server, and a database for each case.
struct Databases {
    server: MariaDb,
    latest: AtomicU32,
}

impl Databases {
    async fn next(&self) -> Arc<MysqlStore> {
        let number = self.latest.fetch_add(1, Ordering::Relaxed);
        let url = common::database(&self.server, &format!("case_{number}")).await;
        Arc::new(common::open(&url).await)
    }
}

#[async_trait]
impl Fixture for Databases {
    async fn fresh(&self) -> Result<Stores, Failure> {
        let store = self.next().await;
        Ok(Stores { state: store.clone(), catalog: store.clone(), reports: store })
    }

    async fn reopen(&self, _: Stores) -> Result<Option<Stores>, Failure> {
        Ok(None)
    }
}

#[async_trait]
impl MoveFixture for Databases {
    async fn fresh(&self) -> Result<Movable, Failure> {
        Ok(Movable::of(&self.next().await))
    }

    async fn reopen(&self, _: Movable) -> Result<Option<Movable>, Failure> {
        Ok(None)
    }
}

/// What a general log says was asked, each statement by itself in its normal form.
fn asked_in(log: &Path) -> BTreeSet<String> {
    let log = std::fs::read(log).unwrap();
    let mut asked = BTreeSet::new();
    for line in String::from_utf8_lossy(&log).lines() {
        let text = ["Query\t", "Prepare\t"].iter().find_map(|word| line.split_once(word));
        let Some((_, text)) = text else { continue };
        let forms = normal(text);
        asked.extend(forms.split(';').filter(|form| !form.is_empty()).map(str::to_owned));
    }
    asked
}

/// A statement without spaces, values, and the number of values and rows.
fn normal(text: &str) -> String {
    let mut form = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_in_word = form.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        let end = match first {
            '\'' => 1 + rest[1..].find('\'').unwrap() + 1,
            '0'..='9' if !is_in_word => {
                rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
            }
            _ => 0,
        };
        if end > 0 {
            form.push('?');
            rest = &rest[end..];
        } else {
            // A space between two words is a part of neither, but keeps a number from being one.
            form.push(if first.is_whitespace() { ' ' } else { first });
            rest = &rest[first.len_utf8()..];
        }
    }
    let form = form.replace("_utf8mb4 X?", "?").replace("X?", "?").replace("NULL", "?");
    let mut form: String = form.split_whitespace().collect();
    for (old, new) in [("-?", "?"), ("?,?", "?"), ("(?),(?)", "(?)")] {
        while form.contains(old) {
            form = form.replace(old, new);
        }
    }
    form
}

/// A form in which what is repeated for each endpoint or state stands once.
fn without_repetitions(mut form: String, repeated: &[&String]) -> String {
    for one in repeated {
        let twice = format!("{one}UNIONALL{one}");
        while form.contains(&twice) {
            form = form.replace(&twice, one);
        }
    }
    form
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_is_listed_and_what_is_listed_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("asked.log");
    let file = format!("--general-log-file={}", log.display());
    let server = MariaDb::start_with(&["--general-log=ON", "--log-output=FILE", &file]).unwrap();
    let databases = Databases { server, latest: AtomicU32::new(0) };
    run(&databases).await.unwrap();
    run_moves(&databases).await.unwrap();
    let url = databases.server.url("case_0");
    drop(MysqlStore::open_view(&url).await.unwrap());
    checks(&url, Options::default(), NOW).await;
    assert!(are_one(&url, &url).await.unwrap());
    let listed: Vec<(&str, String)> =
        STATEMENTS.iter().map(|one| (one.name, normal(&one.whole()))).collect();
    let forms = listed.iter().map(|(_, form)| form);
    let repeated: Vec<&String> = forms.clone().filter(|form| form.starts_with('(')).collect();
    let once = |form| without_repetitions(form, &repeated);
    let asked: BTreeSet<String> = asked_in(&log).into_iter().map(once).collect();
    let known: BTreeSet<&String> = forms.collect();
    let is_exception = |form: &String| EXCEPTIONS.iter().any(|begin| form.starts_with(begin));
    let strange: Vec<_> =
        asked.iter().filter(|form| !known.contains(form) && !is_exception(form)).collect();
    assert!(strange.is_empty(), "these are not in the list: {strange:#?}");
    let idle = listed.iter().filter(|(_, form)| !asked.contains(form)).map(|(name, _)| *name);
    let idle: Vec<&str> = idle.filter(|name| *name != AFTER_A_REST).collect();
    assert_eq!(idle, ELSEWHERE, "nothing asks these");
}

#[test]
fn values_and_rows_make_no_difference() {
    let text =
        "INSERT INTO a (b1, c) VALUES (X'3B27', -5), (NULL,_utf8mb4 X'00'); SELECT 1 LIMIT 10";
    assert_eq!(normal(text), "INSERTINTOa(b1,c)VALUES(?);SELECT?LIMIT?");
    assert_eq!(normal("INSERT INTO a (b1, c) VALUES (?, ?)"), "INSERTINTOa(b1,c)VALUES(?)");
    assert_ne!(normal("SELECT a FROM b"), normal("SELECT a FROM c"));
}
