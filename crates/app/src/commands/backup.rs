//! `guerdon backup`: a checked copy of the database while it is in use.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use store_sqlite::{BackupProgress, SqliteStore};

use crate::cli::BackupArgs;
use crate::config::Loaded;
use crate::output::{Output, Progress};

/// A backup that was made and read back.
#[derive(Serialize)]
struct Backed {
    file: PathBuf,
    bytes: u64,
    seconds: f64,
}

/// What is said where no single file keeps everything.
const NOT_HERE: &str = "`guerdon backup` copies a SQLite file that keeps everything; this configuration keeps \
                        its data in other stores, which have backups of their own: see docs/shapes.md";

/// Copies the database. The copy never takes the place of a file that is there.
pub(crate) async fn run(path: &Path, args: &BackupArgs, out: Output) -> anyhow::Result<()> {
    let database = Loaded::read(path)?.sqlite_file().context(NOT_HERE)?;
    let store = SqliteStore::open_read_only(&database)
        .with_context(|| format!("cannot open the database {}", database.display()))?;
    let begun = Instant::now();
    let mut progress = Progress::new("backup");
    let told = move |at: BackupProgress| {
        progress.at(|| format!("{} of {} pages", at.done, at.total));
    };
    store.backup(&args.file, told).await.context("the backup was not made")?;
    let seconds = begun.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&args.file)?.len();
    out.answer(&Backed { file: args.file.clone(), bytes, seconds }, |backed| {
        format!(
            "Backed up {} bytes to {} in {:.2} s; the copy was read back and is whole.\n\
             The master key is not in it: keep a copy of that apart.",
            backed.bytes,
            backed.file.display(),
            backed.seconds
        )
    })
}
