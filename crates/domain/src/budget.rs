//! Budgets: what a line item may spend, what it has booked and held, and moves between the two.
//!
//! The guard of a move is checked by the store inside the commit (M2). What stands in memory is only
//! good for deciding what to show: stale is safe (S4).

use crate::ids::LineItemId;
use crate::money::Micros;
use crate::time::Day;

/// What a line item may spend.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Limits {
    /// Booked plus held, ever.
    pub total: Micros,
    /// Booked plus held for participations of one day; `None` is unlimited.
    pub daily: Option<Micros>,
    /// What bookings beyond their hold may add to either limit.
    pub grace: Micros,
    /// Participations, ever.
    pub starts: Option<u32>,
    /// Participations on one day.
    pub daily_starts: Option<u32>,
}

/// What stands against the limits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Used {
    /// Paid or pending.
    pub booked: Micros,
    /// Promised to users who have started.
    pub held: Micros,
    /// Participations.
    pub starts: u32,
}

impl Used {
    /// Booked plus held.
    #[must_use]
    pub fn committed(&self) -> Micros {
        Micros(self.booked.0 + self.held.0)
    }

    /// This after a move.
    #[must_use]
    pub fn moved(&self, by: &BudgetMove) -> Self {
        Self {
            booked: Micros(self.booked.0 + by.booked.0),
            held: Micros(self.held.0 + by.held.0),
            starts: self.starts + by.starts,
        }
    }
}

/// How far a move may go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Guard {
    /// A new hold: within the limits, and within the paced part of the daily budget if there is one.
    Start {
        /// What pacing allows for the day so far.
        paced: Option<Micros>,
    },
    /// A booking beyond its hold: within the limits and the grace budget.
    Extra,
    /// A capture of what is held, a release or a reversal: nothing grows.
    Free,
}

/// One change of a line item's budget. Whatever follows from a participation is charged to the day
/// on which it was made, so the daily figures add up exactly.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BudgetMove {
    /// Whose budget.
    pub line_item: LineItemId,
    /// Day of the participation.
    pub day: Day,
    /// Change of what is held.
    pub held: Micros,
    /// Change of what is booked.
    pub booked: Micros,
    /// Change of the number of participations.
    pub starts: u32,
    /// How far it may go.
    pub guard: Guard,
}

/// Which limit a move would break.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Breach {
    /// The total budget, with grace where it applies.
    Total,
    /// The daily budget, with grace where it applies.
    Daily,
    /// What pacing allows for the day so far.
    Paced,
    /// The participations, ever.
    Starts,
    /// The participations of the day.
    DailyStarts,
}

impl Breach {
    /// The limit in plain words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Total => "the budget",
            Self::Daily => "the budget of the day",
            Self::Paced => "what pacing allows of the day so far",
            Self::Starts => "the number of participations",
            Self::DailyStarts => "the number of participations of a day",
        }
    }
}

impl Limits {
    /// The tighter of both in everything.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            total: self.total.min(other.total),
            daily: tighter(self.daily, other.daily),
            grace: self.grace.min(other.grace),
            starts: tighter(self.starts, other.starts),
            daily_starts: tighter(self.daily_starts, other.daily_starts),
        }
    }

    /// Whether these limits may follow those in force: a total below what is booked and held can only be
    /// left as it is or raised.
    #[must_use]
    pub fn may_follow(&self, known: Option<&Self>, total: &Used) -> bool {
        let is_lower = known.is_none_or(|known| self.total < known.total);
        !is_lower || self.total >= total.committed()
    }

    /// Whether a move may be made on top of what is used; every store gives this answer.
    ///
    /// # Errors
    /// The first limit that the move would break.
    pub fn check(&self, total: &Used, day: &Used, by: &BudgetMove) -> Result<(), Breach> {
        let grace = match by.guard {
            Guard::Free => return Ok(()),
            Guard::Start { .. } => 0,
            Guard::Extra => self.grace.0,
        };
        let (total, day) = (total.moved(by), day.moved(by));
        if total.committed().0 > self.total.0 + grace {
            return Err(Breach::Total);
        }
        if self.daily.is_some_and(|daily| day.committed().0 > daily.0 + grace) {
            return Err(Breach::Daily);
        }
        if let Guard::Start { paced: Some(paced) } = by.guard
            && day.committed().0 > paced.0
        {
            return Err(Breach::Paced);
        }
        if by.starts > 0 && self.starts.is_some_and(|starts| total.starts > starts) {
            return Err(Breach::Starts);
        }
        if by.starts > 0 && self.daily_starts.is_some_and(|starts| day.starts > starts) {
            return Err(Breach::DailyStarts);
        }
        Ok(())
    }
}

/// Whether a move may be made where these limits are in force. Without any there is nothing to spend;
/// what gives back or captures a promise is booked.
///
/// # Errors
/// The first limit that the move would break.
pub fn check(
    limits: Option<&Limits>,
    total: &Used,
    day: &Used,
    by: &BudgetMove,
) -> Result<(), Breach> {
    match (limits, by.guard) {
        (Some(limits), _) => limits.check(total, day, by),
        (None, Guard::Free) => Ok(()),
        (None, Guard::Start { .. } | Guard::Extra) => Err(Breach::Total),
    }
}

/// The tighter of two limits, of which none is no limit.
fn tighter<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// A line item's budget as a store last saw it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Level {
    /// Whose.
    pub line_item: LineItemId,
    /// What it may spend.
    pub limits: Limits,
    /// What stands against the total.
    pub total: Used,
    /// The latest day with any participation.
    pub day: Day,
    /// What stands against that day.
    pub today: Used,
}

impl Level {
    /// What stands against `day`; a later day than the latest is untouched.
    #[must_use]
    pub fn on(&self, day: Day) -> Used {
        if day == self.day { self.today } else { Used::default() }
    }

    /// What the total leaves for new holds; 0 if nothing.
    #[must_use]
    pub fn left(&self) -> Micros {
        Micros((self.limits.total.0 - self.total.committed().0).max(0))
    }
}
