//! What a store tells of each statement or request that it owns, and what is to be thought of it.
//!
//! An adapter lists what it owns in one place, asks its database how each would be carried out with
//! values that are there, and turns the answer into [`Facts`]. What is fine and what is not is decided
//! here, for all adapters alike ([`judge()`]).

mod judge;

pub use judge::{Finding, Verdict, judge};

/// Something that a store asks of its database.
#[derive(Clone, PartialEq, Debug)]
pub struct Explained {
    /// Its name in the adapter's list.
    pub name: &'static str,
    /// What it is for.
    pub purpose: String,
    /// What it does.
    pub kind: Kind,
    /// Its text, or the operation and the keys of a request.
    pub text: String,
    /// What is meant to be so.
    pub design: Design,
    /// What was found.
    pub facts: Facts,
}

impl Explained {
    /// What is to be thought of it.
    #[must_use]
    pub fn judge(&self) -> Vec<Finding> {
        judge(&self.facts, self.design)
    }
}

/// What a statement or request does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It reads. It is carried out to see what that takes.
    Read,
    /// It writes or locks. It is never carried out.
    Write,
    /// It begins, ends or sets something, and has no plan.
    Control,
}

/// What a list declares of a statement: what would be wrong with another is meant here, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Design {
    /// Why it goes through a whole table.
    pub walks: Option<&'static str>,
    /// Why it sorts, or keeps rows aside.
    pub sorts: Option<&'static str>,
}

/// What was found of a statement or request.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Facts {
    /// How it is carried out, in order; empty if there is no plan.
    pub steps: Vec<Step>,
    /// What it took, if it was carried out.
    pub cost: Option<Cost>,
    /// Whether a table that it is about is empty, so that nothing can be said.
    pub has_no_rows: bool,
    /// Why nothing more is known.
    pub unknown: Option<String>,
}

/// A step of a plan.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// It, in the words of the database.
    pub words: String,
    /// What it means.
    pub does: Does,
}

impl Step {
    /// A step in the words of the database.
    #[must_use]
    pub fn new(words: impl Into<String>, does: Does) -> Self {
        Self { words: words.into(), does }
    }
}

/// What a step of a plan does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Does {
    /// Nothing to think of: a search by an index, or a constant.
    Search,
    /// Goes through a whole table or index.
    Scan {
        /// How many rows the table or index has, as far as the plan says.
        rows: Option<f64>,
        /// Whether there is an index that could have been used and was not.
        had_index: bool,
    },
    /// Sorts, because no index has the order.
    Sort,
    /// Keeps rows aside, in a temporary table.
    Temporary,
    /// Makes an index for this one time.
    MakesIndex,
    /// Keeps rows only after they were read.
    Filters,
    /// Nothing: the database refuses it.
    Fails,
    /// Something that is not known here.
    Unknown,
}

/// The tables that a statement names, in its order, where keywords are in capitals.
#[must_use]
pub fn tables_of(text: &str) -> Vec<&str> {
    let mut words = text.split([' ', '(', ')', ',', ';']).filter(|word| !word.is_empty());
    let mut tables = Vec::new();
    while let Some(word) = words.next() {
        if !matches!(word, "FROM" | "JOIN" | "STRAIGHT_JOIN" | "INTO" | "UPDATE") {
            continue;
        }
        let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
        tables.extend(words.next().filter(is_name));
    }
    tables
}

/// What it took to carry something out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cost {
    /// What is counted.
    pub unit: Unit,
    /// How many of them were examined.
    pub examined: f64,
    /// How many rows or items came back.
    pub returned: f64,
    /// Units of capacity, of DynamoDB.
    pub units: Option<f64>,
}

/// What a database counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Rows, or items.
    Rows,
    /// Steps of SQLite's machine, some ten a row: it does not count rows.
    Steps,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_where_statements_name_them() {
        for (text, wanted) in [
            ("SELECT a FROM users u LEFT JOIN journal j ON j.a = u.a", &["users", "journal"][..]),
            ("INSERT INTO users (a) VALUES (?) ON CONFLICT (a) DO UPDATE SET a = 1", &["users"]),
            ("UPDATE users SET a = 1", &["users"]),
            ("SELECT 1 FROM users u STRAIGHT_JOIN journal j ON j.a = u.a", &["users", "journal"]),
            ("SELECT 1 FROM ((SELECT id FROM deliveries WHERE a = 1)) n", &["deliveries"]),
            ("COMMIT", &[]),
        ] {
            assert_eq!(tables_of(text), wanted, "{text}");
        }
    }
}
