//! What a far-away service does to requests and a local server does not: throttling, conflicts,
//! waiting, lost answers, failures of its own, and batches that are done in part.
//!
//! Off unless a plan is given. What becomes of the nth request follows from the seed and n alone, so
//! a run that failed can be repeated as far as its requests come in the same order. It sits below
//! the repetitions of [`crate::client`], which have to cope with it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Which share of requests goes wrong how; shares are in percent and together at most 100.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultPlan {
    /// Another seed makes other requests fail.
    pub seed: u64,
    /// Refused as too many.
    pub throttled: u8,
    /// Transactions that meet another one; other requests are spared.
    pub conflicts: u8,
    /// Made, but the answer is lost.
    pub unknown_made: u8,
    /// Lost on the way, which looks the same.
    pub unknown_lost: u8,
    /// Answered by an error of the server, and not made.
    pub errors: u8,
    /// Items of batches that are left undone.
    pub unprocessed: u8,
    /// How much longer every request takes.
    pub latency: Duration,
}

/// What happens to one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    Throttled,
    Conflict,
    UnknownMade,
    UnknownLost,
    Error,
}

/// The plan in force and how many requests it has met.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    plan: Mutex<Option<FaultPlan>>,
    met: AtomicU64,
}

impl Faults {
    /// Follows a plan from its first request on, or lets everything be.
    pub(crate) fn follow(&self, plan: Option<FaultPlan>) {
        self.met.store(0, Ordering::Relaxed);
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    fn plan(&self) -> Option<FaultPlan> {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to the next request, and how long it takes.
    pub(crate) fn next(&self, is_transaction: bool) -> (Option<Fault>, Duration) {
        let Some(plan) = self.plan() else { return (None, Duration::ZERO) };
        let conflicts = if is_transaction { plan.conflicts } else { 0 };
        let shares = [
            (plan.throttled, Fault::Throttled),
            (plan.unknown_made, Fault::UnknownMade),
            (plan.unknown_lost, Fault::UnknownLost),
            (plan.errors, Fault::Error),
            (conflicts, Fault::Conflict),
        ];
        let mut drawn = self.draw(plan.seed);
        let fault = shares.into_iter().find_map(|(share, fault)| {
            let is_hit = drawn < share;
            drawn = drawn.saturating_sub(share);
            is_hit.then_some(fault)
        });
        (fault, plan.latency)
    }

    /// Splits off the part of a batch that the server leaves undone this time.
    pub(crate) fn undone<T>(&self, batch: Vec<T>) -> (Vec<T>, Vec<T>) {
        match self.plan().filter(|plan| plan.unprocessed > 0) {
            Some(plan) => batch.into_iter().partition(|_| self.draw(plan.seed) >= plan.unprocessed),
            None => (batch, Vec::new()),
        }
    }

    /// A number below 100.
    fn draw(&self, seed: u64) -> u8 {
        let met = self.met.fetch_add(1, Ordering::Relaxed);
        let hash = blake3::hash(&[seed.to_le_bytes(), met.to_le_bytes()].concat());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        (u64::from_le_bytes(first) % 100) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_followed_by_shares_and_can_be_repeated() {
        let faults = Faults::default();
        assert_eq!(faults.next(true), (None, Duration::ZERO));
        let plan = FaultPlan { throttled: 20, errors: 10, conflicts: 30, ..FaultPlan::default() };
        let run = |is_transaction| {
            faults.follow(Some(plan));
            (0..10_000).map(|_| faults.next(is_transaction).0).collect::<Vec<_>>()
        };
        let (first, again, reads) = (run(true), run(true), run(false));
        assert_eq!(first, again);
        let share = |run: &[Option<Fault>], fault| {
            run.iter().filter(|one| **one == Some(fault)).count() / 100
        };
        assert!((19..=21).contains(&share(&first, Fault::Throttled)));
        assert!((9..=11).contains(&share(&first, Fault::Error)));
        assert!((28..=32).contains(&share(&first, Fault::Conflict)));
        assert_eq!(share(&reads, Fault::Conflict), 0);
    }
}
