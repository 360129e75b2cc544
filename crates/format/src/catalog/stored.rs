//! A whole catalogue from the rows of a store: as texts in JSON, in any order, tens of thousands of them.
//!
//! Most of the time of a start is reading these texts, so they are read by several threads, in batches,
//! while the rows are still coming: no more of them stand in memory than a few batches.

use std::collections::HashSet;
use std::hash::Hash;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use domain::catalog::{Catalog, Entity, EntityKind, Mission, StepText, Targeting};
use domain::ids::MissionId;

use super::entity_from_str;

/// Rows that a thread takes at once: enough that handing them over costs nothing, and so few that one
/// thread reads a small catalogue before a second would have begun.
const BATCH: usize = 1_024;
/// Most threads that read; more would wait for the rows.
const THREADS_MAX: usize = 4;

/// A row of a store.
#[derive(Clone, Debug)]
pub enum StoredRow<T> {
    /// A version of a mission.
    Version {
        /// The mission.
        mission: MissionId,
        /// The version, which its text need not say.
        version: u32,
        /// What it is.
        text: T,
    },
    /// A row that people edit. That of a mission says only that there is one.
    Row {
        /// What it is a row of.
        kind: EntityKind,
        /// Its number.
        id: u32,
        /// Whether it has been deleted; then it is as it was at last.
        is_deleted: bool,
        /// What it is; of a mission nothing.
        text: T,
    },
}

/// What a store keeps does not make a catalogue.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoredError(String);

/// The catalogue at `revision` that consists of these rows.
///
/// # Errors
/// The first row that cannot be read or is no part of a catalogue, or what `rows` says.
pub fn catalog_from_rows<T, E>(
    revision: u64,
    rows: impl Iterator<Item = Result<StoredRow<T>, E>>,
) -> Result<Catalog, E>
where
    T: AsRef<str> + Send,
    E: From<StoredError>,
{
    let mut rows = rows.peekable();
    let first = rows.by_ref().take(BATCH).collect::<Result<Vec<_>, E>>()?;
    let parts = match rows.peek() {
        None => vec![Part::of(first)?],
        Some(_) => read_by_threads(first, rows)?,
    };
    Ok(assembled(revision, parts)?)
}

/// The mission that a text says; the number of the version need not stand in it.
///
/// # Errors
/// The text cannot be read.
pub fn mission_from_str(version: u32, text: &str) -> Result<Arc<Mission>, StoredError> {
    match entity_from_str(EntityKind::Mission, text).map_err(|why| StoredError(why.to_string()))? {
        Entity::Mission(mission) if mission.version == version => Ok(mission),
        Entity::Mission(mission) => {
            Ok(Arc::new(Mission { version, ..Arc::unwrap_or_clone(mission) }))
        }
        other => Err(StoredError(format!("a mission is one of the {}", other.kind().name()))),
    }
}

/// What one thread has read.
#[derive(Default)]
struct Part {
    /// Missions that there are, and whether they have been deleted.
    missions: Vec<(MissionId, bool)>,
    /// Everything else.
    catalog: Catalog,
    targetings: Shared<Targeting>,
    texts: Shared<Vec<StepText>>,
}

/// Values of which one copy is enough: what many rows say alike would take the most memory of all. The
/// threads do not know each other's, so there is one copy for each of them.
struct Shared<T>(HashSet<Arc<T>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: Eq + Hash> Shared<T> {
    fn share(&mut self, value: &mut Arc<T>) {
        match self.0.get(&*value) {
            Some(known) => *value = Arc::clone(known),
            None => drop(self.0.insert(Arc::clone(value))),
        }
    }
}

impl Part {
    fn of<T: AsRef<str>>(batch: Vec<StoredRow<T>>) -> Result<Self, StoredError> {
        let mut part = Self::default();
        batch.into_iter().try_for_each(|row| part.read(row))?;
        Ok(part)
    }

    fn read<T: AsRef<str>>(&mut self, row: StoredRow<T>) -> Result<(), StoredError> {
        match row {
            StoredRow::Version { mission, version, text } => {
                let mut read = mission_from_str(version, text.as_ref())
                    .map_err(|why| StoredError(format!("mission {mission}: {why}")))?;
                let steps = Arc::get_mut(&mut read).into_iter().flat_map(|read| &mut read.steps);
                steps.for_each(|step| self.texts.share(&mut step.texts));
                self.catalog.mission_versions.insert((mission, version), read);
            }
            StoredRow::Row { kind: EntityKind::Mission, id, is_deleted, .. } => {
                self.missions.push((MissionId(id), is_deleted));
            }
            StoredRow::Row { kind, id, is_deleted, text } => {
                let mut row = entity_from_str(kind, text.as_ref())
                    .map_err(|why| StoredError(format!("{} {id}: {why}", kind.name())))?;
                if let Entity::AdGroup(row) = &mut row {
                    self.targetings.share(&mut row.targeting);
                }
                self.catalog.restore(row, is_deleted);
            }
        }
        Ok(())
    }
}

/// The batches that wait, for whichever thread is free.
type Waiting<T> = Mutex<Receiver<Vec<StoredRow<T>>>>;

fn read_by_threads<T, E>(
    first: Vec<StoredRow<T>>,
    rows: impl Iterator<Item = Result<StoredRow<T>, E>>,
) -> Result<Vec<Part>, E>
where
    T: AsRef<str> + Send,
    E: From<StoredError>,
{
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let (sender, receiver) = sync_channel(threads);
    let waiting: Waiting<T> = Mutex::new(receiver);
    let (handed, read) = thread::scope(|scope| {
        let readers: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| read_waiting(&waiting))).collect();
        let handed = hand_over(first, rows, sender);
        let read: Vec<_> = readers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        (handed, read)
    });
    handed?;
    let panicked = |_| StoredError("a thread that read it has panicked".to_owned());
    let parts = read.into_iter().map(|part| part.map_err(panicked).and_then(|part| part));
    Ok(parts.collect::<Result<_, StoredError>>()?)
}

fn hand_over<T, E>(
    mut batch: Vec<StoredRow<T>>,
    rows: impl Iterator<Item = Result<StoredRow<T>, E>>,
    sender: SyncSender<Vec<StoredRow<T>>>,
) -> Result<(), E> {
    let mut rows = rows.peekable();
    while !batch.is_empty() {
        // Nobody reads any more only after an error, which the threads tell.
        if sender.send(batch).is_err() {
            return Ok(());
        }
        batch = rows.by_ref().take(BATCH).collect::<Result<_, E>>()?;
    }
    Ok(())
}

/// Reads until nothing comes any more. After an error the rest is taken and thrown away, so that whoever
/// hands over is never left waiting.
fn read_waiting<T: AsRef<str>>(waiting: &Waiting<T>) -> Result<Part, StoredError> {
    let mut read = Ok(Part::default());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(batch) = next() {
        if let Ok(part) = &mut read
            && let Err(error) = batch.into_iter().try_for_each(|row| part.read(row))
        {
            read = Err(error);
        }
    }
    read
}

/// The whole. A mission's row is its latest version, which any thread may have read.
fn assembled(revision: u64, parts: Vec<Part>) -> Result<Catalog, StoredError> {
    let (mut catalog, mut missions) = (Catalog { revision, ..Catalog::default() }, Vec::new());
    for part in parts {
        catalog.append(part.catalog);
        missions.extend(part.missions);
    }
    for (id, is_deleted) in missions {
        let latest = catalog.latest_version(id).map(Arc::clone);
        let latest = latest.ok_or_else(|| StoredError(format!("mission {id} has no version")))?;
        catalog.restore(Entity::Mission(latest), is_deleted);
    }
    Ok(catalog)
}

#[cfg(test)]
mod tests {
    use domain::catalog::{Edit, LineItem, sample};
    use domain::ids::LineItemId;

    use super::*;
    use crate::catalog::entity_to_json;

    /// The rows of a catalogue as stores keep them.
    fn rows_of(catalog: &Catalog) -> Vec<StoredRow<String>> {
        let text = |entity: &Entity| entity_to_json(entity).to_string();
        let row = |entity: &Entity, is_deleted| StoredRow::Row {
            kind: entity.kind(),
            id: entity.id(),
            is_deleted,
            text: if entity.kind() == EntityKind::Mission { String::new() } else { text(entity) },
        };
        let live = EntityKind::ALL.into_iter().flat_map(|kind| {
            catalog.ids(kind).into_iter().filter_map(move |id| catalog.get(kind, id))
        });
        let versions = catalog.mission_versions.iter().map(|(&(mission, version), one)| {
            let text = text(&Entity::Mission(Arc::clone(one)));
            StoredRow::Version { mission, version, text }
        });
        let live = live.map(|entity| row(&entity, false));
        let retired = catalog.retired.values().map(|entity| row(entity, true));
        live.chain(retired).chain(versions).collect()
    }

    /// Some of everything, older versions and deleted rows, and `line_items` more line items.
    fn catalog(line_items: u32) -> Catalog {
        let sample = sample::catalog();
        let mut mission = Mission::clone(&sample.missions[&MissionId(1)]);
        mission.window_seconds += 1;
        let other = Mission { id: MissionId(2), ..mission.clone() };
        let mut edits = vec![Edit::Put(Entity::Mission(Arc::new(mission)))];
        edits.push(Edit::Put(Entity::Mission(Arc::new(other))));
        edits.push(Edit::Delete(EntityKind::Mission, 2));
        edits.push(Edit::Delete(EntityKind::Segment, 1));
        edits.extend((2..line_items + 2).map(|id| {
            let one = LineItem::clone(&sample.line_items[&LineItemId(1)]);
            Edit::Put(Entity::LineItem(LineItem { id: LineItemId(id), ..one }))
        }));
        sample.edited(&edits)
    }

    fn read(revision: u64, rows: Vec<StoredRow<String>>) -> Result<Catalog, StoredError> {
        catalog_from_rows(revision, rows.into_iter().map(Ok))
    }

    #[test]
    fn a_catalogue_comes_back_from_its_rows_in_any_order() {
        for line_items in [0, 1, 5_000] {
            let expected = catalog(line_items);
            let mut rows = rows_of(&expected);
            assert_eq!(read(expected.revision, rows.clone()), Ok(expected.clone()));
            rows.reverse();
            assert_eq!(read(expected.revision, rows), Ok(expected));
        }
        assert_eq!(read(0, Vec::new()), Ok(Catalog::default()));
    }

    #[test]
    fn what_cannot_be_read_is_told_whichever_thread_reads_it() {
        for line_items in [0, 5_000] {
            let broken = |change: fn(&mut StoredRow<String>)| {
                let mut rows = rows_of(&catalog(line_items));
                let middle = rows.len() / 2;
                let at = rows[middle..].iter().position(|row| {
                    matches!(row, StoredRow::Row { kind: EntityKind::LineItem, .. })
                });
                change(&mut rows[at.map_or(middle, |at| middle + at)]);
                read(1, rows).map(drop).map_err(|why| why.to_string())
            };
            let error = broken(|row| {
                let (StoredRow::Row { text, .. } | StoredRow::Version { text, .. }) = row;
                *text = "{".to_owned();
            });
            assert!(error.is_err_and(|why| why.contains("EOF")));
            let error = broken(|row| {
                let (kind, id, is_deleted, text) = (EntityKind::Mission, 77, false, String::new());
                *row = StoredRow::Row { kind, id, is_deleted, text };
            });
            assert_eq!(error, Err("mission 77 has no version".to_owned()));
        }
    }

    #[test]
    fn an_error_of_the_rows_is_handed_on() {
        for line_items in [0, 5_000] {
            let mut rows: Vec<_> = rows_of(&catalog(line_items)).into_iter().map(Ok).collect();
            let told = StoredError("the disk is gone".to_owned());
            rows.push(Err(told.clone()));
            assert_eq!(catalog_from_rows(1, rows.into_iter()), Err(told));
        }
    }
}
