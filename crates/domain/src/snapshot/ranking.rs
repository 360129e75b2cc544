//! The order of everything that can be offered.
//!
//! Ad groups are ranked once: priority first, then expected value, then number. A place in a bit set
//! is a rank, so the members of an intersection come out sorted.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::bits::BitSet;
use crate::catalog::{
    AdGroup, AdGroupStatus, Catalog, LineItem, LineItemStatus, Mission, MissionStatus,
};
use crate::decide::{NEW_USERS_ONLY, hold_for};
use crate::ids::{AdGroupId, LineItemId, MissionId, NumberMap};
use crate::money::Micros;

use super::Advertised;

/// The latest version of one mission that has a line item.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The mission.
    pub(crate) mission: Arc<Mission>,
    /// Where it is among the versions of all missions.
    pub(crate) version_place: u32,
    /// Place of its line item in [`Ranking::lines`].
    pub(crate) line: usize,
    /// What a participation holds of the budget.
    pub(crate) hold: Micros,
    /// Whether it is only for users who do not have the advertised app.
    pub(crate) is_for_new_users: bool,
}

/// One line item that is not deleted.
#[derive(Debug)]
pub(crate) struct Line {
    /// The line item, which the catalogue has too.
    pub(crate) row: Arc<LineItem>,
    /// The app that it advertises.
    pub(crate) advertised: Option<u32>,
    /// Its missions by number, as slots.
    pub(crate) slots: Range<usize>,
    /// The ranks of its ad groups, best first.
    pub(crate) ranks: Vec<u32>,
}

/// One ranked ad group.
#[derive(Debug)]
pub(crate) struct Ranked {
    /// Its number.
    pub(crate) id: AdGroupId,
    /// Place of its line item in [`Ranking::lines`].
    pub(crate) line: usize,
    /// Expected revenue of one participation.
    pub(crate) expected: Micros,
    /// The place, among all offers there can be, of its line item's first mission.
    pub(crate) first_place: u32,
}

/// Ad groups by rank, line items and missions by number.
#[derive(Debug)]
pub(crate) struct Ranking {
    groups: Vec<Ranked>,
    lines: Vec<Line>,
    slots: Vec<Slot>,
    by_mission: NumberMap<MissionId, u32>,
    by_line_item: NumberMap<LineItemId, u32>,
    /// The line items of each advertised app, as places.
    advertising: Vec<Vec<u32>>,
    servable: BitSet,
}

impl Ranking {
    /// Ranks the ad groups of `catalog`. Ad groups and missions without a line item are left out.
    pub(super) fn compile(catalog: &Catalog, advertised: &Advertised) -> Self {
        let (mut lines, slots) = lines_and_slots(catalog, advertised);
        let groups = ranked_groups(catalog, &lines, &slots);
        let mut servable = BitSet::new(groups.len());
        for (rank, group) in (0_u32..).zip(&groups) {
            lines[group.line].ranks.push(rank);
            if is_servable(catalog, group, &lines[group.line], &slots) {
                servable.insert(rank);
            }
        }
        let by_mission = slots.iter().map(|slot| slot.mission.id).zip(0..).collect();
        let by_line_item = lines.iter().map(|line| line.row.id).zip(0..).collect();
        let mut advertising = vec![Vec::new(); advertised.count()];
        for (place, line) in (0..).zip(&lines) {
            line.advertised.into_iter().for_each(|app| advertising[app as usize].push(place));
        }
        Self { groups, lines, slots, by_mission, by_line_item, advertising, servable }
    }

    /// The rows of the ranked ad groups, best first.
    pub(super) fn ad_groups<'a>(&self, catalog: &'a Catalog) -> Vec<&'a AdGroup> {
        let rows = self.groups.iter().filter_map(|group| catalog.ad_groups.get(&group.id));
        rows.map(Arc::as_ref).collect()
    }

    /// The ad group of that rank, which must exist.
    pub(crate) fn group(&self, rank: u32) -> &Ranked {
        &self.groups[rank as usize]
    }

    /// That line item, which must exist.
    pub(crate) fn line(&self, line: usize) -> &Line {
        &self.lines[line]
    }

    /// The place of a line item, unless it is deleted.
    pub(crate) fn place_of_line(&self, line_item: LineItemId) -> Option<u32> {
        self.by_line_item.get(&line_item).copied()
    }

    /// The places of the line items that advertise that app.
    pub(crate) fn advertising(&self, app: u32) -> &[u32] {
        self.advertising.get(app as usize).map_or(&[], Vec::as_slice)
    }

    /// Missions, those of one line item side by side.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Where that mission is among the slots.
    pub(crate) fn slot_of(&self, mission: MissionId) -> Option<usize> {
        self.by_mission.get(&mission).map(|slot| *slot as usize)
    }

    /// Ranks of active ad groups of running line items with an active mission.
    pub(crate) fn servable(&self) -> &BitSet {
        &self.servable
    }
}

fn lines_and_slots(catalog: &Catalog, advertised: &Advertised) -> (Vec<Line>, Vec<Slot>) {
    let mut missions: BTreeMap<LineItemId, Vec<(&Arc<Mission>, u32)>> = BTreeMap::new();
    for (mission, version_place) in missions_and_places(catalog) {
        missions.entry(mission.line_item_id).or_default().push((mission, version_place));
    }
    let mut slots = Vec::with_capacity(catalog.missions.len());
    let mut lines = Vec::with_capacity(catalog.line_items.len());
    for (&id, row) in &catalog.line_items {
        let line = lines.len();
        let first = slots.len();
        let of_line = missions.get(&id).into_iter().flatten();
        slots.extend(of_line.map(|&(mission, place)| slot((row, line), mission, place)));
        let advertised = advertised.by(id);
        let slots = first..slots.len();
        lines.push(Line { row: Arc::clone(row), advertised, slots, ranks: Vec::new() });
    }
    (lines, slots)
}

/// The latest versions of missions, and where they are among all versions; both are by number. No store
/// has a mission without its version; such a one would be nowhere.
fn missions_and_places(catalog: &Catalog) -> impl Iterator<Item = (&Arc<Mission>, u32)> {
    let mut versions = catalog.mission_versions.keys().zip(0_u32..).peekable();
    catalog.missions.values().map(move |mission| {
        let key = (mission.id, mission.version);
        while versions.next_if(|(version, _)| **version < key).is_some() {}
        let found = versions.peek().filter(|(version, _)| **version == key);
        (mission, found.map_or(u32::MAX, |(_, place)| *place))
    })
}

fn slot((row, line): (&LineItem, usize), mission: &Arc<Mission>, version_place: u32) -> Slot {
    Slot {
        mission: Arc::clone(mission),
        version_place,
        line,
        hold: hold_for(row, mission),
        is_for_new_users: mission.requirements.iter().any(|one| one == NEW_USERS_ONLY),
    }
}

fn ranked_groups(catalog: &Catalog, lines: &[Line], slots: &[Slot]) -> Vec<Ranked> {
    let line_of = |id: LineItemId| lines.binary_search_by_key(&id, |line| line.row.id).ok();
    let by_default: Vec<Micros> =
        lines.iter().map(|line| worth(&slots[line.slots.clone()])).collect();
    let mut groups: Vec<Ranked> = Vec::with_capacity(catalog.ad_groups.len());
    for row in catalog.ad_groups.values() {
        let Some(line) = line_of(row.line_item_id) else {
            continue;
        };
        let expected = row.bid.unwrap_or(by_default[line]);
        groups.push(Ranked { id: row.id, line, expected, first_place: 0 });
    }
    groups.sort_by_key(|group| {
        (Reverse(lines[group.line].row.priority), Reverse(group.expected), group.id)
    });
    let mut place = 0_u32;
    for group in &mut groups {
        group.first_place = place;
        place = place.saturating_add(lines[group.line].slots.len() as u32);
    }
    groups
}

/// All that the active missions of a line item pay to one user.
fn worth(slots: &[Slot]) -> Micros {
    let active = slots.iter().filter(|slot| slot.mission.status == MissionStatus::Active);
    Micros(active.map(|slot| slot.mission.payout_max().0).fold(0, i64::saturating_add))
}

fn is_servable(catalog: &Catalog, group: &Ranked, line: &Line, slots: &[Slot]) -> bool {
    let is_active = |slot: &Slot| slot.mission.status == MissionStatus::Active;
    let row = catalog.ad_groups.get(&group.id);
    row.is_some_and(|row| row.status == AdGroupStatus::Active)
        && line.row.status == LineItemStatus::Running
        && slots[line.slots.clone()].iter().any(is_active)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Edit, Entity, sample};
    use crate::snapshot::Snapshot;

    #[test]
    fn a_slot_knows_the_place_of_its_version() {
        let sample = sample::catalog();
        let first = Mission::clone(&sample.missions[&MissionId(1)]);
        let put = |id, window_seconds| {
            let mission = Mission { id: MissionId(id), window_seconds, ..first.clone() };
            Edit::Put(Entity::Mission(Arc::new(mission)))
        };
        let edits = [put(3, 1), put(1, 2), put(2, 3), put(3, 4), put(1, 5), put(9, 6)];
        let snapshot = Snapshot::compile(sample.edited(&edits));
        let slots = snapshot.ranking().slots();
        let places: Vec<u32> = slots.iter().map(|slot| slot.version_place).collect();
        assert_eq!(places, [2, 3, 5, 6]);
        for slot in slots {
            let version = &snapshot.versions()[slot.version_place as usize];
            assert!(Arc::ptr_eq(version, &slot.mission));
        }
    }
}
