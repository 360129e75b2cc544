//! The data a benchmark runs on: seeded once, kept under the target folder, copied for each run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::server::Guerdon;
use crate::world::World;

/// Sources that decide what the seeded bytes are; when one changes, data is seeded anew.
const SOURCES: &[&str] = &[
    "crates/app/src/seed.rs",
    "crates/app/src/seed",
    "crates/format/src",
    "crates/store-sqlite/src/schema.rs",
    "crates/store-sqlite/src/migrations",
];
/// Older data is seeded anew: deadlines and holds of seeded runs end after a month or two, and a
/// benchmark would measure how they are swept up.
const KEPT_FOR: Duration = Duration::from_secs(14 * 86_400);
/// What the seed command said.
const SAID: &str = "seed.json";

/// How much data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) users: u32,
    pub(crate) enrollments: u32,
    /// Of those, how many have one of two steps behind them.
    pub(crate) in_progress: u32,
    pub(crate) line_items: u32,
    /// Kinds of users, of which each line item is for one.
    pub(crate) kinds: u32,
}

/// Data that is ready to be copied.
pub(crate) struct Data {
    folder: PathBuf,
    pub(crate) world: World,
}

impl Data {
    /// Finds it, or makes it with `guerdon init` and `guerdon seed`.
    pub(crate) fn prepare(guerdon: &Guerdon, size: Size) -> Result<Self> {
        let kept = kept_folder()?;
        // Of benchmarks that begin at once with the same data one seeds them, and the others wait: who
        // comes second would take away what the first one is about to copy.
        let turn = File::create(kept.join("seeding.lock"))?;
        turn.lock()?;
        let Size { users, enrollments, in_progress, line_items, kinds } = size;
        let parameters = format!("u{users}-e{enrollments}-p{in_progress}-l{line_items}-k{kinds}-");
        let folder = kept.join(format!("{parameters}{}", sources_digest(SOURCES)?));
        if !is_fresh(&folder) {
            eprintln!("seeding {users} users, {enrollments} enrollments each …");
            let made = make(guerdon, &kept, size)?;
            remove_older(&kept, &parameters)?;
            std::fs::rename(made.path(), &folder)?;
        }
        let said = std::fs::read(folder.join(SAID))?;
        let world = serde_json::from_slice(&said).context("`guerdon seed` says something else")?;
        Ok(Self { folder, world })
    }

    /// Which data these are: other ones have another mark.
    pub(crate) fn mark(&self) -> Result<String> {
        let made = std::fs::metadata(self.folder.join(SAID))?.modified()?;
        let made = made.duration_since(std::time::UNIX_EPOCH)?.as_nanos();
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        Ok(format!("{name} {made}"))
    }

    /// A private copy, on the same disk, that is removed in the end.
    pub(crate) fn copy(&self) -> Result<TempDir> {
        let copy = tempfile::Builder::new().prefix("run-").tempdir_in(kept_folder()?)?;
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let target = copy.path().join(entry.file_name());
            std::fs::copy(entry.path(), &target)?;
            // Else the disk would be busy with the copy while the server is measured.
            File::open(&target)?.sync_all()?;
        }
        Ok(copy)
    }

    /// The data themselves, where they are too large for a copy; they are seeded anew the next time.
    pub(crate) fn take(self) -> Result<(TempDir, World)> {
        let own = tempfile::Builder::new().prefix("run-").tempdir_in(kept_folder()?)?;
        std::fs::rename(&self.folder, own.path())?;
        Ok((own, self.world))
    }
}

/// Bytes of the database and its log in a folder.
pub(crate) fn database_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("guerdon.db") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Whether there is data that is whole and young enough.
fn is_fresh(folder: &Path) -> bool {
    let said = std::fs::metadata(folder.join(SAID)).and_then(|said| said.modified());
    let age = said.ok().and_then(|made| made.elapsed().ok());
    age.is_some_and(|age| age < KEPT_FOR)
}

/// Seeds into a folder of its own, which takes its name when it is whole.
fn make(guerdon: &Guerdon, kept: &Path, size: Size) -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("seed-").tempdir_in(kept)?;
    guerdon.ask(folder.path(), &["init", &folder.path().to_string_lossy()])?;
    let Size { users, enrollments, in_progress, line_items, kinds } = size;
    let numbers = [
        ("--users", users),
        ("--enrollments", enrollments),
        ("--in-progress", in_progress),
        ("--line-items", line_items),
        ("--kinds", kinds),
    ];
    let numbers = numbers.map(|(name, number)| format!("{name}={number}"));
    let mut arguments = vec!["seed"];
    arguments.extend(numbers.iter().map(String::as_str));
    let said = guerdon.ask(folder.path(), &arguments)?;
    std::fs::write(folder.path().join(SAID), serde_json::to_vec_pretty(&said)?)?;
    Ok(folder)
}

/// Where data is kept between runs.
pub(crate) fn kept_folder() -> Result<PathBuf> {
    let folder = target_folder()?.join("bench-data");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The target folder: this program lies in a profile's folder of it.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let exe = std::env::current_exe()?;
    let folder = exe.parent().and_then(Path::parent);
    Ok(folder.context("this program lies outside of a target folder")?.to_owned())
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Removes what a name of kept data begins with.
pub(crate) fn remove_older(kept: &Path, parameters: &str) -> Result<()> {
    for entry in std::fs::read_dir(kept)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(parameters) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// What data are made with: when one of these files changes, they are made anew.
pub(crate) fn sources_digest(sources: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for source in sources {
        collect(&root().join(source), &mut files)?;
    }
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(&std::fs::read(&file)?);
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

/// All files at or below a path; a path that is not there has none.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    // Python's compiled files say nothing of their own.
    if path.is_file() && path.extension().is_none_or(|extension| extension != "pyc") {
        files.push(path.to_owned());
    } else if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    }
    Ok(())
}
