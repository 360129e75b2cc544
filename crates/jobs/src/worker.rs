//! The worker: what its loops share, and their common end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::time::Timestamp;
use engine::{Ctx, Engine};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::outbound::{EgressPolicy, Sender};
use crate::schedule::Mood;
use crate::{deliver, metric, refresh, reports, sweep};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Draws a random number that spreads retries.
pub type Jitter = Arc<dyn Fn() -> u16 + Send + Sync>;

/// What an operator may choose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Most attempts in flight at once, over all endpoints.
    pub deliveries_in_flight: usize,
    /// How often holds and deadlines are looked after.
    pub sweep_every: Duration,
    /// How often the catalogue and the budgets are looked at.
    pub refresh_every: Duration,
    /// Networks (CIDR), addresses or host names that may be called although they are not public.
    pub allow_private: Vec<String>,
}

/// The background work of one node.
pub struct Worker {
    shared: Arc<Shared>,
}

/// What the loops share.
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) jitter: Jitter,
    pub(crate) sender: Sender,
    pub(crate) settings: Settings,
    /// Whether attempts can be settled; their tasks share it, so that an error is logged once.
    pub(crate) settling: Mood,
    clock: Clock,
}

impl Worker {
    /// A worker that has not begun.
    ///
    /// # Errors
    /// An entry of `allow_private` that is neither network, address nor host name; no TLS.
    pub fn new(
        engine: Arc<Engine>,
        clock: Clock,
        jitter: Jitter,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let mut policy = EgressPolicy::default();
        for entry in &settings.allow_private {
            policy.allow(entry).with_context(|| {
                format!("{entry:?} is neither a network such as 10.1.0.0/16, an address nor a host")
            })?;
        }
        let sender = Sender::try_new(policy).context("postbacks cannot be sent")?;
        metric::describe();
        let settling = Mood::new("settle");
        Ok(Self { shared: Arc::new(Shared { engine, jitter, sender, settings, settling, clock }) })
    }

    /// Works until `stop`; then claims nothing more, and ends once the attempts that are under way
    /// have ended or have been left to their lease ([`deliver::STOP_WITHIN`]).
    pub async fn run(self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        tasks.spawn(deliver::run(Arc::clone(&self.shared), stop.clone()));
        tasks.spawn(sweep::run(Arc::clone(&self.shared), stop.clone()));
        tasks.spawn(refresh::run(Arc::clone(&self.shared), stop.clone()));
        tasks.spawn(reports::run(self.shared, stop));
        tasks.close();
        tasks.wait().await;
    }

    /// Only keeps fresh what this node holds in memory, until `stop`: all that a node needs which
    /// leaves the work to others.
    pub async fn keep_fresh(self, stop: CancellationToken) {
        refresh::run(self.shared, stop).await;
    }
}

impl Shared {
    /// The moment.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A command at this moment.
    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::at(self.now())
    }
}
