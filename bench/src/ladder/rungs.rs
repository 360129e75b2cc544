//! The rungs, and how each is started.

use std::net::SocketAddr;

use anyhow::{Result, bail};

use super::django::{Django, Worker};
use super::places::Places;
use crate::bare::BareServer;
use crate::process;
use crate::server::{Guerdon, Running, free_address};
use crate::shapes::Shape;
use crate::shapes::place::Node;

/// A rung.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) name: &'static str,
    /// In words, for plots.
    pub(super) says: &'static str,
    pub(super) way: Way,
}

/// What stands on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A stage of the Django application, under a kind of worker.
    Django(&'static str, Worker),
    /// The same stage in Rust.
    Rust(&'static str),
    /// Guerdon.
    Guerdon(Shape),
    /// Guerdon embedded, asked by users who have the list already.
    Unchanged,
    /// The bytes of a list from memory.
    Bare,
    /// A few bytes from memory.
    Hello,
}

use Way::{Bare, Hello, Rust, Unchanged};

/// All of them, the slowest design first.
pub(super) const RUNGS: &[Rung] = &[
    django("django-before", "Django before: N+1", "before", Worker::Gthread),
    django("django-orm", "Django orm: batched", "orm", Worker::Gthread),
    django("django-kv", "Django kv: DynamoDB", "kv", Worker::Gthread),
    django("django-kv-gevent", "Django kv: DynamoDB, gevent", "kv", Worker::Gevent),
    django("django-kv-redis", "Django kv: Redis", "kv_redis", Worker::Gthread),
    django("django-kv-fast", "Django kv: Redis, orjson", "kv_fast", Worker::Gthread),
    django("django-kv-fast-gevent", "Django kv: Redis, orjson, gevent", "kv_fast", Worker::Gevent),
    Rung { name: "rust-before", says: "Rust before: N+1", way: Rust("before") },
    Rung { name: "rust-orm", says: "Rust orm: batched", way: Rust("orm") },
    Rung { name: "rust-kv", says: "Rust kv: DynamoDB", way: Rust("kv") },
    Rung { name: "rust-kv-redis", says: "Rust kv: Redis", way: Rust("kv-redis") },
    guerdon("guerdon-scaled", "Guerdon scaled", Shape::Scaled),
    guerdon("guerdon-standard", "Guerdon standard", Shape::Standard),
    guerdon("guerdon-compact", "Guerdon compact", Shape::Compact),
    guerdon("guerdon-embedded", "Guerdon embedded", Shape::Embedded),
    Rung { name: "guerdon-304", says: "Guerdon embedded, unchanged (304)", way: Unchanged },
    Rung { name: "bare", says: "bare limit, the same bytes", way: Bare },
    Rung { name: "hello", says: "bare limit, a few bytes", way: Hello },
];

const fn django(
    name: &'static str,
    says: &'static str,
    stage: &'static str,
    worker: Worker,
) -> Rung {
    Rung { name, says, way: Way::Django(stage, worker) }
}

const fn guerdon(name: &'static str, says: &'static str, shape: Shape) -> Rung {
    Rung { name, says, way: Way::Guerdon(shape) }
}

/// What has to be known to read the figures.
pub(super) const NOTES: [&str; 4] = [
    "The databases run on the same cores, and in place of DynamoDB stands the local server that the \
     tests use; its speed says little of DynamoDB's.",
    "Django runs under gunicorn with a worker process for each core, of 8 threads (`gthread`) or with \
     `gevent`; `sync` workers close every connection after its answer, which this load generator does \
     not do, and are left out.",
    "The shapes on DynamoDB hold the first 5,000 users only: what a list asks for is one item by its \
     key, and moving all would take an hour on the local server.",
    "Between two rounds nothing is started or stopped; servers whose turn it is not stand by.",
];

/// The rung of that name.
pub(super) fn named(name: &str) -> Result<&'static Rung, String> {
    let names = || RUNGS.iter().map(|rung| rung.name).collect::<Vec<_>>().join(", ");
    let found = RUNGS.iter().find(|rung| rung.name == name);
    found.ok_or_else(|| format!("there are {}", names()))
}

impl Rung {
    /// Whether it answers lists that can be compared.
    pub(super) fn answers_lists(&self) -> bool {
        !matches!(self.way, Unchanged | Bare | Hello)
    }

    /// Whether it is Guerdon, which says what it asks of stores in another header.
    pub(super) fn is_guerdon(&self) -> bool {
        matches!(self.way, Way::Guerdon(_) | Unchanged)
    }

    /// Users it knows.
    pub(super) fn users(&self, places: &Places) -> u32 {
        match self.way {
            Way::Guerdon(Shape::Standard | Shape::Scaled) => places.few.world.contents.users,
            _ => places.data.world.contents.users,
        }
    }

    /// Starts it; `bytes` is the usual size of a list. With `count` it says what it asks of stores.
    pub(super) async fn start(
        &'static self,
        places: &Places,
        guerdon: &Guerdon,
        (bytes, count): (u64, bool),
    ) -> Result<Up> {
        let log = places.logs.path().join(format!("{}-{count}.log", self.name));
        let server = match self.way {
            Way::Django(stage, worker) => {
                Server::One(Django::on(&places.servers)?.serve(stage, worker, count, log).await?)
            }
            Way::Rust(stage) => {
                let (address, mut command) =
                    (free_address()?, services::command(&std::env::current_exe()?));
                command.args(["rust-server", "--stage", stage, "--listen", &address.to_string()]);
                command.args(["--database", &places.servers.mariadb.url(super::django::DATABASE)]);
                command.args(["--redis", &places.servers.redis.url()]);
                command.args(["--dynamo", &places.servers.dynamo.endpoint()]);
                command.args(count.then_some("--count"));
                Server::One(Running::start(command, address, log).await?)
            }
            Way::Guerdon(shape) => Server::Node(places.home(shape)?.serve(guerdon).await?),
            Way::Bare => Server::Bare(BareServer::start(bytes)?),
            Way::Hello => Server::Bare(BareServer::start(HELLO_BYTES)?),
            Way::Unchanged => bail!("it has no server of its own"),
        };
        Up::new(self, server)
    }
}

/// Bytes of the shortest answer: `hello`.
const HELLO_BYTES: u64 = 5;

enum Server {
    One(Running),
    Node(Node),
    Bare(BareServer),
    /// Another rung's.
    Shared,
}

/// A rung that is up.
pub(super) struct Up {
    pub(super) rung: &'static Rung,
    pub(super) address: SocketAddr,
    /// The processes that answer.
    pub(super) pids: Vec<u32>,
    server: Server,
}

impl Up {
    fn new(rung: &'static Rung, server: Server) -> Result<Self> {
        let (address, pid) = match &server {
            Server::One(running) => (running.address, running.pid()),
            Server::Node(node) => (node.address(), node.pid()),
            Server::Bare(bare) => (bare.address, bare.pid()),
            Server::Shared => bail!("a shared server is another rung's"),
        };
        let pids = process::family(&process::all()?, pid);
        Ok(Self { rung, address, pids, server })
    }

    /// Another rung on the same server.
    pub(super) fn shared_with(&self, rung: &'static Rung) -> Self {
        Self { rung, address: self.address, pids: self.pids.clone(), server: Server::Shared }
    }

    /// Stops it in order.
    pub(super) fn stop(self) -> Result<()> {
        match self.server {
            Server::One(running) => running.stop(),
            Server::Node(node) => node.stop(),
            Server::Bare(_) | Server::Shared => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_are_found_by_their_names() {
        for rung in RUNGS {
            assert_eq!(named(rung.name), Ok(rung));
        }
        assert!(named("django").unwrap_err().contains("django-before, django-orm"));
    }
}
