//! Reading budgets: at once, for a decision; or one after the other, for a look.

use std::sync::Arc;

use domain::budget::Used;
use domain::ids::LineItemId;
use domain::time::Day;

use super::budget::Budget;
use super::item::{Head, old_day_of};
use super::slot::Slot;
use crate::client::{Db, Query};
use crate::error::Failed;
use crate::keys::{self, Key, SK};
use crate::requests::Request;
use crate::value::{Item, Read as _};

impl Budget {
    /// Reads a budget as it stands at one instant, with those of its days that have left their slots.
    /// `slots` is how many there were when it was last seen, at least one.
    pub(crate) async fn read(
        db: &Db,
        line_item: LineItemId,
        days: &[Day],
        mut slots: usize,
    ) -> Result<Self, Failed> {
        loop {
            let mut keys = vec![keys::budget(line_item)];
            keys.extend(slot_keys(line_item, slots));
            keys.extend(days.iter().map(|day| keys::old_day(line_item, *day)));
            let mut found = db.read_at_once(Request::ReadBudget, &keys).await?;
            let old = found.split_off(1 + slots);
            let head = found.first().and_then(Option::as_ref);
            let head = head.map(Head::from_item).transpose()?;
            let there = head.map_or(1, |head| head.slots);
            if there > slots {
                slots = there;
                continue;
            }
            let mut budget = Self::of(head, &found[1..=there])?;
            budget.old = days
                .iter()
                .zip(old)
                .map(|(day, old)| old_used(*day, old))
                .collect::<Result<_, _>>()?;
            budget.is_fresh = true;
            return Ok(budget);
        }
    }

    fn of(head: Option<Head>, slots: &[Option<Item>]) -> Result<Self, Failed> {
        let read = |slot: &Option<Item>| match slot {
            Some(slot) => Slot::from_item(slot).map(Arc::new),
            None => Ok(Arc::default()),
        };
        let count = head.map_or(1, |head| head.slots);
        Ok(Self {
            limits: head.and_then(|head| head.limits),
            version: head.map_or(0, |head| head.version),
            slots: slots.iter().take(count).map(read).collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }

    /// Looks at a budget without its old days. What is written meanwhile may be seen in part.
    pub(crate) async fn look(db: &Db, line_item: LineItemId) -> Result<Self, Failed> {
        let query = Query::of(keys::budget_partition(line_item)).from("L").to("S~");
        let mut items = db.query(Request::LookAtBudget, &query).await?.into_iter().peekable();
        let head = items.next_if(|item| item.get_text(SK).is_ok_and(|sk| sk == "L"));
        let head = head.as_ref().map(Head::from_item).transpose()?;
        Self::of(head, &items.map(Some).collect::<Vec<_>>())
    }

    /// Looks at every budget without its old days, in order of the line items' numbers.
    pub(crate) async fn look_at_all(db: &Db) -> Result<Vec<(LineItemId, Self)>, Failed> {
        let found = db.query(Request::ListBudgets, &Query::of(KNOWN)).await?;
        let ids = found.iter().map(known_of).collect::<Result<Vec<_>, _>>()?;
        Self::look_at_these(db, ids).await
    }

    /// The same for some line items.
    pub(crate) async fn look_at_these(
        db: &Db,
        ids: Vec<LineItemId>,
    ) -> Result<Vec<(LineItemId, Self)>, Failed> {
        let heads: Vec<_> = ids.iter().map(|id| keys::budget(*id)).collect();
        let mut budgets = Vec::with_capacity(ids.len());
        for head in db.batch_get(Request::ReadSlots, &heads, true).await? {
            budgets.push(head.as_ref().map(Head::from_item).transpose()?);
        }
        let count = |head: &Option<Head>| head.map_or(1, |head| head.slots);
        let slots = ids.iter().zip(&budgets).flat_map(|(id, head)| slot_keys(*id, count(head)));
        let slots = db.batch_get(Request::ReadSlots, &slots.collect::<Vec<_>>(), true).await?;
        let mut rest = &slots[..];
        let join = |(id, head): (LineItemId, Option<Head>)| {
            let (own, others) = rest.split_at(count(&head));
            rest = others;
            Ok((id, Self::of(head, own)?))
        };
        ids.into_iter().zip(budgets).map(join).collect()
    }

    /// Looks at the days of a budget that have left their slots.
    pub(crate) async fn look_at_old_days(
        db: &Db,
        line_item: LineItemId,
    ) -> Result<Vec<(Day, Used)>, Failed> {
        let query = Query::of(keys::budget_partition(line_item)).beginning("D#");
        let found = db.query(Request::LookAtBudget, &query).await?;
        found.iter().map(old_day_of).collect()
    }
}

fn known_of(item: &Item) -> Result<LineItemId, Failed> {
    let sk = item.get_text(SK)?;
    let number = u32::from_str_radix(sk, 16).ok();
    number.map(LineItemId).ok_or_else(|| Failed::corrupt(format!("the key {sk} of a budget")))
}

/// The partition of the directory, see [`keys::known_budget`].
const KNOWN: &str = "B";

/// The keys of a budget's slots.
pub(crate) fn slot_keys(line_item: LineItemId, slots: usize) -> impl Iterator<Item = Key> {
    (0..slots as u32).map(move |place| keys::slot(line_item, place))
}

fn old_used(day: Day, item: Option<Item>) -> Result<(Day, Used), Failed> {
    item.map_or(Ok((day, Used::default())), |item| old_day_of(&item))
}
