//! One mission: its steps with their rewards and states, and the one thing to do next.

use askama::Template;

use crate::address::{ImageUrl, LandingUrl};
use crate::form::FormGuard;
use crate::frame::Frame;
use crate::page::{CachePolicy, FORMS_LEAD_OUT, FORMS_STAY, Page, Sample};
use crate::plain::Plain;
use crate::samples;
use crate::text::Texts;
use crate::view::{
    Boost, CheckIn, Deadline, Flash, Kind, Nudge, Repeat, Requirement, StepAction, StepState,
    StepView, Visit, Why,
};

/// What the mission is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// Mission id.
    pub id: u64,
    /// Sort of mission.
    pub kind: Kind,
    /// Title.
    pub title: Plain,
    /// What to do, in a sentence or two.
    pub summary: Plain,
    /// Icon; the kind's own when there is none.
    pub icon: Option<ImageUrl>,
    /// A wide image above the title.
    pub image: Option<ImageUrl>,
    /// Sum of all rewards, without bonus steps.
    pub reward_total: i64,
    /// A boost that is on now.
    pub boost: Option<Boost>,
    /// Usual time for all steps, in minutes.
    pub typical_minutes: Option<u32>,
    /// How many days the user has once started.
    pub days_allowed: Option<u32>,
    /// Requirements.
    pub requirements: Vec<Requirement>,
}

/// The user's run of the mission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Paid so far.
    pub earned: i64,
    /// When it ends, unix milliseconds.
    pub deadline: Option<i64>,
}

/// Why nothing is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// All steps are paid.
    Completed,
    /// All that can be done was done, and is being checked.
    Waiting,
    /// Today's part is done; the next can be done from this moment, unix milliseconds.
    ComeBack(i64),
    /// The time is over.
    Expired,
    /// The run was closed or voided.
    Ended,
}

/// The one thing to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cta {
    /// Start the mission.
    Start {
        /// The creative's words; the kind's own when there are none.
        label: Option<Plain>,
        /// Reward of the first step.
        reward: i64,
    },
    /// Go on elsewhere: the app, the store, the advertiser's site.
    Open {
        /// Where.
        landing: LandingUrl,
        /// Whether to ask for a new window. Leave it off where the host app ignores new windows.
        outside: bool,
        /// Reward of the next step.
        reward: Option<i64>,
    },
    /// Check in.
    CheckIn {
        /// The step's id.
        step_id: u64,
        /// Its reward.
        reward: i64,
    },
    /// Go on at a step of this page.
    GoToStep {
        /// The step's id.
        step_id: u64,
        /// Its number.
        position: u32,
        /// Its reward.
        reward: i64,
    },
    /// Nothing.
    Idle(Idle),
}

/// The page `/m/missions/{id}`.
#[derive(Clone, Debug, Template)]
#[template(path = "mission_detail.html")]
pub struct MissionDetail {
    /// Frame.
    pub frame: Frame,
    /// Guards of its forms.
    pub guard: FormGuard,
    /// What the mission is.
    pub headline: Headline,
    /// The user's run, once started.
    pub run: Option<Run>,
    /// All steps in order, bonus steps among them.
    pub steps: Vec<StepView>,
    /// What must hold for the mission to count.
    pub conditions: Vec<Plain>,
    /// Everything else that must be said; folded.
    pub fine_print: Vec<Plain>,
    /// What to do next.
    pub cta: Cta,
    /// Answer to a form.
    pub flash: Option<Flash>,
    /// A hint about something that has not happened.
    pub nudge: Option<Nudge>,
}

impl MissionDetail {
    fn texts(&self) -> &'static Texts {
        self.frame.texts()
    }

    fn main_steps(&self) -> Vec<&StepView> {
        self.steps.iter().filter(|step| !step.bonus).collect()
    }

    fn bonus_steps(&self) -> Vec<&StepView> {
        self.steps.iter().filter(|step| step.bonus).collect()
    }

    /// The step that is next on the main path.
    fn is_current(&self, step: &StepView) -> bool {
        let available = |s: &&StepView| s.state == StepState::Available && !s.bonus;
        let current = self.steps.iter().find(available).map(|s| s.id);
        self.run.is_some() && current == Some(step.id)
    }

    fn facts(&self) -> Vec<String> {
        let (common, card) = (&self.texts().common, &self.texts().card);
        let steps = u32::try_from(self.main_steps().len()).unwrap_or(u32::MAX);
        let mut facts = vec![(card.steps)(steps)];
        facts.extend(self.headline.typical_minutes.map(common.about));
        // Once started, the deadline itself is shown.
        if self.run.is_none() {
            facts.extend(self.headline.days_allowed.map(card.up_to_days));
        }
        facts
    }

    /// Where the only step can be done several times: its occurrences say more than the step.
    fn only_repeat(&self) -> Option<Repeat> {
        match self.main_steps().as_slice() {
            [only] => only.repeat,
            _ => None,
        }
    }

    /// Paid steps and all steps of the main path, or the occurrences of the only one.
    fn progress(&self) -> (u32, u32) {
        let steps = self.main_steps();
        let paid = |s: &&&StepView| matches!(s.state, StepState::Rewarded { .. });
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let of_steps = (count(steps.iter().filter(paid).count()), count(steps.len()));
        self.only_repeat().map_or(of_steps, |one| (one.done, one.limit))
    }

    fn progress_text(&self) -> String {
        let (done, total) = self.progress();
        match self.only_repeat() {
            Some(_) => self.times_text(&Repeat { done, limit: total }),
            None => (self.texts().list.steps_done)(done, total),
        }
    }

    fn state_text(&self, state: &StepState) -> String {
        let (amount, at) = match state {
            StepState::Rewarded { amount, at } => (self.frame.gain(amount), Some(*at)),
            StepState::Reversed { amount, at, .. } => {
                (self.frame.points(&amount.saturating_neg()), *at)
            }
            StepState::Rejected { at, .. } => (String::new(), *at),
            StepState::Expired { at } | StepState::Pending { since: at, .. } => {
                (String::new(), Some(*at))
            }
            StepState::Locked { .. } | StepState::Available => (String::new(), None),
        };
        let date = at.map(|at| self.frame.date(at)).unwrap_or_default();
        let shown = (self.texts().step.state)(state, &amount, &date);
        // A state whose moment is not known ends where its date would follow.
        if date.is_empty() { shown.trim_end_matches([' ', ',', '、']).to_owned() } else { shown }
    }

    fn nudge_text(&self, nudge: &Nudge) -> &'static str {
        (self.texts().detail.nudge)(*nudge)
    }

    fn why_text(&self, why: &Why) -> &'static str {
        (self.texts().step.why)(*why)
    }

    fn to_step_text(&self, position: &u32) -> String {
        (self.texts().detail.to_step)(*position)
    }

    fn tries_text(&self, left: &u32) -> String {
        (self.texts().step.tries_left)(*left)
    }

    fn number_text(&self, position: &u32) -> String {
        (self.texts().step.number)(*position)
    }

    fn times_text(&self, repeat: &Repeat) -> String {
        (self.texts().step.times)(repeat.done, repeat.limit)
    }

    fn dwell_text(&self, visit: &Visit) -> String {
        let seconds = (self.texts().common.seconds)(visit.dwell_seconds);
        (self.texts().step.visit_hint)(&seconds)
    }

    fn deadline_text(&self, deadline: &Deadline) -> String {
        let step = &self.texts().step;
        match deadline {
            Deadline::At(at) => (step.until)(&self.frame.date(*at)),
            Deadline::WithinDays(days) => (step.within_days)(*days),
        }
    }

    fn reward_text(&self, step: &StepView) -> String {
        let reward = self.frame.gain(&step.reward);
        match step.repeat {
            Some(_) => (self.texts().step.each)(&reward),
            None => reward,
        }
    }

    fn how(&self) -> [&'static str; 3] {
        let detail = &self.texts().detail;
        self.by_kind([detail.how_in_app, detail.how_on_web, detail.how_here])
    }

    /// What to expect after the start. On this page the last line is about the other steps.
    fn what_next(&self) -> Vec<&'static str> {
        let detail = &self.texts().detail;
        let lines = self.by_kind([detail.next_in_app, detail.next_on_web, detail.next_here]);
        let is_last_idle = self.headline.kind.is_ours() && self.steps.len() == 1;
        lines.into_iter().take(if is_last_idle { 2 } else { 3 }).collect()
    }

    /// Whether the step is done with the button at the foot of the page, so that it needs no other.
    fn is_at_foot(&self, step: &StepView) -> bool {
        matches!(self.cta, Cta::CheckIn { step_id, .. } if step_id == step.id)
    }

    /// Picks from the lines for apps, for the web, and for this page.
    fn by_kind(&self, [in_app, on_web, here]: [[&'static str; 3]; 3]) -> [&'static str; 3] {
        let kind = self.headline.kind;
        if kind.is_measured_in_an_app() {
            in_app
        } else if kind.is_ours() {
            here
        } else {
            on_web
        }
    }

    fn flash_text(&self, flash: &Flash) -> String {
        let detail = &self.texts().detail;
        match flash {
            Flash::Started => (detail.flash_started)(self.headline.title.as_str()),
            Flash::VisitBegun => detail.flash_visit.to_owned(),
            Flash::Wait(seconds) => (detail.flash_wait)(*seconds),
            Flash::Wrong(left) => (detail.flash_wrong)(*left),
            Flash::Paid => detail.flash_paid.to_owned(),
            Flash::Checking => detail.flash_checking.to_owned(),
            Flash::Again => detail.flash_again.to_owned(),
            Flash::NoAnswer => detail.flash_no_answer.to_owned(),
        }
    }

    fn idle_text(&self, idle: &Idle) -> String {
        let detail = &self.texts().detail;
        match idle {
            Idle::Completed => detail.completed.to_owned(),
            Idle::Waiting => detail.waiting.to_owned(),
            Idle::ComeBack(at) => self.check_in_text(at),
            Idle::Expired => detail.expired.to_owned(),
            Idle::Ended => detail.ended.to_owned(),
        }
    }

    fn start_label(&self, label: &Option<Plain>) -> String {
        match label {
            Some(own) if !own.is_empty() => own.to_string(),
            _ => (self.texts().detail.start)(self.headline.kind).to_owned(),
        }
    }

    fn check_in_text(&self, at: &i64) -> String {
        (self.texts().step.check_in_next)(&self.frame.date(*at))
    }
}

impl Page for MissionDetail {
    const NAME: &'static str = "mission_detail";

    /// It holds forms, and must be fresh when the user comes back from the store.
    fn cache(&self) -> CachePolicy {
        CachePolicy::NoStore
    }

    fn form_targets(&self) -> &'static str {
        if matches!(self.cta, Cta::Start { .. }) { FORMS_LEAD_OUT } else { FORMS_STAY }
    }

    fn samples() -> Vec<Sample<Self>> {
        samples::mission_detail::all()
    }
}
