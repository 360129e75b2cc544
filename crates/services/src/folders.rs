//! Where servers keep their data: under the target folder, in one folder for each process.
//!
//! Not in the system's temporary folder, which may be held in memory: a disk that is none would
//! make every measurement of durable writes wrong. A process that is killed cannot clean up, so
//! each process holds a lock for as long as it lives, and the next one removes the folders whose
//! lock is free.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// The lock of a process, inside its folder.
const ALIVE: &str = "alive";

/// What this process holds until it ends; nothing ever drops it.
struct Own {
    folder: PathBuf,
    _alive: File,
}

static OWN: Mutex<Option<Own>> = Mutex::new(None);

/// The folder for everything `cargo xtask services` and this crate keep.
pub(crate) fn services() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).unwrap_or(here);
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(target).join("services")
}

/// A new empty folder for one server, removed when it is dropped.
pub(crate) fn temporary(name: &str) -> Result<TempDir> {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if own.is_none() {
        *own = Some(open_own()?);
    }
    let parent = own.as_ref().map_or_else(services, |own| own.folder.clone());
    let made = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(&parent);
    made.with_context(|| format!("cannot make a folder in {}", parent.display()))
}

/// The same with a copy of what another folder holds.
pub(crate) fn temporary_copy(name: &str, from: &Path) -> Result<TempDir> {
    let folder = temporary(name)?;
    copy_into(from, folder.path())?;
    Ok(folder)
}

/// Copies a folder to one that is not there yet.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("cannot make {}", to.display()))?;
    copy_into(from, to)
}

fn copy_into(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

/// Takes a lock that only one process holds at a time; free again when the value is dropped.
pub(crate) fn lock(name: &str) -> Result<File> {
    let folder = services();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(name);
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let file = open.with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Clears away what killed processes left and opens a folder for this one.
fn open_own() -> Result<Own> {
    // Without this lock a folder could be taken for abandoned before its owner has locked it.
    let _one_at_a_time = lock("run.lock")?;
    let run = services().join("run");
    fs::create_dir_all(&run).with_context(|| format!("cannot make {}", run.display()))?;
    for entry in fs::read_dir(&run)? {
        remove_if_abandoned(&entry?.path())?;
    }
    let folder = tempfile::Builder::new().prefix("process-").tempdir_in(&run)?.keep();
    let alive = File::create(folder.join(ALIVE))?;
    alive.lock()?;
    Ok(Own { folder, _alive: alive })
}

fn remove_if_abandoned(folder: &Path) -> Result<()> {
    let abandoned = match File::open(folder.join(ALIVE)) {
        Ok(alive) => alive.try_lock().is_ok(),
        Err(_) => true,
    };
    if !abandoned {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_kept_while_its_owner_lives_and_removed_afterwards() {
        let parent = temporary("folders").unwrap();
        let folder = parent.path().join("process-planted");
        fs::create_dir(&folder).unwrap();
        let alive = File::create(folder.join(ALIVE)).unwrap();
        alive.lock().unwrap();
        remove_if_abandoned(&folder).unwrap();
        assert!(folder.exists());
        drop(alive);
        remove_if_abandoned(&folder).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_temporary_folder_goes_with_its_value() {
        let folder = temporary("folders").unwrap();
        let path = folder.path().to_owned();
        assert!(path.starts_with(services()));
        drop(folder);
        assert!(!path.exists());
    }
}
