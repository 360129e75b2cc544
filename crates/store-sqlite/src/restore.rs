//! Putting a backup in a store's place, and keeping what was there.
//!
//! The order makes every moment safe: first the new store lies whole under a name of its own, then
//! the old one gets a second name, and last the new one takes the first name in one step. Whenever
//! the machine stops, the name has a whole store, the old or the new, and nothing of the old one is
//! lost; the restore can simply be run again.

use std::path::{Path, PathBuf};

use crate::backup::check;
use crate::error::OpenError;
use crate::files::{beside, copy, has_content, link, remove_if_there, rename, sync_names};
use crate::lock::ServerLock;
use crate::schema;

/// What of a store lies in files beside it: changes that are not in the file, or not out of it.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// Puts a backup in the place of the store at `target`, after checking it.
///
/// With `overwrite` a store that is there is replaced. It is kept beside the new one, under the
/// first name `-before-1`, `-before-2` and so on that nothing has, and that path is the answer.
///
/// # Errors
/// The backup is damaged, not ours or of a newer release; somebody has the target open; or the
/// target is there and `overwrite` was not asked for. In all these cases the target is untouched.
pub fn restore(
    backup: &Path,
    target: &Path,
    overwrite: bool,
) -> Result<Option<PathBuf>, OpenError> {
    let _lock = ServerLock::take(target)?;
    if let Some(there) = parts(target).next()
        && !overwrite
    {
        return Err(OpenError::Exists(beside(target, there).display().to_string()));
    }
    let log = beside(backup, "-wal");
    if has_content(&log) {
        let why = format!("{} belongs to it; make the copy with the backup command", log.display());
        return Err(OpenError::Damaged(backup.display().to_string(), why));
    }
    check(backup)?;
    let partial = beside(target, "-partial");
    // What a restore that was interrupted has left behind is of no use.
    remove_if_there(&partial)?;
    let copied = copy(backup, &partial).and_then(|()| check(&partial));
    let placed = copied.and_then(|()| replace(&partial, target));
    if placed.is_err() {
        drop(remove_if_there(&partial));
    }
    placed
}

/// Gives the new store the name of the old one, and says where that is now.
fn replace(new: &Path, target: &Path) -> Result<Option<PathBuf>, OpenError> {
    fold_log(target)?;
    let kept = keep(target)?;
    // SQLite would take an old log for the new file's own. There is one only if it could not be
    // moved into the old file, which then is no whole store without it.
    for suffix in LOGS {
        remove_if_there(&beside(target, suffix))?;
    }
    remove_if_there(&beside(target, "-shm"))?;
    rename(new, target)?;
    Ok(kept)
}

/// Makes the old store one file, so that it can be replaced in one step. One that is damaged, which
/// may be why it is replaced, is kept as it is.
fn fold_log(target: &Path) -> Result<(), OpenError> {
    if !has_content(target) {
        return Ok(());
    }
    match schema::fold_log(target) {
        Err(OpenError::InUse(path)) => Err(OpenError::InUse(path)),
        Err(error) => {
            tracing::warn!(%error, "the old database keeps its log in a file of its own");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Gives all of the old store a second name, the file itself last; `None` if there is nothing.
fn keep(target: &Path) -> Result<Option<PathBuf>, OpenError> {
    let found: Vec<&str> = parts(target).collect();
    if found.is_empty() {
        return Ok(None);
    }
    let kept = unused(target);
    for suffix in found {
        link(&beside(target, suffix), &beside(&kept, suffix))?;
    }
    sync_names(target)?;
    Ok(Some(kept))
}

/// The suffixes of those files of a store that have anything in them, its own last.
fn parts(store: &Path) -> impl Iterator<Item = &'static str> {
    LOGS.into_iter().chain([""]).filter(move |suffix| has_content(&beside(store, suffix)))
}

/// The first name for a kept store that neither a file nor a log of another one has.
fn unused(target: &Path) -> PathBuf {
    let mut number = 1_u32;
    loop {
        let name = beside(target, &format!("-before-{number}"));
        let is_used = |suffix| beside(&name, suffix).symlink_metadata().is_ok();
        if !LOGS.into_iter().chain([""]).any(is_used) {
            return name;
        }
        number += 1;
    }
}
