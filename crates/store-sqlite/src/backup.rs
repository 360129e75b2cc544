//! Backups while the server runs.
//!
//! A backup is one file with nothing beside it. It is a view of the store at one moment: the copy
//! reads from a connection that stays in one read transaction, so the writer goes on and the copy
//! never starts over. Meanwhile the log cannot be emptied and grows by what is written; that is the
//! price, and it ends with the backup.
//!
//! The copy is written to a name of its own, checked and fsynced, and only then gets the name that
//! was asked for: whatever is under that name is whole.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use store::StoreError;

use crate::error::OpenError;
use crate::files::{beside, create, remove_if_there, rename, sync};
use crate::{SqliteStore, schema, sql};

/// Pages that are copied between two reports of progress: 4 MiB.
const STEP_PAGES: i32 = 1_024;
/// How long a step waits when a tool holds the copy's lock.
const BUSY_WAIT: std::time::Duration = std::time::Duration::from_millis(10);

/// How far a backup is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackupProgress {
    /// Pages copied.
    pub done: u64,
    /// Pages in all.
    pub total: u64,
}

impl SqliteStore {
    /// Writes a backup of the store, as it is at this moment, to a new file at `to`, and checks it.
    ///
    /// `progress` is called on another thread, every 4 MiB.
    ///
    /// # Errors
    /// `to` exists, cannot be written, or fails the check; then nothing is left under that name.
    pub async fn backup(
        &self,
        to: &Path,
        progress: impl FnMut(BackupProgress) + Send + 'static,
    ) -> Result<(), OpenError> {
        let (from, to) = (self.path.clone(), to.to_owned());
        let task = tokio::task::spawn_blocking(move || back_up(&from, &to, progress));
        task.await.map_err(|error| OpenError::Io("backup".to_owned(), io::Error::other(error)))?
    }

    /// The bytes that the file and its log take on the disk.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        let file = fs::metadata(&self.path).map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let log = fs::metadata(beside(&self.path, "-wal")).map_or(0, |log| log.len());
        Ok(file.len() + log)
    }
}

fn back_up(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(BackupProgress),
) -> Result<(), OpenError> {
    let partial = beside(to, "-partial");
    if to.exists() {
        return Err(OpenError::Exists(to.display().to_string()));
    }
    // What a backup that was interrupted has left behind is of no use.
    remove_if_there(&partial)?;
    let made = copy_pages(from, &partial, &mut progress).and_then(|()| check(&partial));
    let named = made.and_then(|()| {
        if to.exists() {
            return Err(OpenError::Exists(to.display().to_string()));
        }
        sync(&partial)?;
        rename(&partial, to)
    });
    if named.is_err() {
        drop(fs::remove_file(&partial));
    }
    named
}

fn copy_pages(
    from: &Path,
    to: &Path,
    progress: &mut impl FnMut(BackupProgress),
) -> Result<(), OpenError> {
    let source = schema::open_reader(from)?;
    source.execute_batch(sql::BEGIN_READ)?;
    // The view begins with the first read, not with the transaction.
    schema::check_version(&source)?;
    create(to)?;
    let mut target = Connection::open(to)?;
    target.pragma_update(None, "synchronous", "OFF")?;
    let backup = Backup::new(&source, &mut target)?;
    loop {
        let step = backup.step(STEP_PAGES)?;
        let at = backup.progress();
        let (total, remaining) = (at.pagecount.max(0) as u64, at.remaining.max(0) as u64);
        progress(BackupProgress { done: total.saturating_sub(remaining), total });
        match step {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => std::thread::sleep(BUSY_WAIT),
            _ => {}
        }
    }
    drop(backup);
    // Without a log of its own the backup is one file.
    target.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    Ok(())
}

/// Whether a file at rest is whole, ours, and of a release that this one can read.
pub(crate) fn check(path: &Path) -> Result<(), OpenError> {
    let conn = schema::open_ours(path)?;
    let found = schema::version_of(&conn)?;
    if found > schema::SCHEMA_VERSION {
        return Err(OpenError::Newer { found, known: schema::SCHEMA_VERSION });
    }
    schema::check_content(path, &conn)
}
