//! Budgets as items: the limits, each slot, and days that have left their slots.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::budget::{Limits, Used};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::time::Day;

use super::slot::{Share, Slot};
use crate::error::Failed;
use crate::keys::{self, SK, VERSION};
use crate::value::{Item, Read as _, item, list, number, number_of};

/// How many slots there are, in the item of the limits.
const SLOTS: &str = "slots";
const LIMITS: &str = "limits";
const SHARE: &str = "share";
const TOTAL: &str = "total";
const DAYS: &str = "days";
const PARTED: &str = "parted";
const HEAD: &str = "head";
const ROUND: &str = "round";
/// Who asks everybody else not to write a slot for a moment.
pub(crate) const QUIET: &str = "quiet";
/// What stands against a day, in the item of that day.
pub(crate) const BOOKED: &str = "booked";
pub(crate) const HELD: &str = "held";
pub(crate) const STARTS: &str = "starts";

/// The item of a budget's limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// Grows by one with each write.
    pub(crate) version: u64,
    /// How many slots there are.
    pub(crate) slots: usize,
    /// What may be spent; `None` if that was never set.
    pub(crate) limits: Option<Limits>,
}

impl Head {
    pub(crate) fn to_item(self, line_item: LineItemId) -> Item {
        let with = [(VERSION, number(self.version)), (SLOTS, number(self.slots))];
        let mut head = item(&keys::budget(line_item), with);
        if let Some(limits) = self.limits {
            let all = [
                number(limits.total.0),
                optional(limits.daily.map(|daily| daily.0)),
                number(limits.grace.0),
                optional(limits.starts),
                optional(limits.daily_starts),
            ];
            head.insert(LIMITS.to_owned(), list(all));
        }
        head
    }

    pub(crate) fn from_item(head: &Item) -> Result<Self, Failed> {
        let limits = match head.contains_key(LIMITS) {
            true => Some(limits_of(head.get_list(LIMITS)?)?),
            false => None,
        };
        let (version, slots) = (head.get_number(VERSION)?, head.get_number(SLOTS)?);
        Ok(Self { version, slots, limits })
    }
}

fn limits_of(values: &[AttributeValue]) -> Result<Limits, Failed> {
    let [total, daily, grace, starts, daily_starts] = values else { return bad(LIMITS) };
    Ok(Limits {
        total: Micros(number_of(total, LIMITS)?),
        daily: optional_of(daily, LIMITS)?.map(Micros),
        grace: Micros(number_of(grace, LIMITS)?),
        starts: optional_of(starts, LIMITS)?,
        daily_starts: optional_of(daily_starts, LIMITS)?,
    })
}

impl Slot {
    pub(crate) fn to_item(&self, line_item: LineItemId, place: u32) -> Item {
        let Share { total, starts, day, daily, daily_starts, ceiling } = self.share;
        let share = [
            number(total.0),
            optional(starts),
            number(day.0),
            optional(daily.map(|daily| daily.0)),
            optional(daily_starts),
            optional(ceiling.map(|ceiling| ceiling.0)),
        ];
        let days = self.days.iter().map(|(day, used)| {
            list([number(day.0), number(used.booked.0), number(used.held.0), number(used.starts)])
        });
        let used = [self.total.booked.0, self.total.held.0, self.total.starts.into()];
        let with = [
            (VERSION, number(self.version)),
            (HEAD, number(self.head)),
            (ROUND, number(self.round)),
            (SHARE, list(share)),
            (TOTAL, list(used.map(number))),
            (DAYS, list(days)),
        ];
        let mut slot = item(&keys::slot(line_item, place), with);
        if let Some(day) = self.parted {
            slot.insert(PARTED.to_owned(), number(day.0));
        }
        slot
    }

    pub(crate) fn from_item(slot: &Item) -> Result<Self, Failed> {
        let [booked, held, starts] = slot.get_list(TOTAL)? else { return bad(TOTAL) };
        let days = slot.get_list(DAYS)?.iter().map(day_of);
        Ok(Self {
            version: slot.get_number(VERSION)?,
            head: slot.get_number(HEAD)?,
            round: slot.get_number(ROUND)?,
            quiet: slot.find_number(QUIET)?,
            share: share_of(slot.get_list(SHARE)?)?,
            total: used_of([booked, held, starts], TOTAL)?,
            days: days.collect::<Result<BTreeMap<_, _>, _>>()?,
            parted: slot.find_number(PARTED)?.map(Day),
        })
    }
}

fn share_of(values: &[AttributeValue]) -> Result<Share, Failed> {
    let [total, starts, day, daily, daily_starts, ceiling] = values else { return bad(SHARE) };
    Ok(Share {
        total: Micros(number_of(total, SHARE)?),
        starts: optional_of(starts, SHARE)?,
        day: Day(number_of(day, SHARE)?),
        daily: optional_of(daily, SHARE)?.map(Micros),
        daily_starts: optional_of(daily_starts, SHARE)?,
        ceiling: optional_of(ceiling, SHARE)?.map(Micros),
    })
}

fn day_of(value: &AttributeValue) -> Result<(Day, Used), Failed> {
    match value.as_l().map(Vec::as_slice) {
        Ok([day, booked, held, starts]) => {
            Ok((Day(number_of(day, DAYS)?), used_of([booked, held, starts], DAYS)?))
        }
        _ => bad(DAYS),
    }
}

fn used_of(
    [booked, held, starts]: [&AttributeValue; 3],
    name: &'static str,
) -> Result<Used, Failed> {
    Ok(Used {
        booked: Micros(number_of(booked, name)?),
        held: Micros(number_of(held, name)?),
        starts: number_of(starts, name)?,
    })
}

/// Which slot an item is, if it is one.
pub(crate) fn place_of(item: &Item) -> Option<usize> {
    item.get_text(SK).ok()?.strip_prefix("S#")?.parse().ok()
}

/// The item of a day: the day, and what stands against it there.
pub(crate) fn old_day_of(item: &Item) -> Result<(Day, Used), Failed> {
    let sk = item.get_text(SK)?;
    let number = sk.strip_prefix("D#").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let number =
        number.ok_or_else(|| Failed::corrupt(format!("the key {sk} of a budget's day")))?;
    let used = Used {
        booked: Micros(item.get_number(BOOKED)?),
        held: Micros(item.get_number(HELD)?),
        starts: item.get_number(STARTS)?,
    };
    Ok((Day((i64::from(number) + i64::from(i32::MIN)) as i32), used))
}

fn optional(value: Option<impl ToString>) -> AttributeValue {
    value.map_or(AttributeValue::Null(true), number)
}

fn optional_of<T: std::str::FromStr>(
    value: &AttributeValue,
    name: &'static str,
) -> Result<Option<T>, Failed> {
    if value.is_null() { Ok(None) } else { number_of(value, name).map(Some) }
}

fn bad<T>(name: &str) -> Result<T, Failed> {
    Err(Failed::corrupt(format!("the {name} of a budget")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_slots_come_back_as_they_were() {
        let limits = Limits {
            total: Micros(i64::MAX),
            daily: Some(Micros(0)),
            grace: Micros(7),
            starts: None,
            daily_starts: Some(u32::MAX),
        };
        for limits in [None, Some(limits), Some(Limits::default())] {
            let head = Head { version: 3, slots: 16, limits };
            assert_eq!(Head::from_item(&head.to_item(LineItemId(1))).unwrap(), head);
        }
        let used = Used { booked: Micros(-5), held: Micros(i64::MAX), starts: 4 };
        let share = Share { daily: Some(Micros(9)), day: Day(-1), ..Share::default() };
        let days = [(Day(-3), used), (Day(i32::MAX), Used::default())].into();
        for parted in [None, Some(Day(-4))] {
            let days = BTreeMap::clone(&days);
            let slot = Slot {
                version: 1,
                head: 3,
                round: 2,
                share,
                total: used,
                days,
                parted,
                ..Slot::default()
            };
            assert_eq!(Slot::from_item(&slot.to_item(LineItemId(1), 2)).unwrap(), slot);
        }
    }

    #[test]
    fn an_old_day_is_read_from_its_key() {
        for day in [i32::MIN, -1, 0, 20_717, i32::MAX].map(Day) {
            let with = [(BOOKED, number(-1)), (HELD, number(2)), (STARTS, number(3))];
            let used = Used { booked: Micros(-1), held: Micros(2), starts: 3 };
            let item = item(&keys::old_day(LineItemId(1), day), with);
            assert_eq!(old_day_of(&item).unwrap(), (day, used));
        }
    }
}
