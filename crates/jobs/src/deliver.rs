//! The loop of deliveries: what is due is leased, and each attempt runs in a task of its own.
//!
//! | step | store calls |
//! |---|---|
//! | lease what is due, until nothing is left or no place is free | 1 each time |
//! | look how many wait, and until when | 1 |
//!
//! Between rounds the loop waits for a commit's hint, the end of an attempt, the moment at which the
//! next delivery is due, or [`LOOK_EVERY`]; many hints are one, every [`HINTED_EVERY`]. The outbox is
//! the truth, the hint only saves time: what a lost hint or another node has left behind is found by
//! looking.

use std::sync::Arc;
use std::time::Duration;

use domain::dialect::TIMEOUT_MS_MAX;
use domain::time::Timestamp;
use engine::{Claim, Claimed, Endpoint, EngineError};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::attempt::{Done, deliver};
use crate::lanes::{Lanes, Terms};
use crate::metric::Metric;
use crate::schedule::{Mood, caught, pause_after};
use crate::worker::Shared;

/// How long a delivery is leased, in milliseconds: twice the longest attempt, so that time is left to
/// settle it and nobody else begins meanwhile.
const LEASE_MS: i64 = 2 * TIMEOUT_MS_MAX as i64;

/// How often the outbox is looked at without any hint.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How soon a hint starts a round after the one before began. Each round takes the messages of the
/// commits since then into the outbox, in transactions of its own: one for each commit would cost the
/// disk more than the commits do, and the next commit would wait for it. The first hint after a rest
/// is followed at once.
const HINTED_EVERY: Duration = Duration::from_millis(50);

/// How long a stop waits for attempts that are under way. It is below the ten seconds after which a
/// supervisor usually kills; what takes longer is sent again when its lease ends.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(8);

/// Delivers until `stop`.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    let mut dispatcher = Dispatcher::new(shared);
    let mood = Mood::new("deliver");
    let mut failures = 0;
    while !stop.is_cancelled() {
        match caught(dispatcher.round(&stop)).await {
            Ok(pause) => {
                mood.well();
                failures = 0;
                dispatcher.rest(pause, Wake::ByAnything, &stop).await;
            }
            Err(error) => {
                mood.failed(&error);
                failures += 1;
                dispatcher.rest(pause_after(failures), Wake::ByTime, &stop).await;
            }
        }
    }
    dispatcher.finish().await;
}

/// What ends a rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// A hint, the end of an attempt, or time.
    ByAnything,
    /// Time only: the store needs a pause.
    ByTime,
}

struct Dispatcher {
    shared: Arc<Shared>,
    lanes: Lanes,
    tasks: JoinSet<Done>,
    /// When the latest round began.
    begun: Instant,
    flights: Vec<(AbortHandle, Endpoint)>,
}

impl Dispatcher {
    fn new(shared: Arc<Shared>) -> Self {
        let lanes = Lanes::new(shared.settings.deliveries_in_flight);
        let begun = Instant::now();
        Self { shared, lanes, tasks: JoinSet::new(), begun, flights: Vec::new() }
    }

    /// Sends what is due as far as there are places, and says how long to rest.
    async fn round(&mut self, stop: &CancellationToken) -> Result<Duration, EngineError> {
        self.begun = Instant::now();
        let now = self.shared.now();
        let snapshot = self.shared.engine.snapshot();
        if let Some(terms) = self.lanes.silent_terms(snapshot.catalog()) {
            self.claim(now, terms).await?;
        }
        while !stop.is_cancelled() {
            let Some(terms) = self.lanes.terms(snapshot.catalog()) else { break };
            if !self.claim(now, terms).await? {
                break;
            }
        }
        metrics::gauge!(Metric::InFlight.name()).set(self.lanes.taken() as f64);
        self.look(now).await
    }

    /// Leases what the terms allow and sends it; answers whether they have cut anything short.
    async fn claim(&mut self, now: Timestamp, terms: Terms) -> Result<bool, EngineError> {
        let Terms { limit, per_endpoint, skip } = terms;
        let lease_until = Timestamp(now.0.saturating_add(LEASE_MS));
        let claim = Claim { now, lease_until, limit, per_endpoint, skip };
        let claimed = self.shared.engine.claim_deliveries(&self.shared.ctx(), claim).await?;
        let is_cut_short = claimed.len() >= limit || has_full(&claimed, per_endpoint);
        for one in claimed {
            self.send(one);
        }
        Ok(is_cut_short)
    }

    fn send(&mut self, claimed: Claimed) {
        let endpoint = claimed.delivery.endpoint;
        self.lanes.enter(endpoint);
        let handle = self.tasks.spawn(deliver(Arc::clone(&self.shared), claimed));
        self.flights.push((handle, endpoint));
    }

    /// Publishes the backlog, and says how long nothing new is due. What is due already waits for a
    /// place, and so for the end of an attempt.
    async fn look(&self, now: Timestamp) -> Result<Duration, EngineError> {
        let (counts, due_at) = self.shared.engine.backlog(&self.shared.ctx()).await?;
        for (state, count) in counts {
            metrics::gauge!(Metric::Deliveries.name(), "state" => state.name()).set(count as f64);
        }
        let later = due_at.filter(|due_at| *due_at > now);
        let wait = later.and_then(|due_at| u64::try_from(due_at.since(now)).ok());
        Ok(wait.map_or(LOOK_EVERY, |millis| Duration::from_millis(millis).min(LOOK_EVERY)))
    }

    async fn rest(&mut self, pause: Duration, wake: Wake, stop: &CancellationToken) {
        let until = Instant::now() + pause;
        let soonest = self.begun + HINTED_EVERY;
        let engine = Arc::clone(&self.shared.engine);
        let hinted = async || {
            sleep_until(soonest).await;
            engine.work_hint().await;
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep_until(until) => return,
                () = hinted(), if wake == Wake::ByAnything => return,
                Some(ended) = self.tasks.join_next() => self.land(ended),
            }
            if wake == Wake::ByAnything {
                return;
            }
        }
    }

    /// Takes an attempt that is over off the lanes, and all others that have ended meanwhile.
    fn land(&mut self, first: Result<Done, JoinError>) {
        let mut next = Some(first);
        while let Some(ended) = next {
            if let Ok(done) = ended {
                self.lanes.heard(done.endpoint, done.is_silent);
            }
            next = self.tasks.try_join_next();
        }
        // Counted by their handles, so that a task that broke gives its place back as well.
        for (_, endpoint) in self.flights.extract_if(.., |(handle, _)| handle.is_finished()) {
            self.lanes.leave(endpoint);
        }
    }

    /// Waits for the attempts that are under way; the rest is cut and left to its lease.
    async fn finish(mut self) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(STOP_WITHIN, all).await.is_err() {
            let count = self.tasks.len();
            tracing::warn!(attempts = count, "attempts are cut; they are made again");
        }
        self.tasks.shutdown().await;
    }
}

/// Whether some endpoint got as many as one may get, so that it may have more.
fn has_full(claimed: &[Claimed], per_endpoint: usize) -> bool {
    let mut counts = std::collections::BTreeMap::<Endpoint, usize>::new();
    for one in claimed {
        *counts.entry(one.delivery.endpoint).or_default() += 1;
    }
    counts.values().any(|count| *count >= per_endpoint)
}
