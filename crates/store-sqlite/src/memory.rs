//! What the process remembers of users and budgets beside the file.

mod glances;
mod moved;
mod rows;

pub(crate) use glances::Glances;
pub(crate) use moved::Moved;
pub(crate) use rows::Rows;

/// Shared by those who read and the one who writes.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Where users' rows may be.
    pub(crate) rows: Rows,
    /// What is known of users without reading them.
    pub(crate) glances: Glances,
    /// Which budgets have changed.
    pub(crate) moved: Moved,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { rows: Rows::new(), glances: Glances::new(), moved: Moved::new() }
    }

    /// For a store that is looked at once, while another process may write it: nothing is remembered.
    pub(crate) fn none() -> Self {
        Self { rows: Rows::none(), glances: Glances::none(), moved: Moved::none() }
    }
}
