//! The mission state machine: what is open, what counts, what is done.
//!
//! The state after a set of events does not depend on the order in which they arrive (I3). Whatever
//! an event may do later it may only add: a step that is done stays done, a window that starts at
//! the step before only grows, and an event that cannot count yet is parked and tried again after
//! every other one.

use crate::catalog::{Aim, Mission, Role, Rule, Sequence, Window, WindowStart};
use crate::desk::{Desk, Place};
use crate::ids::{EventKey, StepId};
use crate::time::{Day, Timestamp, UtcOffset};
use crate::user::{Enrollment, PARKED_MAX, Parked, Phase};
use crate::verdict::{Reason, Verdict};

/// An event on its way to one step.
#[derive(Clone, Copy)]
pub(crate) struct Offered {
    pub(crate) key: EventKey,
    pub(crate) occurred_at: Timestamp,
    /// 1, or micro-units where the step adds up revenue.
    pub(crate) units: u64,
}

/// Whether a step is paid as often as it can be.
pub(crate) fn is_full(run: &Enrollment, mission: &Mission, step: usize) -> bool {
    run.steps[step].paid.len() >= mission.steps[step].repeat.limit as usize
}

/// Whether the steps that must come before are done. The sequence binds required steps only; a
/// bonus or optional step waits for what it names itself.
pub(crate) fn is_open(run: &Enrollment, mission: &Mission, step: usize) -> bool {
    first_missing(run, mission, step).is_none()
}

/// The first step that must be done before this one opens.
pub(crate) fn first_missing(run: &Enrollment, mission: &Mission, step: usize) -> Option<StepId> {
    let this = &mission.steps[step];
    let in_sequence = mission.sequence == Sequence::Ordered && this.role == Role::Required;
    mission.steps.iter().enumerate().find_map(|(place, other)| {
        let by_sequence = in_sequence && place < step && other.role == Role::Required;
        let by_name = this.after.contains(&other.id);
        let is_needed = place != step && (by_sequence || by_name);
        (is_needed && !is_full(run, mission, place)).then_some(other.id)
    })
}

/// Until when the step can be done; `None` while the step that starts its window has not begun.
pub(crate) fn step_deadline(run: &Enrollment, mission: &Mission, step: usize) -> Option<Timestamp> {
    let Some(Window { from, seconds }) = mission.steps[step].window else {
        return Some(run.deadline);
    };
    let start = match from {
        WindowStart::Participation => run.started_at,
        WindowStart::Previous if step == 0 => run.started_at,
        WindowStart::Previous => run.steps[step - 1].latest_at?,
    };
    Some(start.plus_seconds(seconds.into()).min(run.deadline))
}

/// Offers an event to one step.
pub(crate) fn offer(
    desk: &mut Desk<'_>,
    at: Place<'_>,
    offset: UtcOffset,
    event: Offered,
) -> (Verdict, Reason) {
    let progress = &mut desk.run_mut(at.run).steps[at.step];
    progress.latest_at = progress.latest_at.max(Some(event.occurred_at));
    let run = desk.run(at.run);
    if is_full(run, at.mission, at.step) {
        return (Verdict::Ignored, Reason::LimitReached);
    }
    match waits(run, at, event.occurred_at) {
        None => count(desk, at, offset, event),
        Some(Reason::Late) => (Verdict::Ignored, Reason::Late),
        Some(reason) => park(desk, at, event, reason),
    }
}

/// Why an event of that moment cannot count for the step yet, or ever (`Late`).
fn waits(run: &Enrollment, at: Place<'_>, occurred_at: Timestamp) -> Option<Reason> {
    let window = at.rule().window;
    if !is_open(run, at.mission, at.step) {
        return Some(Reason::Early);
    }
    let grace_ms = run.late_until.since(run.deadline);
    let deadline = step_deadline(run, at.mission, at.step)?;
    if occurred_at.0 <= deadline.0 + grace_ms {
        return None;
    }
    let may_grow = window.is_some_and(|window| window.from == WindowStart::Previous);
    Some(if may_grow { Reason::OutsideWindow } else { Reason::Late })
}

fn park(desk: &mut Desk<'_>, at: Place<'_>, event: Offered, reason: Reason) -> (Verdict, Reason) {
    let step = at.rule().id;
    let run = desk.run_mut(at.run);
    if run.parked.len() >= PARKED_MAX {
        return (Verdict::Rejected, Reason::TooMany);
    }
    let Offered { key, occurred_at, units } = event;
    run.parked.push(Parked { step, key, occurred_at, units, reason });
    (Verdict::Parked, reason)
}

/// Counts an event for an open step, and books what it completes.
fn count(
    desk: &mut Desk<'_>,
    at: Place<'_>,
    offset: UtcOffset,
    event: Offered,
) -> (Verdict, Reason) {
    let day = Day::of(event.occurred_at, offset);
    let rule = at.rule();
    let per_day = match &rule.rule {
        Rule::Event { aim: Aim::DistinctDays(_), .. } | Rule::CheckIn => Some(1),
        Rule::Event { .. } | Rule::Visit { .. } | Rule::Quiz { .. } => rule.repeat.per_day,
    };
    let progress = &mut desk.run_mut(at.run).steps[at.step];
    if let Some(per_day) = per_day {
        match progress.days.iter_mut().find(|(one, _)| *one == day) {
            Some((_, counted)) if *counted >= per_day => {
                return (Verdict::Ignored, Reason::DailyLimit);
            }
            Some((_, counted)) => *counted += 1,
            None => progress.days.push((day, 1)),
        }
    }
    progress.progress = progress.progress.saturating_add(event.units);
    pay(desk, at, event.key, event.occurred_at)
}

/// Books every occurrence that the progress has earned and that is not booked yet.
fn pay(
    desk: &mut Desk<'_>,
    at: Place<'_>,
    key: EventKey,
    occurred_at: Timestamp,
) -> (Verdict, Reason) {
    let mut answer = (Verdict::Parked, Reason::Counting);
    while is_owed(desk.run(at.run), at) {
        let occurrence = desk.run(at.run).steps[at.step].paid.len() as u32;
        if !desk.grant(at, occurred_at) {
            return answer.max((Verdict::Parked, Reason::AwaitingBudget));
        }
        remember(desk, at, key, occurrence);
        answer = match at.rule().hold_hours {
            0 => (Verdict::Rewarded, Reason::StepDone),
            _ => (Verdict::Pending, Reason::OnHold),
        };
    }
    answer
}

fn is_owed(run: &Enrollment, at: Place<'_>) -> bool {
    let earned = run.steps[at.step].progress / at.rule().rule.need();
    (run.steps[at.step].paid.len() as u64) < earned && !is_full(run, at.mission, at.step)
}

/// Notes on the event which occurrence it completed, for its reversal.
fn remember(desk: &mut Desk<'_>, at: Place<'_>, key: EventKey, occurrence: u32) {
    let run = desk.run_mut(at.run);
    if let Some(seen) = run.seen.iter_mut().find(|seen| seen.key == key) {
        seen.earned.push((at.rule().id, occurrence));
    }
}

/// Tries everything that waits again until nothing moves, and brings the run's phase up to date.
pub(crate) fn settle(desk: &mut Desk<'_>, run: usize, mission: &Mission, offset: UtcOffset) {
    let mut is_moving = true;
    while is_moving {
        is_moving = (0..mission.steps.len()).fold(false, |moved, step| {
            settle_step(desk, Place { run, step, mission }, offset) || moved
        });
    }
    update_phase(desk, run, mission);
}

fn settle_step(desk: &mut Desk<'_>, at: Place<'_>, offset: UtcOffset) -> bool {
    let id = at.rule().id;
    let run = desk.run(at.run);
    let mut ready: Vec<Parked> = run.parked.iter().copied().filter(|one| one.step == id).collect();
    ready.retain(|one| waits(run, at, one.occurred_at).is_none());
    ready.sort_by_key(|one| (one.occurred_at, one.key));
    for one in &ready {
        desk.run_mut(at.run).parked.retain(|other| !(other.key == one.key && other.step == id));
        if !is_full(desk.run(at.run), at.mission, at.step) {
            let (key, occurred_at, units) = (one.key, one.occurred_at, one.units);
            count(desk, at, offset, Offered { key, occurred_at, units });
        }
    }
    let mut is_paid = false;
    if ready.is_empty() && is_owed(desk.run(at.run), at) {
        let latest = desk.run(at.run).steps[at.step].latest_at.unwrap_or(desk.now);
        let before = desk.run(at.run).steps[at.step].paid.len();
        pay(desk, at, EventKey::default(), latest);
        is_paid = desk.run(at.run).steps[at.step].paid.len() > before;
    }
    !ready.is_empty() || is_paid
}

fn update_phase(desk: &mut Desk<'_>, run: usize, mission: &Mission) {
    let one = desk.run(run);
    if !matches!(one.phase, Phase::Open | Phase::Completed) {
        return;
    }
    let done = |place: usize| is_full(one, mission, place);
    let is_required = |place: &usize| mission.steps[*place].role == Role::Required;
    let places = || 0..mission.steps.len();
    if places().all(done) {
        desk.run_mut(run).phase = Phase::Closed;
        desk.release_hold(run);
    } else if places().filter(is_required).all(done) && one.phase == Phase::Open {
        desk.run_mut(run).phase = Phase::Completed;
    }
}
