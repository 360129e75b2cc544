//! What the process remembers of users beside the file.

mod glances;
mod rows;

pub(crate) use glances::Glances;
pub(crate) use rows::Rows;

/// Shared by those who read and the one who writes.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Where their rows may be.
    pub(crate) rows: Rows,
    /// What is known without reading them.
    pub(crate) glances: Glances,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { rows: Rows::new(), glances: Glances::new() }
    }

    /// For a store that is looked at once, while another process may write it: nobody is remembered.
    pub(crate) fn none() -> Self {
        Self { rows: Rows::none(), glances: Glances::none() }
    }
}
