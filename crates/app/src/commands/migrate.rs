//! `guerdon migrate`: creates or upgrades what the configured stores need.

use std::path::Path;

use serde::Serialize;

use crate::config::Loaded;
use crate::output::Output;
use crate::wiring::{self, Migrated};

/// What became of each store.
#[derive(Serialize)]
struct Answer {
    stores: Vec<Migrated>,
}

/// Migrates every store in turn. Running it again does nothing; one that was interrupted goes on.
pub(crate) async fn run(path: &Path, out: Output) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let answer = Answer { stores: wiring::migrate(&loaded).await? };
    out.answer(&answer, |answer| {
        let lines = answer
            .stores
            .iter()
            .map(|one| format!("[{}] {}: {}", one.section, one.store, one.outcome));
        lines.collect::<Vec<_>>().join("\n")
    })
}
