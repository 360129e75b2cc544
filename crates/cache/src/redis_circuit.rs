//! Which parts of Redis answer: one node is one part, a cluster is cut into ranges of slots, so that a
//! dead master costs its own keys only.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Slots of a Redis Cluster.
pub(crate) const SLOTS: u16 = 16_384;
/// Ranges of slots of a cluster that are told apart. A range that two masters share is out if either
/// is.
pub(crate) const PARTS: usize = 16;

/// The parts, each open for calls or out.
pub(crate) struct Circuit {
    is_out: Vec<AtomicBool>,
    /// Rung when a part goes out, so that somebody begins to try it.
    pub(crate) broken: Notify,
    problem: Mutex<Option<String>>,
    /// Whether the log says that something is wrong.
    is_told: AtomicBool,
}

impl Circuit {
    /// Everything is out until it has answered once.
    pub(crate) fn new(parts: usize) -> Self {
        Self {
            is_out: (0..parts).map(|_| AtomicBool::new(true)).collect(),
            broken: Notify::new(),
            problem: Mutex::new(Some("Redis has not answered yet".to_owned())),
            is_told: AtomicBool::new(false),
        }
    }

    /// The part in which a slot lies.
    pub(crate) fn part_of(&self, slot: u16) -> usize {
        usize::from(slot % SLOTS) * self.is_out.len() / usize::from(SLOTS)
    }

    /// Whether calls of that part are worth making.
    pub(crate) fn is_out(&self, part: usize) -> bool {
        self.is_out[part].load(Ordering::Relaxed)
    }

    /// A call of that part was not answered.
    pub(crate) fn trip(&self, part: usize, problem: impl ToString) {
        let problem = problem.to_string();
        if !self.is_out[part].swap(true, Ordering::Relaxed) {
            self.is_told.store(true, Ordering::Relaxed);
            tracing::warn!(part, problem, "Redis does not answer; it is done without");
        }
        self.set_problem(problem);
        self.broken.notify_one();
    }

    /// A part that is out was tried in vain.
    pub(crate) fn fail(&self, problem: impl ToString) {
        let problem = problem.to_string();
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(problem, "Redis cannot be used; it is done without");
        }
        self.set_problem(problem);
    }

    /// Calls of that part are answered again. Only the end of a trouble is of interest, so a start at
    /// which nothing is wrong says nothing.
    pub(crate) fn mend(&self, part: usize) {
        if self.is_out[part].swap(false, Ordering::Relaxed) {
            tracing::debug!(part, "Redis answers");
        }
        if self.out().next().is_none() {
            *lock(&self.problem) = None;
            if self.is_told.swap(false, Ordering::Relaxed) {
                tracing::info!("Redis answers again");
            }
        }
    }

    /// The parts that are out.
    pub(crate) fn out(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.is_out.len()).filter(|part| self.is_out(*part))
    }

    fn set_problem(&self, problem: impl ToString) {
        *lock(&self.problem) = Some(problem.to_string());
    }

    /// What is wrong, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        lock(&self.problem).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The slot of a key: CRC-16 (XMODEM) of what stands between its first braces.
pub(crate) fn slot_of(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let tag = tag.map(|(tag, _)| tag).filter(|tag| !tag.is_empty()).unwrap_or(key);
    let crc = tag.bytes().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_out_leaves_the_others_alone() {
        let circuit = Circuit::new(PARTS);
        assert_eq!(circuit.out().count(), PARTS);
        (0..PARTS).for_each(|part| circuit.mend(part));
        assert_eq!((circuit.out().count(), circuit.problem()), (0, None));
        circuit.trip(circuit.part_of(SLOTS - 1), "why");
        assert_eq!(circuit.out().collect::<Vec<_>>(), [PARTS - 1]);
        assert_eq!(circuit.problem().as_deref(), Some("why"));
        circuit.mend(PARTS - 1);
        assert_eq!(circuit.problem(), None);
    }

    #[test]
    fn slots_are_those_of_redis() {
        // From the specification of Redis Cluster, and as `CLUSTER KEYSLOT` answers.
        assert_eq!(slot_of("123456789"), 0x31c3);
        assert_eq!(slot_of("guerdon:{123456789}"), 0x31c3);
        assert_eq!(slot_of("foo{}{bar}"), 8_363);
    }
}
