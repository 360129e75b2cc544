//! Samples of a mission's page.

use super::{DAY_MS, HOSTILE, HOUR_MS, MINUTE_MS, NOW, Words, frame, guard, hostile_frame, icon};
use super::{longer, offers, themed, words};
use crate::address::{ImageUrl, LandingUrl};
use crate::frame::Frame;
use crate::mission_detail::{Cta, Headline, Idle, MissionDetail, Run};
use crate::page::Sample;
use crate::plain::Plain;
use crate::text::Lang;
use crate::view::{
    Answer, Boost, CheckIn, Deadline, Flash, Nudge, Quiz, Repeat, StepAction, StepState, StepView,
    Visit, Why,
};

/// Positions in [`Words::offers`].
const GAME: usize = 0;
const QUIZ: usize = 2;
const CHECK_IN: usize = 3;
const VISIT: usize = 4;

pub(crate) fn all() -> Vec<Sample<MissionDetail>> {
    let sample = |name, page| Sample { name, page };
    vec![
        sample("new-en", new(Lang::En)),
        sample("new-ko", new(Lang::Ko)),
        sample("new-ja", new(Lang::Ja)),
        sample("just-started", just_started()),
        sample("running-en", running(Lang::En)),
        sample("running-ko", running(Lang::Ko)),
        sample("running-ja", running(Lang::Ja)),
        sample("all-went-wrong", all_went_wrong()),
        sample("completed", idle(Lang::Ko, Idle::Completed)),
        sample("waiting", idle(Lang::En, Idle::Waiting)),
        sample("expired", idle(Lang::Ja, Idle::Expired)),
        sample("ended", idle(Lang::En, Idle::Ended)),
        sample("quiz", quiz(Lang::En, None)),
        sample("quiz-wrong", quiz(Lang::Ko, Some(Flash::Wrong(Some(2))))),
        sample("visit", visit(Lang::Ja, false, None)),
        sample("visit-begun", visit(Lang::Ko, true, Some(Flash::VisitBegun))),
        sample("visit-early", visit(Lang::En, true, Some(Flash::Wait(12)))),
        sample("check-in", check_in(Lang::En, CheckIn::Ready)),
        sample("checked-in", check_in(Lang::Ko, CheckIn::NextAt(NOW + 10 * HOUR_MS))),
        sample("long", long()),
        sample("hostile", hostile()),
        sample("themed", themed_detail()),
    ]
}

fn step(w: &Words, index: usize, reward: i64, state: StepState) -> StepView {
    let (title, description) = w.steps[index];
    let position = u32::try_from(index).unwrap_or_default() + 1;
    StepView {
        id: u64::from(position) + 100,
        position,
        title: Plain::new(title),
        description: Plain::new(description),
        reward,
        bonus: false,
        state,
        repeat: None,
        deadline: None,
        action: StepAction::Elsewhere,
        ask_href: None,
    }
}

fn bonus(w: &Words, state: StepState) -> StepView {
    StepView {
        id: 109,
        position: 9,
        title: Plain::new(w.bonus.0),
        description: Plain::new(w.bonus.1),
        bonus: true,
        deadline: Some(Deadline::WithinDays(3)),
        ..step(w, 0, 900, state)
    }
}

const REWARDS: [i64; 8] = [50, 100, 250, 800, 500, 600, 1_000, 1_500];

fn game(frame: Frame, states: [StepState; 8]) -> MissionDetail {
    let w = words(frame.lang);
    let steps = REWARDS.into_iter().zip(states).enumerate();
    let mut steps: Vec<StepView> =
        steps.map(|(index, (reward, state))| step(w, index, reward, state)).collect();
    steps.push(bonus(w, StepState::Available));
    MissionDetail {
        guard: guard(),
        headline: headline(frame.lang, GAME),
        run: None,
        steps,
        conditions: w.conditions.map(Plain::new).to_vec(),
        fine_print: w.fine_print.map(Plain::new).to_vec(),
        cta: Cta::Start { label: Some(Plain::new(w.install)), reward: REWARDS[0] },
        flash: None,
        nudge: None,
        frame,
    }
}

fn headline(lang: Lang, at: usize) -> Headline {
    let mut cards = offers(lang);
    let card = cards.swap_remove(at);
    Headline {
        id: card.id,
        kind: card.kind,
        title: card.title,
        summary: card.summary,
        icon: card.icon,
        image: None,
        reward_total: card.reward_total,
        boost: card.boost,
        typical_minutes: card.typical_minutes,
        days_allowed: card.days_allowed,
        requirements: card.requirements,
    }
}

fn open() -> Vec<StepState> {
    let locked = (1..8).map(|needs| StepState::Locked { needs });
    std::iter::once(StepState::Available).chain(locked).collect()
}

/// The given states first, then the rest as for a newcomer who is at that step.
fn states(first: &[StepState]) -> [StepState; 8] {
    let mut states = [StepState::Available; 8];
    for (index, state) in states.iter_mut().enumerate() {
        let needs = u32::try_from(index).unwrap_or_default();
        *state = match first.get(index) {
            Some(state) => *state,
            None if index == first.len() => StepState::Available,
            None => StepState::Locked { needs },
        };
    }
    states
}

fn new(lang: Lang) -> MissionDetail {
    let mut page = game(frame(lang), states(&open()));
    page.headline.image = ImageUrl::parse("/m/media/wide.svg");
    if let Some(step) = page.steps.first_mut() {
        step.deadline = Some(Deadline::WithinDays(1));
    }
    page
}

fn started(mut page: MissionDetail, earned: i64) -> MissionDetail {
    page.run = Some(Run { earned, deadline: Some(NOW + 5 * DAY_MS + 3 * HOUR_MS + MINUTE_MS) });
    if let Some(landing) = LandingUrl::parse("https://go.example/c/7Qx?s=1&r=2") {
        page.cta = Cta::Open { landing, outside: true, reward: Some(REWARDS[4]) };
    }
    page
}

fn just_started() -> MissionDetail {
    let mut page = started(game(frame(Lang::En), states(&[])), 0);
    page.flash = Some(Flash::Started);
    if let Cta::Open { reward, .. } = &mut page.cta {
        *reward = Some(REWARDS[0]);
    }
    page
}

fn paid(index: usize, at: i64) -> StepState {
    let amount = REWARDS[index];
    StepState::Rewarded { amount, at }
}

fn running(lang: Lang) -> MissionDetail {
    let states = states(&[
        paid(0, NOW - 2 * DAY_MS),
        paid(1, NOW - 2 * DAY_MS + HOUR_MS),
        paid(2, NOW - 3 * HOUR_MS),
        StepState::Pending { since: NOW - 4 * MINUTE_MS, usual_minutes: Some(10) },
    ]);
    let mut page = started(game(frame(lang), states), 400);
    if let Some(step) = page.steps.get_mut(4) {
        step.deadline = Some(Deadline::At(NOW + 20 * HOUR_MS));
    }
    page
}

/// Everything that can go wrong, each with its reason and a way to ask.
fn all_went_wrong() -> MissionDetail {
    let rejected = |why| StepState::Rejected { why, at: Some(NOW - DAY_MS) };
    let states = states(&[
        paid(0, NOW - 2 * DAY_MS),
        rejected(Why::NotByThisLink),
        StepState::Expired { at: NOW - HOUR_MS },
        StepState::Reversed { amount: 800, why: Why::Cancelled, at: None },
        rejected(Why::Unstated),
    ]);
    let mut page = started(game(frame(Lang::Ko), states), 50);
    for step in &mut page.steps[1..5] {
        step.ask_href = Some(format!("/m/ask?step={}", step.id));
    }
    page.nudge = Some(Nudge::InstallNotSeen);
    page
}

fn idle(lang: Lang, why: Idle) -> MissionDetail {
    let states = match why {
        Idle::Completed => std::array::from_fn(|index| paid(index, NOW - HOUR_MS)),
        Idle::Waiting => [StepState::Pending { since: NOW - 26 * HOUR_MS, usual_minutes: None }; 8],
        Idle::ComeBack(_) => states(&open()),
        Idle::Expired | Idle::Ended => [StepState::Expired { at: NOW - HOUR_MS }; 8],
    };
    let mut page = started(game(frame(lang), states), 4_800);
    page.cta = Cta::Idle(why);
    if why == Idle::Waiting {
        page.nudge = Some(Nudge::CheckIsLate);
    }
    if let Some(run) = &mut page.run {
        run.deadline = (why == Idle::Expired).then_some(NOW - HOUR_MS);
    }
    page
}

/// A mission of one step which is done on the page.
fn own(lang: Lang, at: usize, action: StepAction) -> MissionDetail {
    let w = words(lang);
    let headline = headline(lang, at);
    let reward = headline.reward_total;
    let mut only = step(w, 0, reward, StepState::Available);
    only.title = headline.title.clone();
    only.description = headline.summary.clone();
    only.action = action;
    let mut page = started(game(frame(lang), states(&open())), 0);
    page.cta = Cta::GoToStep { step_id: only.id, position: only.position, reward };
    page.headline = headline;
    page.steps = vec![only];
    page.conditions = Vec::new();
    page
}

fn quiz(lang: Lang, flash: Option<Flash>) -> MissionDetail {
    let w = words(lang);
    let answer = |(value, text): (u32, &str)| Answer {
        value: Plain::new(&value.to_string()),
        text: Plain::new(text),
    };
    let quiz = Quiz {
        question: Plain::new(w.question),
        answers: (1..).zip(w.answers).map(answer).collect(),
        tries_left: Some(2),
    };
    let mut page = own(lang, QUIZ, StepAction::Quiz(quiz));
    page.flash = flash;
    page
}

fn visit(lang: Lang, begun: bool, flash: Option<Flash>) -> MissionDetail {
    let landing = LandingUrl::parse("https://onda.example/winter");
    let visit = Visit { dwell_seconds: 30, begun: landing.filter(|_| begun) };
    let mut page = own(lang, VISIT, StepAction::Visit(visit));
    page.flash = flash;
    page
}

fn check_in(lang: Lang, state: CheckIn) -> MissionDetail {
    let mut page = own(lang, CHECK_IN, StepAction::CheckIn(state));
    if let Some(step) = page.steps.first_mut() {
        step.reward = 20;
        step.repeat = Some(Repeat { done: 3, limit: 7 });
        page.cta = Cta::CheckIn { step_id: step.id, reward: step.reward };
    }
    if let CheckIn::NextAt(at) = state {
        page.flash = Some(Flash::Paid);
        page.cta = Cta::Idle(Idle::ComeBack(at));
    }
    page
}

fn long() -> MissionDetail {
    let mut page = running(Lang::Ja);
    page.headline.title = longer(&longer(&page.headline.title));
    page.headline.reward_total = 123_456_789;
    page.headline.boost = Some(Boost { usual_total: 61_728_394, until: None });
    for step in &mut page.steps {
        step.title = longer(&longer(&step.title));
        step.description = longer(&longer(&step.description));
        step.reward = 12_345_678;
    }
    page
}

fn hostile() -> MissionDetail {
    let mut page = quiz(Lang::En, Some(Flash::NoAnswer));
    page.frame = hostile_frame();
    page.headline.title = Plain::new(HOSTILE[3]);
    page.headline.summary = Plain::new(HOSTILE[0]);
    page.headline.icon = icon("\"><breakout>");
    page.conditions = HOSTILE.map(Plain::new).to_vec();
    page.fine_print = HOSTILE.map(Plain::new).to_vec();
    for step in &mut page.steps {
        step.title = Plain::new(HOSTILE[1]);
        step.description = Plain::new(HOSTILE[2]);
        if let StepAction::Quiz(quiz) = &mut step.action {
            quiz.question = Plain::new(HOSTILE[0]);
            for (answer, text) in quiz.answers.iter_mut().zip(HOSTILE) {
                answer.value = Plain::new(text);
                answer.text = Plain::new(text);
            }
        }
    }
    page.cta = Cta::Start { label: Some(Plain::new(HOSTILE[1])), reward: i64::MAX };
    page
}

fn themed_detail() -> MissionDetail {
    let mut page = running(Lang::En);
    page.frame = themed(Lang::En, "#0a7d5a", 24, Some("/m/media/logo.svg"));
    page
}
