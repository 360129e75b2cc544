//! Files on the disk: made for their owner alone, and named so that the names last.
//!
//! A file that this process has open in SQLite may not be copied here: closing it would give back
//! SQLite's locks, which belong to the whole process.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// Who may do what with a new file: only its owner may read and write it, since users' answers and
/// ids stand in it. SQLite gives the files beside a database the same mode.
const PRIVATE: u32 = 0o600;

/// The path with a suffix on its last part, as SQLite names its own files.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether there is a file with anything in it.
pub(crate) fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

/// Makes an empty file that only its owner can read; fails if there is one.
pub(crate) fn create(path: &Path) -> Result<File, OpenError> {
    let created = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path);
    created.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => OpenError::Exists(path.display().to_string()),
        _ => io_error(path, error),
    })
}

/// Makes it unless it is there; the mode of one that is there stays.
pub(crate) fn create_if_missing(path: &Path) -> Result<(), OpenError> {
    match create(path) {
        Err(OpenError::Exists(_)) => Ok(()),
        created => created.map(drop),
    }
}

/// Copies durably to a new file that only its owner can read.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    let mut source = File::open(from).map_err(|error| io_error(from, error))?;
    let mut target = create(to)?;
    let copied = io::copy(&mut source, &mut target).and_then(|_| target.sync_all());
    copied.map_err(|error| io_error(to, error))
}

/// Gives a file a second name, or the same content under it where the file system has no links;
/// fails if something has the name.
pub(crate) fn link(from: &Path, to: &Path) -> Result<(), OpenError> {
    match fs::hard_link(from, to) {
        Ok(()) => Ok(()),
        Err(_) => copy(from, to),
    }
}

/// Brings a file's content to the disk.
pub(crate) fn sync(path: &Path) -> Result<(), OpenError> {
    let file = OpenOptions::new().write(true).open(path);
    file.and_then(|file| file.sync_all()).map_err(|error| io_error(path, error))
}

/// Brings the names beside `path` to the disk, where the system lets a directory be opened.
pub(crate) fn sync_names(path: &Path) -> Result<(), OpenError> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    match File::open(folder.unwrap_or(Path::new("."))) {
        Ok(folder) => folder.sync_all().map_err(|error| io_error(path, error)),
        Err(_) => Ok(()),
    }
}

/// Renames durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), OpenError> {
    fs::rename(from, to).map_err(|error| io_error(to, error))?;
    sync_names(to)
}

/// Removes a file, if it is there.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path, error)),
        _ => Ok(()),
    }
}

fn io_error(path: &Path, error: io::Error) -> OpenError {
    OpenError::Io(path.display().to_string(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_name_and_a_copy_take_nobodys_place() {
        let folder = tempfile::tempdir().unwrap();
        let [from, other, new] = ["from", "other", "new"].map(|name| folder.path().join(name));
        fs::write(&from, "from").unwrap();
        fs::write(&other, "other").unwrap();
        for give in [link, copy] {
            assert!(matches!(give(&from, &other), Err(OpenError::Exists(_))));
            assert_eq!(fs::read(&other).unwrap(), b"other");
            give(&from, &new).unwrap();
            assert_eq!(fs::read(&new).unwrap(), b"from");
            fs::remove_file(&new).unwrap();
        }
    }
}
