//! How a run looks to its user: the states that pages and answers show.

use crate::catalog::Mission;
use crate::ids::StepId;
use crate::money::Points;
use crate::rules;
use crate::time::Timestamp;
use crate::user::{Enrollment, PaidState, Phase};
use crate::verdict::Reason;

/// Where a run stands, as its user sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RunState {
    /// Nothing has counted yet.
    Started,
    /// Something has.
    InProgress,
    /// Every required step is done.
    Completed,
    /// The deadline passed first.
    Expired,
    /// Nothing can be done any more: everything is done or lost, or the deadline of a completed run
    /// has passed.
    Closed,
    /// Taken out of play.
    Voided,
}

impl RunState {
    /// The name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Closed => "closed",
            Self::Voided => "voided",
        }
    }
}

/// Where a step stands, as its user sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StepState {
    /// Another step has to be done first.
    Locked,
    /// It can be done.
    Available,
    /// It was noticed: a reward is on hold, or an event waits.
    Pending,
    /// It is paid.
    Rewarded,
    /// It did not count.
    Rejected,
    /// Its time is over.
    Expired,
    /// Its reward was taken back.
    Reversed,
}

impl StepState {
    /// The name in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Available => "available",
            Self::Pending => "pending",
            Self::Rewarded => "rewarded",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
        }
    }
}

/// A step of a run as a list of missions shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StepGlance {
    /// Where it stands.
    pub state: StepState,
    /// Occurrences paid or pending.
    pub completed: u32,
    /// Until when it can be done.
    pub deadline: Option<Timestamp>,
    /// When its latest occurrence was booked.
    pub rewarded_at: Option<Timestamp>,
}

/// A step of a run as its user sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepView {
    /// Where it stands.
    pub state: StepState,
    /// Why it did not count or waits, where that is so.
    pub reason: Option<Reason>,
    /// Occurrences paid or pending.
    pub completed: u32,
    /// Units counted towards the next occurrence, and what it needs.
    pub progress: (u64, u64),
    /// Until when it can be done.
    pub deadline: Option<Timestamp>,
    /// When its latest occurrence was booked.
    pub rewarded_at: Option<Timestamp>,
    /// When its earliest hold ends.
    pub release_at: Option<Timestamp>,
    /// The first step that must be done before.
    pub needs: Option<StepId>,
}

/// Where the run stands at `now`.
#[must_use]
pub fn run_state(run: &Enrollment, now: Timestamp) -> RunState {
    match run.phase {
        Phase::Completed if now > run.deadline => RunState::Closed,
        Phase::Completed => RunState::Completed,
        Phase::Expired => RunState::Expired,
        Phase::Closed => RunState::Closed,
        Phase::Voided => RunState::Voided,
        Phase::Open if now > run.deadline => RunState::Expired,
        Phase::Open if run.is_untouched() => RunState::Started,
        Phase::Open => RunState::InProgress,
    }
}

/// How the steps look in a list at `now`, in their order.
pub fn step_glances<'a>(
    run: &'a Enrollment,
    mission: &'a Mission,
    now: Timestamp,
) -> impl Iterator<Item = StepGlance> {
    let lost = rules::lost(run, mission);
    let places = 0..run.steps.len().min(mission.steps.len());
    places.map(move |place| step_glance(run, mission, place, &lost, now))
}

fn step_glance(
    run: &Enrollment,
    mission: &Mission,
    place: usize,
    lost: &[usize],
    now: Timestamp,
) -> StepGlance {
    let progress = &run.steps[place];
    let deadline = rules::step_deadline(run, mission, place);
    StepGlance {
        state: step_state(run, mission, place, (lost, deadline), now),
        completed: progress.live(),
        deadline,
        rewarded_at: progress.paid.last().map(|paid| paid.booked_at),
    }
}

/// How the step at `place` looks at `now`.
#[must_use]
pub fn step_view(run: &Enrollment, mission: &Mission, place: usize, now: Timestamp) -> StepView {
    let progress = &run.steps[place];
    let lost = rules::lost(run, mission);
    let StepGlance { state, completed, deadline, rewarded_at } =
        step_glance(run, mission, place, &lost, now);
    let need = mission.steps[place].rule.need();
    let counted = progress.progress.saturating_sub(need * u64::from(progress.live())).min(need);
    let release = |state| match state {
        PaidState::Pending { release_at } => Some(release_at),
        PaidState::Rewarded | PaidState::Reversed => None,
    };
    StepView {
        state,
        reason: waits_for(run, mission, place, &lost),
        completed,
        progress: (counted, need),
        deadline,
        rewarded_at,
        release_at: progress.paid.iter().filter_map(|paid| release(paid.state)).min(),
        needs: rules::first_missing(run, mission, place),
    }
}

fn step_state(
    run: &Enrollment,
    mission: &Mission,
    place: usize,
    (lost, deadline): (&[usize], Option<Timestamp>),
    now: Timestamp,
) -> StepState {
    let progress = &run.steps[place];
    let has = |wanted: fn(&PaidState) -> bool| progress.paid.iter().any(|one| wanted(&one.state));
    let is_full = rules::is_full(run, mission, place);
    if has(|state| matches!(state, PaidState::Pending { .. })) {
        return StepState::Pending;
    }
    let is_rewarded = has(|state| *state == PaidState::Rewarded);
    let is_owed = rules::owed(run, mission, place) > 0;
    if is_full && !is_owed {
        return if is_rewarded { StepState::Rewarded } else { StepState::Reversed };
    }
    if is_owed && !run.forfeited {
        return StepState::Pending;
    }
    let is_over = !matches!(run.phase, Phase::Open | Phase::Completed) || now > run.deadline;
    let is_lost = lost.contains(&place);
    if is_over || is_lost || deadline.is_some_and(|deadline| now > deadline) {
        return match progress.paid.is_empty() {
            true if is_lost => StepState::Rejected,
            true => StepState::Expired,
            false if is_rewarded => StepState::Rewarded,
            false => StepState::Reversed,
        };
    }
    if waits_for(run, mission, place, lost).is_some() {
        return StepState::Pending;
    }
    if rules::is_open(run, mission, place) { StepState::Available } else { StepState::Locked }
}

/// Why something that was noticed for the step is not paid, or nothing can be any more: it is owed,
/// no attempts are left, or an event waits.
fn waits_for(run: &Enrollment, mission: &Mission, place: usize, lost: &[usize]) -> Option<Reason> {
    if rules::owed(run, mission, place) > 0 {
        return Some(if run.forfeited { Reason::BudgetSpent } else { Reason::AwaitingBudget });
    }
    if lost.contains(&place) {
        return Some(Reason::NoAttempts);
    }
    let is_reversed = |key| run.seen.iter().any(|seen| seen.key == key && seen.reversed);
    let mut waiting = run.parked.iter().filter(|parked| parked.step == run.steps[place].step);
    waiting.find(|parked| !is_reversed(parked.key)).map(|parked| parked.reason)
}

/// What the run can still pay, as locked: nothing for steps that are lost, because no attempts are
/// left.
#[must_use]
pub fn remaining(run: &Enrollment, mission: &Mission) -> Points {
    let lost = rules::lost(run, mission);
    let steps = run.steps.iter().zip(&mission.steps).enumerate();
    let left = steps.filter(|(place, _)| !lost.contains(place));
    Points(
        left.map(|(_, (progress, step))| {
            let done = rules::occurrences(step, progress.reached);
            progress.points.0 * i64::from(step.repeat.limit - done)
        })
        .sum(),
    )
}

/// Whether a step of a mission that has not been started is locked from the beginning.
#[must_use]
pub fn is_locked_at_start(mission: &Mission, place: usize) -> bool {
    use crate::catalog::{Role, Sequence};
    let step = &mission.steps[place];
    let is_first = !mission.steps[..place].iter().any(|other| other.role == Role::Required);
    let by_sequence =
        mission.sequence == Sequence::Ordered && step.role == Role::Required && !is_first;
    by_sequence || !step.after.is_empty()
}
