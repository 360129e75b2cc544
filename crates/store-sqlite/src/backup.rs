//! Backups while the server runs, and putting one back.
//!
//! A backup is one file with nothing beside it. It is a view of the store at one moment: the copy
//! reads from a connection that stays in one read transaction, so the writer goes on and the copy
//! never starts over. Meanwhile the log cannot be emptied and grows by what is written; that is the
//! price, and it ends with the backup.
//!
//! Both directions write to a name of their own, check and fsync the result, and only then give it
//! the name that was asked for: whatever is under that name is whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use store::StoreError;

use crate::error::OpenError;
use crate::lock::{ServerLock, beside};
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

/// Puts a backup in the place of the store at `target`, after checking it.
///
/// With `overwrite` a store that is there is replaced, log and all; if the machine stops between,
/// the old one may lack its last commits, and the restore has to be run again.
///
/// # Errors
/// The backup is damaged, not ours or of a newer release; a server has the target; or the target is
/// there and `overwrite` was not asked for. In all these cases the target is untouched.
pub fn restore(backup: &Path, target: &Path, overwrite: bool) -> Result<(), OpenError> {
    let _lock = ServerLock::take(target)?;
    let is_empty = fs::metadata(target).map_or(true, |file| file.len() == 0);
    if !is_empty && !overwrite {
        return Err(OpenError::Exists(target.display().to_string()));
    }
    let log = beside(backup, "-wal");
    if fs::metadata(&log).is_ok_and(|file| file.len() > 0) {
        let why = format!("{} belongs to it; make the copy with the backup command", log.display());
        return Err(OpenError::Damaged(backup.display().to_string(), why));
    }
    check(backup)?;
    let partial = beside(target, "-partial");
    let copied = copy(backup, &partial).and_then(|()| check(&partial));
    if let Err(error) = copied {
        drop(fs::remove_file(&partial));
        return Err(error);
    }
    // SQLite would take an old log for the new file's own.
    for suffix in ["-wal", "-shm"] {
        remove_if_there(&beside(target, suffix))?;
    }
    rename(&partial, target)
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
fn check(path: &Path) -> Result<(), OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    schema::check_ours(path, &conn)?;
    let found = schema::version_of(&conn)?;
    if found > schema::SCHEMA_VERSION {
        return Err(OpenError::Newer { found, known: schema::SCHEMA_VERSION });
    }
    schema::check_content(path, &conn)
}

fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    remove_if_there(to)?;
    fs::copy(from, to).map_err(|error| io_error(to, error))?;
    sync(to)
}

fn sync(path: &Path) -> Result<(), OpenError> {
    let file = OpenOptions::new().write(true).open(path);
    file.and_then(|file| file.sync_all()).map_err(|error| io_error(path, error))
}

/// Renames durably: the directory is fsynced too, where the system lets a directory be opened.
fn rename(from: &Path, to: &Path) -> Result<(), OpenError> {
    fs::rename(from, to).map_err(|error| io_error(to, error))?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Ok(directory) = File::open(directory.unwrap_or(Path::new("."))) {
        directory.sync_all().map_err(|error| io_error(to, error))?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, error)),
        _ => Ok(()),
    }
}

fn io_error(path: &Path, error: io::Error) -> OpenError {
    OpenError::Io(path.display().to_string(), error)
}
