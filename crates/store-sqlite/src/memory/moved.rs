//! Which budgets the writer has changed, so that whoever knows the others need not read them again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use domain::ids::LineItemId;
use store::{LevelsMark, MarkGiver};

/// Budgets that changed are read one by one up to here; beyond it, reading all in one go is cheaper.
const ONE_BY_ONE_MAX: usize = 1_024;

/// The latest change of each budget since the store was opened.
#[derive(Debug)]
pub(crate) struct Moved {
    giver: MarkGiver,
    /// `None` if another process may write the file.
    changes: Option<Mutex<Changes>>,
}

#[derive(Debug, Default)]
struct Changes {
    /// The number of the latest group that changed any.
    at: u64,
    /// The number of the latest group that changed each.
    of: BTreeMap<LineItemId, u64>,
}

impl Moved {
    pub(crate) fn new() -> Self {
        Self { giver: MarkGiver::new(), changes: Some(Mutex::default()) }
    }

    pub(crate) fn none() -> Self {
        Self { giver: MarkGiver::new(), changes: None }
    }

    /// A group has changed these budgets, or may have.
    pub(crate) fn note(&self, line_items: impl Iterator<Item = LineItemId>) {
        let Some(changes) = &self.changes else { return };
        let mut line_items = line_items.peekable();
        if line_items.peek().is_none() {
            return;
        }
        let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.at += 1;
        let at = changes.at;
        changes.of.extend(line_items.map(|line_item| (line_item, at)));
    }

    /// What has changed since the mark, in order, and the next mark; `None` instead of the line items if
    /// all budgets should be read. Whoever asks reads the budgets afterwards.
    pub(crate) fn since(
        &self,
        known: Option<&LevelsMark>,
    ) -> (Option<Vec<LineItemId>>, Option<LevelsMark>) {
        let Some(changes) = &self.changes else { return (None, None) };
        let changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = match self.giver.at(known) {
            Some(&[known]) if known == changes.at => Some(Vec::new()),
            Some(&[known]) => {
                let newer = changes.of.iter().filter(|(_, at)| **at > known);
                Some(newer.map(|(line_item, _)| *line_item).collect())
            }
            _ => None,
        };
        let few = moved.filter(|moved: &Vec<_>| moved.len() <= ONE_BY_ONE_MAX);
        (few, Some(self.giver.mark(vec![changes.at])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(moved: &Moved, numbers: std::ops::Range<u32>) {
        moved.note(numbers.map(LineItemId));
    }

    #[test]
    fn what_changed_since_a_mark_is_told_to_whoever_has_one() {
        let moved = Moved::new();
        noted(&moved, 1..3);
        let (all, first) = moved.since(None);
        assert_eq!(all, None);
        assert_eq!(moved.since(first.as_ref()).0, Some(vec![]));
        noted(&moved, 7..8);
        noted(&moved, 2..3);
        let (some, second) = moved.since(first.as_ref());
        assert_eq!(some, Some(vec![LineItemId(2), LineItemId(7)]));
        assert_eq!(moved.since(second.as_ref()).0, Some(vec![]));
        assert_eq!(moved.since(Moved::new().since(None).1.as_ref()).0, None, "another's mark");
    }

    #[test]
    fn nothing_is_told_of_many_or_beside_another_writer() {
        let moved = Moved::new();
        let (_, mark) = moved.since(None);
        noted(&moved, 0..1_025);
        assert_eq!(moved.since(mark.as_ref()).0, None);
        let beside = Moved::none();
        noted(&beside, 1..2);
        assert_eq!(beside.since(mark.as_ref()), (None, None));
    }
}
