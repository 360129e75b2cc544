//! Budgets as a move carries them: sums over slots and days that have left them, and back.

use std::collections::BTreeMap;

use domain::budget::Used;
use domain::ids::LineItemId;
use domain::time::Day;
use futures_util::future::try_join_all;
use store::BudgetRow;

use super::budget::{Budget, plus};
use super::item::{BOOKED, HELD, Head, STARTS};
use super::slot::Slot;
use crate::base::Base;
use crate::client::random;
use crate::error::Failed;
use crate::keys;
use crate::value::{Item, item, number};

/// Budgets whose old days are read at once.
const BUDGETS_AT_ONCE: usize = 16;

impl Base {
    /// Every budget, in order of the line items' numbers.
    pub(crate) async fn budget_rows(&self) -> Result<Vec<BudgetRow>, Failed> {
        let budgets = Budget::look_at_all(&self.db).await?;
        let mut rows = Vec::with_capacity(budgets.len());
        for some in budgets.chunks(BUDGETS_AT_ONCE) {
            let carried =
                some.iter().map(|(line_item, budget)| self.budget_row(*line_item, budget));
            rows.extend(try_join_all(carried).await?);
        }
        Ok(rows)
    }

    async fn budget_row(
        &self,
        line_item: LineItemId,
        budget: &Budget,
    ) -> Result<BudgetRow, Failed> {
        let has_old = budget.slots.iter().any(|slot| slot.parted.is_some());
        let old = match has_old {
            true => Budget::look_at_old_days(&self.db, line_item).await?,
            false => Vec::new(),
        };
        let mut days: BTreeMap<Day, Used> = old.into_iter().collect();
        for (day, used) in budget.slots.iter().flat_map(|slot| &slot.days) {
            let sum = days.entry(*day).or_default();
            *sum = plus(*sum, *used);
        }
        let days = days.into_iter().collect();
        Ok(BudgetRow { line_item, limits: budget.limits, total: budget.total(), days })
    }
}

/// The items of a budget that is in one slot. That is shut, so the first move of it looks at the whole.
pub(crate) fn budget_items(row: BudgetRow) -> Vec<Item> {
    // No lane knows this version, whatever it remembers of the line item.
    let version = 1 + random() / 2;
    let line_item = row.line_item;
    let days = row.days.into_iter().collect();
    let mut slot =
        Slot { version, head: version, round: version, total: row.total, days, ..Slot::default() };
    let old = slot.part();
    let head = Head { version, slots: 1, limits: row.limits };
    let mut items = vec![
        head.to_item(line_item),
        slot.to_item(line_item, 0),
        item(&keys::known_budget(line_item), []),
    ];
    items.extend(old.into_iter().map(|(day, used)| {
        let used = [
            (BOOKED, number(used.booked.0)),
            (HELD, number(used.held.0)),
            (STARTS, number(used.starts)),
        ];
        item(&keys::old_day(line_item, day), used)
    }));
    items
}
