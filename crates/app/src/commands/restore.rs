//! `guerdon restore`: a backup takes the database's place, after it has been checked.

use std::path::{Path, PathBuf};

use anyhow::Context;
use engine::Ctx;
use serde::Serialize;

use crate::cli::RestoreArgs;
use crate::clock;
use crate::config::Loaded;
use crate::output::{Finding, Output};
use crate::wiring;

/// A database that was put in place and verified.
#[derive(Serialize)]
struct Restored {
    database: PathBuf,
    records: u64,
    entries: u64,
    findings: usize,
}

/// Puts the backup in place, and verifies what is then there.
pub(crate) async fn run(path: &Path, args: &RestoreArgs, out: Output) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let (backup, database, replace) = (args.file.clone(), loaded.database(), args.replace);
    let restore = move || store_sqlite::restore(&backup, &database, replace);
    tokio::task::spawn_blocking(restore).await?.context("nothing was restored")?;
    let node = wiring::open_view(&loaded).await?;
    let report = node.engine.verify(&Ctx::at(clock::now()), |_, _| {}).await?;
    let restored = Restored {
        database: loaded.database(),
        records: report.records,
        entries: report.entries_checked,
        findings: report.findings.len(),
    };
    out.answer(&restored, |restored| {
        format!(
            "Restored {} with {} records; {} entries were verified.",
            restored.database.display(),
            restored.records,
            restored.entries
        )
    })?;
    match restored.findings {
        0 => Ok(()),
        count => Err(Finding(format!("{count} findings; run `guerdon verify`")).into()),
    }
}
