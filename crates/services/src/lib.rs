//! Real servers for tests and benchmarks, started privately on free ports in temporary folders.
//!
//! - [`MariaDb`], [`RedisNode`], [`RedisCluster`], [`Dynamo`] and [`Nginx`] start a program and
//!   wait until it answers; each is a [`Server`] (a cluster holds several), which can be killed,
//!   started again on the same data, and frozen.
//! - [`Proxy`] stands between a client and a server and plays a network that fails.
//!
//! Everything blocks: the callers are tests, and what a test does here it does before or between
//! its own steps. A server dies with its value, and with the process when that is killed. Nothing
//! here uses, stops or configures a service of the machine.
//!
//! The programs come from `cargo xtask services`. Where one is missing a start fails and says so;
//! no test is skipped in silence.

mod cluster;
mod dynamo;
mod folders;
mod mariadb;
mod nginx;
mod ports;
mod program;
mod proxy;
mod redis;
mod server;
mod spawner;
mod wait;

pub use cluster::RedisCluster;
pub use dynamo::Dynamo;
pub use mariadb::MariaDb;
pub use nginx::Nginx;
pub use proxy::Proxy;
pub use redis::RedisNode;
pub use server::Server;
pub use spawner::command;
