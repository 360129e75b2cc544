//! `CatalogStore`: the whole tree at a revision, and edits on top of one.
//!
//! What an edit makes of a catalogue is the domain's to say; a store must come to the same.

use std::sync::Arc;

use domain::catalog::{Catalog, Edit, Entity, EntityKind, Mission, Segment, sample as samples};
use domain::ids::{MissionId, SegmentId};
use domain::time::Timestamp;

use super::check::all;
use super::sample::NOW;
use super::{Checked, Failure, Fixture};
use crate::{CatalogStore, Saved, SavedRevision, StateId, StoreError};

const MISSION: MissionId = MissionId(1);

/// A catalogue is given whole, or not at all to somebody who has it already.
pub async fn catalog_snapshot_is_only_given_when_it_differs(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    let empty = Some(Catalog::default());
    ensure_eq!(store.snapshot(None).await?, empty, "a catalogue that was never edited");
    ensure_eq!(store.snapshot(empty.as_ref()).await?, None, "the same for somebody who has it");
    let saved = store.save(0, entities(), "ann", NOW).await?;
    ensure_eq!(saved, Saved::At(1), "the first edit");
    let whole = Some(samples::catalog());
    for revision in [0, 2, u64::MAX] {
        let known = Catalog { revision, ..Catalog::default() };
        let found = store.snapshot(Some(&known)).await?;
        ensure_eq!(found, whole, "the catalogue beside an empty one of revision {revision}");
    }
    ensure_eq!(store.snapshot(None).await?, whole, "the catalogue");
    let found = store.snapshot(whole.as_ref()).await?;
    ensure_eq!(found, None, "the catalogue for somebody who has it");
    Ok(())
}

/// An edit of any other revision than the present one is refused and leaves nothing.
pub async fn catalog_save_on_another_revision_is_a_conflict(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    let conflict = store.save(1, vec![segment(1, "One")], "ann", NOW).await?;
    ensure_eq!(conflict, Saved::Conflict(0), "an edit of a revision to come");
    store.save(0, vec![segment(1, "One")], "ann", NOW).await?;
    let before = store.snapshot(None).await?;
    for base in [0, 2, u64::MAX] {
        let conflict = store.save(base, vec![segment(1, "Two")], "bob", NOW).await?;
        ensure_eq!(conflict, Saved::Conflict(1), "an edit of revision {base}");
    }
    ensure_eq!(store.snapshot(None).await?, before, "the catalogue after conflicts");
    ensure_eq!(store.history(None, 10).await?.len(), 1, "the number of saved edits");
    Ok(())
}

/// Of edits of one revision exactly one is saved, whole.
pub async fn catalog_save_race_has_one_winner(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    for base in 0..3 {
        let edits =
            |number| vec![segment(1, &format!("{number}")), segment(2, &format!("{number}"))];
        let saving = (0..8).map(|number| store.save(base, edits(number), "ann", NOW));
        let mut winner = None;
        for (saved, number) in all(saving).await.into_iter().zip(0..) {
            match saved? {
                Saved::At(revision) if winner.is_none() && revision == base + 1 => {
                    winner = Some(number.to_string());
                }
                other => ensure_eq!(other, Saved::Conflict(base + 1), "an edit that came too late"),
            }
        }
        let found = current(&*store).await?;
        let names: Vec<_> = found.segments.values().map(|one| Some(one.name.clone())).collect();
        ensure_eq!(names, [winner.clone(), winner], "what the winner of revision {base} wrote");
    }
    Ok(())
}

/// A mission that differs gets the next version, one that does not keeps its own; the number that
/// an edit carries does not count.
pub async fn catalog_save_gives_versions_to_missions(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    let mut expected = Catalog::default();
    let steps = [
        (vec![mission(60, 77)], 1),
        (vec![mission(60, 1)], 1),
        (vec![mission(60, 9)], 1),
        (vec![mission(61, 1)], 2),
        (vec![mission(60, 1)], 3),
        (vec![mission(62, 0), mission(62, 5), mission(63, 1)], 5),
        (vec![segment(1, "One")], 5),
    ];
    for (edits, version) in steps {
        let name = format!("{edits:?}");
        check_edit(&*store, &mut expected, edits).await?;
        let found = expected.missions.get(&MISSION).map(|mission| mission.version);
        ensure_eq!(found, Some(version), "the version after {name}");
    }
    Ok(())
}

/// What is deleted is gone from the tree, but the missions and line items of users who may have
/// started stay readable, and version numbers are never used again.
pub async fn catalog_save_keeps_what_users_may_have_started(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    let mut expected = Catalog::default();
    let delete = |kind| Edit::Delete(kind, 1);
    let line_item =
        samples::entities().into_iter().filter(|one| one.kind() == EntityKind::LineItem);
    let line_item: Vec<Edit> = line_item.map(Edit::Put).collect();
    let everything = EntityKind::ALL.into_iter().rev().map(delete).collect();
    let steps = [
        entities(),
        vec![delete(EntityKind::Mission)],
        vec![delete(EntityKind::Mission), Edit::Delete(EntityKind::App, 99)],
        vec![mission(60, 1)],
        vec![mission(61, 1), delete(EntityKind::Mission)],
        vec![mission(61, 1), delete(EntityKind::Mission), mission(62, 1)],
        vec![delete(EntityKind::LineItem)],
        [line_item.clone(), vec![delete(EntityKind::LineItem)]].concat(),
        line_item,
        everything,
        vec![],
    ];
    for edits in steps {
        check_edit(&*store, &mut expected, edits).await?;
    }
    ensure!(expected.missions.is_empty() && expected.line_items.is_empty(), "all was deleted");
    ensure_eq!(expected.mission_versions.len(), 5, "the versions that stay readable");
    ensure_eq!(expected.all_line_items().count(), 1, "the line items that stay readable");
    Ok(())
}

/// Whoever has an old catalogue comes to the present one, however many edits lie between, also if
/// another one has looked meanwhile.
pub async fn catalog_snapshot_catches_up_over_many_edits(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    store.save(0, entities(), "ann", NOW).await?;
    let delete = |kind| Edit::Delete(kind, 1);
    let steps = [
        vec![mission(60, 1), segment(2, "Two")],
        vec![delete(EntityKind::Mission), delete(EntityKind::AdGroup)],
        vec![mission(61, 1), segment(2, "Three")],
        vec![Edit::Delete(EntityKind::Segment, 2), delete(EntityKind::Partner)],
        entities(),
    ];
    let mut seen = vec![current(&*store).await?];
    for (edits, base) in steps.into_iter().zip(1..) {
        let latest = seen.last().cloned().unwrap_or_default();
        store.save(base, edits, "ann", NOW).await?;
        let newer = store.snapshot(Some(&latest)).await?;
        let whole = current(&*store).await?;
        ensure_eq!(newer.as_ref(), Some(&whole), "one edit after revision {base}");
        for old in &seen {
            let found = store.snapshot(Some(old)).await?;
            ensure_eq!(found.as_ref(), Some(&whole), "from revision {}", old.revision);
        }
        seen.push(whole);
    }
    Ok(())
}

/// The number of a deleted row stays taken, whatever its kind, also after a restart; a row that is
/// put back under it takes it over.
pub async fn catalog_save_never_forgets_a_number(fixture: &dyn Fixture) -> Checked {
    let stores = fixture.fresh().await?;
    let mut expected = Catalog::default();
    let rows = [entities(), vec![segment(1, "One")]].concat();
    let everything: Vec<Edit> =
        EntityKind::ALL.into_iter().rev().map(|kind| Edit::Delete(kind, 1)).collect();
    let never_there = vec![Edit::Delete(EntityKind::App, 99)];
    let there_and_gone = vec![segment(2, "Two"), Edit::Delete(EntityKind::Segment, 2)];
    for edits in [rows.clone(), everything, never_there, there_and_gone] {
        check_edit(&*stores.catalog, &mut expected, edits).await?;
    }
    let found = current(&*stores.catalog).await?;
    for kind in EntityKind::ALL {
        let free = if kind == EntityKind::Segment { 3 } else { 2 };
        ensure_eq!(found.next_id(kind), free, "the next number of {}", kind.name());
    }
    check_edit(&*stores.catalog, &mut expected, rows).await?;
    let gone: Vec<_> = expected.retired.keys().copied().collect();
    ensure_eq!(gone, [(EntityKind::Segment, 2)], "what is still deleted");
    let Some(stores) = fixture.reopen(stores).await? else { return Ok(()) };
    ensure_eq!(current(&*stores.catalog).await?, expected, "the catalogue after reopening");
    Ok(())
}

/// Edits and their history are there after a restart.
pub async fn catalog_save_survives_reopening(fixture: &dyn Fixture) -> Checked {
    let stores = fixture.fresh().await?;
    stores.catalog.save(0, entities(), "ann", NOW).await?;
    let edits = vec![mission(60, 1), Edit::Delete(EntityKind::LineItem, 1)];
    stores.catalog.save(1, edits, "bob", NOW).await?;
    let catalog = stores.catalog.snapshot(None).await?;
    let history = stores.catalog.history(None, 10).await?;
    let Some(stores) = fixture.reopen(stores).await? else { return Ok(()) };
    let store = &*stores.catalog;
    ensure_eq!(store.snapshot(None).await?, catalog, "the catalogue after reopening");
    ensure_eq!(store.history(None, 10).await?, history, "the history after reopening");
    ensure_eq!(history.len(), 2, "the number of saved edits");
    let saved = store.save(2, vec![segment(1, "One")], "eve", NOW).await?;
    ensure_eq!(saved, Saved::At(3), "the next edit");
    Ok(())
}

/// Saved edits come newest first, page by page, with who made them, when and what.
pub async fn catalog_history_is_newest_first_and_pages(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    ensure_eq!(store.history(None, 10).await?, [], "the history of nothing");
    let mut wanted = Vec::new();
    for base in 0..5 {
        let (by, at) = (format!("ann {base} 🎁"), Timestamp(NOW.0 - base as i64));
        let edits = vec![segment(1, &by), Edit::Delete(EntityKind::App, base as u32)];
        store.save(base, edits, &by, at).await?;
        store.save(base, vec![segment(2, "too late")], "eve", at).await?;
        let summary = format!("put segments 1; deleted apps {base}");
        wanted.insert(0, SavedRevision { revision: base + 1, at, by, summary });
    }
    for limit in [1, 2, 5, 100] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = store.history(before, limit).await?;
            ensure!(page.len() <= limit, "a page of {limit} has {} edits", page.len());
            let Some(last) = page.last() else { break };
            before = Some(last.revision);
            found.extend(page);
            ensure!(found.len() <= wanted.len(), "pages of {limit} have no end");
        }
        ensure_eq!(found, wanted, "the history in pages of {limit}");
    }
    ensure_eq!(store.history(Some(u64::MAX), 100).await?, wanted, "the history before the end");
    Ok(())
}

/// A store that took over a catalogue has all of it, also what only users' runs and the numbers of
/// new rows refer to, and goes on from its revision as the other would.
pub async fn catalog_take_over_keeps_what_users_may_have_started(fixture: &dyn Fixture) -> Checked {
    let (old, new) = (fixture.fresh().await?.catalog, fixture.fresh().await?.catalog);
    let (mut catalog, history) = lived_in(&*old).await?;
    ensure!(new.take_over(&catalog, &history).await?, "an empty store takes nothing over");
    ensure_eq!(current(&*new).await?, catalog, "the catalogue that was taken over");
    ensure_eq!(new.snapshot(Some(&catalog)).await?, None, "for somebody who has it");
    ensure_eq!(new.history(None, 100).await?, history, "its history");
    ensure_eq!(new.history(Some(3), 1).await?, history[2..3], "a page of its history");
    let stale = new.save(0, vec![segment(9, "Nine")], "ann", NOW).await?;
    ensure_eq!(stale, Saved::Conflict(catalog.revision), "an edit of the empty catalogue");
    let delete = Edit::Delete(EntityKind::Mission, 1);
    for edits in [vec![mission(60, 1)], vec![mission(64, 1), segment(1, "Won")], vec![delete]] {
        check_edit(&*new, &mut catalog, edits).await?;
    }
    ensure_eq!(catalog.mission_versions.len(), 5, "versions, those taken over and new ones");
    Ok(())
}

/// Whatever has been edited, even to nothing, takes over nothing.
pub async fn catalog_take_over_of_an_edited_store_changes_nothing(
    fixture: &dyn Fixture,
) -> Checked {
    let (old, new) = (fixture.fresh().await?.catalog, fixture.fresh().await?.catalog);
    let (catalog, history) = lived_in(&*old).await?;
    for edits in [vec![], vec![segment(1, "One")]] {
        let base = current(&*new).await?.revision;
        new.save(base, edits, "ann", NOW).await?;
        let (before, made) = (current(&*new).await?, new.history(None, 10).await?);
        ensure!(!new.take_over(&catalog, &history).await?, "an edited store took it over");
        ensure_eq!(current(&*new).await?, before, "the catalogue of the edited store");
        ensure_eq!(new.history(None, 10).await?, made, "the history of the edited store");
    }
    ensure!(!old.take_over(&catalog, &history).await?, "a store took over itself");
    Ok(())
}

/// Of several who fill a store at once, and one who edits it, exactly one succeeds.
pub async fn catalog_take_over_race_has_one_winner(fixture: &dyn Fixture) -> Checked {
    let (old, new) = (fixture.fresh().await?.catalog, fixture.fresh().await?.catalog);
    let (catalog, history) = lived_in(&*old).await?;
    let (new, whole, edits) = (&*new, (&catalog, &history), vec![segment(7, "Seven")]);
    let racers = (0..8).map(|number| {
        let edits = edits.clone();
        async move {
            match number {
                4 => Ok(new.save(0, edits, "eve", NOW).await? == Saved::At(1)),
                _ => new.take_over(whole.0, whole.1).await,
            }
        }
    });
    let won: Vec<bool> = all(racers).await.into_iter().collect::<Result<_, StoreError>>()?;
    ensure_eq!(won.iter().filter(|won| **won).count(), 1, "the number of winners");
    let wanted = match won[4] {
        true => Catalog::default().edited(&edits),
        false => catalog.clone(),
    };
    ensure_eq!(current(new).await?, wanted, "what the winner wrote");
    let made = new.history(None, 100).await?.len();
    ensure_eq!(made as u64, wanted.revision, "the edits in the history of the winner");
    Ok(())
}

/// What was taken over is there after a restart.
pub async fn catalog_take_over_survives_reopening(fixture: &dyn Fixture) -> Checked {
    let (old, stores) = (fixture.fresh().await?.catalog, fixture.fresh().await?);
    let (catalog, history) = lived_in(&*old).await?;
    ensure!(stores.catalog.take_over(&catalog, &history).await?, "it was not taken over");
    let Some(stores) = fixture.reopen(stores).await? else { return Ok(()) };
    ensure_eq!(current(&*stores.catalog).await?, catalog, "the catalogue after reopening");
    ensure_eq!(stores.catalog.history(None, 100).await?, history, "the history after reopening");
    Ok(())
}

/// No state belongs to a catalogue that was never served, nor to one that was taken over.
pub async fn catalog_state_is_none_at_first_and_not_taken_over(fixture: &dyn Fixture) -> Checked {
    let (old, new) = (fixture.fresh().await?.catalog, fixture.fresh().await?.catalog);
    let (catalog, history) = lived_in(&*old).await?;
    ensure_eq!(old.state().await?, None, "the state of a catalogue that was only edited");
    old.adopt(StateId([7; 16])).await?;
    new.take_over(&catalog, &history).await?;
    ensure_eq!(new.state().await?, None, "the state of a catalogue that was taken over");
    Ok(())
}

/// The first state stays, whoever comes with another one, whatever is edited; also after a restart.
pub async fn catalog_adopt_holds_for_ever(fixture: &dyn Fixture) -> Checked {
    for state in [7, 255, 0].map(|byte| StateId([byte; 16])) {
        let other = StateId([8; 16]);
        let stores = fixture.fresh().await?;
        let store = &*stores.catalog;
        ensure_eq!(store.adopt(state).await?, state, "the first state");
        let empty = Catalog::default();
        ensure_eq!(store.snapshot(Some(&empty)).await?, None, "a catalogue that was not edited");
        lived_in(store).await?;
        ensure_eq!(store.adopt(other).await?, state, "the state that stays");
        ensure_eq!(store.state().await?, Some(state), "its state");
        let Some(stores) = fixture.reopen(stores).await? else { continue };
        ensure_eq!(stores.catalog.state().await?, Some(state), "its state after reopening");
        ensure_eq!(stores.catalog.adopt(other).await?, state, "what stays after reopening");
    }
    Ok(())
}

/// Of nodes that come with states of their own at once, one is heard, and all are told which.
pub async fn catalog_adopt_race_has_one_winner(fixture: &dyn Fixture) -> Checked {
    let store = fixture.fresh().await?.catalog;
    let found = all((1..=8).map(|number| store.adopt(StateId([number; 16])))).await;
    let found = found.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    let kept = store.state().await?;
    ensure!(kept.is_some_and(|kept| (1..=8).contains(&kept.0[0])), "nobody won: {kept:?}");
    ensure!(found.iter().all(|one| Some(*one) == kept), "{found:?}, but {kept:?} stays");
    Ok(())
}

/// A catalogue of several edits, with versions that are no longer in force and rows that are gone.
async fn lived_in(store: &dyn CatalogStore) -> Result<(Catalog, Vec<SavedRevision>), Failure> {
    let steps = [
        entities(),
        vec![segment(1, "One 🎁"), segment(2, "Two"), mission(61, 1)],
        vec![mission(62, 1), Edit::Delete(EntityKind::Segment, 2)],
        vec![Edit::Delete(EntityKind::Mission, 1), Edit::Delete(EntityKind::LineItem, 1)],
    ];
    for (edits, base) in steps.into_iter().zip(0..) {
        store.save(base, edits, &format!("ann {base}"), Timestamp(NOW.0 + base as i64)).await?;
    }
    let catalog = current(store).await?;
    let (versions, retired) = (catalog.mission_versions.len(), catalog.retired.len());
    ensure_eq!((versions, retired), (3, 3), "versions and rows that are gone");
    Ok((catalog, store.history(None, 100).await?))
}

/// Saves edits on the present revision, and checks that the store comes to the same as the domain.
async fn check_edit(store: &dyn CatalogStore, expected: &mut Catalog, edits: Vec<Edit>) -> Checked {
    let name = format!("{} edits of revision {}", edits.len(), expected.revision);
    let next = expected.edited(&edits);
    let saved = store.save(expected.revision, edits, "ann", NOW).await?;
    ensure_eq!(saved, Saved::At(next.revision), "{name}");
    let newer = store.snapshot(Some(expected)).await?;
    ensure_eq!(
        newer.as_ref(),
        Some(&next),
        "the catalogue after {name} for whoever has the old one"
    );
    ensure_eq!(current(store).await?, next, "the catalogue after {name}");
    *expected = next;
    Ok(())
}

async fn current(store: &dyn CatalogStore) -> Result<Catalog, Failure> {
    store.snapshot(None).await?.ok_or_else(|| Failure::new("there is no catalogue"))
}

fn entities() -> Vec<Edit> {
    samples::entities().into_iter().map(Edit::Put).collect()
}

fn segment(id: u32, name: &str) -> Edit {
    let name = name.to_owned();
    Edit::Put(Entity::Segment(Segment { id: SegmentId(id), name }))
}

/// The sample mission with another window, under a version that the caller made up.
fn mission(window_seconds: u32, version: u32) -> Edit {
    let catalog = samples::catalog();
    let mission = Mission::clone(&catalog.missions[&MISSION]);
    Edit::Put(Entity::Mission(Arc::new(Mission { window_seconds, version, ..mission })))
}
