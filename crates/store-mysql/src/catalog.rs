//! `CatalogStore`: rows as JSON that an operator can read, missions by version.
//!
//! | verb | round trips |
//! |---|---|
//! | `snapshot` of what is known | 1 |
//! | `snapshot` | 2: the revision, and what is newer, or everything, in one statement, which has one view |
//! | `save` | 6 to 8: begin, lock the revision, read the edited missions, write, commit |
//! | `history` | 1 |
//! | `take_over` | 6 and more: begin, lock the revision, write in parts, commit |
//!
//! An edit is planned inside its transaction, behind the lock on the revision, so edits take turns
//! and the compare-and-set holds. The server names the edit; the name stands in the history, so an
//! edit whose answer was lost finds itself there when it is tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::catalog::{Catalog, Edit, Entity, EntityKind, Mission};
use domain::ids::MissionId;
use domain::time::Timestamp;
use format::catalog::{StoredRow, catalog_from_rows, mission_from_str};
use sqlx::Row;
use sqlx::mysql::MySqlRow;
use store::{CatalogStore, Saved, SavedRevision, StateId, StoreError, summary_of};

use crate::ask::Ask;
use crate::codec::{corrupt, entity_to_text, rows};
use crate::connect::Session;
use crate::error::Failure;
use crate::options::{POINT_MAX, SCAN_MAX, WRITE_MAX};
use crate::readers::Unit;
use crate::{MysqlStore, identity, sql};

/// Rows that one statement writes or looks for.
const ROWS_MAX: usize = 200;

/// Bytes of text that one statement writes, unless a single row is longer: far below what servers
/// take in one packet.
const BYTES_MAX: usize = 1 << 20;

/// A mission with its version.
type Versioned = ((MissionId, u32), Arc<Mission>);

/// A mission, its version, and what it is.
type VersionRow = (u32, u32, String);

/// Edits on top of a revision.
struct SaveEdits<'a> {
    base: u64,
    edits: Vec<Edit>,
    by: &'a str,
    at: Timestamp,
    /// The name that the server gave to this edit at the first try.
    name: Option<String>,
}

#[async_trait]
impl Unit for SaveEdits<'_> {
    type Answer = (Saved, String);

    async fn run(&mut self, session: &mut Session) -> Result<Self::Answer, Failure> {
        let row = session.row(&Ask::new(sql::CATALOG_LOCK), WRITE_MAX).await?;
        let row = row.ok_or_else(no_head)?;
        let (current, fresh): (u64, String) = (row.try_get(0)?, row.try_get(1)?);
        let name = self.name.get_or_insert(fresh).clone();
        if current != self.base {
            let edit = edit_to(session, self.base.saturating_add(1)).await?;
            let is_ours = edit.is_some_and(|edit| edit == name);
            let saved = if is_ours { Saved::At(self.base + 1) } else { Saved::Conflict(current) };
            return Ok((saved, name));
        }
        let revision = current + 1;
        let versions = new_versions(session, &self.edits).await?;
        write_rows(session, &self.edits, revision).await?;
        write_versions(session, &versions).await?;
        let (by, summary) = (self.by.to_owned(), summary_of(&self.edits));
        let edit = SavedRevision { revision, at: self.at, by, summary };
        write_history(session, &[edit], &name).await?;
        session.run(&Ask::new(sql::CATALOG_SET).bind(revision), WRITE_MAX).await?;
        Ok((Saved::At(revision), name))
    }
}

/// Another store's catalogue, as it is.
struct TakeOver<'a> {
    catalog: &'a Catalog,
    history: &'a [SavedRevision],
    /// The name that the server gave to it at the first try; every edit in the history carries it.
    name: Option<String>,
}

#[async_trait]
impl Unit for TakeOver<'_> {
    type Answer = bool;

    async fn run(&mut self, session: &mut Session) -> Result<bool, Failure> {
        let row = session.row(&Ask::new(sql::CATALOG_LOCK), WRITE_MAX).await?;
        let row = row.ok_or_else(no_head)?;
        let (current, fresh): (u64, String) = (row.try_get(0)?, row.try_get(1)?);
        let name = self.name.get_or_insert(fresh).clone();
        let revision = self.catalog.revision;
        if current != 0 {
            let edit = edit_to(session, revision).await?;
            return Ok(edit.is_some_and(|edit| edit == name));
        }
        put_rows(session, &every_row(self.catalog), revision).await?;
        let versions: Vec<_> = self.catalog.mission_versions.iter().map(version_row).collect();
        write_versions(session, &versions).await?;
        write_history(session, self.history, &name).await?;
        session.run(&Ask::new(sql::CATALOG_SET).bind(revision), WRITE_MAX).await?;
        Ok(true)
    }
}

/// The rows of a catalogue, those that are deleted too.
fn every_row(catalog: &Catalog) -> Vec<CatalogRow> {
    let live = EntityKind::ALL
        .into_iter()
        .flat_map(|kind| catalog.ids(kind).into_iter().filter_map(move |id| catalog.get(kind, id)));
    let live = live.map(|entity| row_of(&entity));
    let retired = catalog.retired.values().map(|entity| {
        let row = row_of(entity);
        CatalogRow { is_deleted: true, ..row }
    });
    live.chain(retired).collect()
}

async fn write_history(
    session: &mut Session,
    history: &[SavedRevision],
    name: &str,
) -> Result<(), Failure> {
    for part in parts(history, |edit| edit.by.len() + edit.summary.len()) {
        let values = sql::rows_of(part.len(), 5);
        let mut ask = Ask::many(format!("{}{values}", sql::HISTORY_PUT));
        for edit in part {
            ask = ask.bind(edit.revision).bind(edit.at.0).bind(&*edit.by);
            ask = ask.bind(&*edit.summary).bind(name);
        }
        session.run(&ask, WRITE_MAX).await?;
    }
    Ok(())
}

fn no_head() -> StoreError {
    corrupt("catalogue", "the row of its revision is missing")
}

/// The name of the edit that led to a revision.
async fn edit_to(session: &mut Session, revision: u64) -> Result<Option<String>, Failure> {
    let row = session.row(&Ask::new(sql::HISTORY_EDIT).bind(revision), WRITE_MAX).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Writes the rows in the order of the edits, many at once where nothing is deleted in between.
async fn write_rows(session: &mut Session, edits: &[Edit], revision: u64) -> Result<(), Failure> {
    let mut puts = Vec::new();
    for edit in edits {
        match edit {
            Edit::Put(entity) => puts.push(row_of(entity)),
            Edit::Delete(kind, id) => {
                put_rows(session, &std::mem::take(&mut puts), revision).await?;
                let ask = Ask::new(sql::CATALOG_DELETE).bind(revision).bind(kind.name()).bind(*id);
                session.run(&ask, WRITE_MAX).await?;
            }
        }
    }
    put_rows(session, &puts, revision).await
}

/// A row of the table, without the revision that it is written at.
struct CatalogRow {
    kind: EntityKind,
    id: u32,
    is_deleted: bool,
    body: String,
}

/// An entity that is there. The body of a mission stands with its versions.
fn row_of(entity: &Entity) -> CatalogRow {
    let body = match entity {
        Entity::Mission(_) => String::new(),
        entity => entity_to_text(entity),
    };
    CatalogRow { kind: entity.kind(), id: entity.id(), is_deleted: false, body }
}

async fn put_rows(
    session: &mut Session,
    puts: &[CatalogRow],
    revision: u64,
) -> Result<(), Failure> {
    for part in parts(puts, |row| row.body.len()) {
        let values = sql::rows_of(part.len(), 5);
        let mut ask = Ask::many(format!("{}{values}", sql::CATALOG_PUT));
        for CatalogRow { kind, id, is_deleted, body } in part {
            ask = ask.bind(kind.name()).bind(*id).bind(revision).bind(*is_deleted).bind(&**body);
        }
        session.run(&ask, WRITE_MAX).await?;
    }
    Ok(())
}

async fn write_versions(session: &mut Session, versions: &[VersionRow]) -> Result<(), Failure> {
    for part in parts(versions, |(_, _, body)| body.len()) {
        let values = sql::rows_of(part.len(), 3);
        let mut ask = Ask::many(format!("{}{values}", sql::VERSION_PUT));
        for (mission, version, body) in part {
            ask = ask.bind(*mission).bind(*version).bind(&**body);
        }
        session.run(&ask, WRITE_MAX).await?;
    }
    Ok(())
}

/// Rows in parts that one statement can write.
fn parts<T>(rows: &[T], bytes: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut parts, mut rest) = (Vec::new(), rows);
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = rest.iter().take(ROWS_MAX).take_while(|row| {
            sum += bytes(row);
            sum <= BYTES_MAX
        });
        let (part, more) = rest.split_at(fits.count().max(1));
        parts.push(part);
        rest = more;
    }
    parts
}

/// Lets the domain give the versions, on a catalogue of nothing but the edited missions.
async fn new_versions(session: &mut Session, edits: &[Edit]) -> Result<Vec<VersionRow>, Failure> {
    let touched: BTreeSet<MissionId> = edits.iter().filter_map(Edit::mission).collect();
    let touched: Vec<MissionId> = touched.into_iter().collect();
    let mut part = Catalog::default();
    for some in touched.chunks(ROWS_MAX) {
        load_missions(session, some, &mut part).await?;
    }
    Ok(part.versions_made_by(edits).iter().map(version_row).collect())
}

fn version_row((&(id, version), mission): (&(MissionId, u32), &Arc<Mission>)) -> VersionRow {
    (id.0, version, entity_to_text(&Entity::Mission(Arc::clone(mission))))
}

async fn load_missions(
    session: &mut Session,
    missions: &[MissionId],
    into: &mut Catalog,
) -> Result<(), Failure> {
    let list = sql::list_of(missions.len());
    let mut versions = Ask::many(format!("{}{list}", sql::VERSIONS_OF));
    let mut live =
        Ask::many(format!("{}{list}", sql::MISSIONS_LIVE)).bind(EntityKind::Mission.name());
    for mission in missions {
        versions.push(mission.0);
        live.push(mission.0);
    }
    for row in session.rows(&versions, WRITE_MAX).await? {
        let (key, mission) = version_of(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)?;
        into.mission_versions.insert(key, mission);
    }
    for row in session.rows(&live, WRITE_MAX).await? {
        let id = MissionId(row.try_get(0)?);
        let latest = latest_version(id, into)?;
        into.missions.insert(id, latest);
    }
    Ok(())
}

fn latest_version(id: MissionId, catalog: &Catalog) -> Result<Arc<Mission>, StoreError> {
    let latest = catalog.latest_version(id);
    latest.map(Arc::clone).ok_or_else(|| corrupt("mission without a version", id))
}

fn version_of(id: u32, version: u32, text: &str) -> Result<Versioned, Failure> {
    Ok(((MissionId(id), version), mission_from_str(version, text)?))
}

/// Edits that are remembered; whoever has an older catalogue reads all of the present one.
const EDITS_MAX: usize = 64;

/// Which edit led to each revision that was read or saved lately. A revision alone does not say which
/// catalogue it is: the database may have been put back in place from a backup, and edited since.
#[derive(Debug, Default)]
pub(crate) struct EditsSeen(Mutex<BTreeMap<u64, String>>);

impl EditsSeen {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, revision: u64, name: String) {
        let mut seen = self.lock();
        seen.insert(revision, name);
        if seen.len() > EDITS_MAX {
            seen.pop_first();
        }
    }

    fn to(&self, revision: u64) -> Option<String> {
        self.lock().get(&revision).cloned()
    }
}

/// What the rows of [`sql::CATALOG_WHOLE`] or [`sql::CATALOG_NEWER`] say.
struct Found {
    /// All of the catalogue, or what is newer of it.
    catalog: Catalog,
    /// Which edit led to its revision.
    edit: String,
    /// Which edit led to the revision that was known.
    known: Option<String>,
}

impl Found {
    /// Reads rows, which come in no particular order.
    fn of(rows: &[MySqlRow]) -> Result<Self, Failure> {
        let (mut head, mut known) = (None, None);
        let mut stored = Vec::with_capacity(rows.len());
        for row in rows {
            match row.try_get::<u64, _>(0)? {
                0 => head = Some((row.try_get(3)?, row.try_get(5)?)),
                1 => stored.push(stored_version(row)),
                3 => known = Some(row.try_get(5)?),
                _ => stored.push(stored_row(row)),
            }
        }
        let (revision, edit) = head.ok_or_else(no_head)?;
        let catalog = catalog_from_rows(revision, stored.into_iter())?;
        Ok(Self { catalog, edit, known })
    }
}

/// A number that stands in a wider column than it needs.
fn small(row: &MySqlRow, column: usize) -> Result<u32, Failure> {
    let number: u64 = row.try_get(column)?;
    Ok(u32::try_from(number).map_err(|why| corrupt("catalogue row", why))?)
}

/// A row on its way into the catalogue.
type Stored<'a> = Result<StoredRow<&'a str>, Failure>;

fn stored_version(row: &MySqlRow) -> Stored<'_> {
    let (mission, version) = (MissionId(small(row, 2)?), small(row, 3)?);
    Ok(StoredRow::Version { mission, version, text: row.try_get(5)? })
}

fn stored_row(row: &MySqlRow) -> Stored<'_> {
    let (name, id, is_deleted): (&str, u32, bool) =
        (row.try_get(1)?, small(row, 2)?, small(row, 4)? != 0);
    let kind = EntityKind::parse(name)
        .ok_or_else(|| corrupt("catalogue row", format_args!("unknown kind {name}")))?;
    Ok(StoredRow::Row { kind, id, is_deleted, text: row.try_get(5)? })
}

fn history_of(row: &MySqlRow) -> Result<SavedRevision, sqlx::Error> {
    Ok(SavedRevision {
        revision: row.try_get(0)?,
        at: Timestamp(row.try_get(1)?),
        by: row.try_get(2)?,
        summary: row.try_get(3)?,
    })
}

impl MysqlStore {
    /// A catalogue with what is newer, if it is the one that this store was seen to have.
    async fn newer_than(&self, known: &Catalog) -> Result<Option<Catalog>, Failure> {
        let revision = known.revision;
        let Some(seen) = self.edits_seen.to(revision) else { return Ok(None) };
        let ask = Ask::new(sql::CATALOG_NEWER).bind(revision).bind(revision);
        let ask = ask.bind(EntityKind::Mission.name()).bind(revision);
        let found = Found::of(&self.readers().rows(&ask, SCAN_MAX).await?)?;
        if found.known != Some(seen) || found.catalog.revision < revision {
            return Ok(None);
        }
        self.edits_seen.note(found.catalog.revision, found.edit);
        Ok(Some(known.with_newer(found.catalog)))
    }
}

#[async_trait]
impl CatalogStore for MysqlStore {
    async fn snapshot(&self, known: Option<&Catalog>) -> Result<Option<Catalog>, StoreError> {
        // Nearly every call finds nothing new, and that answer is one round trip.
        if let Some(known) = known {
            let row = self.readers().row(&Ask::new(sql::CATALOG_REVISION), POINT_MAX).await?;
            let row = row.ok_or_else(no_head)?;
            let revision: u64 = row.try_get(0).map_err(Failure::Sql)?;
            if known.revision == revision {
                return Ok(None);
            }
            if let Some(newer) = self.newer_than(known).await? {
                return Ok(Some(newer));
            }
        }
        let rows = self.readers().rows(&Ask::new(sql::CATALOG_WHOLE), SCAN_MAX).await?;
        let Found { catalog, edit, .. } = Found::of(&rows)?;
        self.edits_seen.note(catalog.revision, edit);
        Ok(Some(catalog))
    }

    async fn save(
        &self,
        base: u64,
        edits: Vec<Edit>,
        by: &str,
        at: Timestamp,
    ) -> Result<Saved, StoreError> {
        let save = SaveEdits { base, edits, by, at, name: None };
        let (saved, name) = self.readers().transact(save).await?;
        if let Saved::At(revision) = saved {
            self.edits_seen.note(revision, name);
        }
        Ok(saved)
    }

    async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SavedRevision>, StoreError> {
        let before = before.unwrap_or(u64::MAX);
        let ask = Ask::new(sql::HISTORY_READ).bind(before).bind(rows(limit));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        let edits = found.iter().map(|row| Ok(history_of(row)?));
        Ok(edits.collect::<Result<_, Failure>>()?)
    }

    async fn take_over(
        &self,
        catalog: &Catalog,
        history: &[SavedRevision],
    ) -> Result<bool, StoreError> {
        self.readers().transact(TakeOver { catalog, history, name: None }).await
    }

    async fn state(&self) -> Result<Option<StateId>, StoreError> {
        identity::of_catalog(self.readers()).await
    }

    async fn adopt(&self, state: StateId) -> Result<StateId, StoreError> {
        identity::adopt(self.readers(), state).await
    }
}
