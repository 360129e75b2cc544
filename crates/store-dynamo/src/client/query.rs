//! A query: a partition of the table or the index, and which of its sort keys.

use crate::keys::{FIRST, LAST};

/// Which items of a partition.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// Whether it is one of the index; its answers are keys only, and may be a moment late.
    pub(crate) is_index: bool,
    /// The partition.
    pub(crate) pk: String,
    /// First sort key.
    pub(crate) from: String,
    /// Last sort key.
    pub(crate) to: String,
    /// Whether the last come first.
    pub(crate) is_backwards: bool,
    /// Most items; `None` is all.
    pub(crate) limit: Option<usize>,
}

impl Query {
    /// All of a partition.
    pub(crate) fn of(pk: impl Into<String>) -> Self {
        Self {
            is_index: false,
            pk: pk.into(),
            from: FIRST.to_owned(),
            to: LAST.to_owned(),
            is_backwards: false,
            limit: None,
        }
    }

    /// The operation, as the list of requests calls it.
    pub(crate) fn operation(&self) -> &'static str {
        if self.is_index { "Query on `due`" } else { "Query" }
    }

    /// In the index instead.
    pub(crate) fn in_index(self) -> Self {
        Self { is_index: true, ..self }
    }

    /// Only sort keys that begin so.
    pub(crate) fn beginning(self, prefix: &str) -> Self {
        Self { from: prefix.to_owned(), to: format!("{prefix}{LAST}"), ..self }
    }

    /// Only this sort key and later ones.
    pub(crate) fn from(self, from: impl Into<String>) -> Self {
        Self { from: from.into(), ..self }
    }

    /// Only sort keys after this one: nothing in a key sorts before `!`.
    pub(crate) fn after(self, key: &str) -> Self {
        Self { from: format!("{key}!"), ..self }
    }

    /// Only this sort key and earlier ones.
    pub(crate) fn to(self, to: impl Into<String>) -> Self {
        Self { to: to.into(), ..self }
    }

    pub(crate) fn backwards(self) -> Self {
        Self { is_backwards: true, ..self }
    }

    pub(crate) fn limit(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }
}
