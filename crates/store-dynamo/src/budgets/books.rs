//! The budgets of one lane: what it remembers, what its next group does to them, and the items that
//! this writes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::budget::{BudgetMove, Level, Limits, Used};
use domain::ids::LineItemId;
use domain::time::Day;
use store::Outcome;

use super::budget::{Budget, Obstacle, plus};
use super::item::{BOOKED, HELD, Head, QUIET, STARTS, place_of};
use super::slot::Slot;
use crate::keys;
use crate::value::{Item, item, number};
use crate::write::Write;

/// Budgets that a lane remembers. When there are more it forgets all, which costs a read each.
const BUDGETS_MAX: usize = 4_096;
/// Conflicts on a lane's slot after which the budget is split among more slots. One conflict may be
/// chance, and more slots make every whole move dearer.
const CONFLICTS_MAX: u32 = 3;
/// Groups after which the other slots of a budget are looked at again, so that the levels that a lane
/// tells are not far from the truth.
const USES_MAX: u32 = 64;

/// Attempts to write all slots after which everybody else is asked for quiet: slots that are written
/// all the time are hardly ever all at rest.
const LOST_MAX: u32 = 2;

/// What a lane remembers of budgets.
#[derive(Debug)]
pub(crate) struct Books {
    shard: u32,
    shards: u32,
    known: HashMap<LineItemId, Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// `None` if it has to be read.
    budget: Option<Budget>,
    /// How many slots it had.
    slots: usize,
    /// Conflicts with other lanes since the slots were last split.
    conflicts: u32,
    /// Groups that were written since the other slots were read.
    uses: u32,
    /// Groups in a row that would have written all slots and were refused.
    lost: u32,
}

/// What has to be read before a group can be decided.
pub(crate) type Needs = BTreeMap<LineItemId, Vec<Day>>;

/// The budgets as the next group leaves them, so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trial(BTreeMap<LineItemId, Budget>);

/// Why moves were not made.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A budget has to be read, and perhaps one of its days.
    Read(LineItemId, Option<Day>),
    /// They break a limit.
    Over(Outcome),
}

impl Books {
    pub(crate) fn new(shard: u32, shards: u32) -> Self {
        Self { shard, shards, known: HashMap::new() }
    }

    /// The lane's slot of a budget of so many.
    fn own(&self, budget: &Budget) -> usize {
        self.shard as usize % budget.slots.len().max(1)
    }

    /// The budget to try moves on: as the group has it, as it was read for the group, or as it is
    /// remembered.
    fn begin(&self, trial: &Trial, fresh: &Fresh, line_item: LineItemId) -> Option<Budget> {
        let known = || self.known.get(&line_item).and_then(|known| known.budget.as_ref());
        let budget = trial.0.get(&line_item).or_else(|| fresh.get(&line_item)).or_else(known);
        budget.cloned()
    }

    /// Splits a budget among more slots if lanes meet at it.
    fn split(&self, budget: &mut Budget, line_item: LineItemId) {
        let known = self.known.get(&line_item);
        let slots = (budget.slots.len() * 2).min(self.shards as usize);
        let is_crowded = known.is_some_and(|known| known.conflicts >= CONFLICTS_MAX);
        if is_crowded && slots > budget.slots.len() && budget.version > 0 {
            // If an old day is in the way it is split another time.
            let _ = budget.grow(slots, self.shard as usize % slots);
        }
    }

    /// Makes all moves on top of the trial, or none. `may_split` says whether there is room to write
    /// all slots of budgets that are better split.
    pub(crate) fn spend(
        &self,
        trial: &mut Trial,
        fresh: &Fresh,
        moves: &[BudgetMove],
        may_split: bool,
    ) -> Result<(), Stop> {
        let mut next = Trial::default();
        for by in moves {
            let line_item = by.line_item;
            let begun = || {
                let mut budget = self.begin(trial, fresh, line_item)?;
                if may_split && !trial.0.contains_key(&line_item) {
                    self.split(&mut budget, line_item);
                }
                Some(budget)
            };
            let budget = next.0.get(&line_item).cloned().or_else(begun);
            let mut budget = budget.ok_or(Stop::Read(line_item, None))?;
            let own = self.own(&budget);
            budget.make(by, own).map_err(|obstacle| match obstacle {
                Obstacle::Read => Stop::Read(line_item, None),
                Obstacle::Day(day) => Stop::Read(line_item, Some(day)),
                // The moves before it are not made either.
                Obstacle::Over(breach) => {
                    let stands = self.begin(trial, fresh, line_item).unwrap_or_default();
                    let level = stands.level(line_item);
                    Stop::Over(Outcome::OverBudget { line_item, breach, level })
                }
            })?;
            next.0.insert(line_item, budget);
        }
        trial.0.extend(next.0);
        Ok(())
    }

    /// The budget as the group leaves it so far, if it may be relied on.
    pub(crate) fn look(
        &self,
        trial: &Trial,
        fresh: &Fresh,
        line_item: LineItemId,
    ) -> Option<Budget> {
        self.begin(trial, fresh, line_item).filter(|budget| budget.is_fresh)
    }

    /// Sets limits on top of the trial, and says what the budget then is; an error names a day that
    /// has to be read first.
    pub(crate) fn set_limits(
        &self,
        trial: &mut Trial,
        mut budget: Budget,
        (line_item, limits): (LineItemId, Limits),
    ) -> Result<Level, Day> {
        let own = self.own(&budget);
        budget.set_limits(limits, own)?;
        let level = budget.level(line_item);
        trial.0.insert(line_item, budget);
        Ok(level)
    }

    /// How many slots a budget had when it was last seen.
    pub(crate) fn slots(&self, line_item: LineItemId) -> usize {
        self.known.get(&line_item).map_or(1, |known| known.slots.max(1))
    }

    /// Remembers what was read for a group, in case it is refused.
    pub(crate) fn remember(&mut self, fresh: &Fresh) {
        for (line_item, budget) in fresh {
            let known = self.known.entry(*line_item).or_default();
            (known.slots, known.uses) = (budget.slots.len(), 0);
            let budget = Budget { is_fresh: false, old: Vec::new(), ..budget.clone() };
            known.budget = Some(budget);
        }
    }

    /// The group was applied.
    pub(crate) fn keep(&mut self, trial: Trial) {
        if self.known.len() > BUDGETS_MAX {
            self.known.clear();
        }
        for (line_item, mut budget) in trial.0 {
            let own = self.own(&budget);
            let is_whole = budget.is_whole;
            budget.written(own);
            let known = self.known.entry(line_item).or_default();
            known.slots = budget.slots.len();
            known.uses = if is_whole { 0 } else { known.uses + 1 };
            if is_whole {
                (known.conflicts, known.lost) = (0, 0);
            }
            let is_old = budget.slots.len() > 1 && known.uses > USES_MAX;
            if is_old {
                known.uses = 0;
            }
            known.budget = Some(budget).filter(|_| !is_old);
        }
    }

    /// Takes in what was found instead of a budget's item that the lane would have written: somebody
    /// else was faster. `is_rival` says that it was another lane, which more slots would keep apart.
    /// Gives the number of whoever asks for quiet.
    pub(crate) fn meet(
        &mut self,
        line_item: LineItemId,
        found: Option<&Item>,
        is_rival: bool,
    ) -> Option<u64> {
        let known = self.known.entry(line_item).or_default();
        known.conflicts += u32::from(is_rival);
        let slot = found.and_then(|item| Some((place_of(item)?, Slot::from_item(item).ok()?)));
        let Some((place, slot)) = slot else {
            known.budget = None;
            return None;
        };
        let quiet = slot.quiet;
        match &mut known.budget {
            Some(budget) if budget.is_refreshed_by(place, &slot) => {
                budget.slots[place] = Arc::new(slot);
            }
            _ => known.budget = None,
        }
        quiet
    }

    /// A group that would have written all slots of a budget was refused because of them. After some
    /// times the others have to be asked for quiet.
    pub(crate) fn lose_whole(&mut self, line_item: LineItemId) -> bool {
        let known = self.known.entry(line_item).or_default();
        known.budget = None;
        known.lost += 1;
        known.lost.is_multiple_of(LOST_MAX)
    }

    /// What the trial writes, each with the line item that it is of.
    pub(crate) fn writes(&self, trial: &Trial) -> Vec<(LineItemId, Write)> {
        let of = |(line_item, budget): (&LineItemId, &Budget)| {
            let line_item = *line_item;
            let writes = budget.writes(line_item, self.own(budget));
            writes.into_iter().map(move |write| (line_item, write))
        };
        trial.0.iter().flat_map(of).collect()
    }
}

/// Budgets that were read for a group.
pub(crate) type Fresh = HashMap<LineItemId, Budget>;

impl Trial {
    /// The budgets that these moves touch, in order of the line items' numbers.
    pub(crate) fn levels(&self, moves: &[BudgetMove]) -> Vec<Level> {
        let touched = self.0.iter().filter(|(id, _)| moves.iter().any(|by| by.line_item == **id));
        touched.map(|(line_item, budget)| budget.level(*line_item)).collect()
    }

    /// The budgets that it writes.
    pub(crate) fn line_items(&self) -> impl Iterator<Item = LineItemId> {
        self.0.keys().copied()
    }

    /// Items that it writes, at most.
    pub(crate) fn items(&self) -> usize {
        self.0.values().map(Budget::items).sum()
    }

    /// The budgets all of whose slots it writes, if there are several, and how many there are.
    pub(crate) fn wholes(&self) -> impl Iterator<Item = (LineItemId, usize)> {
        let wholes = self.0.iter().filter(|(_, budget)| budget.is_whole);
        let counts = wholes.map(|(line_item, budget)| (*line_item, budget.slots.len()));
        counts.filter(|(_, slots)| *slots > 1)
    }
}

impl Budget {
    /// Items that it writes, at most.
    fn items(&self) -> usize {
        let slots = if self.is_whole { self.slots.len() } else { 1 };
        let days: usize = self.slots.iter().map(|slot| slot.days_too_many()).sum();
        let head = if self.has_new_head || self.version == 0 { 2 } else { 0 };
        slots + days + head
    }

    /// Whether a slot that was found is the only one that may have to be known anew. If all of them
    /// were written together meanwhile, the budget might seem to be beyond its limits with what is
    /// remembered of the others.
    fn is_refreshed_by(&self, place: usize, found: &Slot) -> bool {
        let is_same = |known: &Arc<Slot>| known.round == found.round;
        found.head == self.version && self.slots.get(place).is_some_and(is_same)
    }

    /// The round of a slot after the write.
    fn next_round(&self, slot: &Slot) -> u64 {
        match self.is_whole {
            true => self.slots.iter().map(|slot| slot.version).sum(),
            false => slot.round,
        }
    }

    /// The version of the limits' item after the write.
    fn next_head(&self) -> u64 {
        self.version + u64::from(self.has_new_head || self.version == 0)
    }

    /// What changes of itself with the write.
    fn written(&mut self, own: usize) {
        let head = self.next_head();
        let rounds: Vec<u64> = self.slots.iter().map(|slot| self.next_round(slot)).collect();
        for (place, (slot, round)) in self.slots.iter_mut().zip(rounds).enumerate() {
            if self.is_whole || place == own {
                let slot = Arc::make_mut(slot);
                slot.part();
                slot.version += 1;
                (slot.head, slot.round, slot.quiet) = (head, round, None);
            }
        }
        self.version = head;
        self.old.clear();
        (self.is_fresh, self.is_whole, self.has_new_head) = (false, false, false);
    }

    fn writes(&self, line_item: LineItemId, own: usize) -> Vec<Write> {
        let mut writes = Vec::new();
        let mut parted: BTreeMap<Day, Used> = BTreeMap::new();
        for (slot, place) in self.slots.iter().zip(0..) {
            if !self.is_whole && place as usize != own {
                continue;
            }
            let mut next = Slot::clone(slot);
            for (day, used) in next.part() {
                let sum = parted.entry(day).or_default();
                *sum = plus(*sum, used);
            }
            next.version += 1;
            (next.head, next.round) = (self.next_head(), self.next_round(slot));
            writes.push(put_version(next.to_item(line_item, place), slot.version));
        }
        writes.extend(parted.into_iter().map(|(day, used)| add_to_day(line_item, day, used)));
        if self.has_new_head || self.version == 0 {
            let (version, slots) = (self.next_head(), self.slots.len());
            let head = Head { version, slots, limits: self.limits };
            writes.push(put_version(head.to_item(line_item), self.version));
        }
        if self.version == 0 {
            writes.push(Write::put(item(&keys::known_budget(line_item), [])));
        }
        writes
    }
}

/// Asks everybody else not to write a slot for a moment. Whoever would have written it is refused,
/// and finds the number.
pub(crate) fn ask_for_quiet(line_item: LineItemId, slot: u32, who: u64) -> Write {
    Write::update(keys::slot(line_item, slot), format!("SET #{QUIET} = :who ADD #v :one"))
        .when("attribute_exists(#pk)")
        .with(":who", number(who))
        .with(":one", number(1))
}

/// Writes an item over its version before.
fn put_version(item: Item, before: u64) -> Write {
    match before {
        0 => Write::put_new(item).showing(),
        _ => Write::put(item).when("#v = :v").with(":v", number(before)).showing(),
    }
}

fn add_to_day(line_item: LineItemId, day: Day, used: Used) -> Write {
    let add = format!("ADD #{BOOKED} :booked, #{HELD} :held, #{STARTS} :starts");
    Write::update(keys::old_day(line_item, day), add)
        .with(":booked", number(used.booked.0))
        .with(":held", number(used.held.0))
        .with(":starts", number(used.starts))
}

#[cfg(test)]
mod tests;
