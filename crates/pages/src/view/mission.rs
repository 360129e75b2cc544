//! A mission on a card.

use crate::address::ImageUrl;
use crate::plain::Plain;
use crate::view::Repeat;

/// What sort of thing the user does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Install and open an app.
    App,
    /// Play a game up to goals.
    Game,
    /// Open an account.
    SignUp,
    /// Buy something.
    Purchase,
    /// Answer a question.
    Quiz,
    /// Look at a page for a while.
    Visit,
    /// Come back every day.
    CheckIn,
    /// Follow an account.
    Follow,
    /// Answer a survey.
    Survey,
    /// Anything else.
    Other,
}

impl Kind {
    /// All kinds, in the order of the chips.
    pub const ALL: [Self; 10] = [
        Self::App,
        Self::Game,
        Self::SignUp,
        Self::Quiz,
        Self::Visit,
        Self::CheckIn,
        Self::Follow,
        Self::Survey,
        Self::Purchase,
        Self::Other,
    ];

    /// Stable name, used in addresses, as the icon's id and as a class.
    pub fn code(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Game => "game",
            Self::SignUp => "sign_up",
            Self::Purchase => "purchase",
            Self::Quiz => "quiz",
            Self::Visit => "visit",
            Self::CheckIn => "check_in",
            Self::Follow => "follow",
            Self::Survey => "survey",
            Self::Other => "other",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether an advertiser's measurement counts the steps, so that tracking matters.
    pub(crate) fn is_measured_in_an_app(self) -> bool {
        matches!(self, Self::App | Self::Game)
    }

    /// Whether we verify the steps ourselves on this page.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Quiz | Self::Visit | Self::CheckIn)
    }
}

/// Where a mission can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Android phones and tablets.
    Android,
    /// iPhone and iPad.
    Ios,
    /// Any browser.
    Web,
}

impl Platform {
    /// A name, the same in every language.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Android => "Android",
            Self::Ios => "iOS",
            Self::Web => "Web",
        }
    }
}

/// What must be true of the user or the device; shown before the tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Never had the app or the account before.
    NewUsersOnly,
    /// Something must be paid for.
    PaymentNeeded,
    /// Nothing needs to be paid for.
    NoPayment,
    /// At least this old.
    MinAge(u8),
    /// A system, from a version on.
    Os(Platform, Option<Plain>),
    /// The advertising id must be on.
    Tracking,
    /// In the operator's own words.
    Other(Plain),
}

/// A reward that is higher for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boost {
    /// The usual total, shown struck through.
    pub usual_total: i64,
    /// When it ends, unix milliseconds.
    pub until: Option<i64>,
}

/// A mission that the user may start now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferCard {
    /// Mission id.
    pub id: u64,
    /// Sort of mission.
    pub kind: Kind,
    /// Title.
    pub title: Plain,
    /// What to do, in one line.
    pub summary: Plain,
    /// Icon; the kind's own when there is none.
    pub icon: Option<ImageUrl>,
    /// Sum of all rewards, without bonus steps.
    pub reward_total: i64,
    /// Reward of the first step.
    pub reward_first: i64,
    /// Usual time to the first reward, in minutes.
    pub first_minutes: Option<u32>,
    /// A boost that is on now.
    pub boost: Option<Boost>,
    /// Number of steps, without bonus steps.
    pub steps: u32,
    /// Usual time for all steps, in minutes.
    pub typical_minutes: Option<u32>,
    /// How many days the user has once started.
    pub days_allowed: Option<u32>,
    /// Requirements.
    pub requirements: Vec<Requirement>,
}

/// The step that comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpNext {
    /// The step's title.
    pub title: Plain,
    /// Its reward.
    pub reward: i64,
}

/// A mission that the user has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressCard {
    /// Mission id.
    pub id: u64,
    /// Sort of mission.
    pub kind: Kind,
    /// Title.
    pub title: Plain,
    /// Icon; the kind's own when there is none.
    pub icon: Option<ImageUrl>,
    /// Steps that were paid.
    pub steps_done: u32,
    /// All steps, without bonus steps.
    pub steps_total: u32,
    /// Where the only step can be done several times: its occurrences say more than the step.
    pub repeat: Option<Repeat>,
    /// Steps that were noticed and are being checked.
    pub checking: u32,
    /// Paid so far.
    pub earned: i64,
    /// Sum of all rewards.
    pub reward_total: i64,
    /// The next step; `None` while only checks are awaited.
    pub next: Option<UpNext>,
    /// The nearest deadline, unix milliseconds.
    pub deadline: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(Kind::from_code("nothing"), None);
    }
}
