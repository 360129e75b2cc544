//! Everything embedded in one SQLite file: the catalogue, the state of users, budgets, the outbox,
//! the journal and the reports.
//!
//! # How a commit gets its speed
//!
//! One thread writes. It takes whatever waits and commits it as one transaction with one fsync
//! ([`writer`]), so a hundred callers share the price of one. A change touches three rows: the
//! user's one state value, which also remembers what it has seen; one appended journal record, which
//! carries the ledger entries and the messages; and its line item's budget, which is written once
//! per group, not once per change ([`books`]). Everything else (deliveries, reports) is derived from
//! the journal later. Reads go to connections of their own and wait for nobody ([`readers`]).
//!
//! # What is guaranteed
//!
//! - An answer is sent after the commit's fsync (`synchronous=FULL`); a read after it sees it.
//! - A refused change writes nothing, and disturbs nobody who shares its group.
//! - A full disk, or a failed write, is answered with an error and leaves nothing half-written; the
//!   store goes on by itself when there is room again.
//! - One server per file: a second one is refused at start. Tools may read at any time.
//!
//! # What it does not do
//!
//! It never deletes journal records, and it is not for network file systems, whose locks and
//! shared memory cannot carry a write-ahead log.
//!
//! # The files
//!
//! Beside `guerdon.db` lie `-wal` and `-shm` while it is open, and `-server`, whose lock says that
//! a server runs. The log is moved into the file every 16 MiB by the writer, between two groups, and
//! is cut to 64 MiB at most after a burst; only a reader that stays in one view for long (a backup)
//! lets it grow further. After a clean stop it is empty. A restore leaves the store that it replaced
//! as `guerdon.db-before-1`, the next one as `-before-2`. New files are readable by their owner only.

mod backup;
mod books;
mod budgets;
mod catalog;
mod codec;
mod error;
mod explain;
mod files;
mod identity;
mod journal;
mod lock;
mod memory;
mod outbox;
mod readers;
mod reports;
mod restore;
mod schema;
mod sql;
mod transfer;
mod users;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use store::{StoreError, Writing};

pub use backup::BackupProgress;
pub use error::OpenError;
pub use restore::restore;
pub use schema::{SCHEMA_VERSION, STATEMENT_LOG};
pub use sql::{STATEMENTS, Statement};

use error::Failure;
use lock::ServerLock;
use memory::Memory;
use readers::Readers;
use writer::{Marks, Queue, Tx, Work, Writer};

/// Connections for point reads unless told otherwise: a read takes microseconds, so a few serve
/// every core of a small machine.
pub const READERS_DEFAULT: usize = 4;

/// Units of work that share one transaction unless told otherwise. More would lengthen everybody's
/// wait without saving a noticeable part of an fsync each.
pub const GROUP_MAX_DEFAULT: usize = 512;

/// How a store is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Connections for point reads; at least one is opened.
    pub readers: usize,
    /// Most units of work in one transaction; at least one.
    pub group_max: usize,
    /// What an acknowledged commit survives.
    pub durability: Durability,
    /// Most pages of 4 KiB that the file may have; `None` is as many as the disk has. When they are
    /// used up, commits that need another are answered as unavailable.
    pub pages_max: Option<u32>,
}

/// What an acknowledged commit survives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// The end of the process and of the machine's power.
    #[default]
    Full,
    /// The end of the process only. For tests that would otherwise wait for the disk.
    OffForTests,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: READERS_DEFAULT,
            group_max: GROUP_MAX_DEFAULT,
            durability: Durability::Full,
            pages_max: None,
        }
    }
}

/// All ports on one SQLite file.
///
/// Dropping it lets the writer finish what waits, moves the log into the file and gives the file
/// free; this blocks the thread for as long as that takes.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    readers: Readers,
    memory: Arc<Memory>,
    marks: Arc<Marks>,
    /// Whether the order of the journal is total, as the file says.
    has_total_order: AtomicBool,
    /// `None` if the store was opened only for reading.
    server: Option<Server>,
}

/// What only the process that writes has.
#[derive(Debug)]
struct Server {
    queue: Option<Queue>,
    thread: Option<JoinHandle<()>>,
    _lock: ServerLock,
}

impl SqliteStore {
    /// Opens the store at `path` for this process alone, creating or upgrading it where needed.
    ///
    /// # Errors
    /// Another process has it, it is not a store or of a newer release, or the system refuses.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let lock = ServerLock::take(path)?;
        let conn = schema::open_writer(path, options.durability)?;
        if let Some(pages) = options.pages_max {
            schema::limit_pages(&conn, pages)?;
        }
        let readers = Readers::open(path, options.readers)?;
        let memory = Arc::new(Memory::new());
        let writer = Writer::new(conn, options.group_max, readers.clone(), Arc::clone(&memory))?;
        let marks = writer.marks();
        let (queue, thread) =
            writer.start().map_err(|error| OpenError::Io("writer thread".to_owned(), error))?;
        let server = Server { queue: Some(queue), thread: Some(thread), _lock: lock };
        Self::on(path, readers, (memory, marks), Some(server))
    }

    /// Opens the store at `path` for reading, whether or not a server has it. Every write answers as
    /// unavailable, and deliveries are shown as the server last left them.
    ///
    /// # Errors
    /// It is not a store of this release, or the system refuses.
    pub fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        schema::check_version(&schema::open_reader(path)?)?;
        let readers = Readers::open(path, 1)?;
        Self::on(path, readers, (Arc::new(Memory::none()), Arc::default()), None)
    }

    /// Opens the store at `path` as it is at this moment: whatever a server commits meanwhile is not
    /// seen, so what is read fits together. Every write answers as unavailable.
    ///
    /// The write-ahead log grows for as long as the view is open, so close it soon.
    ///
    /// # Errors
    /// It is not a store of this release, or the system refuses.
    pub fn open_view(path: &Path) -> Result<Self, OpenError> {
        let readers = Readers::frozen(path)?;
        Self::on(path, readers, (Arc::new(Memory::none()), Arc::default()), None)
    }

    fn on(
        path: &Path,
        readers: Readers,
        (memory, marks): (Arc<Memory>, Arc<Marks>),
        server: Option<Server>,
    ) -> Result<Self, OpenError> {
        let has_total_order = AtomicBool::new(readers.has_total_order()?);
        Ok(Self { path: path.to_owned(), readers, memory, marks, has_total_order, server })
    }

    /// Sets the most pages of 4 KiB that the file may have; see [`Options::pages_max`].
    ///
    /// # Errors
    /// The store was opened only for reading, or SQLite refuses.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.ask(LimitPages(pages)).await
    }

    fn readers(&self) -> &Readers {
        &self.readers
    }

    fn marks(&self) -> &Marks {
        &self.marks
    }

    fn is_read_only(&self) -> bool {
        self.server.is_none()
    }

    /// Has the writer do some work, and waits until it is durable or refused.
    async fn ask<W: Work>(&self, work: W) -> Result<W::Answer, StoreError> {
        match self.server.as_ref().and_then(|server| server.queue.as_ref()) {
            Some(queue) => queue.ask(work).await,
            None => Err(StoreError::Unavailable("the store is open only for reading".to_owned())),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The thread ends when the queue is gone and empty. The lock is given back after that.
        self.queue = None;
        let ended = self.thread.take().map(JoinHandle::join);
        if let Some(Err(_)) = ended {
            tracing::error!("the writer ended in a panic; the log is recovered at the next start");
        }
    }
}

struct LimitPages(u32);

impl Work for LimitPages {
    type Answer = ();

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        Ok(schema::limit_pages(tx.conn, self.0)?)
    }
}
