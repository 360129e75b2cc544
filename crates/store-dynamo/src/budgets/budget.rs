//! A whole budget in a lane's hand: what is booked alone, and what is decided on the sums.
//!
//! # Why this never goes over
//!
//! At a *whole* move the versions of all slots are conditions of the transaction, so its sums are
//! those of one instant, and the domain's own rule is asked with them. It leaves shares behind that
//! add up to the limits, each at least as large as what its slot has used. From then on a slot grows
//! alone only within its share, so what all slots have used never exceeds what the shares add up to.
//! A slot that gives back what another had taken goes below zero, and may use that again itself:
//! this is bounded by its share as well, so the sum is.
//!
//! Where the sums leave nothing, the shares are shut: then every move that is guarded looks at the
//! whole, and what comes back is given out by the next of them. This is also why a line item within
//! its grace refuses new starts exactly as the domain does.

use std::sync::Arc;

use domain::budget::{Breach, BudgetMove, Guard, Level, Limits, Used, check};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::time::Day;

use super::slot::{SHUT, Share, Slot, ceiling_of};

/// A budget as a lane knows it, or as it will be once the lane's group is applied.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Budget {
    /// What it may spend; `None` if that was never set.
    pub(crate) limits: Option<Limits>,
    /// Version of the limits' item; 0 means that there is none.
    pub(crate) version: u64,
    /// The slots; at least one once the budget was read.
    pub(crate) slots: Vec<Arc<Slot>>,
    /// What stands against days in items of their own, as far as it was read with the slots. Only
    /// who writes a slot adds to them, so the versions of the slots speak for them.
    pub(crate) old: Vec<(Day, Used)>,
    /// Whether it was read for this very group, so that somebody may be refused because of it.
    pub(crate) is_fresh: bool,
    /// Whether every slot is written, and was looked at.
    pub(crate) is_whole: bool,
    /// Whether the limits' item is written.
    pub(crate) has_new_head: bool,
}

/// Why a move was not made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Obstacle {
    /// The budget has to be read anew, because nobody is refused for what is only remembered.
    Read,
    /// The item of that day has to be read with it.
    Day(Day),
    /// It would break a limit.
    Over(Breach),
}

impl From<Day> for Obstacle {
    fn from(day: Day) -> Self {
        Self::Day(day)
    }
}

impl Budget {
    /// Makes a move on slot `own`: alone if its share allows it, on the sums otherwise.
    pub(crate) fn make(&mut self, by: &BudgetMove, own: usize) -> Result<(), Obstacle> {
        match self.slots.get_mut(own) {
            Some(slot) if slot.allows(by) => {
                Arc::make_mut(slot).make(by);
                Ok(())
            }
            Some(_) => self.make_whole(by, own),
            None => Err(Obstacle::Read),
        }
    }

    fn make_whole(&mut self, by: &BudgetMove, own: usize) -> Result<(), Obstacle> {
        let latest = self.share_day().max(by.day);
        let (total, used) = (self.total(), self.on(by.day)?);
        self.on(latest)?;
        if let Err(breach) = check(self.limits.as_ref(), &total, &used, by) {
            return Err(if self.is_fresh { Obstacle::Over(breach) } else { Obstacle::Read });
        }
        Arc::make_mut(&mut self.slots[own]).make(by);
        let ceiling = match by.guard {
            Guard::Start { paced: Some(paced) } if by.day == latest => Some(ceiling_of(by, paced)),
            _ => self.ceiling_on(latest),
        };
        Ok(self.share_out(own, latest, ceiling)?)
    }

    /// Sets the limits, of which the caller has made sure that they may be set.
    pub(crate) fn set_limits(&mut self, limits: Limits, own: usize) -> Result<(), Day> {
        self.limits = Some(limits);
        self.has_new_head = true;
        // A ceiling was made of the limits that there were.
        self.share_out(own, self.share_day(), None)
    }

    /// Splits the budget among more slots.
    pub(crate) fn grow(&mut self, slots: usize, own: usize) -> Result<(), Day> {
        self.on(self.share_day())?;
        self.slots.resize_with(slots.max(self.slots.len()), Arc::default);
        self.has_new_head = true;
        let day = self.share_day();
        self.share_out(own, day, self.ceiling_on(day))
    }

    /// What stands against the total.
    pub(crate) fn total(&self) -> Used {
        self.slots.iter().fold(Used::default(), |sum, slot| plus(sum, slot.total))
    }

    /// What stands against a day; an error says that its item has to be read.
    pub(crate) fn on(&self, day: Day) -> Result<Used, Day> {
        let here = self.slots.iter().fold(Used::default(), |sum, slot| plus(sum, slot.on(day)));
        if !self.has_parted(day) {
            return Ok(here);
        }
        let there = self.old.iter().find(|(known, _)| *known == day);
        there.map(|(_, used)| plus(here, *used)).ok_or(day)
    }

    fn has_parted(&self, day: Day) -> bool {
        self.slots.iter().any(|slot| slot.has_parted(day))
    }

    /// The budget as it stands, as far as the other slots are known.
    pub(crate) fn level(&self, line_item: LineItemId) -> Level {
        let newest = self.slots.iter().filter_map(|slot| slot.days.last_key_value());
        let day = newest.map(|(day, _)| *day).max().unwrap_or_default();
        let today = self.slots.iter().fold(Used::default(), |sum, slot| plus(sum, slot.on(day)));
        let limits = self.limits.unwrap_or_default();
        Level { line_item, limits, total: self.total(), day, today }
    }

    /// Whoever asks for quiet; each slot may have been asked by another.
    pub(crate) fn askers(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().filter_map(|slot| slot.quiet)
    }

    /// The day of which the shares speak; all slots got theirs together.
    fn share_day(&self) -> Day {
        self.slots.iter().map(|slot| slot.share.day).max().unwrap_or_default()
    }

    fn ceiling_on(&self, day: Day) -> Option<Micros> {
        let of_day = self.slots.iter().map(|slot| slot.share).filter(|share| share.day == day);
        of_day.filter_map(|share| share.ceiling).min()
    }

    /// Gives every slot its share of what the limits leave. The sums of the day must be known.
    fn share_out(&mut self, own: usize, day: Day, ceiling: Option<Micros>) -> Result<(), Day> {
        let (total, of_day) = (self.total(), self.on(day)?);
        let Some(limits) = self.limits else { return self.shut(day) };
        let split = Split { slots: self.slots.len() as i64, own };
        // Of what stands in the day's own item no slot can have a share.
        let daily = limits.daily.into_iter().chain(ceiling).min();
        let (all, daily_all) = (total.committed().0, of_day.committed().0);
        for (place, slot) in self.slots.iter_mut().enumerate() {
            let slot = Arc::make_mut(slot);
            let (used, on_day) = (slot.total, slot.on(day));
            let money = |most: Micros, all, used: Used| {
                let part = split.part(most.0.saturating_sub(all), place);
                part.map_or(SHUT, |part| Micros(used.committed().0.saturating_add(part)))
            };
            let starts = |most: u32, all: u32, used: Used| {
                let part = split.part(i64::from(most) - i64::from(all), place);
                part.map_or(0, |part| used.starts + part as u32)
            };
            slot.share = Share {
                total: money(limits.total, all, used),
                starts: limits.starts.map(|most| starts(most, total.starts, used)),
                day,
                daily: daily.map(|most| money(most, daily_all, on_day)),
                daily_starts: limits.daily_starts.map(|most| starts(most, of_day.starts, on_day)),
                ceiling,
            };
        }
        self.is_whole = true;
        Ok(())
    }

    /// Without limits nobody has a share.
    fn shut(&mut self, day: Day) -> Result<(), Day> {
        for slot in &mut self.slots {
            Arc::make_mut(slot).share = Share { day, ..Share::default() };
        }
        self.is_whole = true;
        Ok(())
    }
}

/// How what is left is split: evenly, and what cannot be split goes to the lane's own slot.
#[derive(Clone, Copy)]
struct Split {
    slots: i64,
    own: usize,
}

impl Split {
    /// The part of one slot; `None` if nothing is left.
    fn part(self, left: i64, place: usize) -> Option<i64> {
        let rest = if place == self.own { left % self.slots } else { 0 };
        (left > 0).then(|| left / self.slots + rest)
    }
}

/// The sum of two parts of what is used.
pub(crate) fn plus(one: Used, other: Used) -> Used {
    Used {
        booked: Micros(one.booked.0 + other.booked.0),
        held: Micros(one.held.0 + other.held.0),
        starts: one.starts + other.starts,
    }
}
