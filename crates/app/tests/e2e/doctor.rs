//! `guerdon doctor` and `guerdon migrate` on real servers, well and ill.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use services::{MariaDb, RedisNode};
use store::Journal as _;
use store::contract::sample;
use store_sqlite::{Options, SqliteStore};

use crate::support::binary::{Ran, run};
use crate::support::shape::{Backing, Shape};

/// A folder with a configuration on these servers, whose stores are not migrated.
pub(crate) fn home(shape: Shape, backing: &Backing) -> tempfile::TempDir {
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
fn where_the_state_has_gone_is_said_until_the_configuration_says_it() {
    let home = home(Shape::Embedded, &Backing::default());
    let (folder, path) = (home.path(), home.path().join("guerdon.toml"));
    run(folder, &["migrate"]).expect(0);
    let before = std::fs::read_to_string(&path).unwrap();
    let there = |section| format!("{before}\n[{section}]\nkind = \"sqlite\"\npath = \"next.db\"\n");
    std::fs::write(&path, there("next_state")).unwrap();
    let phase = |code| {
        let diagnosis = run(folder, &["doctor", "--json"]).expect(code).json();
        check(&diagnosis, "store", "phase")["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(phase(0), "in use");
    run(folder, &["migrate-state"]).expect(0);
    assert!(phase(0).contains("has moved to the SQLite file next.db; let [state] describe it"));
    // A node that was forgotten.
    std::fs::write(&path, &before).unwrap();
    assert!(phase(3).contains("has moved to the SQLite file next.db"));
    for command in ["serve", "verify"] {
        let refused = run(folder, &[command]).expect(1);
        let words = "the state has moved: the SQLite file next.db; let [state] describe it";
        assert!(refused.err.contains(words), "{command}: {}", refused.err);
    }
    std::fs::write(&path, there("state")).unwrap();
    let well = run(folder, &["doctor"]).expect(0);
    assert!(!well.out.contains("has moved"), "{}", well.out);
    run(folder, &["verify"]).expect(0);
}

/// What `[next_state]` names must be where the state has gone, also for whoever only reads.
#[tokio::test]
async fn another_store_is_not_taken_for_the_one_that_has_the_state() {
    let home = home(Shape::Embedded, &Backing::default());
    let (folder, path) = (home.path(), home.path().join("guerdon.toml"));
    let before = std::fs::read_to_string(&path).unwrap();
    let next = |file| {
        let section = format!("\n[next_state]\nkind = \"sqlite\"\npath = \"{file}\"\n");
        std::fs::write(&path, format!("{before}{section}")).unwrap();
    };
    next("next.db");
    let store = SqliteStore::open(&folder.join("guerdon.db"), Options::default()).unwrap();
    store.append(sample::trace(None, "install")).await.unwrap();
    drop(store);
    run(folder, &["migrate-state"]).expect(0);
    for command in ["verify", "doctor"] {
        run(folder, &[command]).expect(0);
    }
    next("other.db");
    run(folder, &["migrate"]).expect(0);
    for command in ["verify", "doctor"] {
        let ran = run(folder, &[command]);
        let told = format!("{}{}", ran.out, ran.err);
        assert!(ran.code != Some(0) && told.contains("lacks its newest record"), "{told}");
    }
}

#[test]
fn a_store_is_not_moved_into_itself_under_another_name() {
    let mut backing = Backing::shared(Shape::Compact);
    let named = backing.mysql.replace("127.0.0.1", "localhost");
    assert_ne!(named, backing.mysql);
    backing = backing.with(&format!("\n[next_state]\nkind = \"mysql\"\nurl = {named:?}\n"));
    let home = home(Shape::Compact, &backing);
    run(home.path(), &["migrate"]).expect(0);
    for args in [&["migrate-state", "--dry-run"][..], &["migrate-state"]] {
        let refused = run(home.path(), args).expect(1);
        assert!(refused.err.contains("are one store"), "{args:?}: {}", refused.err);
    }
    let diagnosis = run(home.path(), &["doctor", "--json"]).expect(3).json();
    let told = check(&diagnosis, "store", "phase");
    assert!(told["detail"].as_str().unwrap().contains("describes this store"), "{told}");
    // Nothing has begun.
    let path = home.path().join("guerdon.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.split("[next_state]").next().unwrap()).unwrap();
    let diagnosis = run(home.path(), &["doctor", "--json"]).expect(0).json();
    assert_eq!(check(&diagnosis, "store", "phase")["detail"], "in use");
}

#[test]
fn a_wrong_password_of_redis_is_said_to_be_one() {
    let server = RedisNode::start().unwrap();
    let mut line = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    line.write_all(b"CONFIG SET requirepass right\r\n").unwrap();
    let mut answer = [0; 5];
    line.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
    let home = home(Shape::Embedded, &Backing::default());
    let path = home.path().join("guerdon.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let (before, after) = config.split_once("[cache]\n").unwrap();
    let after = after.replacen("kind = \"none\"\n", "", 1);
    std::fs::write(home.path().join("wrong"), "wrong").unwrap();
    for (more, remedy) in [
        ("", "it wants a password"),
        ("password_file = \"wrong\"\n", "mend the user in the address, or the password"),
    ] {
        let cache = format!("[cache]\nkind = \"redis\"\nurl = {:?}\n{more}", server.url());
        std::fs::write(&path, format!("{before}{cache}{after}")).unwrap();
        let diagnosis = run(home.path(), &["doctor", "--json"]).expect(3).json();
        let told = check(&diagnosis, "cache", "answers");
        assert!(told["remedy"].as_str().unwrap().contains(remedy), "{told}");
    }
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
