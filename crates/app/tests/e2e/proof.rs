//! `guerdon verify` finds what somebody changes in the database behind Guerdon's back.

use std::process::Command;
use std::sync::Arc;

use crate::support::catalog::{AMPLE, base, campaign, on_event};
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;

/// What is done to the database, and an invariant that it breaks.
const DEEDS: [(&str, &str); 5] = [
    ("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal WHERE messages > 0)", "STORE"),
    ("UPDATE journal SET chain = zeroblob(16) WHERE messages > 0", "M8"),
    ("UPDATE budgets SET booked = booked - 1 WHERE booked > 0", "M2"),
    ("DELETE FROM deliveries", "D1"),
    ("UPDATE users SET state = (SELECT state FROM users ORDER BY id DESC LIMIT 1)", "M6"),
];

#[tokio::test]
async fn what_is_changed_in_the_database_is_found() {
    let publisher = Publisher::open().await;
    let catalog = base(&publisher.base()) + &campaign(21, AMPLE, &[&on_event("install", 100_000)]);
    let mut node = Node::start(&catalog);
    let client = Arc::new(node.client());
    for name in ["ann", "ben", "eve"] {
        let click = User::open(&client, name).await.start(21).await;
        if name != "eve" {
            convert(&client, &click, "install", "1").await;
        }
    }
    drop(client);
    // What is told has been taken into the outbox, where the deeds find it.
    publisher.wait_for_rewards(2).await;
    node.stop();
    let database = node.folder().join("guerdon.db");
    let whole = std::fs::read(&database).unwrap();
    for (deed, invariant) in DEEDS {
        let script =
            "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: db.execute(sys.argv[2])";
        let status = Command::new("python3").args(["-c", script]).arg(&database).arg(deed).status();
        assert!(status.unwrap().success(), "{deed}");
        let found = node.run(&["verify", "--json"]).expect(3).json();
        let findings = found["findings"].as_array().unwrap();
        let is_found = findings.iter().any(|finding| finding["invariant"] == invariant);
        assert!(is_found, "{invariant} after {deed}: {found}");
        std::fs::write(&database, &whole).unwrap();
    }
    node.serve();
    node.finish();
}
