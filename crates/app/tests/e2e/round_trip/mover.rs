//! The command that moves the state, killed where it is meant to be.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr};
use tokio::time::timeout;

use super::town::Town;
use crate::support::PATIENCE;
use crate::support::binary::command;
use crate::support::node::Node;

/// When a run is killed.
#[derive(Clone, Copy)]
pub(super) enum Kill {
    /// When it says that it does one of these.
    At(&'static [&'static str]),
    /// When a caller is refused, which is in the pause.
    AtRefusal,
}

/// A node that uses a store from which the state has gone does not start, and says where it is.
pub(super) async fn does_not_start(node: &Node) {
    let mut serve: tokio::process::Command = command(node.folder(), &["serve"]).into();
    let ended = serve.kill_on_drop(true).output();
    let ended = timeout(PATIENCE, ended).await.expect("it starts").unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("the state has moved: the database mysql://"), "{said}");
}

/// Runs the command to its end, and gives its report.
pub(super) async fn run(node: &Node, town: &Town) -> Value {
    finish(start(node), town, None).await
}

/// The same, and cuts the node's power as soon as the command has begun.
pub(super) async fn run_through_a_power_cut(node: &mut Node, town: &Town) -> Value {
    finish(start(node), town, Some(node)).await
}

async fn finish(mut mover: Mover, town: &Town, mut cut: Option<&mut Node>) -> Value {
    let mut said = Vec::new();
    let ended = async {
        while let Some(line) = mover.lines.next_line().await.unwrap() {
            said.push(line);
            if let Some(node) = cut.take() {
                town.cut_power(node).await;
            }
        }
        mover.child.wait_with_output().await.unwrap()
    };
    let done = timeout(PATIENCE, ended).await.expect("the move does not end");
    assert!(done.status.success(), "{said:#?}");
    town.is_back().await;
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Runs the command until it is killed, and says whether it has died in the pause. Nobody may be
/// refused before that.
pub(super) async fn kill(node: &Node, town: &Town, kill: Kill) -> bool {
    timeout(PATIENCE, kill_at(node, town, kill)).await.expect("the moment does not come")
}

async fn kill_at(node: &Node, town: &Town, kill: Kill) -> bool {
    let (refused, mut said) = (town.refused(), Vec::new());
    let refusal = town.refusal();
    tokio::pin!(refusal);
    let mut mover = start(node);
    loop {
        tokio::select! {
            line = mover.lines.next_line() => {
                said.push(line.unwrap().unwrap_or_else(|| panic!("it has ended: {said:#?}")));
                let is_at = |step: &&str| said.last().is_some_and(|line| line.contains(step));
                if matches!(kill, Kill::At(steps) if steps.iter().any(is_at)) {
                    break;
                }
            }
            () = &mut refusal, if matches!(kill, Kill::AtRefusal) => break,
        }
    }
    mover.child.kill().await.unwrap();
    while let Some(line) = mover.lines.next_line().await.unwrap() {
        said.push(line);
    }
    let is_paused = town.refused() > refused || said.iter().any(|line| line.contains("cutting"));
    assert!(is_paused == said.iter().any(|line| line.contains("cutting")), "{said:#?}");
    is_paused
}

/// The command under way.
struct Mover {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

fn start(node: &Node) -> Mover {
    let mut command: tokio::process::Command =
        command(node.folder(), &["migrate-state", "--json"]).into();
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = piped.spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    Mover { child, lines }
}
