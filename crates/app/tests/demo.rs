//! The demo, as somebody who has just built it starts it.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what cannot be done has to fail its test, in helpers too"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn guerdon(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guerdon"));
    command.current_dir(folder).env_remove("GUERDON_CONFIG").args(args).output().unwrap()
}

#[track_caller]
fn text(done: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\nstdout: {out}\nstderr: {err}", done.status);
    out.into_owned()
}

#[track_caller]
fn answer(done: &Output) -> Value {
    let out = text(done);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
fn a_user_walks_through_a_mission_and_the_books_are_right() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let walked = answer(&guerdon(home, &["demo", "--walk", "--port", "0", "--json"]));
    let verdicts: Vec<&Value> = walked["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["answer"]["body"]["verdict"])
        .filter(|verdict| !verdict.is_null())
        .collect();
    assert_eq!(verdicts, ["rewarded", "parked", "rewarded", "duplicate"]);
    let postbacks = walked["postbacks"].as_array().unwrap();
    assert_eq!(postbacks.len(), 3, "{postbacks:?}");
    for postback in postbacks {
        assert_eq!(postback["refused"], Value::Null);
        assert_eq!(postback["message"]["type"], "reward.granted");
        assert_eq!(postback["message"]["data"]["user_id"], walked["user_id"]);
    }
    let told = postbacks.iter().map(|one| one["message"]["data"]["amount"].as_i64().unwrap());
    assert_eq!(walked["balance"], told.sum::<i64>());
    // Install 0.30, level 5 0.50 and level 10 1.20 USD; of each 60 %, at 1,000 points a dollar.
    assert_eq!(walked["balance"], 1_200);
    assert_eq!(walked["verified"]["findings"], json!([]));

    let config = ["--config", "guerdon-demo/guerdon.toml"];
    let verify =
        |config: &[&str]| answer(&guerdon(home, &[config, &["verify", "--json"]].concat()));
    let verified = verify(&config);
    assert_eq!(verified["findings"], json!([]));
    assert_eq!(verified["entries"], walked["verified"]["entries"]);

    text(&guerdon(home, &[&config[..], &["backup", "copy.db"]].concat()));
    text(&guerdon(home, &["init", "other"]));
    std::fs::copy(home.join("guerdon-demo/master.key"), home.join("other/master.key")).unwrap();
    let other = ["--config", "other/guerdon.toml"];
    text(&guerdon(home, &[&other[..], &["restore", "copy.db"]].concat()));
    let restored = verify(&other);
    for name in ["records", "entries", "users", "findings"] {
        assert_eq!(restored[name], verified[name], "{name}");
    }
}

#[test]
fn it_continues_where_it_was_and_begins_anew_when_told_to() {
    let home = tempfile::tempdir().unwrap();
    let walk = ["demo", "--walk", "--port", "0", "--folder", "here", "--json"];
    let users = |walked: &Value| walked["verified"]["users"].as_u64().unwrap();
    let first = answer(&guerdon(home.path(), &walk));
    let second = answer(&guerdon(home.path(), &walk));
    assert_eq!(users(&second), users(&first) + 1, "one more user has walked");
    assert_ne!(first["user_id"], second["user_id"]);
    let config = ["--config", "here/guerdon.toml", "catalog", "apply", "here/catalog.toml"];
    let same = text(&guerdon(home.path(), &config));
    assert!(same.contains("nothing changes"), "the file in the folder is what is served: {same}");
    let fresh = answer(&guerdon(home.path(), &[&walk[..], &["--fresh"]].concat()));
    assert_eq!(users(&fresh), users(&first));
}

#[test]
fn the_walk_is_told_to_people_without_colour() {
    let home = tempfile::tempdir().unwrap();
    let out = text(&guerdon(home.path(), &["demo", "--walk", "--port", "0"]));
    for words in ["1. The app's server opens a session", "POST /v1/missions/101/participations"] {
        assert!(out.contains(words), "{words} in {out}");
    }
    assert!(out.contains("Coinpick's server received reward.granted: 180 P"), "{out}");
    assert!(out.contains("M1 to M9, I7 and D1 hold."), "{out}");
    assert!(!out.contains('\u{1b}'), "no colours in a pipe: {out}");
}

#[test]
fn what_is_in_the_way_is_said() {
    let home = tempfile::tempdir().unwrap();
    let failed = |args: &[&str]| {
        let done = guerdon(home.path(), args);
        assert_eq!(done.status.code(), Some(1));
        String::from_utf8(done.stderr).unwrap()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let told = failed(&["demo", "--walk", "--port", &port]);
    assert!(told.contains(&format!("port {port} is taken")) && told.contains("--port 0"), "{told}");
    assert!(!home.path().join("guerdon-demo").exists(), "nothing is left behind");

    std::fs::create_dir(home.path().join("mine")).unwrap();
    std::fs::write(home.path().join("mine/thesis.txt"), "words").unwrap();
    for fresh in [&[][..], &["--fresh"]] {
        let told = failed(&[&["demo", "--walk", "--folder", "mine"], fresh].concat());
        assert!(told.contains("mine is not empty and holds no demo"), "{told}");
    }
    let left = std::fs::read_dir(home.path().join("mine")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["thesis.txt"]);
}
