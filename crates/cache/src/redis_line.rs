//! The line to Redis, which is either up or done without: nobody waits for it to come back.
//!
//! A call is answered within the settings' patience or is a miss, and a miss trips the [`Circuit`]; then
//! calls are misses at once, until the keeper, a task in the background, has had an answer again. We
//! keep the connection ourselves, because a manager that mends it inside a call makes calls wait for
//! that.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value,
};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::redis_circuit::{Circuit, PARTS, slot_of};
use crate::redis_scripts::{Known, PROBE};
use crate::redis_settings::{BadUrl, CONNECT_WITHIN, RedisSettings, Shape};

/// Calls that wait for an answer at once; one more is a miss. Requests that are worked on at once
/// have as many places, and each makes one call at a time.
const CALLS_MAX: usize = 4_096;
/// How long a cluster may take to tell its nodes and be connected to.
const CLUSTER_WITHIN: Duration = Duration::from_secs(4);
/// How long the answer to a probe may take; a node that is just coming up is slow.
const PROBE_WITHIN: Duration = Duration::from_millis(500);
/// The pause after a first probe in vain, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_millis(500);
/// After how many rounds of probes in vain a cluster is connected to anew: the nodes that are known
/// may all have changed their addresses.
const ROUNDS_MAX: u32 = 10;
/// How often a command is sent to another node of a cluster that it has been referred to.
const REFERRALS_MAX: u32 = 3;

/// Calls of scripts.
pub(crate) struct Line {
    inner: Arc<Inner>,
    keeper: AbortHandle,
}

struct Inner {
    target: Target,
    answer_within: Duration,
    circuit: Circuit,
    wire: RwLock<Option<Wire>>,
    calls: Semaphore,
}

/// What is connected to.
struct Target {
    client: Clients,
    /// Keys to try it with, all over the slots: one for each part of a cluster's circuit.
    keys: Vec<String>,
}

enum Clients {
    One(Client),
    Cluster(ClusterClient),
}

#[derive(Clone)]
enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Line {
    /// A line that is not up yet, whether or not Redis is there.
    pub(crate) fn open(settings: &RedisSettings) -> Result<Self, BadUrl> {
        let target = Target::try_new(settings)?;
        let parts = if settings.shape == Shape::One { 1 } else { PARTS };
        let inner = Arc::new(Inner {
            target,
            answer_within: settings.answer_within,
            circuit: Circuit::new(parts),
            wire: RwLock::new(None),
            calls: Semaphore::new(CALLS_MAX),
        });
        let keeper = tokio::spawn(keep(Arc::clone(&inner))).abort_handle();
        Ok(Self { inner, keeper })
    }

    /// What is wrong with Redis, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        self.inner.circuit.problem()
    }

    /// Runs a script on a key; `None` if there is no answer, whyever.
    pub(crate) async fn run(&self, script: &Known, key: &str, args: &[&[u8]]) -> Option<Value> {
        let inner = &*self.inner;
        let part = inner.circuit.part_of(slot_of(key));
        if inner.circuit.is_out(part) {
            return None;
        }
        let mut wire = inner.wire()?;
        let _place = inner.calls.try_acquire().ok()?;
        match timeout(inner.answer_within, wire.run(script, key, args)).await {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) if is_refusal(&error) => {
                tracing::debug!(%error, "Redis refuses a command");
            }
            Ok(Err(error)) => inner.circuit.trip(part, error),
            Err(_) => inner.circuit.trip(part, "Redis does not answer in time"),
        }
        None
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Target {
    fn try_new(settings: &RedisSettings) -> Result<Self, BadUrl> {
        let mut clients = settings.clients()?;
        let keys = probes(&settings.prefix);
        if settings.shape == Shape::One {
            return Ok(Self { client: Clients::One(clients.swap_remove(0)), keys });
        }
        let nodes = clients.iter().map(|client| client.get_connection_info().clone());
        let client = ClusterClient::builder(nodes)
            .retries(REFERRALS_MAX)
            .connection_timeout(CONNECT_WITHIN)
            .response_timeout(PROBE_WITHIN.max(settings.answer_within))
            .build();
        let client = client.map_err(|error| BadUrl { place: 1, reason: error.to_string() })?;
        Ok(Self { client: Clients::Cluster(client), keys })
    }

    async fn connect(&self) -> RedisResult<Wire> {
        match &self.client {
            Clients::One(client) => {
                let config = AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(CONNECT_WITHIN))
                    .set_response_timeout(Some(PROBE_WITHIN));
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                Ok(Wire::One(connection.await?))
            }
            Clients::Cluster(client) => Ok(Wire::Cluster(client.get_async_connection().await?)),
        }
    }

    /// The keys that tell whether a part can be used. Those of a node that is taken for the only one
    /// are of many slots, since one of a cluster has only some of them.
    fn keys_of(&self, part: usize) -> &[String] {
        match &self.client {
            Clients::One(_) => &self.keys,
            Clients::Cluster(_) => std::slice::from_ref(&self.keys[part]),
        }
    }

    /// What the error of a probe says to whoever has written the address.
    fn told(&self, error: &RedisError) -> String {
        let is_one = matches!(self.client, Clients::One(_));
        match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::ClusterDown,
            ) if is_one => {
                "it is a node of a cluster and has not all keys; use the cluster".to_owned()
            }
            ErrorKind::Server(ServerErrorKind::ReadOnly) => {
                "it is a replica, which takes no writes; name the primary".to_owned()
            }
            _ => error.to_string(),
        }
    }
}

impl Inner {
    fn wire(&self) -> Option<Wire> {
        self.wire.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tries every part that is out, on a new wire if the old one is not worth trying. What else the
    /// old one carries goes on meanwhile.
    async fn mend(&self, rounds: u32) {
        let wire = match self.wire().filter(|_| !self.is_spent(rounds)) {
            Some(wire) => wire,
            None => match timeout(CLUSTER_WITHIN, self.target.connect()).await {
                Ok(Ok(wire)) => wire,
                Ok(Err(error)) => return self.circuit.fail(error),
                Err(_) => return self.circuit.fail("Redis cannot be connected to in time"),
            },
        };
        *self.wire.write().unwrap_or_else(PoisonError::into_inner) = Some(wire.clone());
        let parts: Vec<usize> = self.circuit.out().collect();
        let probes = parts.into_iter().map(|part| self.probe(wire.clone(), part));
        futures_util::future::join_all(probes).await;
    }

    /// Writes as the scripts do, where nothing is ever kept: who answers and takes no writes, or runs
    /// no scripts, is no cache.
    async fn probe(&self, wire: Wire, part: usize) {
        let tries = self.target.keys_of(part).iter().map(|key| {
            let mut wire = wire.clone();
            async move { wire.send(&call("EVAL", PROBE, key, &[])).await }
        });
        match timeout(PROBE_WITHIN, futures_util::future::try_join_all(tries)).await {
            Ok(Ok(_)) => self.circuit.mend(part),
            Ok(Err(error)) => self.circuit.fail(self.target.told(&error)),
            Err(_) => self.circuit.fail("Redis does not answer in time"),
        }
    }

    /// Whether a broken wire will not mend itself. That of one node does not; that of a cluster does
    /// as a rule, since it has many nodes and hears of others.
    fn is_spent(&self, rounds: u32) -> bool {
        matches!(self.target.client, Clients::One(_)) || (rounds + 1).is_multiple_of(ROUNDS_MAX)
    }
}

/// Keeps the line up.
async fn keep(inner: Arc<Inner>) {
    let (mut pause, mut rounds) = (PAUSE_MIN, 0);
    loop {
        if inner.circuit.out().next().is_none() {
            inner.circuit.broken.notified().await;
            (pause, rounds) = (PAUSE_MIN, 0);
        }
        inner.mend(rounds).await;
        if inner.circuit.out().next().is_some() {
            tokio::time::sleep(pause).await;
            (pause, rounds) = ((pause * 2).min(PAUSE_MAX), rounds + 1);
        }
    }
}

impl Wire {
    async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }

    /// Runs a script by its digest, or in full on a node that does not know it.
    async fn run(&mut self, script: &Known, key: &str, args: &[&[u8]]) -> RedisResult<Value> {
        let answer = self.send(&call("EVALSHA", &script.digest, key, args)).await;
        match answer {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.send(&call("EVAL", script.code, key, args)).await
            }
            answer => answer,
        }
    }
}

fn call(how: &str, script: &str, key: &str, args: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd(how);
    command.arg(script).arg(1).arg(key);
    for arg in args {
        command.arg(*arg);
    }
    command
}

/// Whether this is a healthy server's answer, such as that it is full. Other calls may go well.
fn is_refusal(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Extension | ErrorKind::Parse | ErrorKind::UnexpectedReturnType => true,
        ErrorKind::Server(kind) => !matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::Moved
                | ServerErrorKind::ReadOnly
        ),
        _ => false,
    }
}

/// For each part of the circuit a key that lies in it.
fn probes(prefix: &str) -> Vec<String> {
    let circuit = Circuit::new(PARTS);
    let key_in = |part| {
        let keys = (0u64..).map(|number| format!("{prefix}:probe:{{{number}}}"));
        keys.into_iter().find(|key| circuit.part_of(slot_of(key)) == part).unwrap_or_default()
    };
    (0..PARTS).map(key_in).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_tried_with_a_key_of_its_own() {
        let circuit = Circuit::new(PARTS);
        let parts: Vec<_> = probes("x").iter().map(|key| circuit.part_of(slot_of(key))).collect();
        assert_eq!(parts, (0..PARTS).collect::<Vec<_>>());
    }
}
