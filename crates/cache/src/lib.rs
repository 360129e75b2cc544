//! The cache and the broker of a node: none, in this process, one Redis node, or a Redis Cluster.
//!
//! - [`Nothing`] keeps no entries, only this node's own buckets of tokens.
//! - [`InProcess`] keeps entries in memory, up to so many bytes.
//! - [`Shared`] keeps them on Redis for all nodes, and asks this node's own buckets while Redis is
//!   gone.
//! - [`Hints`] are the broker: Redis carries them between nodes.
//!
//! Nothing here fails, waits for long, or is needed: an entry that is not found is read from the
//! store, a hint that is lost is made up for by looking. What each adapter must do is said by the
//! contract suite of `store`; when which one pays is ADR 0013.

mod local_buckets;
mod nothing;
mod in_process;
mod redis_circuit;
mod redis_hints;
mod redis_line;
mod redis_scripts;
mod redis_settings;
mod shared;
mod tickets;

pub use in_process::InProcess;
pub use nothing::Nothing;
pub use redis_hints::Hints;
pub use redis_settings::{BadUrl, RedisSettings, Shape};
pub use shared::Shared;
