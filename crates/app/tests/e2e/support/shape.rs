//! The shapes, and real servers for those that need some.
//!
//! The servers are started once, by the first test that needs them, and end with the process. Every
//! node has a database, a table and a prefix of its own on them, so tests do not see each other.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use services::{Dynamo, MariaDb, Proxy, RedisCluster, RedisNode};

/// Which stores a node has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// One SQLite file.
    Embedded,
    /// MariaDB.
    Compact,
    /// MariaDB, DynamoDB, one Redis.
    Standard,
    /// MariaDB, DynamoDB, a Redis Cluster and a Redis as broker, and workers apart.
    Scaled,
}

impl Shape {
    /// The word for it on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Compact => "compact",
            Self::Standard => "standard",
            Self::Scaled => "scaled",
        }
    }
}

/// A proxy before the database that all tests share.
pub(crate) fn proxy_before_mysql() -> Proxy {
    Proxy::start(MARIADB.address()).unwrap()
}

static MARIADB: LazyLock<MariaDb> = LazyLock::new(|| MariaDb::start().unwrap());
static DYNAMO: LazyLock<Dynamo> = LazyLock::new(|| Dynamo::start().unwrap());
static REDIS: LazyLock<RedisNode> = LazyLock::new(|| RedisNode::start().unwrap());
static CLUSTER: LazyLock<RedisCluster> = LazyLock::new(|| RedisCluster::start(3, 0).unwrap());
static NODES: AtomicU32 = AtomicU32::new(1);

/// Where the servers of a node are, and what is its own on them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backing {
    /// Name of the table and of everything in Redis.
    pub(crate) name: String,
    /// Address of the database.
    pub(crate) mysql: String,
    /// Address of DynamoDB.
    pub(crate) dynamo: String,
    /// Address of the Redis that is cache or broker.
    pub(crate) redis: String,
    /// Addresses of the Redis Cluster.
    pub(crate) cluster: Vec<String>,
    /// More sections of the configuration.
    pub(crate) more: String,
}

impl Backing {
    /// A place for one node, on servers that all tests share.
    pub(crate) fn shared(shape: Shape) -> Self {
        let name = format!("e2e_{}", NODES.fetch_add(1, Ordering::Relaxed));
        let mut backing = Self { name: name.clone(), ..Self::default() };
        if shape != Shape::Embedded {
            backing.mysql = MARIADB.url(&name);
        }
        if matches!(shape, Shape::Standard | Shape::Scaled) {
            backing.dynamo = DYNAMO.endpoint();
            backing.redis = REDIS.url();
        }
        if shape == Shape::Scaled {
            backing.cluster = CLUSTER.urls();
        }
        backing
    }

    /// The same place, reached through a proxy that stands before the database.
    pub(crate) fn through(mut self, proxy: &Proxy) -> Self {
        let (_, database) = self.mysql.rsplit_once('/').unwrap();
        self.mysql = format!("mysql://root@127.0.0.1:{}/{database}", proxy.port());
        self
    }

    /// The same place, with more sections in its configuration.
    pub(crate) fn with(mut self, sections: &str) -> Self {
        self.more.push_str(sections);
        self
    }

    /// A configuration as `init` writes it, with the servers' real addresses.
    pub(crate) fn put_into(&self, shape: Shape, config: String) -> String {
        if shape == Shape::Embedded {
            return config;
        }
        let cluster = format!("urls = {:?}", self.cluster);
        let (table, prefix) =
            (format!("table = {:?}", self.name), format!("prefix = {:?}", self.name));
        let endpoint = format!("endpoint = {:?}", self.dynamo);
        let everywhere = [("mysql://guerdon@127.0.0.1:3306/guerdon", self.mysql.as_str())];
        let of_dynamo = [
            ("table = \"guerdon\"", table.as_str()),
            ("# region = ", "region = "),
            ("# endpoint = \"http://127.0.0.1:8000\"", endpoint.as_str()),
            ("redis://127.0.0.1:6379", self.redis.as_str()),
            ("prefix = \"guerdon\"", prefix.as_str()),
        ];
        let of_cluster = [(
            "urls = [\"redis://127.0.0.1:7000\", \"redis://127.0.0.1:7001\", \"redis://127.0.0.1:7002\"]",
            cluster.as_str(),
        )];
        let edits = match shape {
            Shape::Embedded | Shape::Compact => everywhere.to_vec(),
            Shape::Standard => [everywhere.as_slice(), &of_dynamo].concat(),
            Shape::Scaled => [everywhere.as_slice(), &of_dynamo, &of_cluster].concat(),
        };
        edits.iter().fold(without_passwords(&config), |config, (old, new)| {
            assert!(config.contains(old), "{old} in {config}");
            config.replace(old, new)
        }) + &self.more
    }
}

/// The servers of the tests want none.
fn without_passwords(config: &str) -> String {
    let is_kept = |line: &&str| !line.starts_with("password_env = ");
    config.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}
