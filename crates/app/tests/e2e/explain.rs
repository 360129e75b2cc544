//! `guerdon explain` on seeded databases, well and ill.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use services::MariaDb;
use tempfile::TempDir;

use crate::doctor::home;
use crate::support::binary::run;
use crate::support::shape::{Backing, Shape};

/// A folder with a configuration on these servers, and seeded databases there.
fn seeded(shape: Shape, backing: &Backing) -> TempDir {
    let home = home(shape, backing);
    match shape {
        Shape::Embedded => seed(home.path()),
        Shape::Compact => {
            run(home.path(), &["migrate"]).expect(0);
            seed(home.path());
        }
        // A local DynamoDB takes a change after the other, so they are moved to it in batches.
        Shape::Standard | Shape::Scaled => fill_from_embedded(&home),
    }
    home
}

fn seed(folder: &Path) {
    let size = ["--users", "600", "--enrollments", "3", "--line-items", "40"];
    run(folder, &[&["seed"], &size[..]].concat()).expect(0);
}

fn fill_from_embedded(to: &TempDir) {
    let embedded = home(Shape::Embedded, &Backing::default());
    seed(embedded.path());
    let config = to.path().join("guerdon.toml");
    let config = config.to_str().unwrap();
    std::fs::copy(embedded.path().join("master.key"), to.path().join("master.key")).unwrap();
    run(to.path(), &["migrate"]).expect(0);
    run(embedded.path(), &["catalog", "copy", "--to", config]).expect(0);
    run(embedded.path(), &["migrate-state", "--to", config]).expect(0);
}

/// All statements and requests of an explanation.
fn statements(explanation: &Value) -> Vec<&Value> {
    let stores = explanation["stores"].as_array().unwrap().iter();
    stores.flat_map(|store| store["statements"].as_array().unwrap()).collect()
}

#[test]
fn nothing_is_bad_in_any_shape() {
    for (shape, stores, names) in [
        (Shape::Embedded, 1, &["USER_LOAD", "BUDGET_PUT", "ENDPOINT_NEXT"][..]),
        (Shape::Compact, 1, &["USER_LOAD", "USERS_PUT", "DELIVERIES_AMONG"]),
        (Shape::Standard, 2, &["LoadUser", "CATALOG_WHOLE", "WriteGroup", "FindDue"]),
    ] {
        let home = seeded(shape, &Backing::shared(shape));
        let folder = home.path();
        let explanation = run(folder, &["explain", "--json"]).expect(0).json();
        assert_eq!(explanation["bad"], 0, "{explanation}");
        assert_eq!(explanation["stores"].as_array().unwrap().len(), stores);
        let all = statements(&explanation);
        assert!(all.len() > 50, "{explanation}");
        for name in names {
            let one = all.iter().find(|one| one["name"] == *name).unwrap();
            assert!(!one["purpose"].as_str().unwrap().is_empty(), "{one}");
            let text = one["text"].as_str().unwrap();
            let told = run(folder, &["explain", "--statement", name]).expect(0).out;
            assert!(told.contains(text) && told.contains("1 statement or request"), "{told}");
        }
        let all_told = run(folder, &["explain", "--all"]).expect(0).out;
        assert!(all.iter().all(|one| all_told.contains(one["name"].as_str().unwrap())));
        let told = run(folder, &["explain"]).expect(0).out;
        // What is fine is left out.
        let is_told = told.contains(&format!("  {} ", names[0]));
        assert!(told.contains(", 0 bad.") && !is_told, "{told}");
        run(folder, &["explain", "--statement", "NOBODY"]).expect(1);
        // Nothing has been written: the books still fit.
        run(folder, &["verify"]).expect(0);
    }
}

/// A statement that is bad, in what the command says to programs and to people.
fn expect_bad(folder: &Path, name: &str, code: &str) {
    let explanation = run(folder, &["explain", "--json"]).expect(3).json();
    let all = statements(&explanation);
    let one = all.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(one["verdict"], "bad", "{one}");
    let findings = one["findings"].as_array().unwrap();
    assert!(findings.iter().any(|found| found["code"] == code), "{one}");
    let told = run(folder, &["explain"]).expect(3);
    assert!(told.out.contains(name) && told.err.contains("bad statement"), "{}", told.out);
}

#[test]
fn a_lost_index_of_sqlite_is_named() {
    let home = seeded(Shape::Embedded, &Backing::default());
    let script = "import sqlite3\nsqlite3.connect('guerdon.db').execute('DROP INDEX users_due')";
    let done = Command::new("python3").args(["-c", script]).current_dir(home.path()).status();
    assert!(done.unwrap().success());
    expect_bad(home.path(), "USERS_DUE", "full scan");
}

#[test]
fn a_lost_index_of_mariadb_is_named_and_a_lost_server_is_no_finding() {
    let database = MariaDb::start().unwrap();
    let mut backing = Backing::shared(Shape::Compact);
    backing.mysql = database.url("explained");
    let home = seeded(Shape::Compact, &backing);
    let lose = "ALTER TABLE explained.deliveries DROP INDEX deliveries_waiting";
    database.sql(lose).unwrap();
    expect_bad(home.path(), "DELIVERIES_BEHIND", "refused");
    database.kill().unwrap();
    let failed = run(home.path(), &["explain"]).expect(1);
    assert!(failed.err.contains("cannot use the database of [store]"), "{}", failed.err);
}
