//! One server per file: an advisory lock on a file of its own beside the store.
//!
//! The lock is the operating system's, so it ends with the process, however that ends. It is not
//! taken on the store itself, because SQLite has its own locks there.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::OpenError;
use crate::files::beside;

/// The right to write a store; given back when dropped.
#[derive(Debug)]
pub(crate) struct ServerLock {
    _file: File,
}

impl ServerLock {
    /// Takes the lock of the store at `path`, or says who has it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let beside = beside(path, "-server");
        let shown = beside.display().to_string();
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&beside)
            .map_err(|error| OpenError::Io(shown.clone(), error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(OpenError::Io(shown, error)),
        }
    }
}
