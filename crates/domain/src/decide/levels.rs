//! What is known in memory of every line item's budget.

use crate::budget::Level;
use crate::ids::{LineItemId, NumberMap};

/// The latest known [`Level`] of each line item.
///
/// It may lag behind the store: a stale level can show an offer too many or too few, but the commit
/// checks the true one (S4). A line item without a level is not offered, because nobody has yet said
/// what it may spend.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Levels(NumberMap<LineItemId, Level>);

impl Levels {
    /// What is known of that line item's budget.
    #[must_use]
    pub fn get(&self, line_item: LineItemId) -> Option<&Level> {
        self.0.get(&line_item)
    }

    /// Replaces what is known of the level's line item.
    pub fn set(&mut self, level: Level) {
        self.0.insert(level.line_item, level);
    }

    /// How many line items have a level.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no line item has a level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every level, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Level> {
        self.0.values()
    }
}

impl FromIterator<Level> for Levels {
    fn from_iter<T: IntoIterator<Item = Level>>(levels: T) -> Self {
        Self(levels.into_iter().map(|level| (level.line_item, level)).collect())
    }
}
