//! Where a shard stands.

mod changes;

use domain::ids::LineItemId;
use store::Phase;

use crate::error::Failed;
use crate::group::Group;
use crate::keys::{GROUP, POSITION};
use crate::phase;
use crate::value::{Item, Read as _};

pub(crate) use changes::Changes;

/// The head of a shard, without its counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// The newest group.
    pub(crate) group: u64,
    /// Position of the newest record.
    pub(crate) position: u64,
    /// What the store may be used for.
    pub(crate) phase: Phase,
    /// Which budgets were changed lately.
    pub(crate) changes: Changes,
}

impl Head {
    pub(crate) fn from_item(head: &Item) -> Result<Self, Failed> {
        let group = head.get_number(GROUP)?;
        Ok(Self {
            group,
            changes: Changes::from_item(head, group)?,
            position: head.get_number(POSITION)?,
            phase: phase::from_item(head)?,
        })
    }

    /// The head once that group is the newest, which changes these budgets.
    pub(crate) fn after(
        mut self,
        group: &Group,
        budgets: impl Iterator<Item = LineItemId>,
    ) -> Self {
        self.group += 1;
        self.position += group.records.len() as u64;
        self.changes.note(self.group, budgets);
        self
    }
}
