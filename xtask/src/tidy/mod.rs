//! The style checks: `cargo test -p xtask` is the whole style police.
//!
//! A check is a function from a [`Tree`] (the files that are, or are about to be, in the
//! repository) to the [`Fault`]s it found. Each check has a test beside it that plants the fault it
//! looks for, because a check that cannot fail checks nothing; `xtask/tests/tidy.rs` runs them all
//! on the repository itself.
//!
//! To add a check: a module here with `check(&Tree) -> Vec<Fault>` and its planted fault, and one
//! line in `xtask/tests/tidy.rs`.

pub mod adr;
pub mod banned;
pub mod contract;
pub mod doc_share;
pub mod facts;
pub mod graph;
pub mod length;
pub mod lockfile;
pub mod manifest;
pub mod markdown;
pub mod self_only;
pub mod size;
pub mod statements;
pub mod tokens;
pub mod tree;

use std::fmt;

pub use tree::{File, Tree};

/// Something that breaks a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, relative to the repository's root.
    pub path: String,
    /// The line, counted from one; zero when the fault concerns the whole file.
    pub line: usize,
    /// What is wrong and, where it is not obvious, what to do instead.
    pub message: String,
}

impl Fault {
    /// A fault on one line of a file.
    pub fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }

    /// A fault of a file as a whole.
    pub fn whole(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(path, 0, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// The crate a file belongs to: its folder under `crates/`, or `xtask`, or `bench`.
pub fn crate_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("crates/").unwrap_or(path);
    let (name, _) = rest.split_once('/')?;
    let known = rest.len() < path.len() || matches!(name, "xtask" | "bench");
    known.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_crates() {
        assert_eq!(crate_of("crates/api/src/lib.rs"), Some("api"));
        assert_eq!(crate_of("xtask/src/lib.rs"), Some("xtask"));
        assert_eq!(crate_of("docs/guide.md"), None);
        assert_eq!(crate_of("README.md"), None);
    }
}
