//! Planted edges that point the wrong way.

use super::*;

/// The messages for one planted dependency; the kind is `null` or `"dev"` as cargo writes it.
fn planted(from: &str, on: &str, kind: Value, features: &[&str]) -> Vec<String> {
    let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).chain([from]).collect();
    let packages: Vec<Value> = names
        .into_iter()
        .map(|name| {
            let dependency = serde_json::json!({ "name": on, "kind": kind, "features": features });
            let dependencies = if name == from { vec![dependency] } else { vec![] };
            serde_json::json!({ "name": name, "dependencies": dependencies })
        })
        .collect();
    let metadata = serde_json::json!({ "packages": packages }).to_string();
    let faults = check(&Graph::parse(&metadata).unwrap());
    faults.into_iter().map(|fault| fault.to_string()).collect()
}

fn is_allowed(from: &str, on: &str, kind: Value) -> bool {
    planted(from, on, kind, &[]).is_empty()
}

#[test]
fn planted_edges_between_crates_are_judged() {
    let table = "
        domain       store        no
        format       domain       yes
        store        domain       yes
        store        format       no
        engine       store        yes
        engine       format       no
        engine       store-sqlite no
        store-sqlite format       yes
        store-sqlite engine       no
        api          engine       yes
        api          store        no
        api          pages        no
        api          store-sqlite no
        pages        api          no
        jobs         format       yes
        app          store-sqlite yes
        bench        format       yes
        bench        engine       no
        xtask        domain       no
    ";
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(is_allowed(cells[0], cells[1], Value::Null), cells[2] == "yes", "{row}");
    }
}

#[test]
fn tests_may_use_the_ports_but_not_an_adapter() {
    for name in ["api", "pages", "jobs"] {
        assert!(is_allowed(name, "store", "dev".into()), "{name}");
        assert!(!is_allowed(name, "store-sqlite", "dev".into()), "{name}");
    }
    assert!(!is_allowed("engine", "store-sqlite", "dev".into()));
    assert!(is_allowed("bench", "store-sqlite", "dev".into()));
}

#[test]
fn planted_libraries_are_judged() {
    assert!(is_allowed("domain", "blake3", Value::Null));
    assert!(!is_allowed("domain", "tracing", Value::Null));
    assert!(is_allowed("domain", "proptest", "dev".into()));
    assert!(!is_allowed("engine", "reqwest", Value::Null));
    assert!(!is_allowed("api", "rusqlite", Value::Null));
    assert!(!is_allowed("pages", "reqwest", Value::Null));
    assert!(is_allowed("jobs", "reqwest", Value::Null));
}

#[test]
fn planted_serialization_in_the_core_is_found_even_in_tests() {
    for name in SERDE_FREE {
        for library in ["serde", "serde_json"] {
            assert!(!is_allowed(name, library, Value::Null), "{library} in {name}");
            assert!(!is_allowed(name, library, "dev".into()), "{library} in tests of {name}");
        }
    }
}

#[test]
fn planted_features_are_found() {
    assert_eq!(planted("store", "tokio", Value::Null, &["sync", "time"]), [""; 0]);
    let faults = planted("store", "tokio", Value::Null, &["sync", "net"]);
    assert_eq!(faults, ["crates/store/Cargo.toml: may not use the feature `net` of `tokio`"]);
    assert_eq!(planted("store", "tokio", "dev".into(), &["macros", "rt"]), [""; 0]);
}

#[test]
fn a_planted_unknown_crate_is_found() {
    assert!(planted("surprise", "domain", Value::Null, &[])[0].contains("not in the table"));
}
