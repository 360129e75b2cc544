//! What a declared catalogue changes: the edits that lead from one catalogue to another.

use std::collections::BTreeMap;

use super::{Catalog, Edit, Entity, EntityKind, Mission};

/// What differs, and the edits that make it so. Making them and comparing again gives nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// Rows that are new.
    pub created: Vec<(EntityKind, u32)>,
    /// Rows in which something differs; a mission's version number is not compared.
    pub changed: Vec<(EntityKind, u32)>,
    /// Rows that go.
    pub deleted: Vec<(EntityKind, u32)>,
    /// Puts, owners before what they own, and then deletions the other way round.
    pub edits: Vec<Edit>,
}

impl Difference {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }
}

/// What `declared` changes in `old`. Rows that are not declared are deleted if `prune` says so, and
/// left alone otherwise. Of two rows of one kind and number the later counts.
#[must_use]
pub fn diff(old: &Catalog, declared: &[Entity], prune: bool) -> Difference {
    let declared: BTreeMap<(EntityKind, u32), &Entity> =
        declared.iter().map(|entity| ((entity.kind(), entity.id()), entity)).collect();
    let mut found = Difference::default();
    for (&(kind, id), &entity) in &declared {
        match old.get(kind, id) {
            Some(current) if same(&current, entity) => continue,
            Some(_) => found.changed.push((kind, id)),
            None => found.created.push((kind, id)),
        }
        found.edits.push(Edit::Put(entity.clone()));
    }
    if prune {
        for kind in EntityKind::ALL.into_iter().rev() {
            let gone = old.ids(kind).into_iter().filter(|&id| !declared.contains_key(&(kind, id)));
            found.deleted.extend(gone.map(|id| (kind, id)));
        }
        found.edits.extend(found.deleted.iter().map(|&(kind, id)| Edit::Delete(kind, id)));
    }
    found
}

fn same(one: &Entity, other: &Entity) -> bool {
    match (one, other) {
        (Entity::Mission(one), Entity::Mission(other)) => {
            Mission { version: other.version, ..Mission::clone(one) } == **other
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::sample;
    use crate::ids::SegmentId;

    fn mission(change: impl FnOnce(&mut Mission)) -> Vec<Entity> {
        let mut mission = Mission::clone(&sample::catalog().missions[&crate::ids::MissionId(1)]);
        change(&mut mission);
        vec![Entity::Mission(Arc::new(mission))]
    }

    #[test]
    fn applying_twice_changes_nothing() {
        let segment = crate::catalog::Segment { id: SegmentId(9), name: "New".to_owned() };
        let declared =
            [mission(|mission| mission.window_seconds += 1), vec![Entity::Segment(segment)]]
                .concat();
        for prune in [false, true] {
            let old = sample::catalog();
            let first = diff(&old, &declared, prune);
            assert_eq!(first.created, [(EntityKind::Segment, 9)]);
            assert_eq!(first.changed, [(EntityKind::Mission, 1)]);
            assert_eq!(first.deleted.len(), if prune { 8 } else { 0 });
            let new = old.edited(&first.edits);
            assert_eq!(new.missions.values().next().map(|mission| mission.version), Some(2));
            assert!(diff(&new, &declared, prune).is_empty());
        }
    }

    #[test]
    fn a_missions_version_is_not_a_difference() {
        let declared = mission(|mission| mission.version = 0);
        assert!(diff(&sample::catalog(), &declared, false).is_empty());
    }

    #[test]
    fn owners_come_first_and_go_last() {
        let created = diff(&Catalog::default(), &sample::entities(), true);
        let kinds: Vec<_> = created.created.iter().map(|(kind, _)| *kind).collect();
        assert!(kinds.is_sorted());
        let deleted = diff(&sample::catalog(), &[], true);
        assert_eq!(deleted.deleted.first(), Some(&(EntityKind::Partner, 1)));
        assert_eq!(deleted.deleted.last(), Some(&(EntityKind::Publisher, 1)));
        assert_eq!(diff(&sample::catalog(), &[], false), Difference::default());
    }
}
