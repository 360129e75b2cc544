//! What happened how often, so that nobody takes a run for a proof in which nothing was refused.

use std::collections::BTreeMap;
use std::fmt;

use domain::budget::{Breach, BudgetMove, Guard};

use crate::contract::Checked;

/// A participation.
const PARTICIPATION: &str = "participations";
/// A booking that its hold covers.
const WITHIN: &str = "bookings within the hold";
/// A booking that takes more than is held.
const BEYOND: &str = "bookings beyond the hold";
/// A reward that was taken back.
const REVERSAL: &str = "reversals";
/// A hold that ended.
const EXPIRY: &str = "expiries";
/// Limits that differ from those before.
pub(super) const LIMITS: &str = "changes of limits";
/// Limits that were below what was booked and held.
pub(super) const TOO_LOW: &str = "limits too low";
/// The latest change of a user once more.
pub(super) const REPLAY: &str = "replays";
/// A change that another has followed.
pub(super) const STALE: &str = "stale changes";
/// A change that two nodes were asked for at the same moment.
pub(super) const TWICE: &str = "changes at two nodes at once";
/// A user or a budget that was read while everybody was at work.
pub(super) const LOOK: &str = "looks";

/// Operations from which on also what is rare must have happened; a shorter run may miss it by chance.
const LONG: usize = 10_000;

/// How often what happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub(super) fn note(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(super) fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Notes what a move was for.
    pub(super) fn note_move(&mut self, by: &BudgetMove) {
        self.note(match by {
            BudgetMove { guard: Guard::Start { .. }, .. } => PARTICIPATION,
            BudgetMove { guard: Guard::Extra, .. } => BEYOND,
            BudgetMove { booked, .. } if booked.0 > 0 => WITHIN,
            BudgetMove { booked, .. } if booked.0 < 0 => REVERSAL,
            BudgetMove { .. } => EXPIRY,
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (what, more) in other.0 {
            *self.0.entry(what).or_default() += more;
        }
    }

    /// Whether everything happened that can in so many operations.
    pub(super) fn check(&self, operations: usize) -> Checked {
        let breaches =
            [Breach::Total, Breach::Daily, Breach::Paced, Breach::Starts, Breach::DailyStarts];
        let made = [PARTICIPATION, WITHIN, BEYOND, REVERSAL, EXPIRY];
        let rare = [LIMITS, TOO_LOW, REPLAY, STALE, TWICE, LOOK];
        let rare = rare.into_iter().filter(|_| operations >= LONG);
        let all = breaches.map(Breach::words).into_iter().chain(made).chain(rare);
        for what in all {
            ensure!(self.count(what) > 0, "never met: {what}; only {self}");
        }
        Ok(())
    }
}

/// A refusal is named by the limit that was met.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        f.write_str(&texts.join(", "))
    }
}
