//! The difference that a file makes, as the admin API answers it and as people read it.

use std::collections::HashMap;

use domain::catalog::{Catalog, Difference, Edit, Entity, EntityKind};
use format::catalog::{FieldChange, field_changes};
use serde::{Deserialize, Serialize};

/// Longest value that is shown to people, in characters; JSON has all of it.
const VALUE_CHARS_MAX: usize = 72;

/// Rows by kind and number.
type Puts<'a> = HashMap<(EntityKind, u32), &'a Entity>;

/// What differs, and the revision at which the catalogue is now.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DifferenceAnswer {
    pub(super) revision: u64,
    pub(super) dry_run: bool,
    created: Vec<Row>,
    changed: Vec<ChangedRow>,
    deleted: Vec<Row>,
}

/// A row that is new or gone.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    kind: String,
    id: u32,
}

/// A row in which something differs.
#[derive(Debug, Serialize, Deserialize)]
struct ChangedRow {
    kind: String,
    id: u32,
    fields: Vec<FieldLine>,
}

/// One field; the values are JSON text, `null` where there is none.
#[derive(Debug, Serialize, Deserialize)]
struct FieldLine {
    path: String,
    old: Option<String>,
    new: Option<String>,
}

impl DifferenceAnswer {
    /// What `difference` changes in `before`.
    pub(super) fn of(before: &Catalog, difference: &Difference) -> Self {
        let new = puts(&difference.edits);
        Self {
            revision: before.revision,
            dry_run: false,
            created: difference.created.iter().map(row).collect(),
            changed: difference.changed.iter().map(|one| changed(before, &new, one)).collect(),
            deleted: difference.deleted.iter().map(row).collect(),
        }
    }

    /// The difference for people: `+`, `~` and `-` lines, and a sentence.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> =
            self.created.iter().map(|row| format!("+ {} {}", row.kind, row.id)).collect();
        for row in &self.changed {
            lines.push(format!("~ {} {}", row.kind, row.id));
            let width = row.fields.iter().map(|field| field.path.len()).max().unwrap_or(0);
            lines.extend(row.fields.iter().map(|field| field_text(field, width)));
        }
        lines.extend(self.deleted.iter().map(|row| format!("- {} {}", row.kind, row.id)));
        lines.push(self.sentence());
        lines.join("\n")
    }

    fn sentence(&self) -> String {
        let (created, changed, deleted) =
            (self.created.len(), self.changed.len(), self.deleted.len());
        let revision = self.revision;
        if created + changed + deleted == 0 {
            return format!("nothing changes; the catalogue is at revision {revision}");
        }
        let counts = |verbs: [&str; 3]| {
            format!("{created} {}, {changed} {}, {deleted} {}", verbs[0], verbs[1], verbs[2])
        };
        if self.dry_run {
            let counts = counts(["to create", "to change", "to delete"]);
            return format!("{counts}; a dry run, so revision {revision} stays");
        }
        let counts = counts(["created", "changed", "deleted"]);
        format!("{counts}; the catalogue is at revision {revision}")
    }
}

fn row(&(kind, id): &(EntityKind, u32)) -> Row {
    Row { kind: kind.name().to_owned(), id }
}

fn changed(before: &Catalog, new: &Puts<'_>, &(kind, id): &(EntityKind, u32)) -> ChangedRow {
    let old = before.get(kind, id);
    let new = new.get(&(kind, id));
    let fields = new.map(|new| field_changes(old.as_ref(), new)).unwrap_or_default();
    ChangedRow {
        kind: kind.name().to_owned(),
        id,
        fields: fields.into_iter().map(FieldLine::from).collect(),
    }
}

/// The rows that are put, by kind and number.
fn puts(edits: &[Edit]) -> Puts<'_> {
    let puts = edits.iter().filter_map(|edit| match edit {
        Edit::Put(new) => Some(((new.kind(), new.id()), new)),
        Edit::Delete(..) => None,
    });
    puts.collect()
}

impl From<FieldChange> for FieldLine {
    fn from(change: FieldChange) -> Self {
        Self { path: change.path, old: change.old, new: change.new }
    }
}

/// One line for a field, its name as wide as the widest.
fn field_text(field: &FieldLine, width: usize) -> String {
    let shown = |value: &Option<String>| value.as_deref().map_or("(none)".to_owned(), shortened);
    format!("    {:<width$}  {} -> {}", field.path, shown(&field.old), shown(&field.new))
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::catalog::{diff, sample};

    use super::*;

    fn text(edit: impl FnOnce(&mut Vec<Entity>), prune: bool) -> String {
        let mut declared = sample::entities();
        edit(&mut declared);
        let before = sample::catalog();
        DifferenceAnswer::of(&before, &diff(&before, &declared, prune)).text()
    }

    #[test]
    fn the_same_file_changes_nothing() {
        assert_eq!(text(|_| {}, true), "nothing changes; the catalogue is at revision 1");
    }

    #[test]
    fn every_kind_of_change_has_its_line() {
        let edit = |declared: &mut Vec<Entity>| {
            declared.retain(|entity| !matches!(entity, Entity::Order(_) | Entity::Partner(_)));
            for entity in declared.iter_mut() {
                match entity {
                    Entity::LineItem(row) => {
                        row.order_id = None;
                        row.priority = 70;
                    }
                    Entity::Unit(row) => row.id.0 = 2,
                    _ => {}
                }
            }
        };
        let expected = "\
+ units 2
~ line_items 1
    order_id  1 -> (none)
    priority  50 -> 70
- partners 1
- orders 1
- units 1
1 created, 1 changed, 3 deleted; the catalogue is at revision 1";
        assert_eq!(text(edit, true), expected);
    }

    #[test]
    fn long_values_are_cut_for_people_at_a_character() {
        let long = "가".repeat(VALUE_CHARS_MAX + 1);
        assert_eq!(shortened(&long), format!("{}…", "가".repeat(VALUE_CHARS_MAX)));
        assert_eq!(shortened("1"), "1");
    }
}
