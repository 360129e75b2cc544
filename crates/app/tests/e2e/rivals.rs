//! Two commands that move one state: the first is stopped in its pause, as a laptop that is closed or a
//! virtual machine that is moved stops it, and wakes when the second one has done its work.
//!
//! Users go on meanwhile. Whatever was acknowledged to them must be known and paid once, wherever the
//! state is at last.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use services::{Dynamo, Proxy};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::crash::catalog;
use crate::moving::Load;
use crate::support::PATIENCE;
use crate::support::binary::command;
use crate::support::node::{Node, Setup};
use crate::support::publisher::Publisher;
use crate::support::shape::{Backing, Shape, proxy_before_mysql};

/// How far the first command is from its old store in its pause, each way, so that the pause is long
/// enough for somebody to be refused in it.
const FAR: Duration = Duration::from_millis(100);
/// Users' events before, between and after the commands.
const EVENTS: usize = 40;

/// A node whose state is in a database and goes to a table.
struct Scene {
    publisher: Publisher,
    node: Node,
    proxy: Proxy,
    load: Load,
    client: Arc<crate::support::http::Client>,
    _dynamo: Dynamo,
}

impl Scene {
    async fn new() -> Self {
        let publisher = Publisher::open().await;
        let dynamo = block_in_place(|| Dynamo::start_in_memory().unwrap());
        let backing = Backing::shared(Shape::Compact);
        let backing = backing.clone().with(&format!(
            "\n[next_state]\nkind = \"dynamo\"\ntable = {:?}\nregion = \"eu-central-1\"\n\
             endpoint = {:?}\n",
            backing.name,
            dynamo.endpoint()
        ));
        let setup = Setup::on(Shape::Compact);
        let mut node = block_in_place(|| Node::set_up_at(&catalog(&publisher), setup, &backing));
        let proxy = proxy_before_mysql();
        let config = std::fs::read_to_string(node.folder().join("guerdon.toml")).unwrap();
        let far = config.replace(&backing.mysql, &backing.clone().through(&proxy).mysql);
        assert_ne!(far, config);
        std::fs::write(node.folder().join("far.toml"), far).unwrap();
        block_in_place(|| node.serve());
        let client = Arc::new(node.client());
        let mut load = Load::begin(&client).await;
        load.answers(EVENTS).await;
        Self { publisher, node, proxy, load, client, _dynamo: dynamo }
    }

    /// Starts the command from afar, and stops it in its pause.
    async fn stopped_in_its_pause(&mut self) -> Child {
        let args = ["--config", "far.toml", "migrate-state", "--json"];
        let mut moving: tokio::process::Command = command(self.node.folder(), &args).into();
        let piped = moving.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut moving = piped.spawn().unwrap();
        let mut lines = BufReader::new(moving.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        loop {
            let line =
                timeout(PATIENCE, lines.next_line()).await.expect("it says nothing").unwrap();
            said.push(line.unwrap_or_else(|| panic!("it has ended: {said:#?}")));
            if said.last().is_some_and(|line| line.contains("cutting over")) {
                break;
            }
        }
        self.proxy.delay(FAR).unwrap();
        timeout(PATIENCE, self.load.refusal()).await.expect("nobody is refused");
        signal(&moving, "STOP");
        moving.stderr = Some(lines.into_inner().into_inner());
        moving
    }

    /// Lets it go on. It has the words of somebody whose work was taken over.
    async fn wakes(&self, sleeper: Child) {
        signal(&sleeper, "CONT");
        let ended = timeout(PATIENCE, sleeper.wait_with_output()).await;
        let ended = ended.expect("it does not end").unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains("has taken this move over"), "{said}");
    }

    fn run(&self, args: &[&str]) -> serde_json::Value {
        block_in_place(|| self.node.run(&[args, &["--json"]].concat()).expect(0).json())
    }

    async fn end(mut self) {
        self.load.answers(EVENTS).await;
        self.load.end(&self.client, &self.publisher).await;
        drop(self.client);
        block_in_place(|| self.node.finish());
    }
}

fn signal(process: &Child, name: &str) {
    let pid = process.id().expect("it has ended");
    let mut kill = std::process::Command::new("sh");
    let told = kill.args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
    assert!(told.success(), "{name}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_wakes_after_another_has_finished_it_takes_nothing_back() {
    let mut scene = Scene::new().await;
    let sleeper = scene.stopped_in_its_pause().await;
    let report = scene.run(&["migrate-state"]);
    assert_eq!((&report["was_begun"], &report["was_done"]), (&true.into(), &false.into()));
    scene.load.answers(EVENTS).await;
    scene.wakes(sleeper).await;
    let again = scene.run(&["migrate-state"]);
    assert_eq!(again["was_done"], true, "{again}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_wakes_after_it_was_ended_does_not_go_on() {
    let mut scene = Scene::new().await;
    let sleeper = scene.stopped_in_its_pause().await;
    let ended = scene.run(&["migrate-state", "--abort"]);
    assert_eq!(ended["was_under_way"], true, "{ended}");
    scene.load.answers(EVENTS).await;
    scene.wakes(sleeper).await;
    scene.load.answers(EVENTS).await;
    let survey = scene.run(&["migrate-state", "--dry-run"]);
    assert_eq!((&survey["is_begun"], &survey["is_done"]), (&true.into(), &false.into()));
    let report = scene.run(&["migrate-state"]);
    assert_eq!(report["was_begun"], true, "{report}");
    scene.end().await;
}
