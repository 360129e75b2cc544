//! Steps with their states, and what can be done about them on the page.

use domain::catalog::{Choice, LocalText, Mission, Role, Rule, Step, WindowStart};
use domain::ids::StepId;
use domain::money::Points;
use domain::time::{Day, UtcOffset};
use domain::user::{Enrollment, PaidState, StepProgress};
use domain::view;
use engine::MissionView;

use super::Scene;
use super::card::{count, days};
use crate::address::LandingUrl;
use crate::plain::Plain;
use crate::view::{
    Answer, CheckIn, Deadline, Quiz, Repeat, StepAction, StepState, StepView, Visit, Why,
};

const HOUR_MINUTES: u32 = 60;

/// All steps of a mission, in order.
pub(crate) fn step_views(scene: &Scene<'_>, view: &MissionView<'_>) -> Vec<StepView> {
    (0..view.mission.steps.len()).map(|place| step_view(scene, view, place)).collect()
}

/// What one occurrence of each step pays: as locked in the run, else as of now.
pub(crate) fn points(view: &MissionView<'_>) -> Vec<Points> {
    match view.run {
        Some(run) => run.steps.iter().map(|step| step.points).collect(),
        None => view.prices.iter().map(|price| price.points).collect(),
    }
}

fn step_view(scene: &Scene<'_>, view: &MissionView<'_>, place: usize) -> StepView {
    let step = &view.mission.steps[place];
    let text = scene.step_text(&step.texts);
    let state = state(scene, view, place);
    StepView {
        id: step.id.0.into(),
        position: count(place + 1),
        title: Plain::new(text.map_or("", |text| &text.title)),
        description: Plain::new(text.map_or("", |text| &text.description)),
        reward: points(view).get(place).map_or(0, |points| points.0),
        bonus: step.role == Role::Bonus,
        state,
        repeat: repeat(view.mission, view.run, place),
        deadline: deadline(scene, view, place),
        action: action(scene, view, place, state),
        ask_href: None,
    }
}

/// How often a step was done and can be, if it can be more than once.
pub(crate) fn repeat(mission: &Mission, run: Option<&Enrollment>, place: usize) -> Option<Repeat> {
    let done = run.map_or(0, |run| run.steps[place].live());
    let limit = mission.steps[place].repeat.limit;
    (limit > 1).then_some(Repeat { done, limit })
}

fn state(scene: &Scene<'_>, view: &MissionView<'_>, place: usize) -> StepState {
    let Some(run) = view.run else { return StepState::Available };
    let (mission, progress) = (view.mission.as_ref(), &run.steps[place]);
    let shown = view::step_view(run, mission, place, scene.now());
    let has = |state: PaidState| progress.paid.iter().filter(|one| one.state == state).count();
    let sum = |state| progress.points.0 * i64::from(count(has(state)));
    match shown.state {
        view::StepState::Locked => {
            let needs = mission.steps.iter().position(|step| Some(step.id) == shown.needs);
            StepState::Locked { needs: needs.map_or(0, |place| count(place + 1)) }
        }
        view::StepState::Available => StepState::Available,
        view::StepState::Pending => {
            let waiting = run.parked.iter().find(|one| one.step == progress.step);
            let noticed = shown.rewarded_at.or(waiting.map(|one| one.occurred_at));
            StepState::Pending {
                since: noticed.unwrap_or(run.started_at).0,
                usual_minutes: usual_minutes(&mission.steps[place]),
            }
        }
        view::StepState::Rewarded => StepState::Rewarded {
            amount: sum(PaidState::Rewarded),
            at: shown.rewarded_at.unwrap_or(run.started_at).0,
        },
        view::StepState::Rejected => StepState::Rejected { why: Why::WrongAnswer, at: None },
        view::StepState::Expired => {
            StepState::Expired { at: shown.deadline.unwrap_or(run.deadline).min(run.deadline).0 }
        }
        view::StepState::Reversed => {
            let amount = sum(PaidState::Reversed);
            StepState::Reversed { amount, why: Why::Unstated, at: None }
        }
    }
}

/// A hold is as long as its terms say; without one there is nothing to promise.
fn usual_minutes(step: &Step) -> Option<u32> {
    Some(step.hold_hours.saturating_mul(HOUR_MINUTES)).filter(|minutes| *minutes > 0)
}

/// The step's own deadline; the mission's stands above all of them.
fn deadline(scene: &Scene<'_>, view: &MissionView<'_>, place: usize) -> Option<Deadline> {
    let window = view.mission.steps[place].window?;
    match view.run {
        Some(run) => {
            let shown = view::step_view(run, view.mission, place, scene.now());
            shown.deadline.map(|at| Deadline::At(at.0))
        }
        None if window.from == WindowStart::Participation => {
            days(window.seconds).map(Deadline::WithinDays)
        }
        None => None,
    }
}

fn action(scene: &Scene<'_>, view: &MissionView<'_>, place: usize, state: StepState) -> StepAction {
    let (Some(run), StepState::Available) = (view.run, state) else {
        return StepAction::Elsewhere;
    };
    let progress = &run.steps[place];
    match &view.mission.steps[place].rule {
        Rule::Event { .. } => StepAction::Elsewhere,
        Rule::Visit { url, dwell_seconds } => StepAction::Visit(Visit {
            dwell_seconds: *dwell_seconds,
            begun: progress.visit_at.and_then(|_| LandingUrl::parse(url)),
        }),
        quiz @ Rule::Quiz { .. } => quiz_action(scene, quiz, progress),
        Rule::CheckIn => {
            StepAction::CheckIn(check_in(scene, run, progress.step, view.line_item.utc_offset))
        }
    }
}

fn quiz_action(scene: &Scene<'_>, rule: &Rule, progress: &StepProgress) -> StepAction {
    let Rule::Quiz { question, choices, attempts, .. } = rule else {
        return StepAction::Elsewhere;
    };
    let text = |texts: &[LocalText]| {
        let text = scene.pick(texts, |text| &text.language);
        Plain::new(text.map_or("", |text| &text.text))
    };
    let answer = |(place, choice): (usize, &Choice)| Answer {
        value: Plain::new(&place.to_string()),
        text: text(&choice.texts),
    };
    StepAction::Quiz(Quiz {
        question: text(question),
        answers: choices.iter().enumerate().map(answer).collect(),
        tries_left: Some(attempts.saturating_sub(progress.misses).into()),
    })
}

/// A day counts once, and is a day of the line item.
fn check_in(scene: &Scene<'_>, run: &Enrollment, step: StepId, offset: UtcOffset) -> CheckIn {
    let today = Day::of(scene.now(), offset);
    let mut counted = run.seen.iter().flat_map(|seen| &seen.counted);
    let is_done = counted.any(|one| one.step == step && one.day == today);
    if is_done { CheckIn::NextAt(today.ends_at(offset).0) } else { CheckIn::Ready }
}
