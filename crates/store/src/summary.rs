//! What an edit of the catalogue was, in one line, so that every store tells it in the same words.

use std::collections::BTreeMap;

use domain::catalog::{Edit, EntityKind};

/// Most numbers of rows that a summary names for each kind; the rest is counted.
const NUMBERS_MAX: usize = 8;

/// The line for the history, such as `put missions 3, 4; deleted apps 7`.
#[must_use]
pub fn summary_of(edits: &[Edit]) -> String {
    let mut groups: BTreeMap<(bool, EntityKind), Vec<u32>> = BTreeMap::new();
    for edit in edits {
        let (group, id) = match edit {
            Edit::Put(entity) => ((false, entity.kind()), entity.id()),
            Edit::Delete(kind, id) => ((true, *kind), *id),
        };
        groups.entry(group).or_default().push(id);
    }
    let parts: Vec<String> = groups.iter().map(|(group, ids)| part(*group, ids)).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

fn part((is_deletion, kind): (bool, EntityKind), ids: &[u32]) -> String {
    let verb = if is_deletion { "deleted" } else { "put" };
    let numbers: Vec<String> = ids.iter().take(NUMBERS_MAX).map(u32::to_string).collect();
    let more = ids.len().saturating_sub(NUMBERS_MAX);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{verb} {} {}{rest}", kind.name(), numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_told_in_one_line() {
        let apps = |count: u32| (1..=count).map(|id| Edit::Delete(EntityKind::App, id)).collect();
        let cases: [(Vec<Edit>, &str); 4] = [
            (Vec::new(), "nothing"),
            (apps(2), "deleted apps 1, 2"),
            (apps(10), "deleted apps 1, 2, 3, 4, 5, 6, 7, 8 and 2 more"),
            (
                [apps(1), vec![Edit::Delete(EntityKind::Mission, 4)]].concat(),
                "deleted apps 1; deleted missions 4",
            ),
        ];
        for (edits, line) in cases {
            assert_eq!(summary_of(&edits), line);
        }
    }
}
