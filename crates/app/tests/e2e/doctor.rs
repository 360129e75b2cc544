//! `guerdon doctor` and `guerdon migrate` on real servers, well and ill.

use std::time::{Duration, Instant};

use serde_json::Value;
use services::{MariaDb, RedisNode};

use crate::support::binary::{Ran, run};
use crate::support::shape::{Backing, Shape};

/// A folder with a configuration on these servers, whose stores are not migrated.
fn home(shape: Shape, backing: &Backing) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &["init", "--shape", shape.name()]).expect(0);
    let path = home.path().join("guerdon.toml");
    let config = backing.put_into(shape, std::fs::read_to_string(&path).unwrap());
    // Another test's server may have the usual port.
    std::fs::write(&path, config.replace("127.0.0.1:8080", "127.0.0.1:0")).unwrap();
    home
}

/// One check of a diagnosis.
#[track_caller]
fn check<'a>(diagnosis: &'a Value, dependency: &str, name: &str) -> &'a Value {
    let mut checks = diagnosis["checks"].as_array().unwrap().iter();
    let found = checks.find(|one| one["dependency"] == dependency && one["check"] == name);
    found.unwrap_or_else(|| panic!("{dependency} {name}: {diagnosis}"))
}

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.out.contains(word), "{word} in {}", ran.out);
    }
}

#[test]
fn every_shape_is_migrated_and_then_well() {
    for shape in [Shape::Embedded, Shape::Compact, Shape::Standard, Shape::Scaled] {
        let home = home(shape, &Backing::shared(shape));
        let before = run(home.path(), &["doctor"]);
        if shape == Shape::Embedded {
            // The first start makes the file.
            before.expect(0);
        } else {
            says(&before.expect(3), &["WRONG", "guerdon migrate"]);
            let refused = run(home.path(), &["serve"]).expect(1);
            assert!(refused.err.contains("guerdon migrate"), "{}", refused.err);
        }
        run(home.path(), &["migrate"]).expect(0);
        let again = run(home.path(), &["migrate", "--json"]).expect(0).json();
        let stores = again["stores"].as_array().unwrap();
        assert_eq!(stores.len(), 1 + usize::from(matches!(shape, Shape::Standard | Shape::Scaled)));
        let well = run(home.path(), &["doctor"]).expect(0);
        says(&well, &["master key", "Everything is well."]);
        assert!(!well.out.contains("WRONG"), "{}", well.out);
    }
}

#[test]
fn what_is_down_is_named_in_time() {
    let database = MariaDb::start().unwrap();
    let redis = RedisNode::start().unwrap();
    let next = "\n[next_state]\nkind = \"sqlite\"\npath = \"far/away.db\"\n";
    let mut backing = Backing::shared(Shape::Standard).with(next);
    backing.mysql = database.url("doctor");
    backing.redis = redis.url();
    let home = home(Shape::Standard, &backing);
    database.freeze().unwrap();
    redis.kill().unwrap();
    let begun = Instant::now();
    let diagnosis = run(home.path(), &["doctor", "--json"]).expect(3).json();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(diagnosis["healthy"], false);
    for (dependency, name) in [
        ("store", "reachable"),
        ("cache", "answers"),
        ("broker", "answers"),
        ("next_state", "file"),
    ] {
        let check = check(&diagnosis, dependency, name);
        assert_eq!(check["passed"], false, "{check}");
        assert!(check["remedy"].as_str().unwrap().len() > 10, "{check}");
    }
    // What is well is said too.
    assert_eq!(check(&diagnosis, "master key", "can be read")["passed"], true);
    database.thaw().unwrap();
}

#[test]
fn what_the_files_lack_is_named() {
    let home = home(Shape::Embedded, &Backing::default());
    let folder = home.path();
    std::fs::remove_file(folder.join("master.key")).unwrap();
    std::fs::write(folder.join("guerdon.db"), "no database at all, but long enough to look")
        .unwrap();
    let diagnosis = run(folder, &["doctor", "--json"]).expect(3).json();
    assert_eq!(check(&diagnosis, "master key", "can be read")["passed"], false);
    assert_eq!(check(&diagnosis, "store", "file")["passed"], false);
    let path = folder.join("guerdon.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config + "\n[stoer]\nkind = \"sqlite\"\n").unwrap();
    let diagnosis = run(folder, &["doctor", "--json"]).expect(3).json();
    let told = check(&diagnosis, "configuration", "can be read");
    assert!(told["detail"].as_str().unwrap().contains("unknown field `stoer`"), "{told}");
}

#[test]
fn backups_are_for_sqlite() {
    let home = home(Shape::Compact, &Backing::shared(Shape::Compact));
    for args in [["backup", "b.db"], ["restore", "b.db"]] {
        let refused = run(home.path(), &args).expect(1);
        assert!(refused.err.contains("keeps its data in other stores"), "{}", refused.err);
    }
}

#[test]
fn a_worker_wants_a_store_that_can_be_shared() {
    let home = home(Shape::Embedded, &Backing::default());
    let refused = run(home.path(), &["worker"]).expect(1);
    assert!(refused.err.contains("guerdon serve"), "{}", refused.err);
}
