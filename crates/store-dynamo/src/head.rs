//! Where a shard stands.

use store::Phase;

use crate::error::Failed;
use crate::group::Group;
use crate::keys::{GROUP, POSITION};
use crate::phase;
use crate::value::{Item, Read as _};

/// The head of a shard, without its counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// The newest group.
    pub(crate) group: u64,
    /// Position of the newest record.
    pub(crate) position: u64,
    /// What the store may be used for.
    pub(crate) phase: Phase,
}

impl Head {
    pub(crate) fn from_item(head: &Item) -> Result<Self, Failed> {
        Ok(Self {
            group: head.get_number(GROUP)?,
            position: head.get_number(POSITION)?,
            phase: phase::from_item(head)?,
        })
    }

    /// The head once that group is the newest.
    pub(crate) fn after(self, group: &Group) -> Self {
        let position = self.position + group.records.len() as u64;
        Self { group: self.group + 1, position, ..self }
    }
}
