//! `guerdon catalog copy`: the whole catalogue goes to another store, as it is.
//!
//! A file holds what is in force. Users' runs also refer to versions and rows that no longer are, and
//! a file cannot bring those, so this copies the store's own content. Sealed secrets go sealed: both
//! sides have to have the same master key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use domain::catalog::{Catalog, EntityKind};
use serde::Serialize;
use store::memory::MemoryCatalog;
use store::{CatalogStore, SavedRevision};
use store_sqlite::OpenError;

use crate::config::Loaded;
use crate::output::{Output, counted};
use crate::wiring::{self, Access};

/// Edits that are read at once.
const EDITS_MAX: usize = 500;

/// Copies it, or says what would be copied. A catalogue that is there already is left alone.
pub(super) async fn run(path: &Path, to: &Path, dry_run: bool, out: Output) -> anyhow::Result<()> {
    let (from, there) = (Loaded::read(path)?, Loaded::read(to)?);
    check_keys(&from, path, &there, to)?;
    let content = Content::of(&*wiring::open_catalog(&from, Access::View).await?).await?;
    ensure!(content.catalog.revision > 0, "the catalogue of {} is empty", path.display());
    let target = open(&there, dry_run).await;
    let target = target.with_context(|| format!("{} cannot take a catalogue", to.display()))?;
    let found = Content::of(&*target).await?;
    let is_there = found == content;
    ensure!(is_there || found.catalog.revision == 0, "{}", taken(to, &found));
    if !is_there && !dry_run {
        fill(&*target, &content, to).await?;
    }
    out.answer(&Copied::of(&content, to, is_there, dry_run), Copied::text)
}

/// Everything in a catalogue's store.
#[derive(PartialEq, Eq)]
struct Content {
    catalog: Catalog,
    /// Newest first.
    history: Vec<SavedRevision>,
}

impl Content {
    /// The catalogue as of one moment, with the edits that led there; later ones are left out.
    async fn of(store: &dyn CatalogStore) -> anyhow::Result<Self> {
        let catalog = store.snapshot(None).await?.context("the store has no catalogue")?;
        let (mut history, mut before) = (Vec::new(), catalog.revision + 1);
        loop {
            let page = store.history(Some(before), EDITS_MAX).await?;
            let Some(last) = page.last() else { return Ok(Self { catalog, history }) };
            before = last.revision;
            history.extend(page);
        }
    }
}

/// What is sealed here, click ids and sessions too, has to open there.
fn check_keys(from: &Loaded, path: &Path, there: &Loaded, to: &Path) -> anyhow::Result<()> {
    let (ours, our_older) = from.master_keys()?;
    let (theirs, their_older) = there.master_keys()?;
    if ours != theirs || our_older.iter().any(|key| !their_older.contains(key)) {
        bail!(
            "{} and {} have different master keys, so what one has sealed stays closed to the \
             other. Copy {} to {}, and copy the catalogue then",
            path.display(),
            to.display(),
            key_file(from).display(),
            key_file(there).display()
        );
    }
    Ok(())
}

fn key_file(loaded: &Loaded) -> PathBuf {
    loaded.folder.join(&loaded.config.secrets.master_key_file)
}

/// The store to fill. Who only looks makes nothing: a file that is not there is as good as empty.
async fn open(there: &Loaded, is_looking: bool) -> anyhow::Result<Arc<dyn CatalogStore>> {
    let access = if is_looking { Access::Beside } else { Access::Work };
    match wiring::open_catalog(there, access).await {
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => {
            Ok(Arc::new(MemoryCatalog::new()))
        }
        opened => opened,
    }
}

fn taken(to: &Path, found: &Content) -> String {
    format!(
        "the catalogue of {} is another one, at revision {}; only one that was never edited can \
         become a copy",
        to.display(),
        found.catalog.revision
    )
}

/// Fills the store, and reads back what it has.
async fn fill(target: &dyn CatalogStore, content: &Content, to: &Path) -> anyhow::Result<()> {
    let is_taken = !target.take_over(&content.catalog, &content.history).await?;
    let found = Content::of(target).await?;
    ensure!(!is_taken, "{}", taken(to, &found));
    ensure!(
        found == *content,
        "what {} holds now is not what was copied; empty its database, and copy again",
        to.display()
    );
    Ok(())
}

/// What was copied.
#[derive(Serialize)]
struct Copied {
    to: PathBuf,
    dry_run: bool,
    /// It had been copied before, and nothing was done.
    was_done: bool,
    revision: u64,
    /// Rows in force, by kind.
    rows: BTreeMap<&'static str, usize>,
    mission_versions: usize,
    deleted_rows: usize,
    edits: usize,
}

impl Copied {
    fn of(content: &Content, to: &Path, was_done: bool, dry_run: bool) -> Self {
        let Content { catalog, history } = content;
        let rows = EntityKind::ALL.into_iter().map(|kind| (kind.name(), catalog.ids(kind).len()));
        Self {
            to: to.to_owned(),
            dry_run,
            was_done,
            revision: catalog.revision,
            rows: rows.collect(),
            mission_versions: catalog.mission_versions.len(),
            deleted_rows: catalog.retired.len(),
            edits: history.len(),
        }
    }

    fn text(&self) -> String {
        let to = self.to.display();
        let content = format!(
            "revision {} with {}, {}, {} and {}",
            self.revision,
            counted(self.rows.values().sum::<usize>() as u64, "row", "rows"),
            counted(self.mission_versions as u64, "mission version", "mission versions"),
            counted(self.deleted_rows as u64, "deleted row", "deleted rows"),
            counted(self.edits as u64, "edit in its history", "edits in its history")
        );
        match (self.was_done, self.dry_run) {
            (true, _) => format!("{to} has the catalogue already: {content}. Nothing was changed."),
            (false, true) => {
                format!("{to} can take the catalogue: {content}. Nothing was changed.")
            }
            (false, false) => format!(
                "{to} has the catalogue: {content}. It was read back and is the same.\n\
                 Edit neither until the nodes use the new one: an edit of one does not reach the \
                 other."
            ),
        }
    }
}
