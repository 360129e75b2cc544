//! A node whose `[state]` was forgotten does not begin on an empty one beside the others.

use std::sync::Arc;

use crate::crash::catalog;
use crate::support::binary::run;
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;
use crate::support::shape::{Backing, Shape};

/// A configuration without that section.
fn without(section: &str, config: &str) -> String {
    let begin = config.find(&format!("\n[{section}]\n")).unwrap();
    let end = config[begin + 1..].find("\n[").map_or(config.len(), |end| begin + 1 + end);
    format!("{}{}", &config[..begin], &config[end..])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_forgets_where_the_state_is_pays_nobody() {
    let publisher = Publisher::open().await;
    let node = Node::start_on(Shape::Standard, &catalog(&publisher));
    let client = Arc::new(node.client());
    let ann = User::open(&client, "ann").await;
    let click = ann.start(11).await;
    assert_eq!(convert(&client, &click, "round", "1").await.said(), ("rewarded", "step_done"));

    let config = std::fs::read_to_string(node.folder().join("guerdon.toml")).unwrap();
    let forgotten = without("state", &config);
    std::fs::write(node.folder().join("forgotten.toml"), &forgotten).unwrap();
    let said = |args: &[&str]| node.run(&[&["--config", "forgotten.toml"], args].concat());
    // A second try finds the same: nothing that the first has left behind makes it right.
    for _ in 0..2 {
        for args in
            [&["serve"][..], &["worker"], &["catalog", "apply", "catalog.toml"], &["verify"]]
        {
            let refused = said(args).expect(1).err;
            assert!(refused.contains("is elsewhere"), "{args:?}: {refused}");
            assert!(refused.contains("[state] probably is missing"), "{args:?}: {refused}");
        }
        let told = said(&["doctor"]).expect(3).out;
        let line = told.lines().find(|line| line.contains("is elsewhere")).unwrap();
        assert!(line.starts_with("catalog ") && line.contains("WRONG"), "{line}");
    }
    // Nor is the empty state taken to where it would look like the right one.
    let next = "\n[next_state]\nkind = \"sqlite\"\npath = \"next.db\"\n";
    std::fs::write(node.folder().join("forgotten.toml"), forgotten.clone() + next).unwrap();
    assert!(said(&["migrate-state"]).expect(1).err.contains("is elsewhere"));
    assert!(said(&["migrate-state", "--dry-run"]).expect(1).err.contains("is elsewhere"));

    let well = node.run(&["doctor"]).expect(0).out;
    assert!(well.contains("the users' state belongs to it"), "{well}");
    assert_eq!(convert(&client, &click, "round", "2").await.said(), ("rewarded", "step_done"));
    assert_eq!(ann.balance().await, 120);
    begin_anew(&node, &forgotten);
    drop((ann, client));
    node.finish();
}

/// On purpose it is possible: with the catalogue in a database of its own.
fn begin_anew(node: &Node, forgotten: &str) {
    let place = |line: &&str| line.starts_with("url = \"mysql://");
    let old = forgotten.lines().find(place).unwrap();
    let anew = format!("url = {:?}", Backing::shared(Shape::Compact).mysql);
    let anew = forgotten.replacen(old, &anew, 1);
    std::fs::write(node.folder().join("anew.toml"), anew).unwrap();
    let anew = |args: &[&str]| run(node.folder(), &[&["--config", "anew.toml"], args].concat());
    anew(&["migrate"]).expect(0);
    node.run(&["catalog", "copy", "--to", "anew.toml"]).expect(0);
    anew(&["catalog", "export"]).expect(0);
    let verified = anew(&["verify", "--json"]).expect(0).json();
    assert_eq!(verified["users"], 0, "{verified}");
    let told = anew(&["doctor"]).expect(0).out;
    assert!(told.contains("the users' state belongs to it"), "{told}");
}
