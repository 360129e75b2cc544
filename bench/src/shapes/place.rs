//! Where a shape is: its servers, its configuration, and the processes that run on it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use services::{Dynamo, MariaDb, RedisCluster, RedisNode};
use tempfile::TempDir;

use super::Shape;
use super::caches::Caching;
use crate::data;
use crate::server::{Guerdon, Running};

/// How MariaDB is set beside what `services` sets, for data that a test does not have.
const MARIADB: [&str; 2] = ["--innodb-buffer-pool-size=1G", "--innodb-log-file-size=256M"];
/// What of its settings is told, because it decides what a commit costs.
const TOLD: [&str; 8] = [
    "version",
    "log_bin",
    "sync_binlog",
    "binlog_format",
    "innodb_flush_log_at_trx_commit",
    "innodb_doublewrite",
    "innodb_buffer_pool_size",
    "innodb_log_file_size",
];

/// A MariaDB for a whole benchmark.
pub(crate) fn mariadb() -> Result<MariaDb> {
    MariaDb::start_with(&MARIADB)
}

/// How it is set, as it says itself, in one sentence.
pub(crate) fn settings(mariadb: &MariaDb) -> Result<String> {
    let names = TOLD.map(|name| format!("'{name}'")).join(", ");
    let shown = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})");
    let lines = mariadb.sql(&shown)?;
    let told = lines.lines().map(|line| line.replacen('\t', " = ", 1));
    Ok(format!("MariaDB says of itself: {}.", told.collect::<Vec<_>>().join(", ")))
}

/// The servers of all shapes. Each shape has a database, a table and a prefix of its own on them.
pub(crate) struct Servers {
    pub(crate) mariadb: MariaDb,
    pub(crate) dynamo: Dynamo,
    pub(crate) redis: RedisNode,
    cluster: RedisCluster,
}

impl Servers {
    /// Starts them.
    pub(crate) fn start() -> Result<Self> {
        Ok(Self {
            mariadb: mariadb()?,
            dynamo: Dynamo::start()?,
            redis: RedisNode::start()?,
            cluster: RedisCluster::start(3, 0)?,
        })
    }

    /// Starts them on what an earlier [`save`](Self::save) has written. The cluster is a cache only,
    /// and begins empty.
    pub(crate) fn start_from(saved: &Path) -> Result<Self> {
        Ok(Self {
            mariadb: MariaDb::start_from(&saved.join("mariadb"), &MARIADB)?,
            dynamo: Dynamo::start_from(&saved.join("dynamo"))?,
            redis: RedisNode::start_from(&saved.join("redis"))?,
            cluster: RedisCluster::start(3, 0)?,
        })
    }

    /// Copies what they hold to a folder; they are stopped meanwhile.
    pub(crate) fn save(&self, to: &Path) -> Result<()> {
        self.mariadb.save(&to.join("mariadb"))?;
        self.dynamo.save(&to.join("dynamo"))?;
        self.redis.save(&to.join("redis"))
    }

    /// Their processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let alone = [self.mariadb.pid(), self.dynamo.pid(), self.redis.pid()];
        let cluster = (0..self.cluster.urls().len()).map(|place| self.cluster.node(place).pid());
        alone.into_iter().chain(cluster).flatten().collect()
    }

    /// How MariaDB is set, as it says itself, in one sentence.
    pub(crate) fn settings(&self) -> Result<String> {
        settings(&self.mariadb)
    }

    /// The configuration of a shape with a cache; the rest is as a new installation has it.
    fn config(&self, shape: Shape, cache: Caching) -> String {
        let name = shape.name();
        let mut config = format!("[store]\nkind = \"mysql\"\nurl = {:?}\n", self.mariadb.url(name));
        let (redis, prefix) = (self.redis.url(), format!("prefix = \"{name}\""));
        if shape.is_on_dynamo() {
            config += &format!(
                "[state]\nkind = \"dynamo\"\ntable = \"{name}\"\nregion = \"local\"\n\
                 endpoint = {:?}\n[broker]\nkind = \"redis\"\nurl = {redis:?}\n{prefix}\n",
                self.dynamo.endpoint()
            );
        }
        config += "[cache]\n";
        config += &match cache {
            Caching::None => "kind = \"none\"\n".to_owned(),
            Caching::InProcess => "kind = \"in_process\"\n".to_owned(),
            Caching::Redis => format!("kind = \"redis\"\nurl = {redis:?}\n{prefix}\n"),
            Caching::Cluster => {
                format!("kind = \"redis_cluster\"\nurls = {:?}\n{prefix}\n", self.cluster.urls())
            }
        };
        config + "[jobs]\nrefresh_ms = 500\n"
    }
}

/// The folder of a shape.
pub(crate) struct Home {
    pub(crate) shape: Shape,
    pub(crate) folder: TempDir,
}

impl Home {
    /// One with the master key of another, and nothing in its stores yet.
    pub(crate) fn make(shape: Shape, servers: &Servers, from: &Self) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(data::kept_folder()?)?;
        let key = |folder: &TempDir| folder.path().join("master.key");
        std::fs::copy(key(&from.folder), key(&folder)).context("the data have no master key")?;
        let home = Self { shape, folder };
        home.configure(servers, shape.cache())?;
        Ok(home)
    }

    /// One that holds what another one held, brought there by the commands that an operator grows
    /// with; and what the last of them said.
    pub(crate) fn grow(
        guerdon: &Guerdon,
        shape: Shape,
        servers: &Servers,
        from: &Self,
    ) -> Result<(Self, Value)> {
        let home = Self::make(shape, servers, from)?;
        let to = home.config_file();
        let to = to.to_string_lossy();
        guerdon.ask(home.folder.path(), &["migrate"])?;
        guerdon.ask(from.folder.path(), &["catalog", "copy", "--to", &to])?;
        let moved = guerdon.ask(from.folder.path(), &["migrate-state", "--to", &to])?;
        Ok((home, moved))
    }

    /// Writes its configuration with a cache.
    pub(super) fn configure(&self, servers: &Servers, cache: Caching) -> Result<()> {
        Ok(std::fs::write(self.config_file(), servers.config(self.shape, cache))?)
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("guerdon.toml")
    }

    /// Starts what the shape runs.
    pub(crate) async fn serve(&self, guerdon: &Guerdon) -> Result<Node> {
        let folder = self.folder.path();
        Ok(match self.shape {
            Shape::Scaled => Node {
                answering: guerdon.start(folder, &["serve", "--no-jobs"]).await?,
                working: Some(guerdon.start(folder, &["worker"]).await?),
            },
            _ => Node { answering: guerdon.serve(folder).await?, working: None },
        })
    }
}

/// What runs on a shape.
pub(crate) struct Node {
    answering: Running,
    working: Option<Running>,
}

impl Node {
    /// Where requests go.
    pub(crate) fn address(&self) -> SocketAddr {
        self.answering.address
    }

    /// The process that answers them.
    pub(crate) fn pid(&self) -> u32 {
        self.answering.pid()
    }

    /// Where all of its processes tell their figures.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let working = self.working.iter().map(|running| running.address);
        [self.answering.address].into_iter().chain(working).collect()
    }

    /// Stops it in order.
    pub(crate) fn stop(self) -> Result<()> {
        self.answering.stop()?;
        self.working.map_or(Ok(()), Running::stop)
    }
}
