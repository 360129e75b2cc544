//! A step of a mission: its state, and what the user can do about it on this page.

use crate::address::LandingUrl;
use crate::plain::Plain;

/// Why a step earned nothing, or a reward was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It happened after the deadline.
    TooLate,
    /// The app or the account had existed before.
    NotNew,
    /// It had been counted before.
    Repeated,
    /// It was not done by this page's button.
    NotByThisLink,
    /// The advertiser did not confirm it.
    NotConfirmed,
    /// No answer is left.
    WrongAnswer,
    /// The day's or the mission's limit was reached.
    LimitReached,
    /// The purchase or the account was cancelled.
    Cancelled,
    /// It had been paid by mistake.
    Mistake,
    /// The rules of the mission were broken.
    RuleBroken,
    /// No reason was given.
    Unstated,
}

impl Why {
    /// All reasons.
    pub const ALL: [Self; 11] = [
        Self::TooLate,
        Self::NotNew,
        Self::Repeated,
        Self::NotByThisLink,
        Self::NotConfirmed,
        Self::WrongAnswer,
        Self::LimitReached,
        Self::Cancelled,
        Self::Mistake,
        Self::RuleBroken,
        Self::Unstated,
    ];
}

/// State of a step. All times are unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Waits for another step.
    Locked {
        /// Position of the step that must be done before.
        needs: u32,
    },
    /// Can be done now.
    Available,
    /// Noticed, and being checked.
    Pending {
        /// When it was noticed.
        since: i64,
        /// How long the check usually takes, in minutes, as measured.
        usual_minutes: Option<u32>,
    },
    /// Paid.
    Rewarded {
        /// What was paid; 0 for a signal that pays nothing.
        amount: i64,
        /// When.
        at: i64,
    },
    /// Did not count.
    Rejected {
        /// Why.
        why: Why,
        /// When, if that is known.
        at: Option<i64>,
    },
    /// Its time is over.
    Expired {
        /// When it ended.
        at: i64,
    },
    /// Paid, then taken back.
    Reversed {
        /// What was taken back, as a positive number.
        amount: i64,
        /// Why.
        why: Why,
        /// When, if that is known.
        at: Option<i64>,
    },
}

impl StepState {
    /// Why it earned nothing in the end.
    pub(crate) fn why(&self) -> Option<Why> {
        match self {
            Self::Rejected { why, .. } | Self::Reversed { why, .. } => Some(*why),
            _ => None,
        }
    }

    /// Whether it can still be done, so that its deadline matters.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Available | Self::Locked { .. })
    }

    /// Stable name, used as class and icon.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "locked",
            Self::Available => "available",
            Self::Pending { .. } => "pending",
            Self::Rewarded { .. } => "rewarded",
            Self::Rejected { .. } => "rejected",
            Self::Expired { .. } => "expired",
            Self::Reversed { .. } => "reversed",
        }
    }
}

/// When a step must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// At a moment, unix milliseconds; for missions that were started.
    At(i64),
    /// Within days from the start; for missions that were not.
    WithinDays(u32),
}

/// A step that can be done several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// How often it was done.
    pub done: u32,
    /// How often it can be done.
    pub limit: u32,
}

/// Looking at a page for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// How long to stay.
    pub dwell_seconds: u32,
    /// The page, once the visit was started.
    pub begun: Option<LandingUrl>,
}

/// One possible answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the form posts.
    pub value: Plain,
    /// What the user reads.
    pub text: Plain,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiz {
    /// The question.
    pub question: Plain,
    /// The possible answers.
    pub answers: Vec<Answer>,
    /// How many tries are left, if they are limited.
    pub tries_left: Option<u32>,
}

/// A daily check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckIn {
    /// Can be done now.
    Ready,
    /// Done today; again from this moment, unix milliseconds.
    NextAt(i64),
}

/// What can be done about a step on this page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepAction {
    /// Nothing: it is done elsewhere, or is not available.
    Elsewhere,
    /// Visit a page.
    Visit(Visit),
    /// Answer a question.
    Quiz(Quiz),
    /// Check in.
    CheckIn(CheckIn),
}

/// A step as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Step id.
    pub id: u64,
    /// Its number, from 1; bonus steps count on.
    pub position: u32,
    /// Title.
    pub title: Plain,
    /// What exactly to do.
    pub description: Plain,
    /// Reward of one occurrence.
    pub reward: i64,
    /// Whether it is beside the main path.
    pub bonus: bool,
    /// State.
    pub state: StepState,
    /// For repeatable steps.
    pub repeat: Option<Repeat>,
    /// Its own deadline.
    pub deadline: Option<Deadline>,
    /// What can be done on this page.
    pub action: StepAction,
    /// Where to ask about it, when there is something to ask.
    pub ask_href: Option<String>,
}

impl StepView {
    /// When the next part of the step can be done, if today's part is done.
    pub(crate) fn come_back(&self) -> Option<i64> {
        match self.action {
            StepAction::CheckIn(CheckIn::NextAt(at)) => Some(at),
            _ => None,
        }
    }

    /// Whether something can be done about it now.
    pub(crate) fn is_to_do(&self) -> bool {
        self.state == StepState::Available && self.come_back().is_none()
    }
}
