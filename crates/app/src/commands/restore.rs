//! `guerdon restore`: a backup takes the database's place, after it has been checked.

use std::path::{Path, PathBuf};

use anyhow::Context;
use engine::Ctx;
use serde::Serialize;

use crate::cli::RestoreArgs;
use crate::clock;
use crate::commands::verify;
use crate::config::Loaded;
use crate::output::{Finding, Output, counted};

/// A database that was put in place and verified.
#[derive(Serialize)]
struct Restored {
    database: PathBuf,
    /// Where the database is that was there before.
    kept: Option<PathBuf>,
    records: u64,
    entries: u64,
    findings: u64,
}

/// What is said where no single file keeps everything.
const NOT_HERE: &str = "`guerdon restore` replaces a SQLite file that keeps everything; this configuration keeps \
                        its data in other stores, which are restored with their own tools: see docs/shapes.md";

/// Puts the backup in place, and verifies what is then there.
pub(crate) async fn run(path: &Path, args: &RestoreArgs, out: Output) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let database = loaded.sqlite_file().context(NOT_HERE)?;
    let (backup, place, replace) = (args.file.clone(), database.clone(), args.replace);
    let restore = move || store_sqlite::restore(&backup, &place, replace);
    let kept = tokio::task::spawn_blocking(restore).await?.context("nothing was restored")?;
    let told = kept.as_deref().map_or_else(String::new, |kept| {
        format!("\nThe database that was there is kept as {}.", kept.display())
    });
    let verified = verify::derive(&loaded, &Ctx::at(clock::now()), |_, _| {}).await;
    let report = verified.with_context(|| {
        format!("{} was restored, but cannot be verified{told}", database.display())
    })?;
    let restored = Restored {
        database,
        kept,
        records: report.records,
        entries: report.entries_checked,
        findings: report.findings.len() as u64 + report.unlisted,
    };
    out.answer(&restored, |restored| {
        format!(
            "Restored {} with {} records; {} entries were verified.{told}",
            restored.database.display(),
            restored.records,
            restored.entries
        )
    })?;
    match restored.findings {
        0 => Ok(()),
        count => {
            let count = counted(count, "finding", "findings");
            Err(Finding(format!("{count}; run `guerdon verify`")).into())
        }
    }
}
