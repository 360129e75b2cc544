//! Scenarios over several nodes of one store, at load: what takes too long to be a case.
//!
//! Each adapter calls [`last_unit()`] and [`books()`] in tests of its own, with as many stores on the
//! same data as it can open; a store that one process owns is given several times. Nodes are used at
//! the same time, in tasks that the caller's runtime runs.
//!
//! Requests may fail as the ports allow: what is unavailable is tried again, what is unknown is asked
//! again with the same change. Limits hold all the same, and nothing may be lost or made twice.

mod audit;
mod books;
mod last_unit;
mod plan;
mod sums;
mod tally;
mod worker;

use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::budget::Limits;
use domain::change::Change;
use domain::ids::LineItemId;
use tokio::sync::oneshot;

pub use books::books;
pub use last_unit::last_unit;
pub use tally::Tally;

use super::Failure;
use super::sample::NOW;
use crate::{LimitsOutcome, Movable, Outcome, StateStore, StoreError};

/// How often a change is tried that the store cannot make now, or cannot tell whether it has.
const ATTEMPTS_MAX: usize = 2_000;
/// The pause before the next try. With the tries it makes up the patience that a loaded machine
/// needs, 20 seconds.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a store may take to answer at all, even if it is that it cannot. Whoever never answers
/// would otherwise look like one who is slow.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// What a node does, to be run beside others.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Nodes that share one store.
#[derive(Clone)]
pub struct Nodes {
    stores: Arc<[Movable]>,
    spawn: fn(Task),
}

impl Nodes {
    /// One node on each of these, whose tasks are run by `spawn`. At least one.
    #[must_use]
    pub fn new(stores: Vec<Movable>, spawn: fn(Task)) -> Self {
        Self { stores: stores.into(), spawn }
    }

    /// How many there are.
    fn count(&self) -> usize {
        self.stores.len()
    }

    /// One of them; the numbers go round.
    fn node(&self, number: usize) -> &Movable {
        &self.stores[number % self.stores.len()]
    }

    fn state(&self, number: usize) -> &dyn StateStore {
        &*self.node(number).state
    }

    /// Runs all at the same time and gives their results in order.
    async fn together<F>(&self, futures: Vec<F>) -> Result<Vec<F::Output>, Failure>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut answers = Vec::with_capacity(futures.len());
        for future in futures {
            let (sender, answer) = oneshot::channel();
            (self.spawn)(Box::pin(async move {
                // Whoever asked may have failed meanwhile, and does not listen any more.
                let _ = sender.send(future.await);
            }));
            answers.push(answer);
        }
        let mut results = Vec::with_capacity(answers.len());
        for answer in answers {
            results.push(answer.await.map_err(|_| Failure::new("a task has panicked"))?);
        }
        Ok(results)
    }

    /// Commits until it is known what became of the change, each time at the next node.
    async fn ask(&self, number: usize, change: &Change) -> Result<Outcome, Failure> {
        let (outcome, was_unknown) = self.answer(number, change).await?;
        Ok(match outcome {
            // It was made by the attempt whose answer was lost.
            Outcome::Replayed if was_unknown => Outcome::Applied(crate::Committed::default()),
            outcome => outcome,
        })
    }

    /// What a store says of the change in the end, and whether it was unknown before.
    async fn answer(&self, number: usize, change: &Change) -> Result<(Outcome, bool), Failure> {
        let mut was_unknown = false;
        for attempt in 0..ATTEMPTS_MAX {
            match in_time(self.state(number + attempt).commit(change.clone())).await? {
                Ok(outcome) => return Ok((outcome, was_unknown)),
                Err(StoreError::Unknown(_)) => was_unknown = true,
                Err(StoreError::Unavailable(_)) => tokio::time::sleep(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::new(format!("no answer to {ATTEMPTS_MAX} tries of one change")))
    }

    /// Sets limits, asking again until there is an answer: the same limits twice are the same as once.
    async fn set_limits(
        &self,
        number: usize,
        line_item: LineItemId,
        limits: Limits,
    ) -> Result<LimitsOutcome, Failure> {
        for attempt in 0..ATTEMPTS_MAX {
            let state = self.state(number + attempt);
            match in_time(state.set_limits(line_item, limits, NOW)).await? {
                Ok(outcome) => return Ok(outcome),
                Err(StoreError::Unavailable(_) | StoreError::Unknown(_)) => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::new(format!("no answer to {ATTEMPTS_MAX} tries to set limits")))
    }
}

/// Waits for an answer, whatever it is.
async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, Failure> {
    let late = |_| Failure::new(format!("the store has not answered for {ANSWER_MAX:?}"));
    tokio::time::timeout(ANSWER_MAX, answer).await.map_err(late)
}

/// The seed of a run: that of the environment variable `GUERDON_SEED`, to repeat one that failed, or
/// a new one. What is tried follows from it; the order in which nodes come first does not.
#[must_use]
pub fn seed() -> u64 {
    let given = std::env::var("GUERDON_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| RandomState::new().hash_one("seed") >> 32)
}

/// Numbers that look random and follow from a seed (xorshift).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut dice = Self(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed | 1 << 40));
        // The first numbers of neighbouring seeds are alike.
        for _ in 0..8 {
            dice.below(2);
        }
        dice
    }

    /// From 0 to below `end`, which is at least 1.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn amount(&mut self, end: i64) -> i64 {
        self.below(end as usize) as i64
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())) }
    }
}
