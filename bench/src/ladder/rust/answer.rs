//! The list as JSON, the same for every stage.

use serde::Serialize;

use super::rows::{App, Mission, Step, Text};
use super::rules::{self, DoneStatus, Run};

/// What an answer shows of a mission in one language.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) mission: Mission,
    pub(super) text: Text,
    pub(super) steps: Vec<Step>,
    /// A title for each step.
    pub(super) titles: Vec<String>,
}

impl Shown {
    /// Points of all its steps.
    fn reward_total(&self) -> i64 {
        self.steps.iter().map(|step| step.points * i64::from(step.repeat_limit)).sum()
    }
}

/// Everything that an answer is made of.
pub(super) struct List<'a> {
    pub(super) app: &'a App,
    pub(super) revision: u64,
    /// All runs of the user.
    pub(super) every_run: &'a [Run],
    /// Those that can still earn, the nearest deadline first.
    pub(super) runs: Vec<(&'a Run, &'a Shown)>,
    /// What he can start, with the end of its flight.
    pub(super) offers: Vec<(Option<i64>, &'a Shown)>,
}

impl List<'_> {
    /// The JSON.
    pub(super) fn written(&self) -> serde_json::Result<Vec<u8>> {
        let left = self.runs.iter().map(|(run, shown)| run.remaining(&shown.steps));
        let offered = self.offers.iter().map(|(_, shown)| shown.reward_total());
        let runs = self.runs.iter().map(|(run, shown)| of_run(run, shown));
        let offers = self.offers.iter().map(|(ends_at, shown)| offer(*ends_at, shown));
        serde_json::to_vec(&ListDto {
            catalog_revision: self.revision,
            currency: CurrencyDto {
                name: &self.app.currency_name,
                minor_units: self.app.minor_units,
            },
            earnable: left.chain(offered).sum(),
            earned: rules::earned(self.every_run),
            missions: runs.chain(offers).collect(),
            next_cursor: (),
        })
    }
}

/// A page has room for 200 offers and no user fits so many, so there is never another page.
#[derive(Serialize)]
struct ListDto<'a> {
    catalog_revision: u64,
    currency: CurrencyDto<'a>,
    earnable: i64,
    earned: i64,
    missions: Vec<MissionDto<'a>>,
    next_cursor: (),
}

#[derive(Serialize)]
struct CurrencyDto<'a> {
    name: &'a str,
    minor_units: u16,
}

#[derive(Serialize)]
struct MissionDto<'a> {
    id: i64,
    line_item_id: i64,
    kind: &'a str,
    title: &'a str,
    summary: &'a str,
    icon_url: Option<&'a str>,
    state: &'static str,
    enrollment_id: Option<&'a str>,
    reward_total: i64,
    reward_first: i64,
    typical_minutes: Option<u32>,
    deadline: Option<jiff::Timestamp>,
    requirements: &'a [String],
    cta: &'a str,
    steps: Vec<StepDto<'a>>,
}

#[derive(Serialize)]
struct StepDto<'a> {
    id: u32,
    position: u16,
    title: &'a str,
    kind: &'a str,
    reward: i64,
    bonus: bool,
    optional: bool,
    state: &'static str,
    completed: usize,
    repeat_limit: u32,
    deadline: Option<jiff::Timestamp>,
    rewarded_at: Option<jiff::Timestamp>,
}

/// A mission that the user may start.
fn offer(ends_at: Option<i64>, shown: &Shown) -> MissionDto<'_> {
    let state =
        |place| if rules::is_locked(shown, place, |_| false) { "locked" } else { "available" };
    let steps = (0..shown.steps.len()).map(|place| step(shown, place, state(place))).collect();
    let first = shown.steps.iter().map(|step| step.points).find(|points| *points > 0);
    let deadline = ends_at.and_then(moment);
    MissionDto { reward_first: first.unwrap_or(0), deadline, ..mission(shown, steps) }
}

/// A mission that the user has started.
fn of_run<'a>(run: &'a Run, shown: &'a Shown) -> MissionDto<'a> {
    let deadline = moment(run.deadline_ms);
    let steps: Vec<_> = (0..shown.steps.len())
        .map(|place| {
            let row = &shown.steps[place];
            let is_locked = rules::is_locked(shown, place, |step| run.is_full(step));
            let kept = run.done_of(row).filter(|one| one.status != DoneStatus::Reversed);
            StepDto {
                completed: kept.count(),
                deadline,
                rewarded_at: run.done_of(row).last().and_then(|one| moment(one.booked_ms)),
                ..step(shown, place, run.state_of(row, is_locked))
            }
        })
        .collect();
    let mut open = steps.iter().filter(|step| step.state == "available").map(|step| step.reward);
    let first = open.find(|reward| *reward > 0).unwrap_or(0);
    MissionDto {
        state: run.state(),
        enrollment_id: Some(&run.code),
        reward_first: first,
        deadline,
        ..mission(shown, steps)
    }
}

/// What offers and runs have in common.
fn mission<'a>(shown: &'a Shown, steps: Vec<StepDto<'a>>) -> MissionDto<'a> {
    let Shown { mission, text, .. } = shown;
    MissionDto {
        id: mission.id,
        line_item_id: mission.line_item_id,
        kind: &mission.kind,
        title: &text.title,
        summary: &text.summary,
        icon_url: text.icon_url.as_deref(),
        state: "available",
        enrollment_id: None,
        reward_total: shown.reward_total(),
        reward_first: 0,
        typical_minutes: mission.typical_minutes,
        deadline: None,
        requirements: &mission.requirements,
        cta: &text.cta,
        steps,
    }
}

/// A step that has not been done.
fn step<'a>(shown: &'a Shown, place: usize, state: &'static str) -> StepDto<'a> {
    let step = &shown.steps[place];
    StepDto {
        id: step.number,
        position: step.position,
        title: &shown.titles[place],
        kind: &step.kind,
        reward: step.points,
        bonus: step.is_bonus,
        optional: !step.is_required,
        state,
        completed: 0,
        repeat_limit: step.repeat_limit,
        deadline: None,
        rewarded_at: None,
    }
}

/// Written in RFC 3339 with no more digits than needed.
fn moment(ms: i64) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(ms).ok()
}
