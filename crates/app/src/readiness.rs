//! What a node depends on, and how each of it is: the answer of `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use api::Dependency;
use domain::words::counted;
use engine::{ClosedSecret, Ctx, Engine};
use tokio::time::timeout;

use crate::clock;
use crate::wiring::{Beside, Freshness, Node};

/// How long the state store may take to answer before the node counts as cut off from it. Whoever
/// asks every second or two hears of it within five.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What is asked.
pub(crate) struct Readiness {
    engine: Arc<Engine>,
    freshness: Arc<Freshness>,
    beside: Beside,
}

impl Readiness {
    /// Of a node.
    pub(crate) fn of(node: &Node) -> Arc<Self> {
        Arc::new(Self {
            engine: Arc::clone(&node.engine),
            freshness: Arc::clone(&node.freshness),
            beside: node.beside.clone(),
        })
    }

    /// Asks everything. Without the state store nothing can be answered; without the others the node
    /// goes on with what it has.
    pub(crate) async fn dependencies(self: Arc<Self>, ctx: Arc<Ctx>) -> Vec<Dependency> {
        let mut dependencies = vec![
            dependency("state", true, self.state(&ctx).await),
            dependency("catalog", false, self.freshness.problem(clock::now())),
            dependency("secrets", false, closed(&self.engine.closed_secrets())),
        ];
        if let Some(cache) = &self.beside.shared {
            dependencies.push(dependency("cache", false, cache.problem()));
        }
        dependencies
    }

    async fn state(&self, ctx: &Ctx) -> Option<String> {
        match timeout(ANSWER_WITHIN, self.engine.backlog(ctx)).await {
            Ok(answer) => answer.err().map(|error| error.to_string()),
            Err(_) => Some(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
        }
    }
}

fn dependency(name: &str, is_required: bool, problem: Option<String>) -> Dependency {
    Dependency { name: name.to_owned(), is_required, problem }
}

/// What anybody may know of secrets that cannot be opened: the first one's place and variable.
fn closed(secrets: &[ClosedSecret]) -> Option<String> {
    let first = secrets.first()?;
    let count = counted(secrets.len(), "secret");
    Some(format!("{count} of the catalogue cannot be opened, such as {first}"))
}
