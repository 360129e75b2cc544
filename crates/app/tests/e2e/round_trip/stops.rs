//! The stores that the state goes to, as configurations name them.

use std::sync::Arc;

use services::Dynamo;
use tempfile::TempDir;
use tokio::task::block_in_place;

use super::town::Town;
use crate::support::node::Node;
use crate::support::shape::{Backing, Shape};

/// A store on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// The file in which the state is at first.
    First,
    /// A database.
    Mysql,
    /// A table.
    Dynamo,
    /// Another file.
    Last,
}

/// Where they are.
pub(super) struct Stops {
    files: TempDir,
    /// A database for the catalogue.
    backing: Backing,
    dynamo: Dynamo,
    /// The database for the state.
    mysql: String,
}

impl Stops {
    pub(super) fn make() -> Self {
        Self {
            files: tempfile::tempdir().unwrap(),
            backing: Backing::shared(Shape::Compact),
            dynamo: Dynamo::start_in_memory().unwrap(),
            mysql: Backing::shared(Shape::Compact).mysql,
        }
    }

    /// For a node that has its catalogue in a database, and its state on the way.
    pub(super) fn backing(&self, state: Stop, next: Stop) -> Backing {
        self.backing.clone().with(&self.sections(state, Some(next)))
    }

    /// A node's configuration says from now on where the state is and where it goes.
    pub(super) fn configure(&self, node: &Node, state: Stop, next: Option<Stop>) {
        let path = node.folder().join("guerdon.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, self.put_into(&config, state, next)).unwrap();
    }

    /// What an operator does before a leg: he describes the next store, has it made, and starts the
    /// node again.
    pub(super) async fn restart(&self, node: &mut Node, town: &Town, to: (Stop, Option<Stop>)) {
        let mut clients = town.clients.write().await;
        clients.clear();
        self.configure(node, to.0, to.1);
        block_in_place(|| {
            node.run(&["migrate"]).expect(0);
            node.stop();
            node.serve();
        });
        clients.push(Arc::new(node.client()));
    }

    /// The same in the text of one.
    pub(super) fn put_into(&self, config: &str, state: Stop, next: Option<Stop>) -> String {
        let (before, _) = config.split_once("\n[state]\n").expect("a section of the state");
        before.to_owned() + &self.sections(state, next)
    }

    fn sections(&self, state: Stop, next: Option<Stop>) -> String {
        let next = next.map(|next| format!("\n[next_state]\n{}", self.section(next)));
        format!("\n[state]\n{}{}", self.section(state), next.unwrap_or_default())
    }

    fn section(&self, stop: Stop) -> String {
        let file = |name| format!("kind = \"sqlite\"\npath = {:?}\n", self.files.path().join(name));
        match stop {
            Stop::First => file("first.db"),
            Stop::Mysql => format!("kind = \"mysql\"\nurl = {:?}\n", self.mysql),
            Stop::Dynamo => format!(
                "kind = \"dynamo\"\ntable = {:?}\nregion = \"eu-central-1\"\nendpoint = {:?}\n",
                self.backing.name,
                self.dynamo.endpoint()
            ),
            Stop::Last => file("last.db"),
        }
    }
}
