//! Missions and their steps.

use std::sync::Arc;

use super::Creative;
use crate::ids::{LineItemId, MissionId, StepId};
use crate::money::Micros;

/// What sort of thing a mission asks for; the page groups by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum MissionKind {
    /// Install and open an app.
    Install,
    /// Play a game.
    Game,
    /// Sign up.
    SignUp,
    /// Buy something.
    Purchase,
    /// Follow, like or subscribe.
    Follow,
    /// Answer a quiz.
    Quiz,
    /// Visit a page.
    Visit,
    /// Come back day after day.
    Daily,
    /// Anything else.
    #[default]
    Other,
}

impl MissionKind {
    /// Every kind, in the order in which the page offers them.
    pub const ALL: [Self; 9] = [
        Self::Install,
        Self::Game,
        Self::SignUp,
        Self::Purchase,
        Self::Follow,
        Self::Quiz,
        Self::Visit,
        Self::Daily,
        Self::Other,
    ];

    /// The name in files and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Game => "game",
            Self::SignUp => "sign_up",
            Self::Purchase => "purchase",
            Self::Follow => "follow",
            Self::Quiz => "quiz",
            Self::Visit => "visit",
            Self::Daily => "daily",
            Self::Other => "other",
        }
    }
}

/// A text in one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocalText {
    /// BCP 47 language, lower case, such as `ko`.
    pub language: String,
    /// The text.
    pub text: String,
}

/// The text for `language`, or for its primary part (`pt` for `pt-br`), or the first there is.
pub fn text_for<'a, T>(texts: &'a [T], language: &str, of: impl Fn(&T) -> &str) -> Option<&'a T> {
    let primary = language.split('-').next().unwrap_or(language);
    texts
        .iter()
        .find(|text| of(text) == language)
        .or_else(|| texts.iter().find(|text| of(text) == primary))
        .or_else(|| texts.first())
}

/// Where a user goes when he starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Landing {
    /// The browser or store outside the app.
    #[default]
    ExternalBrowser,
    /// A view inside the app.
    InApp,
}

/// Whether a mission is offered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MissionStatus {
    /// It is.
    #[default]
    Active,
    /// It is not; users who have started go on.
    Paused,
}

/// In which order the required steps are done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Sequence {
    /// One after the other, by position.
    #[default]
    Ordered,
    /// In any order.
    Any,
}

/// What a user does, step by step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mission {
    /// Its number.
    pub id: MissionId,
    /// 1 for the first, one more for each edit; given by the catalogue.
    pub version: u32,
    /// Who pays for it.
    pub line_item_id: LineItemId,
    /// What sort of thing it asks for.
    pub kind: MissionKind,
    /// Whether it is offered.
    pub status: MissionStatus,
    /// How it presents itself; the first is the fallback.
    pub creatives: Vec<Creative>,
    /// Its steps by position.
    pub steps: Vec<Step>,
    /// The order of its required steps.
    pub sequence: Sequence,
    /// Time from participation to the deadline, in seconds.
    pub window_seconds: u32,
    /// How long the whole usually takes, in minutes.
    pub typical_minutes: Option<u32>,
    /// Conditions shown before the tap, such as `new_users_only` or `payment_required`.
    pub requirements: Vec<String>,
    /// Missions that must be completed before this one is shown.
    pub prerequisites: Vec<MissionId>,
    /// Address of the landing page with macros such as `{click_id}`.
    pub landing_url: Box<str>,
    /// Where the landing page opens.
    pub landing: Landing,
}

impl Mission {
    /// The step of that number.
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The most that the mission can ever pay out for one user.
    #[must_use]
    pub fn payout_max(&self) -> Micros {
        Micros(self.steps.iter().map(|step| step.payout.0 * i64::from(step.repeat.limit)).sum())
    }
}

/// What a step is for the mission.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Role {
    /// Needed for completion.
    #[default]
    Required,
    /// Not needed; paid if done.
    Optional,
    /// An extra, shown in a group of its own.
    Bonus,
}

/// How often a step is paid.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Repeat {
    /// Occurrences that are paid, at least 1.
    pub limit: u32,
    /// Occurrences that are paid for one day of the line item.
    pub per_day: Option<u32>,
}

impl Default for Repeat {
    fn default() -> Self {
        Self { limit: 1, per_day: None }
    }
}

/// What a step's own window is counted from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WindowStart {
    /// The participation.
    Participation,
    /// The latest event of the step before it, so the window only ever grows (I3).
    Previous,
}

/// A step's own time limit, inside the mission's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    /// What it is counted from.
    pub from: WindowStart,
    /// How long it is, in seconds.
    pub seconds: u32,
}

/// How a step presents itself in one language.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct StepText {
    /// BCP 47 language, lower case.
    pub language: String,
    /// What to do.
    pub title: String,
    /// More about it.
    pub description: String,
}

/// One rewarded event of a mission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its number, unique inside the mission and kept over versions.
    pub id: StepId,
    /// How it presents itself; the first is the fallback. Often the same in many missions, which then
    /// share it.
    pub texts: Arc<Vec<StepText>>,
    /// What it is for the mission.
    pub role: Role,
    /// How often it is paid.
    pub repeat: Repeat,
    /// Steps that must be done before this one opens, besides what the sequence asks for.
    pub after: Vec<StepId>,
    /// Its own time limit.
    pub window: Option<Window>,
    /// What the advertiser owes for one occurrence; 0 for an unpaid signal such as an install.
    pub payout: Micros,
    /// Worth of the points for one occurrence; by default the app's share of the payout.
    pub reward: Option<Micros>,
    /// How long the reward stays pending, in hours.
    pub hold_hours: u32,
    /// What has to happen.
    pub rule: Rule,
}

/// What has to happen for one occurrence of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rule {
    /// A partner reports an event.
    Event {
        /// Its name, as the partner connection translates it.
        name: Box<str>,
        /// How many of them.
        aim: Aim,
    },
    /// The user stays on a page; verified by us.
    Visit {
        /// The page.
        url: String,
        /// How long, in seconds.
        dwell_seconds: u32,
    },
    /// The user answers a question; verified by us.
    Quiz {
        /// The question.
        question: Box<[LocalText]>,
        /// What he chooses from.
        choices: Box<[Choice]>,
        /// Place of the right choice.
        answer: u8,
        /// How often he may try.
        attempts: u8,
    },
    /// The user comes back, at most once on each day of the line item; verified by us.
    CheckIn,
}

impl Rule {
    /// `event`, `visit`, `quiz` or `check_in`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Event { .. } => "event",
            Self::Visit { .. } => "visit",
            Self::Quiz { .. } => "quiz",
            Self::CheckIn => "check_in",
        }
    }

    /// What one occurrence needs, in units of progress.
    #[must_use]
    pub fn need(&self) -> u64 {
        match self {
            Self::Event { aim, .. } => aim.need(),
            Self::Visit { .. } | Self::Quiz { .. } | Self::CheckIn => 1,
        }
    }
}

/// One of a quiz's choices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Its words.
    pub texts: Vec<LocalText>,
}

/// How many events make one occurrence.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Aim {
    /// One.
    #[default]
    Once,
    /// So many.
    Count(u32),
    /// Events whose revenue adds up to this, in the line item's currency.
    Sum(Micros),
    /// Events on so many different days of the line item.
    DistinctDays(u32),
}

impl Aim {
    /// What one occurrence needs, in units of progress: events, micro-units or days.
    #[must_use]
    pub fn need(self) -> u64 {
        match self {
            Self::Once => 1,
            Self::Count(events) => u64::from(events).max(1),
            Self::Sum(amount) => amount.0.max(1).unsigned_abs(),
            Self::DistinctDays(days) => u64::from(days).max(1),
        }
    }
}
