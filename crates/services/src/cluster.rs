//! A Redis Cluster on one machine.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::server::Server;
use crate::{program, redis, wait};

/// A node that is silent for so long is taken for dead. Short, so that tests of a failure need not
/// wait; long enough that a busy machine does not make healthy nodes look dead.
const NODE_TIMEOUT_MS: &str = "2000";

/// Private `redis-server` processes that form a cluster. Settings are those of Redis, so without
/// replicas the whole cluster refuses commands while one master is down.
pub struct RedisCluster {
    nodes: Vec<Server>,
    masters: usize,
}

impl RedisCluster {
    /// Starts the nodes, joins them, and waits until every node takes commands and every replica
    /// has a copy of its master. Redis wants at least three masters.
    pub fn start(masters: usize, replicas_each: usize) -> Result<Self> {
        let mut options = vec!["--cluster-enabled", "yes"];
        options.extend(["--cluster-node-timeout", NODE_TIMEOUT_MS]);
        // Otherwise a master waits five seconds for more replicas before it serves the first.
        options.extend(["--repl-diskless-sync-delay", "0"]);
        let count = masters * (1 + replicas_each);
        let nodes =
            (0..count).map(|_| redis::start_server(&options)).collect::<Result<Vec<_>>>()?;
        let cluster = Self { nodes, masters };
        cluster.join(replicas_each)?;
        cluster.wait_until_whole()?;
        Ok(cluster)
    }

    /// The addresses of all nodes; a client may begin with any.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| redis::url(node.port())).collect()
    }

    /// One node by its place in [`urls`](Self::urls), to freeze it for example.
    pub fn node(&self, index: usize) -> &Server {
        &self.nodes[index]
    }

    /// Kills one node with SIGKILL.
    pub fn kill_node(&self, index: usize) -> Result<()> {
        self.nodes[index].kill()
    }

    /// Starts one node again; it answers then, and may still have to hear from the others.
    pub fn restart_node(&self, index: usize) -> Result<()> {
        self.nodes[index].restart()
    }

    /// The places of the running nodes that are masters now, in the opinion of each itself.
    pub fn masters(&self) -> Result<Vec<usize>> {
        let mut masters = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| is_up(node)) {
            if replication(node)?.contains("role:master") {
                masters.push(index);
            }
        }
        Ok(masters)
    }

    /// Waits until all slots are served by running nodes: as many masters run as there were at
    /// the start, every running node says that the cluster works, and every running replica is in
    /// step with its master. After a kill that takes a replica to take over, or a restart.
    pub fn wait_until_whole(&self) -> Result<()> {
        wait::until("the cluster is whole", || {
            // A node that does not answer at the moment is asked again.
            let Ok(masters) = self.masters() else {
                return Ok(false);
            };
            let up = self.nodes.iter().filter(|node| is_up(node));
            let all_well = up.into_iter().all(|node| is_well(node).unwrap_or(false));
            Ok(masters.len() == self.masters && all_well)
        })
    }

    fn join(&self, replicas_each: usize) -> Result<()> {
        let mut command = Command::new(program::find("redis-cli")?);
        command.args(["--cluster", "create"]);
        command.args(self.nodes.iter().map(|node| node.address().to_string()));
        command.args(["--cluster-replicas", &replicas_each.to_string(), "--cluster-yes"]);
        program::output(&mut command).context("the nodes do not form a cluster").map(drop)
    }
}

fn is_up(node: &Server) -> bool {
    node.pid().is_some()
}

fn is_well(node: &Server) -> Result<bool> {
    let serves = redis::ask(node.port(), "CLUSTER INFO")?.contains("cluster_state:ok");
    let replication = replication(node)?;
    let is_master = replication.contains("role:master");
    Ok(serves && (is_master || replication.contains("master_link_status:up")))
}

fn replication(node: &Server) -> Result<String> {
    let answer = redis::ask(node.port(), "INFO replication")?;
    if !answer.contains("role:") {
        bail!("the node answers `{answer}`");
    }
    Ok(answer)
}
