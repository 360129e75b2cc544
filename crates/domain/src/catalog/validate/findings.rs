//! The list of problems while it is being made.

use std::fmt::Display;

use super::Problem;
use crate::catalog::EntityKind;

/// Problems so far, and the row that is being looked at.
#[derive(Default)]
pub(super) struct Findings {
    row: Option<(EntityKind, u32)>,
    problems: Vec<Problem>,
}

impl Findings {
    /// Looks at another row.
    pub(super) fn on(&mut self, kind: EntityKind, id: u32) {
        self.row = Some((kind, id));
    }

    /// Something is wrong with the row.
    pub(super) fn add(&mut self, field: impl Display, message: impl Display) {
        if let Some((kind, id)) = self.row {
            let (field, message) = (field.to_string(), message.to_string());
            self.problems.push(Problem { kind, id, field, message });
        }
    }

    /// Something is wrong unless `right`; the words are only made if it is.
    pub(super) fn check(&mut self, right: bool, field: impl Display, message: impl Display) {
        if !right {
            self.add(field, message);
        }
    }

    /// Something that is referred to is missing unless `there`.
    pub(super) fn refers(&mut self, there: bool, field: impl Display, what: impl Display) {
        self.check(there, field, format_args!("there is no {what}"));
    }

    /// The problems, by kind and number; those of one row in the order in which they were found.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| (problem.kind, problem.id));
        self.problems
    }
}
