//! Connections that read.
//!
//! Two pools, so that a point read never waits behind a scan. **Point reads run directly on the
//! caller's task:** one keyed read of a cached statement takes a few microseconds, far less than
//! handing it to another thread and back, and never waits for the writer, because readers of a
//! write-ahead log take no lock that it holds. A page that is not cached costs one read of the
//! disk, which is the price of every store. **Whatever reads more than a few rows** goes to a
//! blocking thread ([`Readers::scan`]).
//!
//! Each statement outside a transaction sees everything committed before it began, so a read after
//! an acknowledged commit sees it (S3). To begin and end a view of the store costs more than to find a
//! row in it, so reads of users leave theirs open for the next one while nothing is committed
//! ([`Readers::latest`]): what only this process writes has not changed then.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::Connection;
use store::StoreError;

use crate::error::{Failure, OpenError};
use crate::{schema, sql};

/// Connections for scans. Two, so that a long export leaves one for the console and the jobs.
const SCANNERS: usize = 2;

/// The connections of one store.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    points: Arc<Pool>,
    scanners: Arc<Pool>,
}

impl Readers {
    /// Opens `points` connections for point reads, at least one, and the scanners.
    pub(crate) fn open(path: &Path, points: usize) -> Result<Self, OpenError> {
        Ok(Self {
            points: Arc::new(Pool::open(path, points.max(1))?),
            scanners: Arc::new(Pool::open(path, SCANNERS)?),
        })
    }

    /// One connection that sees the store as it is now, for as long as it is open.
    pub(crate) fn frozen(path: &Path) -> Result<Self, OpenError> {
        let pool = Arc::new(Pool::open(path, 1)?);
        {
            let reader = pool.take();
            reader.conn.execute_batch(sql::BEGIN_READ)?;
            // A view begins with the first read, not with the transaction.
            schema::check_version(&reader.conn)?;
        }
        Ok(Self { points: Arc::clone(&pool), scanners: pool })
    }

    /// Whether the order of the journal is total.
    pub(crate) fn has_total_order(&self) -> Result<bool, OpenError> {
        schema::has_total_order(&self.points.take().conn)
    }

    /// One short read on the caller's own thread.
    pub(crate) fn point<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut reader = self.points.take();
        reader.close()?;
        read(&reader.conn).map_err(StoreError::from)
    }

    /// The same, in a view that may have been open already, as long as it was opened after `groups` were
    /// committed: only for what nobody but this process writes.
    pub(crate) fn latest<T>(
        &self,
        groups: u64,
        read: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut reader = self.points.take();
        let outcome = reader.see(groups).and_then(|()| read(&reader.conn));
        if outcome.is_err() {
            // What failed may be the view itself.
            drop(reader.close());
        }
        outcome.map_err(StoreError::from)
    }

    /// Closes the views that were left open, since the log can be moved into the file only as far as
    /// the oldest one sees. A connection that is just being read from has a young one.
    pub(crate) fn close_idle(&self) {
        for reader in self.points.all() {
            if let Ok(mut reader) = reader.try_lock() {
                // One that cannot be closed is closed by its next read.
                drop(reader.close());
            }
        }
    }

    /// A read of any length on a blocking thread, all of it in one view of the store.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let scanners = Arc::clone(&self.scanners);
        let task = tokio::task::spawn_blocking(move || in_one_view(&scanners.take().conn, read));
        let ended = task.await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        ended.map_err(StoreError::from)
    }
}

fn in_one_view<T>(
    conn: &Connection,
    read: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if !conn.is_autocommit() {
        return read(conn);
    }
    conn.prepare_cached(sql::BEGIN_READ)?.execute([])?;
    let result = read(conn);
    // Nothing was written, so either end does. SQLite may have ended it already after an error.
    if !conn.is_autocommit() {
        conn.prepare_cached(sql::ROLLBACK)?.execute([])?;
    }
    result
}

/// A connection that reads.
#[derive(Debug)]
struct Reader {
    conn: Connection,
    /// After how many groups the view was opened that is still open.
    view: Option<u64>,
}

impl Reader {
    /// Opens a view, unless one is open that was opened after so many groups.
    fn see(&mut self, groups: u64) -> Result<(), Failure> {
        if self.view == Some(groups) {
            return Ok(());
        }
        self.close()?;
        self.conn.prepare_cached(sql::BEGIN_READ)?.execute([])?;
        self.view = Some(groups);
        Ok(())
    }

    /// Closes the view that was left open, if there is one.
    fn close(&mut self) -> Result<(), Failure> {
        // SQLite may have ended it already after an error.
        if self.view.take().is_some() && !self.conn.is_autocommit() {
            self.conn.prepare_cached(sql::ROLLBACK)?.execute([])?;
        }
        Ok(())
    }
}

/// A fixed set of connections, never empty.
#[derive(Debug)]
struct Pool {
    first: Mutex<Reader>,
    others: Vec<Mutex<Reader>>,
}

impl Pool {
    fn open(path: &Path, size: usize) -> Result<Self, OpenError> {
        let open = || {
            let conn = schema::open_reader(path)?;
            Ok::<_, OpenError>(Mutex::new(Reader { conn, view: None }))
        };
        let others = (1..size).map(|_| open()).collect::<Result<_, _>>()?;
        Ok(Self { first: open()?, others })
    }

    fn all(&self) -> impl Iterator<Item = &Mutex<Reader>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The first free connection, whose cache is the warmest; waits for the first if none is free.
    fn take(&self) -> MutexGuard<'_, Reader> {
        for one in self.all() {
            match one.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
