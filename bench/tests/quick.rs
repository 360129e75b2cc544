//! The benchmarks from end to end on little data: the load generator, the seeded world and the
//! server fit together. What is measured here means nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a report that cannot be read has to fail its test, in helpers too"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use serde_json::Value;

#[test]
fn the_quick_benchmarks_run_through() {
    build_server();
    let missions = quick("missions");
    for what in ["app key", "session", "bare server"] {
        assert_eq!(callers(&missions, what), [1, 8], "{what}");
    }
    assert_eq!(callers(&missions, "unchanged (304)"), [8]);
    assert_eq!(fact(&missions, "store calls of a list, most"), 1.0);

    let conversions = quick("conversions");
    assert_eq!(callers(&conversions, "conversion"), [1, 8]);
    assert_eq!(fact(&conversions, "store calls of a conversion, most"), 2.0);
    assert!(fact(&conversions, "ledger entries verified afterwards, all right") > 0.0);
    for worker in ["gthread", "gevent"] {
        assert_eq!(callers(&conversions, &format!("Django view, {worker}")), [8]);
    }
    // Two kinds of workers, three runs of eight callers each; the benchmark counts the rows.
    let viewed = fact(&conversions, "the view's conversions, each with all of its rows");
    assert_eq!(viewed, f64::from(2 * 3 * 8 * 16));
    assert!(fact(&conversions, "lean loop, changes a second one by one") > 0.0);
    let pages = fact(&conversions, "pages that the lean loop writes for a change, one by one");
    assert!((3.0..6.0).contains(&pages), "{pages}");
    let told = conversions["notes"].to_string();
    assert!(told.contains("innodb_flush_log_at_trx_commit = 1"), "{told}");
}

/// Every way to pack a list gives the list again, which the benchmark itself checks, and saves bytes.
#[test]
fn the_quick_compression_runs_through() {
    build_server();
    let compression = run("compression");
    let rows = compression["rows"].as_array().unwrap();
    let bytes: Vec<f64> = rows.iter().map(|row| row["bytes"].as_f64().unwrap()).collect();
    assert_eq!((rows.len(), &rows[0]["what"]), (11, &Value::from("plain")));
    assert!(bytes[1..].iter().all(|packed| packed < &bytes[0]), "{bytes:?}");
}

/// Callgrind counts requests, and finds in its profile each part that is told.
#[test]
fn the_quick_instructions_run_through() {
    build_server();
    let report = run("instructions");
    let rows = report["rows"].as_array().unwrap();
    let of = |what: &str| {
        let row = rows.iter().find(|row| row["what"] == what);
        row.and_then(|row| row["instructions"].as_f64()).unwrap()
    };
    let (list, unchanged) = (of("list"), of("list, unchanged (304)"));
    assert!(of("bare server, the same bytes") < unchanged && unchanged < list, "{rows:?}");
    let parts = rows.iter().filter(|row| row["what"].as_str().unwrap().starts_with("list: "));
    let parts: Vec<_> = parts.map(|row| row["instructions"].as_f64().unwrap()).collect();
    assert!(parts.len() == 5 && parts.iter().all(|part| *part < list), "{rows:?}");
}

/// Lists keep their size while the catalogue grows tenfold, an edit is served, conversions are paid
/// whatever the number of users, and a request asks the stores no more often when nodes join.
#[test]
fn the_quick_growth_runs_through() {
    build_server();
    let growth = quick("growth");
    let of = |what: &str, name: &str| fact(&growth, &format!("{what}: {name}"));
    for what in ["500 line items", "5000 line items", "600 users", "2000 users"] {
        assert_eq!(callers(&growth, what), [8], "{what}");
        let missions = of(what, "missions in a list, median");
        assert!((45.0..55.0).contains(&missions), "{what}: {missions}");
    }
    for what in ["500 line items", "5000 line items"] {
        assert!(of(what, "edit of a line item until it is served") > 0.0, "{what}");
    }
    for what in ["600 users", "2000 users"] {
        assert_eq!(callers(&growth, &format!("{what}: conversion")), [32], "{what}");
    }
    for what in ["1 nodes", "2 nodes", "3 nodes"] {
        for (load, calls) in [("list", 1.0), ("conversion", 2.0)] {
            assert_eq!(callers(&growth, &format!("{what}: {load}")), [32], "{what}");
            assert_eq!(of(what, &format!("store calls of a {load}, most")), calls, "{what}");
        }
        // Less than one: a Redis remembers users for a second.
        assert!(of(what, "read units of a list") > 0.0, "{what}");
        assert!(of(what, "write units of a conversion") >= 2.0, "{what}");
        assert!(of(what, "edit of a line item until it is served on all nodes") > 0.0, "{what}");
    }
    let drawn = growth["images"].as_array().unwrap();
    assert_eq!(drawn.len(), 8, "{drawn:?}");
    let raw = std::fs::read_to_string(target_folder().join("bench/growth/growth.csv")).unwrap();
    assert!(raw.lines().count() > 50, "{raw}");
}

/// The same loads on every shape, on real servers, with data that were moved from shape to shape; the
/// benchmark itself fails unless the books are right on each.
#[test]
fn the_quick_shapes_run_through() {
    build_server();
    let shapes = quick("shapes");
    for shape in ["embedded", "compact", "standard", "scaled"] {
        for load in ["list", "conversion"] {
            assert_eq!(callers(&shapes, &format!("{shape}: {load}")), [1, 8], "{shape}");
        }
        for load in ["start", "conversion"] {
            let what = format!("{shape}: {load} on the hot line item");
            assert_eq!(callers(&shapes, &what), [8], "{what}");
        }
        assert_eq!(fact(&shapes, &format!("{shape}: store calls of a list, most")), 1.0);
        assert_eq!(fact(&shapes, &format!("{shape}: store calls of a conversion, most")), 2.0);
        let verified = format!("{shape}: ledger entries verified afterwards, all right");
        assert!(fact(&shapes, &verified) > 0.0);
    }
    for shape in ["compact", "standard", "scaled"] {
        assert_eq!(fact(&shapes, &format!("{shape}: users moved from embedded")), 150.0);
    }
    for shape in ["standard", "scaled"] {
        let units = |what: &str| fact(&shapes, &format!("{shape}: {what}"));
        assert!(units("read units of a list, one by one") >= 1.0);
        assert_eq!(units("write units of a list, one by one"), 0.0);
        assert!(units("write units of a conversion, one by one") >= 2.0);
    }
    for cache in ["cache in process", "cache in one Redis"] {
        let what = format!("compact, {cache}: list of busy users");
        assert_eq!(callers(&shapes, &what), [8], "{what}");
        assert!(fact(&shapes, &format!("{what}, share from the cache")) > 0.0);
    }
    let told = shapes["notes"].to_string();
    assert!(told.contains("sync_binlog = 1"), "{told}");
    assert!(told.contains("innodb_flush_log_at_trx_commit = 1"), "{told}");
}

/// The server lies beside the benchmark; a plain `cargo test` of this crate does not build it.
fn build_server() {
    static BUILT: Once = Once::new();
    BUILT.call_once(build);
}

fn build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["build", "--package", "app", "--bins", "--target-dir"]).arg(target_folder());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs one that puts load on a server, and reads what it has written.
fn quick(name: &str) -> Value {
    let report = run(name);
    assert_eq!(report["aims"].as_array().unwrap().len(), 0, "a quick run judges nothing");
    for row in report["rows"].as_array().unwrap() {
        assert!(row["answers"].as_u64().unwrap() > 0, "{row}");
        assert!(row["p50_ms"]["median"].as_f64() <= row["max_ms"].as_f64(), "{row}");
    }
    report
}

/// Runs one and reads what it has written.
fn run(name: &str) -> Value {
    let output =
        Command::new(env!("CARGO_BIN_EXE_bench")).args([name, "--quick"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
    let path = target_folder().join("bench").join(format!("{name}-quick.json"));
    let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(report["quick"], true);
    report
}

fn target_folder() -> PathBuf {
    let exe = Path::new(env!("CARGO_BIN_EXE_bench"));
    exe.ancestors().nth(2).unwrap().to_owned()
}

/// With how many callers a kind of load was run in a closed loop.
fn callers(report: &Value, what: &str) -> Vec<u64> {
    let rows = report["rows"].as_array().unwrap().iter();
    let closed = rows.filter(|row| row["what"] == what && row["due_per_second"].is_null());
    closed.map(|row| row["callers"].as_u64().unwrap()).collect()
}

fn fact(report: &Value, what: &str) -> f64 {
    let facts = report["facts"].as_array().unwrap();
    let found = facts.iter().find(|fact| fact["what"] == what);
    found.unwrap_or_else(|| panic!("no {what:?} in {facts:?}"))["value"].as_f64().unwrap()
}
