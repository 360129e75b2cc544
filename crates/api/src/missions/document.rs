//! Missions and steps as the API writes them.

mod form;

use std::sync::Arc;

use domain::catalog::{Creative, LineItem, Mission, Role, Rule, Step, Wording, text_for};
use domain::snapshot::Price;
use domain::time::Timestamp;
use domain::user::Enrollment;
use domain::view::{self, StepState, StepView};
use engine::MissionView;
use serde::Serialize;
use utoipa::ToSchema;

use crate::stamp::rfc3339;

pub(super) use form::{Alike, Form};

/// Room that one mission takes, as a guess.
pub(super) const MISSION_BYTES: usize = 640;

/// What a user may do.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListDoc<'a> {
    /// Revision of the catalogue that it was decided from.
    catalog_revision: u64,
    /// The app's points.
    currency: PointsDoc<'a>,
    /// Points that all of it can still pay.
    earnable: i64,
    /// Points that have reached the user's wallet and were not taken back; those on hold have not.
    earned: i64,
    /// The user's runs, nearest deadline first, and then what he can start, best first.
    missions: Vec<MissionDoc<'a>>,
    /// Gives the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// An app's points.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct PointsDoc<'a> {
    /// What users call a point.
    pub(super) name: &'a str,
    /// Decimal places of a point as users see it.
    pub(super) minor_units: u8,
}

/// A mission as one user sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct MissionDoc<'a> {
    /// Its number.
    id: u32,
    /// Who pays.
    line_item_id: u32,
    /// What sort of thing it asks for.
    kind: &'static str,
    /// Its name.
    title: &'a str,
    /// What to do, in one line.
    summary: &'a str,
    /// Address of its icon.
    icon_url: Option<&'a str>,
    /// `available`, or where the user's run stands.
    state: &'static str,
    /// His run.
    enrollment_id: Option<String>,
    /// Points that all of it pays.
    reward_total: i64,
    /// Points that the next step pays.
    reward_first: i64,
    /// How long the whole usually takes, in minutes.
    typical_minutes: Option<u32>,
    /// Until when its steps can be done; before the start, until when it can be started.
    #[schema(format = DateTime)]
    deadline: Option<String>,
    /// Conditions, such as `new_users_only`.
    requirements: &'a [String],
    /// Words on the button.
    cta: &'a str,
    /// Its steps by position.
    steps: Vec<StepDoc<'a>>,
}

/// A step as one user sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StepDoc<'a> {
    /// Its number inside the mission.
    id: u32,
    /// Its place, from 1.
    position: usize,
    /// What to do.
    title: &'a str,
    /// What has to happen: `event`, `visit`, `quiz` or `check_in`.
    kind: &'static str,
    /// Points for one occurrence.
    reward: i64,
    /// Whether it is an extra.
    bonus: bool,
    /// Whether completion does not need it.
    optional: bool,
    /// Where it stands.
    state: &'static str,
    /// Occurrences paid or on hold.
    completed: u32,
    /// Occurrences that are paid.
    repeat_limit: u32,
    /// Until when it can be done.
    #[schema(format = DateTime)]
    deadline: Option<String>,
    /// When its latest occurrence was booked.
    #[schema(format = DateTime)]
    rewarded_at: Option<String>,
}

/// A mission with everything about it.
#[derive(Serialize, ToSchema)]
pub(crate) struct MissionDetailDoc<'a> {
    #[serde(flatten)]
    mission: MissionDoc<'a>,
    /// What to do, at length.
    description: &'a str,
    /// Address of the large image.
    image_url: Option<&'a str>,
    /// Conditions in small print.
    fine_print: &'a str,
    /// How long a user has from his start, in seconds.
    window_seconds: u32,
    /// What else there is to know of the steps, by position.
    step_details: Vec<StepDetailDoc<'a>>,
}

/// What else there is to know of a step.
#[derive(Serialize, ToSchema)]
pub(crate) struct StepDetailDoc<'a> {
    /// Its number inside the mission.
    id: u32,
    /// More about what to do.
    description: &'a str,
    /// How long its reward is held, in hours.
    hold_hours: u32,
    /// Why it waits or did not count; a stable code.
    reason: Option<&'static str>,
    /// What happened and what can be done, in a sentence.
    reason_sentence: Option<&'static str>,
    /// Units counted towards the next occurrence.
    progress: u64,
    /// Units that an occurrence needs.
    progress_needed: u64,
    /// When its earliest hold ends.
    #[schema(format = DateTime)]
    release_at: Option<String>,
    /// The step that must be done before.
    needs: Option<u32>,
    /// For a visit: the page, and how long to stay.
    visit: Option<VisitDoc<'a>>,
    /// For a quiz: the question and what to choose from.
    quiz: Option<QuizDoc<'a>>,
}

/// A page to stay on.
#[derive(Serialize, ToSchema)]
pub(crate) struct VisitDoc<'a> {
    /// The page.
    url: &'a str,
    /// How long to stay, in seconds.
    dwell_seconds: u32,
}

/// A question.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuizDoc<'a> {
    /// The question.
    question: &'a str,
    /// What to choose from; the place of the right one, from 0, is the answer.
    choices: Vec<&'a str>,
}

impl<'a> MissionDoc<'a> {
    /// A mission that the user may start.
    pub(super) fn of_offer(
        mission: &'a Mission,
        line_item: &LineItem,
        prices: &[Price],
        language: &str,
    ) -> Self {
        let steps = mission.steps.iter().zip(prices).enumerate();
        let steps: Vec<_> = steps
            .map(|(place, (step, price))| StepDoc::of_offer(mission, place, step, price, language))
            .collect();
        Self {
            state: "available",
            enrollment_id: None,
            reward_total: domain::snapshot::reward_total(mission, prices).0,
            reward_first: steps
                .iter()
                .map(|step| step.reward)
                .find(|reward| *reward > 0)
                .unwrap_or(0),
            deadline: line_item.flight.ends_at.map(rfc3339),
            ..Self::common(mission, language, steps)
        }
    }

    /// A mission that the user has started.
    pub(super) fn of_run(
        mission: &'a Mission,
        run: &Enrollment,
        language: &str,
        now: Timestamp,
    ) -> Self {
        let steps = steps_of_run(mission, run, language, now);
        let is_open = |step: &&StepDoc<'_>| step.state == StepState::Available.name();
        let next = steps.iter().filter(is_open).map(|step| step.reward).find(|reward| *reward > 0);
        Self {
            state: view::run_state(run, now).name(),
            enrollment_id: Some(run.id.to_string()),
            reward_total: reward_total(mission, run),
            reward_first: next.unwrap_or(0),
            deadline: Some(rfc3339(run.deadline)),
            ..Self::common(mission, language, steps)
        }
    }

    fn common(mission: &'a Mission, language: &str, steps: Vec<StepDoc<'a>>) -> Self {
        let creative = creative(mission, language);
        Self {
            id: mission.id.0,
            line_item_id: mission.line_item_id.0,
            kind: mission.kind.name(),
            title: creative.title,
            summary: creative.summary,
            icon_url: creative.icon_url,
            state: "",
            enrollment_id: None,
            reward_total: 0,
            reward_first: 0,
            typical_minutes: mission.typical_minutes,
            deadline: None,
            requirements: &mission.requirements,
            cta: creative.cta,
            steps,
        }
    }
}

impl<'a> StepDoc<'a> {
    fn of_offer(
        mission: &'a Mission,
        place: usize,
        step: &'a Step,
        price: &Price,
        language: &str,
    ) -> Self {
        let is_locked = view::is_locked_at_start(mission, place);
        let state = if is_locked { StepState::Locked } else { StepState::Available };
        Self {
            reward: price.points.0,
            state: state.name(),
            completed: 0,
            deadline: None,
            rewarded_at: None,
            ..Self::common(step, place, language)
        }
    }

    fn of_run(step: &'a Step, place: usize, reward: i64, seen: &StepView, language: &str) -> Self {
        Self {
            reward,
            state: seen.state.name(),
            completed: seen.completed,
            deadline: seen.deadline.map(rfc3339),
            rewarded_at: seen.rewarded_at.map(rfc3339),
            ..Self::common(step, place, language)
        }
    }

    fn common(step: &'a Step, place: usize, language: &str) -> Self {
        Self {
            id: step.id.0,
            position: place + 1,
            title: text_for(&step.texts, language, |one| &one.language)
                .map_or("", |one| &one.title),
            kind: step.rule.name(),
            reward: 0,
            bonus: step.role == Role::Bonus,
            optional: step.role != Role::Required,
            state: "",
            completed: 0,
            repeat_limit: step.repeat.limit,
            deadline: None,
            rewarded_at: None,
        }
    }
}

/// All that a run pays at its locked prices.
fn reward_total(mission: &Mission, run: &Enrollment) -> i64 {
    let steps = run.steps.iter().zip(&mission.steps);
    steps.map(|(progress, step)| progress.points.0 * i64::from(step.repeat.limit)).sum()
}

/// The steps of a run at `now`, with their locked rewards.
pub(crate) fn steps_of_run<'a>(
    mission: &'a Mission,
    run: &Enrollment,
    language: &str,
    now: Timestamp,
) -> Vec<StepDoc<'a>> {
    let steps = mission.steps.iter().zip(&run.steps).enumerate();
    let steps = steps.map(|(place, (step, progress))| {
        let seen = view::step_view(run, mission, place, now);
        StepDoc::of_run(step, place, progress.points.0, &seen, language)
    });
    steps.collect()
}

/// Writes one mission with everything about it.
pub(super) fn write_detail(view: &MissionView<'_>, language: &str, now: Timestamp) -> Vec<u8> {
    let mission: &Arc<Mission> = view.mission;
    let creative = creative(mission, language);
    let document = match view.run {
        Some(run) => MissionDoc::of_run(mission, run, language, now),
        None => MissionDoc::of_offer(mission, view.line_item, view.prices, language),
    };
    let details = (0..mission.steps.len()).map(|place| {
        let seen = view.run.map(|run| view::step_view(run, mission, place, now));
        StepDetailDoc::of(&mission.steps[place], seen.as_ref(), language)
    });
    json(&MissionDetailDoc {
        mission: document,
        description: creative.description,
        image_url: creative.image_url,
        fine_print: creative.fine_print,
        window_seconds: mission.window_seconds,
        step_details: details.collect(),
    })
}

impl<'a> StepDetailDoc<'a> {
    fn of(step: &'a Step, seen: Option<&StepView>, language: &str) -> Self {
        let text = text_for(&step.texts, language, |one| &one.language);
        let reason = seen.and_then(|seen| seen.reason);
        let (visit, quiz) = task(&step.rule, language);
        Self {
            id: step.id.0,
            description: text.map_or("", |one| &one.description),
            hold_hours: step.hold_hours,
            reason: reason.map(domain::verdict::Reason::code),
            reason_sentence: reason.map(domain::verdict::Reason::sentence),
            progress: seen.map_or(0, |seen| seen.progress.0),
            progress_needed: step.rule.need(),
            release_at: seen.and_then(|seen| seen.release_at).map(rfc3339),
            needs: seen.and_then(|seen| seen.needs).map(|step| step.0),
            visit,
            quiz,
        }
    }
}

fn task<'a>(rule: &'a Rule, language: &str) -> (Option<VisitDoc<'a>>, Option<QuizDoc<'a>>) {
    match rule {
        Rule::Visit { url, dwell_seconds } => {
            (Some(VisitDoc { url, dwell_seconds: *dwell_seconds }), None)
        }
        Rule::Quiz { question, choices, .. } => {
            let local = |texts: &'a [domain::catalog::LocalText]| {
                text_for(texts, language, |one| &one.language).map_or("", |one| one.text.as_str())
            };
            let choices = choices.iter().map(|choice| local(&choice.texts)).collect();
            (None, Some(QuizDoc { question: local(question), choices }))
        }
        Rule::Event { .. } | Rule::CheckIn => (None, None),
    }
}

/// The mission's name.
pub(crate) fn title<'a>(mission: &'a Mission, language: &str) -> &'a str {
    creative(mission, language).title
}

fn creative<'a>(mission: &'a Mission, language: &str) -> Wording<'a> {
    let creative = text_for(&mission.creatives, language, Creative::language);
    creative.map(Creative::wording).unwrap_or_default()
}

/// The JSON of a document of ours. They have no map with odd keys, so none can fail.
pub(super) fn json(document: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(MISSION_BYTES);
    append(&mut out, document);
    out
}

/// Appends it.
pub(super) fn append(out: &mut Vec<u8>, document: &impl Serialize) {
    if let Err(error) = serde_json::to_writer(&mut *out, document) {
        tracing::error!(%error, "a document could not be written");
    }
}
