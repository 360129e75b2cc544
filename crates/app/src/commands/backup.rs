//! `guerdon backup`: a checked copy of the database while it is in use.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::cli::BackupArgs;
use crate::config::Loaded;
use crate::output::{Output, Progress};

#[derive(Serialize)]
struct Backed {
    file: PathBuf,
    bytes: u64,
    seconds: f64,
}

pub(crate) async fn run(path: &Path, args: &BackupArgs, out: Output) -> anyhow::Result<()> {
    let database = Loaded::read(path)?.database();
    let target = args.file.clone();
    let task = tokio::task::spawn_blocking(move || {
        let mut progress = Progress::new("backup");
        let store = store_sqlite::SqliteStore::open_read_only(&database)?;
        store.backup(&target, |done, total| progress.at(|| format!("{done} of {total} pages")))?;
        anyhow::Ok(progress.end())
    });
    let seconds = task.await?.context("the backup was not made")?;
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
