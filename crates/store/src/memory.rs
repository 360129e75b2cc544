//! Every port in memory: a real implementation, for tests, simulation and trying things out.
//!
//! One mutex guards the whole of [`MemoryState`], so a commit is atomic because nobody can look in
//! between: whatever can refuse it is computed first, and only then is anything written. Nothing
//! survives the process, and no operation waits for anything.

mod broker;
mod budgets;
mod cache;
mod catalog;
mod identity;
mod journal;
mod outbox;
mod reports;
mod transfer;
mod users;

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::change::Change;
use domain::ids::UserKey;
use domain::journal::Record;

pub use broker::MemoryBroker;
pub use cache::{MemoryCache, Slot};
pub use catalog::MemoryCatalog;
pub use reports::MemoryReports;

use crate::{Committed, Outcome, Phase, RunNumber, StateId, StoreError};

/// `Users`, `Budgets`, `Outbox` and `Journal` in memory, which can also be moved.
#[derive(Debug, Default)]
pub struct MemoryState {
    inner: Mutex<Inner>,
}

impl MemoryState {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

/// Everything that changes in one transaction.
#[derive(Debug, Default)]
struct Inner {
    users: users::UserRows,
    budgets: budgets::BudgetRows,
    outbox: outbox::Queue,
    journal: journal::Log,
    phase: Phase,
    /// The latest run of a mover.
    run: RunNumber,
    identity: Option<StateId>,
    /// Whether it was filled from a store without a total order.
    is_unordered: bool,
    /// Users touched since the store is watched; places are counted from 1.
    touched: Vec<UserKey>,
}

impl Inner {
    /// The commit: version, then guards, then everything is written. See `Users::commit`.
    fn commit(&mut self, change: Change) -> Result<Outcome, StoreError> {
        let user = change.state.key();
        if let Some(outcome) = self.users.refusal(&user, &change) {
            return Ok(outcome);
        }
        let moves = change.record.as_ref().map_or(&[][..], |record| &record.moves);
        let plan = match self.budgets.plan(moves) {
            Ok(plan) => plan,
            Err(outcome) => return Ok(outcome),
        };
        if let Some(record) = &change.record {
            self.outbox.check_new(record)?;
        }
        let levels = self.budgets.apply(plan);
        self.write_record(user, &change);
        self.users.put(user, change);
        if self.phase == Phase::Watched {
            self.touched.push(user);
        }
        Ok(Outcome::Applied(Committed { levels }))
    }

    /// Journals the record of a change, if it has one, and queues its messages.
    fn write_record(&mut self, user: UserKey, change: &Change) {
        if let Some(record) = &change.record {
            let seq = self.journal.push(change.chain, record.clone());
            self.outbox.add(seq, user, record);
        }
    }

    /// Journals a record that changes nobody's state.
    fn trace(&mut self, record: Record) {
        self.journal.push(domain::journal::Chain::default(), record);
    }
}

/// Locks, also after a panic of somebody else: nothing is written before everything is decided,
/// so what is behind the lock is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
