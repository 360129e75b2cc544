//! The whole catalogue as one value, and edits of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{
    AdGroup, Advertiser, App, LineItem, Mission, Order, Partner, Publisher, Segment, Unit,
};
use crate::ids::{
    AdGroupId, AdvertiserId, AppId, LineItemId, MissionId, OrderId, PartnerId, PublisherId,
    SegmentId, UnitId,
};

/// Everything that people edit, at one revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Catalog {
    /// One more for each saved edit; 0 is the empty catalogue.
    pub revision: u64,
    /// By number.
    pub publishers: BTreeMap<PublisherId, Publisher>,
    /// By number.
    pub apps: BTreeMap<AppId, App>,
    /// By number.
    pub units: BTreeMap<UnitId, Unit>,
    /// By number.
    pub advertisers: BTreeMap<AdvertiserId, Advertiser>,
    /// By number.
    pub orders: BTreeMap<OrderId, Order>,
    /// By number; shared by the revisions in which they are the same, as missions are.
    pub line_items: BTreeMap<LineItemId, Arc<LineItem>>,
    /// By number, shared likewise.
    pub ad_groups: BTreeMap<AdGroupId, Arc<AdGroup>>,
    /// The latest version of each mission that has not been deleted.
    pub missions: BTreeMap<MissionId, Arc<Mission>>,
    /// By number.
    pub partners: BTreeMap<PartnerId, Partner>,
    /// By number.
    pub segments: BTreeMap<SegmentId, Segment>,
    /// Every version of every mission that a user may have started, deleted ones included.
    pub mission_versions: BTreeMap<(MissionId, u32), Arc<Mission>>,
    /// Rows of every kind that have been deleted and not been put back, as they were at last: users
    /// may have started missions of them, and money may be booked under their numbers.
    pub retired: BTreeMap<(EntityKind, u32), Entity>,
}

/// The kinds of rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EntityKind {
    /// [`Publisher`].
    Publisher,
    /// [`App`].
    App,
    /// [`Unit`].
    Unit,
    /// [`Advertiser`].
    Advertiser,
    /// [`Order`].
    Order,
    /// [`Segment`].
    Segment,
    /// [`LineItem`].
    LineItem,
    /// [`AdGroup`].
    AdGroup,
    /// [`Mission`].
    Mission,
    /// [`Partner`].
    Partner,
}

impl EntityKind {
    /// Every kind, owners before what they own.
    pub const ALL: [Self; 10] = [
        Self::Publisher,
        Self::App,
        Self::Unit,
        Self::Advertiser,
        Self::Order,
        Self::Segment,
        Self::LineItem,
        Self::AdGroup,
        Self::Mission,
        Self::Partner,
    ];

    /// The name in files, addresses and answers; plural, as in `/v1/admin/line_items`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Publisher => "publishers",
            Self::App => "apps",
            Self::Unit => "units",
            Self::Advertiser => "advertisers",
            Self::Order => "orders",
            Self::Segment => "segments",
            Self::LineItem => "line_items",
            Self::AdGroup => "ad_groups",
            Self::Mission => "missions",
            Self::Partner => "partners",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One row of any kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entity {
    /// A publisher.
    Publisher(Publisher),
    /// An app.
    App(App),
    /// A unit.
    Unit(Unit),
    /// An advertiser.
    Advertiser(Advertiser),
    /// An order.
    Order(Order),
    /// A segment.
    Segment(Segment),
    /// A line item.
    LineItem(LineItem),
    /// An ad group.
    AdGroup(AdGroup),
    /// A mission.
    Mission(Arc<Mission>),
    /// A partner connection.
    Partner(Partner),
}

impl Entity {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> EntityKind {
        match self {
            Self::Publisher(_) => EntityKind::Publisher,
            Self::App(_) => EntityKind::App,
            Self::Unit(_) => EntityKind::Unit,
            Self::Advertiser(_) => EntityKind::Advertiser,
            Self::Order(_) => EntityKind::Order,
            Self::Segment(_) => EntityKind::Segment,
            Self::LineItem(_) => EntityKind::LineItem,
            Self::AdGroup(_) => EntityKind::AdGroup,
            Self::Mission(_) => EntityKind::Mission,
            Self::Partner(_) => EntityKind::Partner,
        }
    }

    /// Its number within its kind.
    #[must_use]
    pub fn id(&self) -> u32 {
        match self {
            Self::Publisher(row) => row.id.0,
            Self::App(row) => row.id.0,
            Self::Unit(row) => row.id.0,
            Self::Advertiser(row) => row.id.0,
            Self::Order(row) => row.id.0,
            Self::Segment(row) => row.id.0,
            Self::LineItem(row) => row.id.0,
            Self::AdGroup(row) => row.id.0,
            Self::Mission(row) => row.id.0,
            Self::Partner(row) => row.id.0,
        }
    }
}

/// One change of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// Creates or replaces a row. A mission gets the next version if anything in it differs.
    Put(Entity),
    /// Removes a row; what it was stays readable for users who have started, and its number taken.
    Delete(EntityKind, u32),
}

impl Edit {
    /// The mission that it creates, replaces or removes.
    #[must_use]
    pub fn mission(&self) -> Option<MissionId> {
        match self {
            Self::Put(Entity::Mission(row)) => Some(row.id),
            Self::Delete(EntityKind::Mission, id) => Some(MissionId(*id)),
            Self::Put(_) | Self::Delete(..) => None,
        }
    }
}

impl Catalog {
    /// This catalogue after `edits`, in order, at the next revision.
    #[must_use]
    pub fn edited(&self, edits: &[Edit]) -> Self {
        let mut next = self.clone();
        next.revision += 1;
        for edit in edits {
            next.apply(edit);
        }
        next
    }

    /// Applies one edit in place, without touching the revision.
    pub fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Put(entity) => self.put(entity.clone()),
            Edit::Delete(kind, id) => self.delete(*kind, *id),
        }
    }

    /// The versions of missions that these edits make, for a catalogue that has at least all versions of
    /// the missions that they touch.
    #[must_use]
    pub fn versions_made_by(mut self, edits: &[Edit]) -> BTreeMap<(MissionId, u32), Arc<Mission>> {
        let known: BTreeSet<_> = self.mission_versions.keys().copied().collect();
        edits.iter().filter(|edit| edit.mission().is_some()).for_each(|edit| self.apply(edit));
        self.mission_versions.retain(|key, _| !known.contains(key));
        self.mission_versions
    }

    /// The latest version of a mission, deleted or not.
    #[must_use]
    pub fn latest_version(&self, id: MissionId) -> Option<&Arc<Mission>> {
        self.mission_versions.range((id, 0)..=(id, u32::MAX)).next_back().map(|(_, latest)| latest)
    }

    /// The line item, deleted or not.
    #[must_use]
    pub fn any_line_item(&self, id: LineItemId) -> Option<&LineItem> {
        let live = self.line_items.get(&id).map(Arc::as_ref);
        live.or_else(|| match self.retired.get(&(EntityKind::LineItem, id.0)) {
            Some(Entity::LineItem(row)) => Some(row),
            _ => None,
        })
    }

    /// The app, deleted or not.
    #[must_use]
    pub fn any_app(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id).or_else(|| match self.retired.get(&(EntityKind::App, id.0)) {
            Some(Entity::App(row)) => Some(row),
            _ => None,
        })
    }

    /// Every line item, deleted or not.
    pub fn all_line_items(&self) -> impl Iterator<Item = &LineItem> {
        let retired = self.retired.values().filter_map(|row| match row {
            Entity::LineItem(row) => Some(row),
            _ => None,
        });
        self.line_items.values().map(Arc::as_ref).chain(retired)
    }

    /// The row of that kind and number.
    #[must_use]
    pub fn get(&self, kind: EntityKind, id: u32) -> Option<Entity> {
        match kind {
            EntityKind::Publisher => row(&self.publishers, PublisherId(id), Entity::Publisher),
            EntityKind::App => row(&self.apps, AppId(id), Entity::App),
            EntityKind::Unit => row(&self.units, UnitId(id), Entity::Unit),
            EntityKind::Advertiser => row(&self.advertisers, AdvertiserId(id), Entity::Advertiser),
            EntityKind::Order => row(&self.orders, OrderId(id), Entity::Order),
            EntityKind::Segment => row(&self.segments, SegmentId(id), Entity::Segment),
            EntityKind::LineItem => shared(&self.line_items, LineItemId(id), Entity::LineItem),
            EntityKind::AdGroup => shared(&self.ad_groups, AdGroupId(id), Entity::AdGroup),
            EntityKind::Mission => row(&self.missions, MissionId(id), Entity::Mission),
            EntityKind::Partner => row(&self.partners, PartnerId(id), Entity::Partner),
        }
    }

    /// The numbers of all rows of a kind, ascending.
    #[must_use]
    pub fn ids(&self, kind: EntityKind) -> Vec<u32> {
        match kind {
            EntityKind::Publisher => self.publishers.keys().map(|id| id.0).collect(),
            EntityKind::App => self.apps.keys().map(|id| id.0).collect(),
            EntityKind::Unit => self.units.keys().map(|id| id.0).collect(),
            EntityKind::Advertiser => self.advertisers.keys().map(|id| id.0).collect(),
            EntityKind::Order => self.orders.keys().map(|id| id.0).collect(),
            EntityKind::Segment => self.segments.keys().map(|id| id.0).collect(),
            EntityKind::LineItem => self.line_items.keys().map(|id| id.0).collect(),
            EntityKind::AdGroup => self.ad_groups.keys().map(|id| id.0).collect(),
            EntityKind::Mission => self.missions.keys().map(|id| id.0).collect(),
            EntityKind::Partner => self.partners.keys().map(|id| id.0).collect(),
        }
    }

    /// A number for a new row. A deleted row's number is never given to another, since users,
    /// balances and undelivered rewards are still kept under it; a new row would inherit them.
    /// Putting a row under the number of a deleted one stays possible: that is the same row again.
    #[must_use]
    pub fn next_id(&self, kind: EntityKind) -> u32 {
        let mut taken: BTreeSet<u32> = self.ids(kind).into_iter().collect();
        taken.extend(self.retired.range((kind, 0)..=(kind, u32::MAX)).map(|((_, id), _)| id));
        let highest = taken.last().copied().unwrap_or(0);
        let is_free = |id: &u32| !taken.contains(id);
        highest.checked_add(1).or_else(|| (1..u32::MAX).find(is_free)).unwrap_or(u32::MAX)
    }

    /// A mission's version number after a put: kept if nothing differs, else the next free one.
    #[must_use]
    pub fn version_after(&self, mission: &Mission) -> u32 {
        if let Some(current) = self.missions.get(&mission.id) {
            let same = Mission { version: current.version, ..mission.clone() };
            if same == **current {
                return current.version;
            }
        }
        self.latest_version(mission.id).map_or(1, |latest| latest.version + 1)
    }

    /// Takes a row as a store keeps it: a mission is the version that it says, of which
    /// [`Self::mission_versions`] has one already.
    pub fn restore(&mut self, row: Entity, is_deleted: bool) {
        match row {
            row if is_deleted => drop(self.retired.insert((row.kind(), row.id()), row)),
            Entity::Mission(row) => drop(self.missions.insert(row.id, row)),
            row => self.put(row),
        }
    }

    /// Takes all rows of another one, which stay what they are, whatever its revision.
    pub fn append(&mut self, mut other: Self) {
        self.publishers.append(&mut other.publishers);
        self.apps.append(&mut other.apps);
        self.units.append(&mut other.units);
        self.advertisers.append(&mut other.advertisers);
        self.orders.append(&mut other.orders);
        self.line_items.append(&mut other.line_items);
        self.ad_groups.append(&mut other.ad_groups);
        self.missions.append(&mut other.missions);
        self.partners.append(&mut other.partners);
        self.segments.append(&mut other.segments);
        self.mission_versions.append(&mut other.mission_versions);
        self.retired.append(&mut other.retired);
    }

    /// This catalogue with the rows of a newer one, which need not have those that are the same.
    #[must_use]
    pub fn with_newer(&self, newer: Self) -> Self {
        let mut next = self.clone();
        next.revision = newer.revision;
        for kind in EntityKind::ALL {
            for id in newer.ids(kind) {
                next.retired.remove(&(kind, id));
            }
        }
        newer.retired.keys().for_each(|(kind, id)| next.remove(*kind, *id));
        next.append(newer);
        next
    }

    fn put(&mut self, entity: Entity) {
        self.retired.remove(&(entity.kind(), entity.id()));
        match entity {
            Entity::Publisher(row) => drop(self.publishers.insert(row.id, row)),
            Entity::App(row) => drop(self.apps.insert(row.id, row)),
            Entity::Unit(row) => drop(self.units.insert(row.id, row)),
            Entity::Advertiser(row) => drop(self.advertisers.insert(row.id, row)),
            Entity::Order(row) => drop(self.orders.insert(row.id, row)),
            Entity::Segment(row) => drop(self.segments.insert(row.id, row)),
            Entity::LineItem(row) => drop(self.line_items.insert(row.id, Arc::new(row))),
            Entity::AdGroup(row) => drop(self.ad_groups.insert(row.id, Arc::new(row))),
            Entity::Mission(row) => self.put_mission(&row),
            Entity::Partner(row) => drop(self.partners.insert(row.id, row)),
        }
    }

    fn put_mission(&mut self, mission: &Mission) {
        let version = self.version_after(mission);
        let mission = Arc::new(Mission { version, ..mission.clone() });
        self.mission_versions.insert((mission.id, version), Arc::clone(&mission));
        self.missions.insert(mission.id, mission);
    }

    fn delete(&mut self, kind: EntityKind, id: u32) {
        if let Some(row) = self.get(kind, id) {
            self.retired.insert((kind, id), row);
        }
        self.remove(kind, id);
    }

    fn remove(&mut self, kind: EntityKind, id: u32) {
        match kind {
            EntityKind::Publisher => drop(self.publishers.remove(&PublisherId(id))),
            EntityKind::App => drop(self.apps.remove(&AppId(id))),
            EntityKind::Unit => drop(self.units.remove(&UnitId(id))),
            EntityKind::Advertiser => drop(self.advertisers.remove(&AdvertiserId(id))),
            EntityKind::Order => drop(self.orders.remove(&OrderId(id))),
            EntityKind::Segment => drop(self.segments.remove(&SegmentId(id))),
            EntityKind::LineItem => drop(self.line_items.remove(&LineItemId(id))),
            EntityKind::AdGroup => drop(self.ad_groups.remove(&AdGroupId(id))),
            EntityKind::Mission => drop(self.missions.remove(&MissionId(id))),
            EntityKind::Partner => drop(self.partners.remove(&PartnerId(id))),
        }
    }
}

fn row<K: Ord, V: Clone>(
    rows: &BTreeMap<K, V>,
    id: K,
    entity: impl Fn(V) -> Entity,
) -> Option<Entity> {
    rows.get(&id).cloned().map(entity)
}

fn shared<K: Ord, V: Clone>(
    rows: &BTreeMap<K, Arc<V>>,
    id: K,
    entity: impl Fn(V) -> Entity,
) -> Option<Entity> {
    rows.get(&id).map(|row| entity(V::clone(row)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::sample;

    #[test]
    fn a_deleted_rows_number_is_not_given_again() {
        let sample = sample::catalog();
        for kind in EntityKind::ALL {
            assert_eq!(Catalog::default().next_id(kind), 1);
            let mut catalog = sample.clone();
            let next = catalog.next_id(kind);
            catalog.apply(&Edit::Delete(kind, 1));
            catalog.apply(&Edit::Delete(kind, 99));
            assert_eq!(catalog.next_id(kind), next, "{kind:?}");
            assert_eq!(catalog.retired.get(&(kind, 1)), sample.get(kind, 1).as_ref());
            let Some(row) = sample.get(kind, 1) else { continue };
            catalog.apply(&Edit::Put(row));
            assert_eq!(catalog.ids(kind), sample.ids(kind), "the same row put back");
            assert_eq!((catalog.next_id(kind), catalog.retired.len()), (next, 0), "{kind:?}");
        }
    }

    #[test]
    fn newer_rows_take_the_place_of_older_ones() {
        let base = sample::catalog();
        let put_back = base.get(EntityKind::Segment, 1).into_iter().map(Edit::Put);
        let without = base.edited(&[Edit::Delete(EntityKind::Segment, 1)]);
        let mut newer = Catalog { revision: without.revision, ..Catalog::default() };
        newer.retired = without.retired.clone();
        assert_eq!(base.with_newer(newer), without);
        let with = without.edited(&put_back.collect::<Vec<_>>());
        let segments = with.segments.clone();
        let newer = Catalog { revision: with.revision, segments, ..Catalog::default() };
        assert_eq!(without.with_newer(newer), with);
        assert_eq!((with.segments, with.retired), (base.segments, base.retired));
    }

    #[test]
    fn the_highest_number_leaves_the_gaps() {
        let mut catalog = sample::catalog();
        let publisher = |id| Publisher { id: PublisherId(id), name: "P".to_owned() };
        catalog.apply(&Edit::Put(Entity::Publisher(publisher(u32::MAX))));
        assert_eq!(catalog.next_id(EntityKind::Publisher), 2);
        catalog.apply(&Edit::Put(Entity::Publisher(publisher(2))));
        for id in [2, u32::MAX] {
            catalog.apply(&Edit::Delete(EntityKind::Publisher, id));
        }
        assert_eq!(catalog.next_id(EntityKind::Publisher), 3);
    }
}
