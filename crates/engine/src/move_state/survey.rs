//! Looking at both ends without a change, and ending a move before its pause.

use std::time::{Duration, Instant};

use store::Phase;

use super::{Move, MoveError, Run, Standing, part_of};

/// Users that are read to learn how many there are and how fast they come.
const SAMPLE: usize = 2_000;

/// What a move would have to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Survey {
    /// Whether an earlier run has begun it.
    pub is_begun: bool,
    /// Whether it is done.
    pub is_done: bool,
    /// Records in the old store's journal.
    pub records: u64,
    /// Records that the new store has already.
    pub records_there: u64,
    /// Users, about.
    pub users: u64,
    /// Budgets.
    pub budgets: u64,
    /// Deliveries, in any state.
    pub deliveries: u64,
    /// How long reading all of it once takes, about; a move reads both ends twice and writes one.
    pub reading: Duration,
}

/// Looks at both ends and checks that a move may begin or go on; writes nothing.
///
/// # Errors
/// [`MoveError`], as [`super::move_state`] would answer.
pub async fn survey_move(moved: &Move) -> Result<Survey, MoveError> {
    let mut nobody = |_| {};
    let run = Run::new(moved, &mut nobody);
    let standing = run.standing(&run.phases().await?).await?;
    let from = run.from;
    let records = from.head().await?;
    let begun = Instant::now();
    let sample = from.users(None, SAMPLE).await?;
    let read = from.read(records / 2, SAMPLE).await?.len();
    let took = begun.elapsed();
    let part = sample.last().map_or(1.0, |row| part_of(&row.key));
    let users = match sample.len() {
        SAMPLE => (SAMPLE as f64 / part.max(f64::EPSILON)) as u64,
        all => all as u64,
    };
    let rows = (sample.len() + read).max(1) as f64;
    Ok(Survey {
        is_begun: matches!(standing, Standing::Begun | Standing::Paused),
        is_done: matches!(standing, Standing::Done),
        records,
        records_there: run.to.head().await?,
        users,
        budgets: from.budget_rows().await?.len() as u64,
        deliveries: from.counts().await?.iter().map(|(_, count)| count).sum(),
        reading: took.mul_f64((users + records) as f64 / rows),
    })
}

/// Ends a move: the old store has the state as before, and says whether there was a move to end.
/// What was copied stays in the new store, and the next run goes on with it.
///
/// A run that is under way is taken over, and ends. A move whose new store is `Live` is done and cannot
/// be ended.
///
/// # Errors
/// [`MoveError`]; then the stores are used as before.
pub async fn abort_move(moved: &Move) -> Result<bool, MoveError> {
    let mut nobody = |_| {};
    let mut run = Run::new(moved, &mut nobody);
    run.is_under_way(&run.phases().await?).await?;
    let phases = run.take_over().await?;
    let is_under_way = match run.is_under_way(&phases).await {
        Ok(is_under_way) => is_under_way,
        Err(error) => return Err(run.or_taken_over(error).await),
    };
    if is_under_way {
        run.from.set_phase(Phase::Live).await?;
    }
    Ok(is_under_way)
}

impl Run<'_> {
    /// Whether there is a move that can be ended.
    async fn is_under_way(&self, phases: &(Phase, Phase)) -> Result<bool, MoveError> {
        let refused = |why: String| Err(MoveError::Refused(why));
        match phases {
            (Phase::Moved(to), _) if *to != self.to_name => refused(format!(
                "the state is on its way to {to}, or has moved there, and not to {}; \
                 name the right store with --to",
                self.to_name
            )),
            (Phase::Watched, Phase::Live) if !self.to.is_empty().await? => refused(format!(
                "{} is in use and not being filled, so it is not where the state is on its way to; \
                 name the right store with --to",
                self.to_name
            )),
            (Phase::Watched, _) | (Phase::Moved(_), Phase::Filling) => Ok(true),
            (Phase::Moved(to), _) => {
                refused(format!("the state has moved to {to}; that cannot be undone"))
            }
            (Phase::Live | Phase::Filling, _) => Ok(false),
        }
    }
}
