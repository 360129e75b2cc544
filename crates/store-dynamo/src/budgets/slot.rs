//! One slot of a budget: a small budget of its own, with its share of every limit.
//!
//! A lane writes its slot alone for as long as what it books stays within the slot's share, so lanes
//! do not meet. What a slot has used may be negative: a hold that was taken in one slot may be given
//! back in another. Only sums mean anything outside.

use std::collections::BTreeMap;

use domain::budget::{BudgetMove, Guard, Limits, Used};
use domain::money::Micros;
use domain::time::Day;

/// Days that stay in the slot itself. Bookings charge the day of their participation, nearly always
/// one of the last few; older ones are items of their own, so a slot stays within one write unit or
/// two however long a line item runs.
pub(crate) const DAYS_KEPT: usize = 16;

/// A share that allows nothing at all, not even nothing: whoever wants something has to look at all
/// slots. It stands wherever the whole has nothing left.
pub(crate) const SHUT: Micros = Micros(i64::MIN);

/// A slot as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Slot {
    /// Grows by one with each write; 0 means that it was never written.
    pub(crate) version: u64,
    /// Version of the limits' item when the slots were last written together. Whoever changes that
    /// item writes all slots, so a slot with the same number is of the same limits and slots.
    pub(crate) head: u64,
    /// What the versions of all slots added up to before they were last written together: slots with
    /// the same number have not been, since one of them was known.
    pub(crate) round: u64,
    /// Whoever asked for quiet: a number of his. The next write of the slot takes it out.
    pub(crate) quiet: Option<u64>,
    /// What it may use.
    pub(crate) share: Share,
    /// What it has used, ever.
    pub(crate) total: Used,
    /// What it has used of its latest days, at most [`DAYS_KEPT`] once it is written. The rest of a
    /// day may stand in an item of its own, to which all slots add.
    pub(crate) days: BTreeMap<Day, Used>,
    /// The latest day of which something stands there.
    pub(crate) parted: Option<Day>,
}

/// What a slot may use. The shares of a dimension add up to no more than its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Share {
    /// Booked plus held, ever.
    pub(crate) total: Micros,
    /// Participations, ever; `None` is unlimited.
    pub(crate) starts: Option<u32>,
    /// The day of which the rest speaks.
    pub(crate) day: Day,
    /// Booked plus held of that day; `None` is unlimited.
    pub(crate) daily: Option<Micros>,
    /// Participations of that day; `None` is unlimited.
    pub(crate) daily_starts: Option<u32>,
    /// What pacing allowed of that day, for all slots, when the shares were made; the shares of the
    /// day add up to no more than this. `None` if pacing had no part in them.
    pub(crate) ceiling: Option<Micros>,
}

impl Default for Share {
    fn default() -> Self {
        Self {
            total: SHUT,
            starts: None,
            day: Day::default(),
            daily: None,
            daily_starts: None,
            ceiling: None,
        }
    }
}

impl Slot {
    /// What it has used of a day, as far as that stands here.
    pub(crate) fn on(&self, day: Day) -> Used {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// Whether something of a day may stand in an item of its own.
    pub(crate) fn has_parted(&self, day: Day) -> bool {
        self.parted.is_some_and(|parted| day <= parted)
    }

    /// Whether a move stays within the share, so that nobody else has to be asked. `false` says
    /// only that somebody has to.
    pub(crate) fn allows(&self, by: &BudgetMove) -> bool {
        match by.guard {
            Guard::Free => !grows(by),
            Guard::Extra => self.fits(by),
            Guard::Start { paced } => {
                self.fits(by) && paced.is_none_or(|paced| self.keeps_pace(by, paced))
            }
        }
    }

    /// Grace is never part of a share: what goes beyond a limit is decided on the sums.
    fn fits(&self, by: &BudgetMove) -> bool {
        let Share { total, starts, day, daily, daily_starts, .. } = self.share;
        let is_of_a_day = daily.is_some() || daily_starts.is_some();
        if is_of_a_day && (day != by.day || self.has_parted(by.day)) {
            return false;
        }
        let limits = Limits { total, daily, grace: Micros(0), starts, daily_starts };
        let start = BudgetMove { guard: Guard::Start { paced: None }, ..*by };
        limits.check(&self.total, &self.on(by.day), &start).is_ok()
    }

    /// The shares of the day keep to the ceiling of their time. Pacing only opens as the day goes
    /// by, so the ceiling of now is at least that, unless another node's clock is behind.
    fn keeps_pace(&self, by: &BudgetMove, paced: Micros) -> bool {
        self.share.day == by.day
            && self.share.ceiling.is_some_and(|ceiling| ceiling.0 <= ceiling_of(by, paced).0)
    }

    /// Makes a move.
    pub(crate) fn make(&mut self, by: &BudgetMove) {
        self.total = self.total.moved(by);
        self.days.insert(by.day, self.on(by.day).moved(by));
    }

    /// How many days leave the slot with the next write.
    pub(crate) fn days_too_many(&self) -> usize {
        self.days.len().saturating_sub(DAYS_KEPT)
    }

    /// Takes out the days that leave the slot with the next write, to be added to their items.
    pub(crate) fn part(&mut self) -> Vec<(Day, Used)> {
        let mut parted = Vec::new();
        while self.days.len() > DAYS_KEPT
            && let Some((day, used)) = self.days.pop_first()
        {
            self.parted = self.parted.max(Some(day));
            parted.push((day, used));
        }
        parted
    }
}

/// Whether a move adds to what is used.
pub(crate) fn grows(by: &BudgetMove) -> bool {
    by.held.0 + by.booked.0 > 0 || by.starts > 0
}

/// What may have been committed before a paced move: a move brings its own hold on top.
pub(crate) fn ceiling_of(by: &BudgetMove, paced: Micros) -> Micros {
    Micros(paced.0.saturating_sub(by.held.0 + by.booked.0))
}
