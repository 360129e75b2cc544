//! One of many who participate, book, expire and reverse at the same time.

use domain::budget::{Breach, BudgetMove, Guard, Level, Limits};
use domain::change::{Change, Loaded};
use domain::ids::LineItemId;
use domain::user::{Enrollment, PaidState};

use super::plan::{LINE_ITEMS, Plan};
use super::sums::Sums;
use super::tally::{LIMITS, LOOK, REPLAY, STALE, TOO_LOW, TWICE, Tally};
use super::{Dice, Failure, Nodes};
use crate::contract::sample::{self, Draft, NOW};
use crate::contract::{Checked, all};
use crate::{LimitsOutcome, Outcome};

/// Users whom a worker speaks for at a time.
const USERS: usize = 6;
/// Runs of a user, after which somebody new takes his place.
const RUNS_MAX: usize = 6;
/// Rewards of one run.
const REWARDS_MAX: usize = 5;

/// Speaks for users of its own, so nobody else changes them, and asks any node for anything.
pub(super) struct Worker {
    number: usize,
    nodes: Nodes,
    plan: Plan,
    dice: Dice,
    /// Users so far.
    names: u32,
    users: Vec<Loaded>,
    /// The latest change that was made.
    latest: Option<Change>,
    /// A change after which the same user was changed again.
    superseded: Option<Change>,
    /// Whose limits it sets, as the only one; and what they are.
    budget: Option<(LineItemId, Limits)>,
    /// What it has moved and nobody has taken account of.
    pub(super) sums: Sums,
    pub(super) tally: Tally,
}

impl Worker {
    pub(super) fn new(number: usize, nodes: &Nodes, plan: Plan, seed: u64) -> Self {
        let mut worker = Self {
            number,
            nodes: nodes.clone(),
            plan,
            dice: Dice::new((seed << 10) + number as u64),
            names: 0,
            users: Vec::new(),
            latest: None,
            superseded: None,
            budget: None,
            sums: Sums::default(),
            tally: Tally::default(),
        };
        let line_item = LineItemId(number as u32 + 1);
        worker.budget = (line_item.0 <= LINE_ITEMS).then(|| (line_item, Limits::default()));
        worker.users = (0..USERS).map(|_| worker.somebody_new()).collect();
        worker
    }

    /// The limits that it has set.
    pub(super) fn limits(&self) -> Option<(LineItemId, Limits)> {
        self.budget
    }

    /// Does so much in a stretch.
    pub(super) async fn work(mut self, phase: usize, acts: usize) -> Result<Self, Failure> {
        for _ in 0..acts {
            match self.dice.below(100) {
                0..3 => self.ask_again().await?,
                3..5 => self.look().await?,
                5..9 => self.commit_twice(phase).await?,
                9..19 if self.budget.is_some() => self.set_limits(phase).await?,
                _ => {
                    let (place, change) = self.next(phase);
                    let outcome = self.nodes.ask(self.dice.below(8), &change).await?;
                    self.take(place, change, outcome)?;
                }
            }
        }
        Ok(self)
    }

    /// Does something while nobody else does anything. Whether it is made, and what is told of it,
    /// follows from what was used before.
    pub(super) async fn act_alone(
        &mut self,
        phase: usize,
        known: &Sums,
        limits: impl Fn(LineItemId) -> Limits,
    ) -> Checked {
        let (place, change) = self.next(phase);
        let by = move_of(&change)?;
        let (line_item, limits) = (by.line_item, limits(by.line_item));
        let (total, day) = (known.total(line_item), known.day(line_item, by.day));
        let outcome = self.nodes.ask(self.dice.below(8), &change).await?;
        let wanted = match limits.check(&total, &day, &by) {
            Err(breach) => {
                let level = known.level(line_item, limits);
                Outcome::OverBudget { line_item, breach, level }
            }
            Ok(()) => {
                let mut known = known.clone();
                known.add(&by);
                let levels = vec![known.level(line_item, limits)];
                Outcome::Applied(crate::Committed { levels })
            }
        };
        // Where budgets are spread over shards, what is told of them after a move may be somewhat
        // old; whether the move is made may not.
        let is_old = matches!((&outcome, &wanted), (Outcome::Applied(_), Outcome::Applied(_)))
            && !self.nodes.state(0).is_total_order();
        let wanted = if is_old { outcome.clone() } else { wanted };
        ensure_eq!(outcome, wanted, "what {by:?} got of {total:?} and {day:?} of its day");
        self.take(place, change, outcome)
    }

    /// What one of its users does next.
    fn next(&mut self, phase: usize) -> (usize, Change) {
        let place = self.dice.below(self.users.len());
        let act = self.dice.below(10);
        let user = &self.users[place];
        let run = self.dice.pick(&user.state.enrollments);
        let draft = |run: &Enrollment| (Draft::of(user, NOW), run.mission.0);
        let drawn = match (act, run) {
            (0..3, Some(run)) if run.steps[0].paid.len() < REWARDS_MAX => {
                let (draft, mission) = draft(run);
                Some(draft.pay(mission))
            }
            (3..5, Some(run)) if has_reward(run) => {
                let (draft, mission) = draft(run);
                Some(draft.take_back(mission))
            }
            (5..7, Some(run)) if run.held.0 > 0 => {
                let (draft, mission) = draft(run);
                Some(draft.expire(mission))
            }
            _ => None,
        };
        let change = drawn.map(Draft::change);
        (place, change.unwrap_or_else(|| self.participate(place, phase)))
    }

    fn participate(&mut self, place: usize, phase: usize) -> Change {
        if self.users[place].state.enrollments.len() >= RUNS_MAX {
            self.users[place] = self.somebody_new();
        }
        let user = &self.users[place];
        let mission = user.state.enrollments.len() as u32 + 1;
        let (terms, held, paced) = self.plan.wish(phase, &mut self.dice);
        Draft::of(user, NOW).on(terms).join(mission, held, paced).change()
    }

    fn somebody_new(&mut self) -> Loaded {
        self.names += 1;
        sample::user(&format!("user {} of {}", self.names, self.number))
    }

    /// Takes account of what became of a change.
    fn take(&mut self, place: usize, change: Change, outcome: Outcome) -> Checked {
        let by = move_of(&change)?;
        match outcome {
            Outcome::Applied(committed) => {
                self.sums.add(&by);
                self.tally.note_move(&by);
                committed.levels.iter().try_for_each(|level| self.plan.check(level))?;
                self.users[place] = change.after();
                let before = self.latest.replace(change.clone());
                let is_followed = |before: &Change| before.state.key() == change.state.key();
                self.superseded = before.filter(is_followed).or(self.superseded.take());
                Ok(())
            }
            Outcome::OverBudget { line_item, breach, level } => {
                ensure_eq!(line_item, by.line_item, "whose budget has refused {by:?}");
                self.tally.note(breach.words());
                self.plan.check(&level)?;
                check_refusal(&by, breach, &level)
            }
            other => Err(Failure::new(format!("nobody else changes the user: {other:?}"))),
        }
    }

    /// Asks two nodes at the same moment for the same change: it is made once, or not at all.
    async fn commit_twice(&mut self, phase: usize) -> Checked {
        let (place, change) = self.next(phase);
        let first = self.dice.below(8);
        let nodes = [first, first + 1];
        let answers = all(nodes.map(|node| self.nodes.answer(node, &change))).await;
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.tally.note(TWICE);
        let is_made = |one: &&(Outcome, bool)| matches!(one.0, Outcome::Applied(_));
        let is_repeated = |one: &(Outcome, bool)| matches!(one, (Outcome::Replayed, false));
        let made = answers.iter().filter(is_made).count();
        ensure!(made <= 1, "one change was made twice: {answers:?}");
        let is_sound = made == 1 || !answers.iter().any(is_repeated);
        let is_sound = is_sound || answers.iter().any(|(_, was_unknown)| *was_unknown);
        ensure!(is_sound, "a change was replayed that was not made: {answers:?}");
        let applied = answers.iter().find(is_made).map(|(outcome, _)| outcome.clone());
        let replayed = answers.iter().any(|one| one.0 == Outcome::Replayed);
        let replayed = replayed.then(|| Outcome::Applied(crate::Committed::default()));
        match applied.or(replayed).or_else(|| answers.into_iter().next().map(|one| one.0)) {
            Some(outcome) => self.take(place, change, outcome),
            None => Ok(()),
        }
    }

    /// Asks for what was made before: the latest change of a user is recognised, and one that
    /// another has followed is not made again.
    async fn ask_again(&mut self) -> Checked {
        let node = self.dice.below(8);
        if let Some(latest) = &self.latest {
            let (outcome, _) = self.nodes.answer(node, latest).await?;
            ensure_eq!(outcome, Outcome::Replayed, "the latest change again");
            self.tally.note(REPLAY);
        }
        if let Some(superseded) = &self.superseded {
            let (outcome, _) = self.nodes.answer(node + 1, superseded).await?;
            ensure_eq!(outcome, Outcome::Stale, "a change before the latest");
            self.tally.note(STALE);
        }
        Ok(())
    }

    /// Looks at a user and at a budget, as any node sees them while everybody is at work.
    async fn look(&mut self) -> Checked {
        self.tally.note(LOOK);
        let state = self.nodes.state(self.dice.below(8));
        if let Some(known) = self.dice.pick(&self.users).filter(|user| user.version > 0) {
            ensure!(state.load(known.state.key()).await? == *known, "a user is not as he was left");
        }
        let line_item = LineItemId(1 + self.dice.below(LINE_ITEMS as usize) as u32);
        let level = state.level(line_item).await?;
        self.plan.check(&level.ok_or_else(|| Failure::new("a budget is gone"))?)
    }

    /// Changes the limits of its line item, if it has one.
    pub(super) async fn set_limits(&mut self, phase: usize) -> Checked {
        let Some((line_item, known)) = self.budget else { return Ok(()) };
        let limits = self.plan.limits(line_item, phase, &mut self.dice);
        match self.nodes.set_limits(self.dice.below(8), line_item, limits).await? {
            LimitsOutcome::Set(level) => {
                ensure_eq!(level.limits, limits, "the limits that were set");
                self.plan.check(&level)?;
                self.budget = Some((line_item, limits));
                (0..usize::from(limits != known)).for_each(|_| self.tally.note(LIMITS));
            }
            LimitsOutcome::BelowCommitted(level) => {
                ensure_eq!(level.limits, known, "the limits that hold on");
                let is_below = limits.total < known.total && limits.total < level.total.committed();
                ensure!(is_below, "{limits:?} was refused on {level:?}");
                self.tally.note(TOO_LOW);
            }
        }
        Ok(())
    }
}

/// A refusal speaks of a budget that has not as much left. It cannot be seen of days before the
/// latest.
fn check_refusal(by: &BudgetMove, breach: Breach, level: &Level) -> Checked {
    ensure!(by.guard != Guard::Free, "a move was refused in which nothing grows: {by:?}");
    if by.day >= level.day {
        let checked = level.limits.check(&level.total, &level.on(by.day), by);
        ensure_eq!(checked, Err(breach), "{by:?} was refused on {level:?}");
    }
    Ok(())
}

fn has_reward(run: &Enrollment) -> bool {
    run.steps[0].paid.last().is_some_and(|paid| paid.state == PaidState::Rewarded)
}

fn move_of(change: &Change) -> Result<BudgetMove, Failure> {
    let by = change.record.iter().flat_map(|record| &record.moves).next();
    by.copied().ok_or_else(|| Failure::new("a change without a move"))
}
