//! What fits into one transaction.

use std::sync::Arc;

use domain::budget::{BudgetMove, Guard};
use domain::change::{Change, Loaded, MESSAGES_MAX, MOVES_MAX};
use store::Phase;
use store::contract::sample::{self, NOW};
use tokio::sync::oneshot;

use super::*;
use crate::budgets::Budget;
use crate::head::Changes;

/// Shards of the table.
const SHARDS: u32 = 16;
/// Slots of a budget that is not split among all shards yet.
const SLOTS: usize = 8;
const HEAD: Head = Head { group: 7, position: 70, phase: Phase::Live, changes: Changes::after(7) };

/// Budgets at which this lane meets others all the time, as it has just read them.
fn busy_budgets() -> (Books, Fresh) {
    let (mut books, mut fresh) = (Books::new(0, SHARDS), Fresh::new());
    for line_item in (1..=MOVES_MAX as u32).map(LineItemId) {
        (0..9).for_each(|_| assert_eq!(books.meet(line_item, None, true), None));
        let slots = (0..SLOTS).map(|_| Arc::default()).collect();
        let limits = Some(sample::limits(1_000));
        let budget = Budget { limits, version: 3, slots, is_fresh: true, ..Budget::default() };
        fresh.insert(line_item, budget);
    }
    (books, fresh)
}

/// Takes back so many rewards, and gives something back to so many budgets.
fn reversals(count: usize, budgets: usize) -> Change {
    let missions = 1..=count as u32;
    let user = sample::user("ann");
    let granted = missions.clone().fold(sample::Draft::of(&user, NOW), sample::Draft::grant);
    let user: Loaded = granted.change().after();
    let draft = missions.fold(sample::Draft::of(&user, NOW), sample::Draft::reverse);
    let back = |line_item| BudgetMove { line_item, ..sample::booking(0, 1, Guard::Free) };
    let moves = (1..=budgets as u32).map(LineItemId).map(back);
    moves.fold(draft, sample::Draft::moving).change()
}

/// What becomes of a change in a group of its own, and that group.
fn drafted(change: Change) -> (Fate, Draft) {
    let (books, fresh) = busy_budgets();
    let (reply, _) = oneshot::channel();
    let work = Work::Commit(Box::new(Commit::new(change, &[]).unwrap()));
    let mut draft = Draft::new(0, &HEAD);
    let unit = Unit { work, reply: Some(reply), since: None };
    let mut fates = draft.fill(&[unit], Known { books: &books, fresh: &fresh });
    (fates.remove(0), draft)
}

/// A budget is split when it is busy, but not if the change would find no room any more: it would
/// never be made, as the budget stays busy until it is split.
#[test]
fn busy_budgets_leave_room_for_the_largest_change() {
    let (fate, draft) = drafted(reversals(1, 1));
    assert!(matches!(fate, Fate::In(_)), "{fate:?}");
    let split: Vec<_> = draft.trial.wholes().collect();
    assert_eq!(split, [(LineItemId(1), SHARDS as usize)]);
    // Each has a message and the marker that leads from its grant to it.
    let (fate, draft) = drafted(reversals(MESSAGES_MAX / 2, MOVES_MAX));
    assert!(matches!(fate, Fate::In(_)), "{fate:?}");
    assert_eq!(draft.trial.wholes().count(), 0);
    let items = draft.writes(&HEAD).len();
    assert!(items <= TRANSACTION_MAX, "{items}");
}

/// It is refused for good, and nothing of it is left in the group.
#[test]
fn a_change_that_no_transaction_can_hold_is_refused() {
    let (fate, draft) = drafted(reversals(MESSAGES_MAX, MOVES_MAX));
    let Fate::Done(Err(StoreError::Corrupt(words))) = fate else { panic!("{fate:?}") };
    assert!(words.contains("can never be written"), "{words}");
    assert!(draft.is_empty() && draft.needs.is_empty());
}
