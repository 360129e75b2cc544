//! From one file to a database that nodes share: the catalogue is copied, then the state moves.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::binary::run;
use crate::support::catalog::{AMPLE, base, campaign, on_event};
use crate::support::http::Request;
use crate::support::node::Node;
use crate::support::people::{User, convert};
use crate::support::publisher::Publisher;
use crate::support::shape::{Backing, Shape};

/// The configuration of the same node on a database.
fn on_mysql(node: &Node, name: &str) -> String {
    let url = Backing::shared(Shape::Compact).mysql;
    let config = std::fs::read_to_string(node.folder().join("guerdon.toml")).unwrap();
    let store = format!("kind = \"mysql\"\nurl = {url:?}");
    let config = config.replacen("kind = \"sqlite\"", &store, 1);
    let config = config.replacen("path = \"guerdon.db\"\n", "", 1);
    std::fs::write(node.folder().join(name), &config).unwrap();
    config
}

/// Makes the catalogue hold that and nothing else.
async fn apply(node: &Node, catalog: &str) {
    let apply = Request::post("/v1/admin/catalog/apply?prune=true").bearer(&node.admin_key);
    node.client().send(&apply.body("application/toml", catalog)).await.expect(200);
}

/// What is in force, and how it came to be.
async fn catalog(node: &Node) -> [Value; 2] {
    let ask = |path: &str| Request::get(path).bearer(&node.admin_key);
    let export = node.client().send(&ask("/v1/admin/catalog?format=json")).await;
    let history = node.client().send(&ask("/v1/admin/catalog/history")).await;
    [export.expect(200).json(), history.expect(200).json()]
}

/// The figures of yesterday, today and tomorrow: the day may end during a test.
async fn figures(node: &Node) -> Value {
    let day = |ahead: i64| {
        let at = jiff::Timestamp::from_second(node.clock.now_s() + ahead * 86_400).unwrap();
        at.strftime("%Y-%m-%d").to_string()
    };
    let path = format!("/v1/admin/reports/line_items?from={}&to={}", day(-1), day(1));
    let ask = Request::get(path).bearer(&node.admin_key);
    node.client().send(&ask).await.expect(200).json()
}

/// Terms that a user has locked are in no file any more; they come along, and so do deleted rows,
/// sealed secrets and who changed what.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_grows_from_a_file_to_a_database_and_keeps_what_it_promised() {
    let publisher = Publisher::open().await;
    let steps = [on_event("install", 300_000), on_event("level", 1_000_000)];
    let generous = campaign(11, AMPLE, &steps.each_ref().map(String::as_str));
    let gone = campaign(12, AMPLE, &[&on_event("install", 500_000)]);
    let base = base(&publisher.base());
    let mut node = Node::start(&(base.clone() + &generous + &gone));
    let client = Arc::new(node.client());
    let ann = User::open(&client, "ann").await;
    let (kept, retired) = (ann.start(11).await, ann.start(12).await);
    assert_eq!(convert(&client, &kept, "install", "e1").await.said(), ("rewarded", "step_done"));
    apply(&node, &(base + &campaign(11, AMPLE, &[&on_event("install", 100_000)]))).await;
    let (before, reported) = (catalog(&node).await, figures(&node).await);
    assert_eq!(reported["rows"].as_array().unwrap().len(), 2, "{reported}");

    let database = on_mysql(&node, "database.toml");
    let copy = ["catalog", "copy", "--json", "--to", "database.toml"];
    assert!(node.run(&copy).expect(1).err.contains("`guerdon migrate`"), "no tables yet");
    node.run(&["--config", "database.toml", "migrate"]).expect(0);
    let said = |arguments: &[&str]| node.run(&[&copy, arguments].concat()).expect(0).json();
    let looked = said(&["--dry-run"]);
    let [copied, again] = [said(&[]), said(&[])];
    for (answer, dry_run, was_done) in
        [(&looked, true, false), (&copied, false, false), (&again, false, true)]
    {
        let flags = (&answer["dry_run"], &answer["was_done"]);
        assert_eq!(flags, (&json!(dry_run), &json!(was_done)), "{answer}");
        assert_eq!(answer["revision"], before[1]["items"][0]["revision"], "{answer}");
        assert_eq!((&answer["mission_versions"], &answer["edits"]), (&json!(3), &json!(2)));
        assert_eq!(answer["deleted_rows"], 3, "{answer}");
    }

    node.stop();
    node.run(&["migrate-state", "--to", "database.toml"]).expect(0);
    std::fs::write(node.folder().join("guerdon.toml"), database).unwrap();
    node.serve();
    assert_eq!((catalog(&node).await, figures(&node).await), (before, reported));
    let client = Arc::new(node.client());
    assert_eq!(convert(&client, &kept, "level", "e2").await.said(), ("rewarded", "step_done"));
    assert_eq!(convert(&client, &retired, "install", "e3").await.said(), ("rewarded", "step_done"));
    let bob = User::open(&client, "bob").await;
    let anew = bob.start(11).await;
    assert_eq!(convert(&client, &anew, "install", "e4").await.said(), ("rewarded", "step_done"));
    let ann = User::open(&client, "ann").await;
    assert_eq!((ann.balance().await, bob.balance().await), (180 + 600 + 300, 60));
    publisher.wait_for_rewards(4).await;
    node.finish();
    assert_eq!(publisher.check().len(), 4);
}

/// Another master key would not open what is sealed, and what somebody has edited is not overwritten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalogue_is_copied_only_to_where_it_fits() {
    let publisher = Publisher::open().await;
    let node = Node::set_up(&base(&publisher.base()), crate::support::node::Setup::default());
    let folder = node.folder();
    run(folder, &["init", "other"]).expect(0);
    let copy = ["catalog", "copy", "--to", "other/guerdon.toml"];
    let refused = node.run(&copy).expect(1).err;
    assert!(refused.contains("different master keys"), "{refused}");
    assert!(refused.contains("Copy ./master.key to other/master.key"), "{refused}");
    assert!(!folder.join("other/guerdon.db").exists(), "a store that nobody can use");

    std::fs::copy(folder.join("master.key"), folder.join("other/master.key")).unwrap();
    let looked = node.run(&[&copy[..], &["--dry-run"]].concat()).expect(0).out;
    assert!(looked.contains("can take the catalogue: revision 1 with"), "{looked}");
    assert!(!folder.join("other/guerdon.db").exists(), "a dry run makes nothing");
    let other = ["--config", "other/guerdon.toml", "catalog", "apply", "catalog.toml"];
    node.run(&other).expect(0);
    let refused = node.run(&copy).expect(1).err;
    assert!(refused.contains("is another one, at revision 1"), "{refused}");
    node.finish();
}
