//! `CatalogStore`: rows as JSON that an operator can read, missions by version.
//!
//! An edit is planned on a blocking thread, where reading and encoding take their time, and written
//! by the writer, which compares the revision again: the compare-and-set holds whatever happened in
//! between.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use domain::catalog::{Catalog, Edit, Entity, EntityKind, Mission};
use domain::ids::MissionId;
use domain::time::Timestamp;
use format::catalog::{StoredRow, catalog_from_rows, mission_from_str};
use rusqlite::{Connection, Row, params};
use store::{CatalogStore, Saved, SavedRevision, StateId, StoreError, Writing, summary_of};

use crate::codec::{corrupt, entity_to_text, from_sql, int, rows, uint};
use crate::error::Failure;
use crate::identity::{Keep, Of, read as read_identity};
use crate::writer::{Tx, Work};
use crate::{SqliteStore, sql};

/// A mission with its version.
type Versioned = ((MissionId, u32), Arc<Mission>);

/// A mission, its version, and what it is.
type VersionRow = (u32, u32, String);

/// An edit, ready to be written.
struct SaveEdits {
    base: u64,
    rows: Vec<RowEdit>,
    versions: Vec<VersionRow>,
    by: String,
    at: Timestamp,
    summary: String,
}

enum RowEdit {
    Put(EntityKind, u32, String),
    Delete(EntityKind, u32),
}

impl Work for SaveEdits {
    type Answer = Saved;

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<Saved, Failure> {
        let current = read_revision(tx.conn)?;
        if current != self.base {
            return Ok(Saved::Conflict(current));
        }
        let revision = current + 1;
        for row in &self.rows {
            write_row(tx.conn, row, revision)?;
        }
        write_versions(tx.conn, &self.versions)?;
        let (at, by, summary) = (self.at, self.by.clone(), self.summary.clone());
        write_history(tx.conn, &SavedRevision { revision, at, by, summary })?;
        write_revision(tx.conn, revision)?;
        Ok(Saved::At(revision))
    }
}

/// Another store's catalogue, ready to be written.
struct TakeOver {
    revision: u64,
    rows: Vec<RowEdit>,
    versions: Vec<VersionRow>,
    history: Vec<SavedRevision>,
}

impl TakeOver {
    fn of(catalog: &Catalog, history: &[SavedRevision]) -> Result<Self, StoreError> {
        let live = EntityKind::ALL.into_iter().flat_map(|kind| {
            catalog.ids(kind).into_iter().filter_map(move |id| catalog.get(kind, id))
        });
        let puts = live.chain(catalog.retired.values().cloned()).map(Edit::Put);
        let deletes = catalog.retired.keys().map(|&(kind, id)| Edit::Delete(kind, id));
        let versions = catalog.mission_versions.iter();
        Ok(Self {
            revision: catalog.revision,
            rows: puts.chain(deletes).map(|edit| row_edit(&edit)).collect::<Result<_, _>>()?,
            versions: versions.map(version_row).collect(),
            history: history.to_vec(),
        })
    }
}

impl Work for TakeOver {
    type Answer = bool;

    const WRITING: Option<Writing> = None;

    fn run(&self, tx: &mut Tx<'_>) -> Result<bool, Failure> {
        if read_revision(tx.conn)? != 0 {
            return Ok(false);
        }
        for row in &self.rows {
            write_row(tx.conn, row, self.revision)?;
        }
        write_versions(tx.conn, &self.versions)?;
        for edit in &self.history {
            write_history(tx.conn, edit)?;
        }
        write_revision(tx.conn, self.revision)?;
        Ok(true)
    }
}

fn write_versions(conn: &Connection, versions: &[VersionRow]) -> Result<(), Failure> {
    for (mission, version, body) in versions {
        conn.prepare_cached(sql::VERSION_PUT)?.execute(params![mission, version, body])?;
    }
    Ok(())
}

fn write_history(conn: &Connection, edit: &SavedRevision) -> Result<(), Failure> {
    let row = params![int(edit.revision), edit.at.0, edit.by, edit.summary];
    conn.prepare_cached(sql::HISTORY_PUT)?.execute(row)?;
    Ok(())
}

fn write_revision(conn: &Connection, revision: u64) -> Result<(), Failure> {
    let meta = params!["catalog_revision", int(revision)];
    conn.prepare_cached(sql::META_SET)?.execute(meta)?;
    Ok(())
}

fn write_row(conn: &Connection, edit: &RowEdit, revision: u64) -> Result<(), Failure> {
    match edit {
        RowEdit::Put(kind, id, body) => conn.prepare_cached(sql::CATALOG_PUT)?.execute(params![
            kind.name(),
            id,
            int(revision),
            body
        ])?,
        RowEdit::Delete(kind, id) => conn.prepare_cached(sql::CATALOG_DELETE)?.execute(params![
            kind.name(),
            id,
            int(revision)
        ])?,
    };
    Ok(())
}

fn read_revision(conn: &Connection) -> Result<u64, Failure> {
    let mut select = conn.prepare_cached(sql::META_GET)?;
    Ok(uint(select.query_row(["catalog_revision"], |row| row.get(0))?))
}

/// What the edits write; the versions are right as long as the revision stays at `base`.
fn plan(conn: &Connection, base: u64, edits: &[Edit]) -> Result<Result<SaveEdits, Saved>, Failure> {
    let current = read_revision(conn)?;
    if current != base {
        return Ok(Err(Saved::Conflict(current)));
    }
    Ok(Ok(SaveEdits {
        base,
        rows: edits.iter().map(row_edit).collect::<Result<_, _>>()?,
        versions: new_versions(conn, edits)?,
        by: String::new(),
        at: Timestamp::default(),
        summary: summary_of(edits),
    }))
}

fn row_edit(edit: &Edit) -> Result<RowEdit, StoreError> {
    Ok(match edit {
        Edit::Put(Entity::Mission(row)) => {
            RowEdit::Put(EntityKind::Mission, row.id.0, String::new())
        }
        Edit::Put(entity) => RowEdit::Put(entity.kind(), entity.id(), entity_to_text(entity)),
        Edit::Delete(kind, id) => RowEdit::Delete(*kind, *id),
    })
}

/// Lets the domain give the versions, on a catalogue of nothing but the edited missions.
fn new_versions(conn: &Connection, edits: &[Edit]) -> Result<Vec<VersionRow>, Failure> {
    let mut part = Catalog::default();
    let touched: BTreeSet<MissionId> = edits.iter().filter_map(Edit::mission).collect();
    for mission in touched {
        load_mission(conn, mission, &mut part)?;
    }
    Ok(part.versions_made_by(edits).iter().map(version_row).collect())
}

fn version_row((&(id, version), mission): (&(MissionId, u32), &Arc<Mission>)) -> VersionRow {
    (id.0, version, entity_to_text(&Entity::Mission(Arc::clone(mission))))
}

fn load_mission(conn: &Connection, id: MissionId, into: &mut Catalog) -> Result<(), Failure> {
    let mut select = conn.prepare_cached(sql::VERSIONS_OF)?;
    for version in select.query_and_then([id.0], version_of_row)? {
        let (key, mission) = version?;
        into.mission_versions.insert(key, mission);
    }
    let mut has = conn.prepare_cached(sql::CATALOG_HAS)?;
    if has.exists(params![EntityKind::Mission.name(), id.0])? {
        let latest = latest_version(id, into)?;
        into.missions.insert(id, latest);
    }
    Ok(())
}

fn latest_version(id: MissionId, catalog: &Catalog) -> Result<Arc<Mission>, StoreError> {
    let latest = catalog.latest_version(id);
    latest.map(Arc::clone).ok_or_else(|| corrupt("mission without a version", id))
}

fn version_of_row(row: &Row<'_>) -> Result<Versioned, Failure> {
    let (id, version) = (MissionId(row.get(0)?), row.get(1)?);
    let text = row.get_ref(2)?.as_str().map_err(from_sql)?;
    let mission = mission_from_str(version, text)?;
    Ok(((id, version), mission))
}

/// A row on its way into the catalogue.
type Stored = Result<StoredRow<String>, Failure>;

fn read_catalog(conn: &Connection) -> Result<Catalog, Failure> {
    let mut versions = conn.prepare_cached(sql::VERSIONS_ALL)?;
    let mut rows = conn.prepare_cached(sql::CATALOG_ROWS)?;
    let versions = versions.query_and_then([], stored_version)?;
    let rows = rows.query_and_then([], stored_row)?;
    catalog_from_rows(read_revision(conn)?, versions.chain(rows))
}

fn stored_version(row: &Row<'_>) -> Stored {
    let (mission, version, text) = (MissionId(row.get(0)?), row.get(1)?, row.get(2)?);
    Ok(StoredRow::Version { mission, version, text })
}

fn stored_row(row: &Row<'_>) -> Stored {
    let name = row.get_ref(0)?.as_str().map_err(from_sql)?;
    let kind = EntityKind::parse(name)
        .ok_or_else(|| corrupt("catalogue row", format_args!("unknown kind {name}")))?;
    Ok(StoredRow::Row { kind, id: row.get(1)?, is_deleted: row.get(2)?, text: row.get(3)? })
}

fn read_history(
    conn: &Connection,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<SavedRevision>, Failure> {
    let mut select = conn.prepare_cached(sql::HISTORY_READ)?;
    let before = int(before.unwrap_or(u64::MAX));
    let edits = select.query_map([before, rows(limit)], |row| {
        Ok(SavedRevision {
            revision: uint(row.get(0)?),
            at: Timestamp(row.get(1)?),
            by: row.get(2)?,
            summary: row.get(3)?,
        })
    })?;
    Ok(edits.collect::<Result<_, _>>()?)
}

#[async_trait]
impl CatalogStore for SqliteStore {
    async fn snapshot(&self, known: Option<&Catalog>) -> Result<Option<Catalog>, StoreError> {
        // Nearly every call finds nothing new, and that answer is one point read.
        let current = self.readers().point(read_revision)?;
        if known.is_some_and(|known| known.revision == current) {
            return Ok(None);
        }
        // All edits are this process's own and are served without being read back, so it is the start
        // that reads.
        self.readers().scan(read_catalog).await.map(Some)
    }

    async fn save(
        &self,
        base: u64,
        edits: Vec<Edit>,
        by: &str,
        at: Timestamp,
    ) -> Result<Saved, StoreError> {
        let planned = self.readers().scan(move |conn| plan(conn, base, &edits)).await?;
        match planned {
            Ok(save) => self.ask(SaveEdits { by: by.to_owned(), at, ..save }).await,
            Err(conflict) => Ok(conflict),
        }
    }

    async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SavedRevision>, StoreError> {
        self.readers().scan(move |conn| read_history(conn, before, limit)).await
    }

    async fn take_over(
        &self,
        catalog: &Catalog,
        history: &[SavedRevision],
    ) -> Result<bool, StoreError> {
        self.ask(TakeOver::of(catalog, history)?).await
    }

    async fn state(&self) -> Result<Option<StateId>, StoreError> {
        self.readers().point(|conn| read_identity(conn, Of::Catalog))
    }

    async fn adopt(&self, state: StateId) -> Result<StateId, StoreError> {
        self.ask(Keep(Of::Catalog, state)).await
    }
}
