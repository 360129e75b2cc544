//! The mission state machine: what is open, what counts, what is done.
//!
//! The state after a set of events does not depend on the order in which they arrive (I3). What an
//! event opens stays open: a step that is done stays done even if its events are taken back, a
//! window that starts at the step before only grows, and an event that cannot count yet is parked
//! and tried again after every other one. What is paid is a function of the events that were
//! counted and not taken back, and is adjusted to it after each of them, in both directions.

use crate::catalog::{Aim, Mission, Role, Rule, Sequence, Step, Window, WindowStart};
use crate::desk::{Desk, Place};
use crate::ids::{EventKey, StepId};
use crate::money::Micros;
use crate::sweep::RETRY_SECONDS;
use crate::time::{Day, Timestamp, UtcOffset};
use crate::user::{Counted, Enrollment, PARKED_MAX, Parked, Phase, Seen};
use crate::verdict::{Reason, Verdict};

/// An event on its way to one step.
#[derive(Clone, Copy)]
pub(crate) struct Offered {
    pub(crate) key: EventKey,
    pub(crate) occurred_at: Timestamp,
    /// 1, or micro-units where the step adds up revenue.
    pub(crate) units: u64,
}

/// Whether a step has ever been done as often as it can be. Once it is, it stays so.
pub(crate) fn is_full(run: &Enrollment, mission: &Mission, step: usize) -> bool {
    occurrences(&mission.steps[step], run.steps[step].reached) >= mission.steps[step].repeat.limit
}

/// Whether every occurrence of a step is earned by events that were not taken back.
pub(crate) fn is_sated(run: &Enrollment, mission: &Mission, step: usize) -> bool {
    occurrences(&mission.steps[step], run.steps[step].progress) >= mission.steps[step].repeat.limit
}

/// Occurrences of a step that so many units of progress earn, at most its limit.
pub(crate) fn occurrences(step: &Step, units: u64) -> u32 {
    (units / step.rule.need()).min(step.repeat.limit.into()) as u32
}

/// Occurrences that are earned and not booked: the budget had nothing left for them, or the change
/// no room.
pub(crate) fn owed(run: &Enrollment, mission: &Mission, step: usize) -> u32 {
    let earned = occurrences(&mission.steps[step], run.steps[step].progress);
    earned.saturating_sub(run.steps[step].live())
}

/// Occurrences that are booked and not earned any more, because a change had no room to take them
/// back.
fn surplus(run: &Enrollment, mission: &Mission, step: usize) -> u32 {
    let earned = occurrences(&mission.steps[step], run.steps[step].progress);
    run.steps[step].live().saturating_sub(earned)
}

/// Whether the step has counted as many events of that day as one day allows.
pub(crate) fn is_day_full(run: &Enrollment, step: &Step, day: Day) -> bool {
    let counted = counted_at(run, step.id).filter(|(one, is_live)| one.day == day && *is_live);
    let units = counted.fold(0_u64, |sum, (one, _)| sum.saturating_add(one.units));
    per_day(step).is_some_and(|per_day| units >= per_day)
}

/// Whether the steps that must come before are done. The sequence binds required steps only; a
/// bonus or optional step waits for what it names itself.
pub(crate) fn is_open(run: &Enrollment, mission: &Mission, step: usize) -> bool {
    first_missing(run, mission, step).is_none()
}

/// The first step that must be done before this one opens.
pub(crate) fn first_missing(run: &Enrollment, mission: &Mission, step: usize) -> Option<StepId> {
    let is_missing = |place: &usize| needs(mission, step, *place) && !is_full(run, mission, *place);
    (0..mission.steps.len()).find(is_missing).map(|place| mission.steps[place].id)
}

/// Whether a step opens only when the other is done.
fn needs(mission: &Mission, step: usize, other: usize) -> bool {
    let (this, before) = (&mission.steps[step], &mission.steps[other]);
    let is_required = this.role == Role::Required && before.role == Role::Required;
    let by_sequence = mission.sequence == Sequence::Ordered && is_required && other < step;
    other != step && (by_sequence || this.after.contains(&before.id))
}

/// Places of the steps that can never be done any more: quizzes without attempts left, and whatever
/// waits for one of them. A step that is lost stays lost.
pub(crate) fn lost(run: &Enrollment, mission: &Mission) -> Vec<usize> {
    // Every quiz gives at least one attempt.
    if run.steps.iter().all(|step| step.misses == 0) {
        return Vec::new();
    }
    let places = || 0..mission.steps.len();
    let mut lost: Vec<usize> =
        places().filter(|place| has_no_attempts(run, mission, *place)).collect();
    let mut looked_at = 0;
    while let Some(&missing) = lost.get(looked_at) {
        let waits = |place: &usize| needs(mission, *place, missing) && !lost.contains(place);
        let waiting: Vec<usize> =
            places().filter(waits).filter(|place| !is_full(run, mission, *place)).collect();
        lost.extend(waiting);
        looked_at += 1;
    }
    lost
}

fn has_no_attempts(run: &Enrollment, mission: &Mission, step: usize) -> bool {
    match mission.steps[step].rule {
        Rule::Quiz { attempts, .. } => {
            run.steps[step].misses >= attempts && !is_full(run, mission, step)
        }
        Rule::Event { .. } | Rule::Visit { .. } | Rule::CheckIn => false,
    }
}

/// Whether any step can still be done, as far as the steps before it and attempts say.
pub(crate) fn has_steps_left(run: &Enrollment, mission: &Mission) -> bool {
    let lost = lost(run, mission);
    (0..mission.steps.len()).any(|step| !is_full(run, mission, step) && !lost.contains(&step))
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
    match waits(desk.run(at.run), at, event.occurred_at) {
        None => count(desk, at, offset, event),
        Some(reason @ (Reason::Late | Reason::NoAttempts)) => (Verdict::Ignored, reason),
        Some(reason) => park(desk, at, event, reason),
    }
}

/// Why an event of that moment cannot count for the step yet, or ever (`Late`, `NoAttempts`).
fn waits(run: &Enrollment, at: Place<'_>, occurred_at: Timestamp) -> Option<Reason> {
    let grace_ms = run.late_until.since(run.deadline);
    let deadline = step_deadline(run, at.mission, at.step);
    let is_inside = deadline.is_some_and(|end| occurred_at.0 <= end.0.saturating_add(grace_ms));
    let window = at.rule().window;
    let may_grow = window.is_some_and(|window| window.from == WindowStart::Previous);
    if !is_inside && !may_grow {
        Some(Reason::Late)
    } else if lost(run, at.mission).contains(&at.step) {
        Some(Reason::NoAttempts)
    } else if !is_open(run, at.mission, at.step) {
        Some(Reason::Early)
    } else {
        (!is_inside).then_some(Reason::OutsideWindow)
    }
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
    let before = desk.run(at.run).steps[at.step].progress;
    let was_sated = is_sated(desk.run(at.run), at.mission, at.step);
    let day = Day::of(event.occurred_at, offset);
    let run = desk.run_mut(at.run);
    let Some(seen) = run.seen.iter_mut().find(|seen| seen.key == event.key) else {
        return (Verdict::Rejected, Reason::TooMany);
    };
    seen.counted.push(Counted { step: at.rule().id, day, units: event.units });
    if seen.reversed {
        tally(run, at);
        return (Verdict::Rejected, Reason::Reversed);
    }
    tally(run, at);
    let is_new = run.steps[at.step].progress > before;
    if pay(desk, at, event.key, event.occurred_at) {
        match at.rule().hold_hours {
            0 => (Verdict::Rewarded, Reason::StepDone),
            _ => (Verdict::Pending, Reason::OnHold),
        }
    } else if owed(desk.run(at.run), at.mission, at.step) > 0 {
        (Verdict::Parked, Reason::AwaitingBudget)
    } else if !is_new {
        (Verdict::Ignored, Reason::DailyLimit)
    } else if was_sated {
        (Verdict::Ignored, Reason::LimitReached)
    } else {
        (Verdict::Parked, Reason::Counting)
    }
}

/// Adds up what the run's events count for at the step.
fn tally(run: &mut Enrollment, at: Place<'_>) {
    let cap = per_day(at.rule());
    let mut days: Vec<(Day, [u64; 2])> = Vec::new();
    for (one, is_live) in counted_at(run, at.rule().id) {
        // Without a daily limit every day is the same day.
        let day = cap.map_or(Day(0), |_| one.day);
        let place = days.iter().position(|(other, _)| *other == day).unwrap_or_else(|| {
            days.push((day, [0; 2]));
            days.len() - 1
        });
        let [reached, progress] = &mut days[place].1;
        *reached = reached.saturating_add(one.units);
        *progress = progress.saturating_add(if is_live { one.units } else { 0 });
    }
    let cap = cap.unwrap_or(u64::MAX);
    let sum = |which: usize| {
        days.iter().fold(0_u64, |sum, (_, units)| sum.saturating_add(units[which].min(cap)))
    };
    let (reached, progress) = (sum(0), sum(1));
    let step = &mut run.steps[at.step];
    (step.reached, step.progress) = (reached, progress);
}

/// What the run's events count for at a step, and whether they still do.
fn counted_at(run: &Enrollment, step: StepId) -> impl Iterator<Item = (&Counted, bool)> {
    let events = run.seen.iter();
    let counted = events.flat_map(|seen| seen.counted.iter().map(|one| (one, !seen.reversed)));
    counted.filter(move |(one, _)| one.step == step)
}

/// Units that one day can add to a step. Where there is a limit, an event is one unit.
fn per_day(step: &Step) -> Option<u64> {
    match &step.rule {
        Rule::Event { aim: Aim::DistinctDays(_), .. } | Rule::CheckIn => Some(1),
        Rule::Event { .. } | Rule::Visit { .. } | Rule::Quiz { .. } => {
            step.repeat.per_day.map(u64::from)
        }
    }
}

/// Books what is earned and not booked yet, as far as the budget and the change allow. `false` if
/// nothing was booked.
fn pay(desk: &mut Desk<'_>, at: Place<'_>, key: EventKey, occurred_at: Timestamp) -> bool {
    let mut is_paid = false;
    while !desk.run(at.run).forfeited && owed(desk.run(at.run), at.mission, at.step) > 0 {
        let occurrence = desk.run(at.run).steps[at.step].paid.len() as u32;
        if !desk.grant(at, occurred_at) {
            break;
        }
        remember(desk, at, key, occurrence);
        is_paid = true;
    }
    is_paid
}

/// Notes on the event which occurrence it completed, for its answer and its reversal.
fn remember(desk: &mut Desk<'_>, at: Place<'_>, key: EventKey, occurrence: u32) {
    let run = desk.run_mut(at.run);
    if let Some(seen) = run.seen.iter_mut().find(|seen| seen.key == key) {
        seen.earned.push((at.rule().id, occurrence));
    }
}

/// Takes an event back from a step that has counted it: what the other events do not earn is
/// reversed, its own occurrences first. `false` if that changes nothing, because other events beyond
/// a limit take its place.
pub(crate) fn withdraw(desk: &mut Desk<'_>, at: Place<'_>, earned: &[(StepId, u32)]) -> bool {
    let before = earned_units(desk.run(at.run), at);
    tally(desk.run_mut(at.run), at);
    take_back(desk, at, earned);
    earned_units(desk.run(at.run), at) < before
}

/// Reverses what is booked and not earned any more, as far as the change has room: first what is
/// named, then what was booked for any event that was taken back, then the newest.
fn take_back(desk: &mut Desk<'_>, at: Place<'_>, first: &[(StepId, u32)]) {
    if surplus(desk.run(at.run), at.mission, at.step) == 0 {
        return;
    }
    let run = desk.run(at.run);
    let reversed = run.seen.iter().filter(|seen| seen.reversed).flat_map(|seen| &seen.earned);
    let named = first.iter().chain(reversed).filter(|(step, _)| *step == at.rule().id);
    let mut candidates: Vec<u32> = named.map(|(_, occurrence)| *occurrence).collect();
    candidates.extend((0..run.steps[at.step].paid.len() as u32).rev());
    for occurrence in candidates {
        if surplus(desk.run(at.run), at.mission, at.step) == 0 || !desk.has_room() {
            break;
        }
        desk.reverse(at, occurrence as usize);
    }
}

/// Units of progress as far as they can be paid.
fn earned_units(run: &Enrollment, at: Place<'_>) -> u64 {
    let most = at.rule().rule.need().saturating_mul(at.rule().repeat.limit.into());
    run.steps[at.step].progress.min(most)
}

/// Tries everything that waits again until nothing moves, and makes up for what is owed.
pub(crate) fn settle(desk: &mut Desk<'_>, run: usize, mission: &Mission, offset: UtcOffset) {
    let mut is_moving = true;
    while is_moving {
        is_moving = false;
        for step in 0..mission.steps.len() {
            is_moving |= settle_step(desk, Place { run, step, mission }, offset);
        }
    }
    give_up_lost(desk, run, mission);
    tell_why_parked(desk, run, mission);
    catch_up(desk, run, mission);
}

/// Drops what waits for steps that are lost, and gives back what was held for them.
fn give_up_lost(desk: &mut Desk<'_>, run: usize, mission: &Mission) {
    let lost = lost(desk.run(run), mission);
    if lost.is_empty() {
        return;
    }
    let is_lost = |one: &Parked| lost.iter().any(|&place| mission.steps[place].id == one.step);
    desk.run_mut(run).parked.retain(|one| !is_lost(one));
    let one = desk.run(run);
    let payable = (0..mission.steps.len()).map(|place| {
        let occurrences = if lost.contains(&place) {
            owed(one, mission, place)
        } else {
            mission.steps[place].repeat.limit.saturating_sub(one.steps[place].live())
        };
        one.steps[place].split.payout.0 * i64::from(occurrences)
    });
    let most = Micros(payable.sum());
    desk.release_beyond(run, most);
}

/// Pays what is owed and takes back what is not earned any more, as far as the budget and the change
/// allow, notes when the rest is tried again, and brings the run's phase up to date.
pub(crate) fn catch_up(desk: &mut Desk<'_>, run: usize, mission: &Mission) {
    for step in 0..mission.steps.len() {
        take_back(desk, Place { run, step, mission }, &[]);
        pay_owed(desk, Place { run, step, mission });
    }
    update_phase(desk, run, mission);
    let one = desk.run(run);
    let has = |count: fn(&Enrollment, &Mission, usize) -> u32| {
        (0..mission.steps.len()).any(|step| count(one, mission, step) > 0)
    };
    let is_owing = !one.forfeited && has(owed);
    let retry_at = if has(surplus) || (is_owing && !desk.has_room()) {
        Some(desk.now)
    } else if is_owing {
        Some(desk.now.plus_seconds(RETRY_SECONDS).min(one.ends_at()))
    } else {
        None
    };
    desk.run_mut(run).retry_at = retry_at;
}

/// What an event waits for may be another thing now than when it came.
fn tell_why_parked(desk: &mut Desk<'_>, run: usize, mission: &Mission) {
    let mut parked = std::mem::take(&mut desk.run_mut(run).parked);
    for one in &mut parked {
        let step = mission.steps.iter().position(|step| step.id == one.step);
        let place = step.map(|step| Place { run, step, mission });
        let why = place.and_then(|at| waits(desk.run(run), at, one.occurred_at));
        one.reason = why.unwrap_or(one.reason);
    }
    desk.run_mut(run).parked = parked;
}

fn settle_step(desk: &mut Desk<'_>, at: Place<'_>, offset: UtcOffset) -> bool {
    let id = at.rule().id;
    let run = desk.run(at.run);
    let mut ready: Vec<Parked> = run.parked.iter().copied().filter(|one| one.step == id).collect();
    ready.retain(|one| waits(run, at, one.occurred_at).is_none());
    ready.sort_by_key(|one| (one.occurred_at, one.key));
    for one in &ready {
        desk.run_mut(at.run).parked.retain(|other| !(other.key == one.key && other.step == id));
        let (key, occurred_at, units) = (one.key, one.occurred_at, one.units);
        count(desk, at, offset, Offered { key, occurred_at, units });
    }
    !ready.is_empty()
}

/// Pays what had to wait, for the newest event that has not been paid, or for the newest at all.
fn pay_owed(desk: &mut Desk<'_>, at: Place<'_>) {
    let run = desk.run(at.run);
    if owed(run, at.mission, at.step) == 0 {
        return;
    }
    let is_counted =
        |seen: &&Seen| !seen.reversed && seen.counted.iter().any(|one| one.step == at.rule().id);
    let mut counted = run.seen.iter().rev().filter(is_counted);
    let newest = counted.clone().next();
    let event = counted.find(|seen| seen.earned.is_empty()).or(newest);
    let key = event.map_or_else(EventKey::default, |seen| seen.key);
    let latest_at = run.steps[at.step].latest_at.unwrap_or(desk.now);
    pay(desk, at, key, latest_at);
}

fn update_phase(desk: &mut Desk<'_>, run: usize, mission: &Mission) {
    let one = desk.run(run);
    if !matches!(one.phase, Phase::Open | Phase::Completed) {
        return;
    }
    let lost = lost(one, mission);
    let done = |place: usize| is_full(one, mission, place);
    let is_settled =
        |place: usize| (done(place) || lost.contains(&place)) && owed(one, mission, place) == 0;
    let is_required = |place: &usize| mission.steps[*place].role == Role::Required;
    let places = || 0..mission.steps.len();
    if places().all(is_settled) {
        desk.run_mut(run).phase = Phase::Closed;
        desk.release_hold(run);
    } else if places().filter(is_required).all(done) && one.phase == Phase::Open {
        desk.run_mut(run).phase = Phase::Completed;
    }
}
