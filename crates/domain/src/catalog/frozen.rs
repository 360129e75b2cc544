//! Fields that stay as they are once a row is in use.
//!
//! A budget is counted in the currency and by the days of its line item, and what users have earned
//! is kept under their app, its units and the line item that pays. An edit of such a field would
//! give another meaning to money that is booked already, so it is refused, and a new row is the way
//! to go. A row counts as in use as soon as it could be: what users did with it is not looked up.

use super::{Catalog, Edit, Entity, LineItem, LineItemStatus, Problem};

/// A field and what is wrong with its change.
type Told = (&'static str, String);

/// What these edits of `old` would change that must stay; empty if nothing. A deleted row that is
/// put back is compared with what it was.
#[must_use]
pub fn frozen(old: &Catalog, edits: &[Edit]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for edit in edits {
        let Edit::Put(new) = edit else { continue };
        let (kind, id) = (new.kind(), new.id());
        let was = old.get(kind, id).or_else(|| old.retired.get(&(kind, id)).cloned());
        let told = was.map(|was| changes(&was, new)).unwrap_or_default();
        problems.extend(told.into_iter().map(|(field, message)| Problem {
            kind,
            id,
            field: field.to_owned(),
            message,
        }));
    }
    problems
}

fn changes(old: &Entity, new: &Entity) -> Vec<Told> {
    match (old, new) {
        (Entity::LineItem(old), Entity::LineItem(new)) => of_line_item(old, new),
        (Entity::App(old), Entity::App(new)) if old.publisher_id != new.publisher_id => {
            let (was, wanted) = (old.publisher_id, new.publisher_id);
            let why = format!("its users and their points are publisher {was}'s");
            vec![("publisher_id", format!("{why}; make a new app for publisher {wanted}"))]
        }
        (Entity::Unit(old), Entity::Unit(new)) if old.app_id != new.app_id => {
            let (was, wanted) = (old.app_id, new.app_id);
            let why = format!("its starts and rewards are app {was}'s");
            vec![("app_id", format!("{why}; make a new unit in app {wanted}"))]
        }
        (Entity::Mission(old), Entity::Mission(new)) if old.line_item_id != new.line_item_id => {
            let (was, wanted) = (old.line_item_id, new.line_item_id);
            let why = format!("line item {was} pays for what users have started");
            vec![("line_item_id", format!("{why}; make a new mission in line item {wanted}"))]
        }
        _ => Vec::new(),
    }
}

/// A draft has never been shown, so all of it may change. That only holds if nothing that has been
/// shown becomes a draft again.
fn of_line_item(old: &LineItem, new: &LineItem) -> Vec<Told> {
    let mut told = Vec::new();
    if old.status == LineItemStatus::Draft {
        return told;
    }
    if new.status == LineItemStatus::Draft {
        let message = "what has been shown cannot be a draft again; make it paused";
        told.push(("status", message.to_owned()));
    }
    if old.currency != new.currency {
        let (was, wanted) = (old.currency, new.currency);
        let message = format!("its bookings are in {was}; make a new line item in {wanted}");
        told.push(("currency", message));
    }
    if old.utc_offset != new.utc_offset {
        let message =
            "its bookings are counted by the days of the old offset; make a new line item";
        told.push(("utc_offset", message.to_owned()));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::catalog::{App, EntityKind, Mission, Unit, sample};
    use crate::ids::{AppId, LineItemId, PublisherId};
    use crate::money::{CurrencyCode, Micros};
    use crate::time::UtcOffset;

    /// An edit of a sample row, and what is said of it.
    type Case = (Entity, &'static [&'static str]);

    /// Every case must give these problems, no more, while the row exists and when it is put back.
    fn check(old: &Catalog, cases: &[Case]) {
        for (row, expected) in cases {
            let deleted = old.edited(&[Edit::Delete(row.kind(), row.id())]);
            for old in [old, &deleted] {
                let told: Vec<String> = frozen(old, &[Edit::Put(row.clone())])
                    .iter()
                    .map(|p| format!("{} {} {}: {}", p.kind.name(), p.id, p.field, p.message))
                    .collect();
                assert_eq!(told, *expected);
            }
        }
    }

    fn line_item(change: impl FnOnce(&mut LineItem)) -> Entity {
        let mut row = LineItem::clone(&sample::catalog().line_items[&LineItemId(1)]);
        change(&mut row);
        Entity::LineItem(row)
    }

    fn other_money(row: &mut LineItem) {
        row.currency = CurrencyCode::parse("KRW").unwrap();
        row.utc_offset = UtcOffset(540);
    }

    fn app(change: impl FnOnce(&mut App)) -> Entity {
        let mut row = sample::catalog().apps.into_values().next().unwrap();
        change(&mut row);
        Entity::App(row)
    }

    fn unit(change: impl FnOnce(&mut Unit)) -> Entity {
        let mut row = sample::catalog().units.into_values().next().unwrap();
        change(&mut row);
        Entity::Unit(row)
    }

    fn mission(change: impl FnOnce(&mut Mission)) -> Entity {
        let row = sample::catalog().missions.into_values().next().unwrap();
        let mut row = Arc::unwrap_or_clone(row);
        change(&mut row);
        Entity::Mission(Arc::new(row))
    }

    #[test]
    fn what_gives_booked_money_its_meaning_stays() {
        let cases: [Case; 5] = [
            (
                line_item(other_money),
                &[
                    "line_items 1 currency: its bookings are in USD; make a new line item in KRW",
                    "line_items 1 utc_offset: its bookings are counted by the days of the old \
                     offset; make a new line item",
                ],
            ),
            (
                line_item(|row| row.status = LineItemStatus::Draft),
                &["line_items 1 status: what has been shown cannot be a draft again; make it \
                   paused"],
            ),
            (
                app(|row| row.publisher_id = PublisherId(2)),
                &["apps 1 publisher_id: its users and their points are publisher 1's; make a new \
                   app for publisher 2"],
            ),
            (
                unit(|row| row.app_id = AppId(2)),
                &["units 1 app_id: its starts and rewards are app 1's; make a new unit in app 2"],
            ),
            (
                mission(|row| row.line_item_id = LineItemId(2)),
                &["missions 1 line_item_id: line item 1 pays for what users have started; make a \
                   new mission in line item 2"],
            ),
        ];
        check(&sample::catalog(), &cases);
        for status in [LineItemStatus::Paused, LineItemStatus::Ended] {
            let old = sample::catalog().edited(&[Edit::Put(line_item(|row| row.status = status))]);
            check(&old, &cases);
        }
    }

    #[test]
    fn everything_else_may_change() {
        let budget =
            |row: &mut LineItem| (row.budget, row.status) = (Micros(1), LineItemStatus::Ended);
        let cases = [
            (line_item(|_| {}), &[][..]),
            (line_item(budget), &[]),
            (app(|row| row.name = "Other".to_owned()), &[]),
            (unit(|row| row.name = "Other".to_owned()), &[]),
            (mission(|row| row.window_seconds += 1), &[]),
        ];
        check(&sample::catalog(), &cases);
    }

    #[test]
    fn a_draft_and_a_new_row_may_be_anything() {
        let draft = line_item(|row| row.status = LineItemStatus::Draft);
        let old = sample::catalog().edited(&[Edit::Put(draft)]);
        check(&old, &[(line_item(other_money), &[])]);
        let all: Vec<Edit> = sample::entities().into_iter().map(Edit::Put).collect();
        assert_eq!(frozen(&Catalog::default(), &all), []);
        let deletions: Vec<Edit> =
            EntityKind::ALL.into_iter().map(|kind| Edit::Delete(kind, 1)).collect();
        assert_eq!(frozen(&sample::catalog(), &deletions), []);
    }
}
