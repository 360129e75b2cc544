//! The broker: hints between nodes that there is something to look for. A hint may be lost, come
//! late, come twice or come for nothing; the stores are the truth and are looked at anyway.

use async_trait::async_trait;

/// What a hint is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// Something is in the outbox.
    Work,
    /// The catalogue has a newer revision.
    Catalog,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 2] = [Self::Work, Self::Catalog];

    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Catalog => "catalog",
        }
    }
}

/// Hints between nodes.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Tells the other nodes. It returns at once: the hint travels by itself, many of them as one.
    fn hint(&self, topic: Topic);

    /// Waits for a hint of another node. One that came since the last wait counts, and many count as
    /// one. One task of a node waits for each topic.
    async fn wait(&self, topic: Topic);
}
