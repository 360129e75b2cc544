//! What two histories of the same events must agree on.

use std::collections::BTreeMap;

use domain::budget::Level;
use domain::ids::{EventKey, StepId};
use domain::ledger::{Account, Asset};
use domain::money::{Micros, Points};
use domain::time::Timestamp;
use domain::user::{Parked, Phase};

use crate::book::Book;

/// A user and his ledger without the order in which things happened.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Digest {
    phase: Phase,
    held: Micros,
    balance: Points,
    pending: Points,
    /// Of each step: units ever and still counted, its latest moment, and live occurrences.
    steps: Vec<(u64, u64, Option<Timestamp>, u32)>,
    /// Every event, and whether it was taken back.
    seen: Vec<(EventKey, bool)>,
    parked: Vec<(StepId, EventKey, String)>,
    /// Sums that are not 0.
    ledger: BTreeMap<(Account, Asset), i64>,
    level: Level,
}

impl Digest {
    pub(crate) fn of(book: &Book) -> Self {
        let run = book.run();
        let steps = run.steps.iter();
        let mut seen: Vec<_> = run.seen.iter().map(|one| (one.key, one.reversed)).collect();
        let waiting = |one: &Parked| (one.step, one.key, one.reason.code().to_owned());
        let mut parked: Vec<_> = run.parked.iter().map(waiting).collect();
        seen.sort_unstable();
        parked.sort_unstable();
        Self {
            phase: run.phase,
            held: run.held,
            balance: book.loaded.state.balance,
            pending: book.loaded.state.pending,
            steps: steps
                .map(|step| (step.reached, step.progress, step.latest_at, step.live()))
                .collect(),
            seen,
            parked,
            ledger: sums(book),
            level: book.level(),
        }
    }
}

fn sums(book: &Book) -> BTreeMap<(Account, Asset), i64> {
    let mut sums = BTreeMap::new();
    let transactions = book.journal.iter().flat_map(|(_, record)| &record.transactions);
    for entry in transactions.flat_map(|transaction| &transaction.entries) {
        *sums.entry((entry.account, entry.asset)).or_default() += entry.amount;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}
