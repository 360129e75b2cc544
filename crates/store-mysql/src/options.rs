//! How a store is opened, and every limit on waiting.

use std::time::Duration;

/// Connections for reads unless told otherwise. A read holds one for a round trip, so sixteen serve
/// several thousand reads a second; more of them only queue inside the server.
pub const READERS_DEFAULT: usize = 16;

/// Units of work that share one transaction unless told otherwise. More would lengthen everybody's
/// wait, and that of the other nodes, without saving a noticeable part of an fsync each.
pub const GROUP_MAX_DEFAULT: usize = 256;

/// How a store is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Most connections for reads; at least one is allowed. The writer has one more.
    pub readers: usize,
    /// Most units of work in one transaction; at least one.
    pub group_max: usize,
    /// Whether to start on a server that may lose acknowledged commits when its machine fails.
    pub allow_unsafe_durability: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: READERS_DEFAULT,
            group_max: GROUP_MAX_DEFAULT,
            allow_unsafe_durability: false,
        }
    }
}

/// How long opening a connection may take, TLS and login included.
pub(crate) const CONNECT_MAX: Duration = Duration::from_millis(1_000);

/// How long a read waits for a connection while all are in use.
pub(crate) const PLACE_MAX: Duration = Duration::from_millis(500);

/// How long a read of one row, or of the few rows of one user, may take: a hundred times what it
/// takes on a busy server.
pub(crate) const POINT_MAX: Duration = Duration::from_millis(1_500);

/// How long a read of many rows may take.
pub(crate) const SCAN_MAX: Duration = Duration::from_secs(20);

/// How long one round trip of a transaction may take; longer than a wait for a lock, which MySQL
/// ends up to a second late, so that the server says no before the connection is given up.
pub(crate) const WRITE_MAX: Duration = Duration::from_millis(2_200);

/// How long the server lets a statement wait for a row that another transaction holds, in seconds.
/// Transactions are one group long, so whoever waits for longer waits for a node that is gone.
pub(crate) const LOCK_WAIT_SECONDS: u32 = 1;

/// How long a change of a table waits for those who use the table, in seconds. Whoever comes after it
/// waits behind it, so it gives way soon and is tried again.
pub(crate) const TABLE_WAIT_SECONDS: u32 = 2;

/// How often a change of a table is tried in all.
pub(crate) const TABLE_TRIES_MAX: u32 = 30;

/// How long a change of a table stays away between two tries, so that those who waited behind it are
/// served.
pub(crate) const TABLE_PAUSE: Duration = Duration::from_secs(1);

/// After how many seconds of silence the server ends a session that writes, and gives its locks
/// free: a node that was cut off within a transaction holds up the others for no longer, which is
/// less than they wait for a lock in all their tries.
pub(crate) const WRITER_SILENCE_SECONDS: u32 = 3;

/// After how many seconds of silence the server ends a session that reads. They hold no locks.
pub(crate) const READER_SILENCE_SECONDS: u32 = 600;

/// How often a transaction is tried in all when the server asks for another try.
pub(crate) const TRIES_MAX: u32 = 4;

/// How long calls are refused at once after the database has been found not to answer; then one of
/// them tries again.
pub(crate) const REFUSE_FOR: Duration = Duration::from_millis(250);
