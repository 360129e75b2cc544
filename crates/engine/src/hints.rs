//! Hints between nodes, and within one: there is work, or a newer catalogue. They only save time; the
//! stores are looked at without any.

use std::future::pending;
use std::sync::Arc;

use store::{Broker, Topic};

use crate::Engine;

impl Engine {
    /// Tells other nodes, and hears from them, through `broker` from now on.
    #[must_use]
    pub fn with_broker(mut self, broker: Arc<dyn Broker>) -> Self {
        self.broker = Some(broker);
        self
    }

    /// Waits until a commit, of this node or another, has left something in the outbox. A hint only:
    /// it may come in vain, and after a restart it does not come for what was left before.
    pub async fn work_hint(&self) {
        tokio::select! {
            () = self.work.notified() => {}
            () = self.hint_of_others(Topic::Work) => {}
        }
    }

    /// Waits until another node has saved an edit of the catalogue. A hint only; without a broker it
    /// never comes.
    pub async fn catalog_hint(&self) {
        self.hint_of_others(Topic::Catalog).await;
    }

    /// Rings for this node and hints to the others.
    pub(crate) fn ring(&self, topic: Topic) {
        if topic == Topic::Work {
            self.work.notify_one();
        }
        if let Some(broker) = &self.broker {
            broker.hint(topic);
        }
    }

    async fn hint_of_others(&self, topic: Topic) {
        match &self.broker {
            Some(broker) => broker.wait(topic).await,
            None => pending().await,
        }
    }
}
