//! Which budgets the latest groups of a shard have changed, so that whoever knows the others need not
//! read them again.
//!
//! It stands in the shard's head, which every group replaces, so it has what every group changed,
//! whichever node wrote it. There is room for some line items only; what was changed longest ago gives
//! way, and whoever was away for longer reads all budgets.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::LineItemId;

use crate::error::Failed;
use crate::keys::CHANGES;
use crate::value::{Item, Read as _, bytes};

/// Line items that a head names at most. With so many it stays below 1 KB, so that no write of it
/// costs more than without.
const NAMED_MAX: usize = 128;
/// Bytes of one of them: the line item, and how many groups ago.
const ENTRY_BYTES: usize = 6;
/// The most groups ago that anything named was changed.
const AGE_MAX: u64 = u16::MAX as u64;

/// The latest group that changed each budget.
///
/// The newest is in `newest`, so ages are counted from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Changes {
    /// What was changed after this group is known.
    after: u64,
    newest: u64,
    of: BTreeMap<LineItemId, u64>,
}

impl Changes {
    /// Nothing is known of what was changed up to that group.
    pub(crate) const fn after(group: u64) -> Self {
        Self { after: group, newest: group, of: BTreeMap::new() }
    }

    /// The next group, of that number, has changed these budgets.
    pub(crate) fn note(&mut self, group: u64, line_items: impl Iterator<Item = LineItemId>) {
        self.newest = group;
        self.of.extend(line_items.map(|line_item| (line_item, group)));
        while let Some(oldest) = self.of.values().min().copied()
            && (self.of.len() > NAMED_MAX || group - oldest > AGE_MAX)
        {
            self.of.retain(|_, at| *at > oldest);
            self.after = oldest;
        }
    }

    /// What was changed after that group; `None` if that is not known.
    pub(crate) fn since(&self, group: u64) -> Option<impl Iterator<Item = LineItemId>> {
        let newer = self.of.iter().filter(move |(_, at)| **at > group);
        (group >= self.after).then(|| newer.map(|(line_item, _)| *line_item))
    }

    /// Reads it from a head whose newest group that is. A head that no group has replaced has none.
    pub(crate) fn from_item(head: &Item, group: u64) -> Result<Self, Failed> {
        if !head.contains_key(CHANGES) {
            return Ok(Self::after(group));
        }
        let corrupt = || Failed::corrupt("the changed budgets of a shard");
        let (after, entries) = head.get_bytes(CHANGES)?.split_first_chunk().ok_or_else(corrupt)?;
        let entry = |entry: &[u8]| {
            let (line_item, age) = entry.split_first_chunk()?;
            let age = u16::from_be_bytes(*age.first_chunk()?);
            let at = group.checked_sub(age.into())?;
            Some((LineItemId(u32::from_be_bytes(*line_item)), at))
        };
        let of = entries.chunks(ENTRY_BYTES).map(entry).collect::<Option<_>>();
        let (after, of) = (u64::from_be_bytes(*after), of.ok_or_else(corrupt)?);
        Ok(Self { after, newest: group, of })
    }

    pub(crate) fn to_value(&self) -> AttributeValue {
        let mut all = self.after.to_be_bytes().to_vec();
        for (LineItemId(line_item), at) in &self.of {
            let age = (self.newest - at).min(AGE_MAX) as u16;
            all.extend(line_item.to_be_bytes());
            all.extend(age.to_be_bytes());
        }
        bytes(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(changes: &mut Changes, group: u64, numbers: std::ops::Range<u32>) {
        changes.note(group, numbers.map(LineItemId));
    }

    fn since(changes: &Changes, group: u64) -> Option<Vec<u32>> {
        changes.since(group).map(|found| found.map(|line_item| line_item.0).collect())
    }

    #[test]
    fn what_later_groups_changed_is_told() {
        let mut changes = Changes::after(3);
        assert_eq!((since(&changes, 2), since(&changes, 3)), (None, Some(vec![])));
        noted(&mut changes, 4, 1..4);
        noted(&mut changes, 6, 2..3);
        assert_eq!(since(&changes, 3), Some(vec![1, 2, 3]));
        assert_eq!(since(&changes, 4), Some(vec![2]));
        assert_eq!(since(&changes, 6), Some(vec![]));
    }

    #[test]
    fn the_oldest_give_way_a_whole_group_at_a_time() {
        let mut changes = Changes::after(0);
        noted(&mut changes, 1, 0..2);
        noted(&mut changes, 2, 2..128);
        assert_eq!(since(&changes, 0).map(|all| all.len()), Some(128));
        noted(&mut changes, 3, 128..129);
        assert_eq!((since(&changes, 0), since(&changes, 2)), (None, Some(vec![128])));
        assert_eq!(since(&changes, 1).map(|all| all.len()), Some(127));
        noted(&mut changes, 4, 0..129);
        assert_eq!((since(&changes, 3), since(&changes, 4)), (None, Some(vec![])));
        noted(&mut changes, 5, 0..1);
        noted(&mut changes, 5 + 65_536, 1..2);
        assert_eq!((since(&changes, 4), since(&changes, 5)), (None, Some(vec![1])));
    }

    #[test]
    fn it_comes_back_as_it_was_and_fits_a_head_of_one_kilobyte() {
        let mut changes = Changes::after(70_000);
        noted(&mut changes, 70_001, 0..100);
        noted(&mut changes, 135_536, 100..128);
        let value = changes.to_value();
        assert!(value.as_b().unwrap().as_ref().len() < 800);
        let head = Item::from([(CHANGES.to_owned(), value)]);
        assert_eq!(Changes::from_item(&head, 135_536).unwrap(), changes);
        assert_eq!(Changes::from_item(&Item::new(), 9).unwrap(), Changes::after(9));
        let cut = Item::from([(CHANGES.to_owned(), bytes([0; 9]))]);
        assert!(Changes::from_item(&cut, 9).is_err());
    }
}
