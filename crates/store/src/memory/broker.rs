//! `Broker` in memory: nodes of one process.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::lock;
use crate::{Broker, Topic};

/// The bells of one node, one for each topic.
type Bells = [Notify; Topic::ALL.len()];

/// Hints between the nodes of one process; a clone is one more node.
#[derive(Debug, Default)]
pub struct MemoryBroker {
    nodes: Arc<Mutex<Vec<Arc<Bells>>>>,
    own: Arc<Bells>,
}

impl MemoryBroker {
    /// The first node.
    #[must_use]
    pub fn new() -> Self {
        Self::joined(Arc::default())
    }

    fn joined(nodes: Arc<Mutex<Vec<Arc<Bells>>>>) -> Self {
        let own = Arc::<Bells>::default();
        lock(&nodes).push(Arc::clone(&own));
        Self { nodes, own }
    }
}

impl Clone for MemoryBroker {
    fn clone(&self) -> Self {
        Self::joined(Arc::clone(&self.nodes))
    }
}

impl Drop for MemoryBroker {
    fn drop(&mut self) {
        lock(&self.nodes).retain(|node| !Arc::ptr_eq(node, &self.own));
    }
}

#[async_trait]
impl Broker for MemoryBroker {
    fn hint(&self, topic: Topic) {
        for node in lock(&self.nodes).iter().filter(|node| !Arc::ptr_eq(node, &self.own)) {
            node[topic as usize].notify_one();
        }
    }

    async fn wait(&self, topic: Topic) {
        self.own[topic as usize].notified().await;
    }
}
