//! The rules of eligibility, in the order in which they are asked.

use crate::budget::Breach;
use crate::verdict::Refusal;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $refusal:ident;)*) => {
        /// One rule that decides whether a user may start a mission.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// Every rule in the order in which they are asked; a refusal names the first that fails.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What a user is told when the rule says no.
            #[must_use]
            pub fn refusal(self) -> Refusal {
                match self { $(Self::$name => Refusal::$refusal,)* }
            }
        }
    };
}

rules! {
    /// The user is not blocked.
    UserBlocked = "user_blocked", Blocked;
    /// The mission exists and is active.
    MissionActive = "mission_active", Closed;
    /// The line item exists and is running.
    LineItemRunning = "line_item_running", Closed;
    /// Now is within the line item's flight.
    Flight = "flight", Closed;
    /// The unit belongs to the user's app.
    UnitOfApp = "unit_of_app", NotEligible;
    /// The app has a rate for the line item's currency.
    Currency = "currency", NotEligible;
    /// The user has never started the mission.
    AlreadyStarted = "already_started", AlreadyDone;
    /// The user has done no other mission for the same advertised app.
    AdvertisedAppDone = "advertised_app_done", AlreadyDone;
    /// The user has completed every mission that comes before.
    Prerequisites = "prerequisites", NotEligible;
    /// The ad group is active.
    AdGroupActive = "ad_group_active", NotEligible;
    /// The user is in one of the ad group's countries.
    Country = "country", NotEligible;
    /// The user's page runs on one of the ad group's platforms.
    Platform = "platform", NotEligible;
    /// The version of the operating system is within the ad group's range.
    OsVersion = "os_version", NotEligible;
    /// The user's age is within the ad group's range.
    Age = "age", NotEligible;
    /// The user is of one of the ad group's genders.
    Gender = "gender", NotEligible;
    /// The user's language, or its primary part, is one of the ad group's.
    Language = "language", NotEligible;
    /// The placement is one of the ad group's units.
    Unit = "unit", NotEligible;
    /// The user has one of the ad group's apps installed.
    Installed = "installed", NotEligible;
    /// The user has none of the apps installed that the ad group excludes.
    NotInstalled = "not_installed", NotEligible;
    /// The user is in one of the ad group's audiences.
    Segment = "segment", NotEligible;
    /// The user is in none of the audiences that the ad group excludes.
    NotSegment = "not_segment", NotEligible;
    /// A mission for new users only is not for someone who has the advertised app installed.
    NewUsersOnly = "new_users_only", NotEligible;
    /// The user may start another mission of the line item.
    UserCapTotal = "user_cap_total", Exhausted;
    /// The user may start another mission of the line item today.
    UserCapDaily = "user_cap_daily", Exhausted;
    /// The user's state has room for another run.
    EnrollmentsMax = "enrollments_max", Exhausted;
    /// The line item has a budget, and it has room for one more start.
    BudgetTotal = "budget_total", Exhausted;
    /// The daily budget has room for one more start.
    BudgetDaily = "budget_daily", Exhausted;
    /// Even pacing allows one more start by now.
    Pacing = "pacing", Exhausted;
    /// The line item may be started once more.
    CapTotal = "cap_total", Exhausted;
    /// The line item may be started once more today.
    CapDaily = "cap_daily", Exhausted;
}

impl Rule {
    /// The rules that are asked of each ad group; the others are asked of the mission.
    pub const OF_AD_GROUPS: [Self; 12] = [
        Self::AdGroupActive,
        Self::Country,
        Self::Platform,
        Self::OsVersion,
        Self::Age,
        Self::Gender,
        Self::Language,
        Self::Unit,
        Self::Installed,
        Self::NotInstalled,
        Self::Segment,
        Self::NotSegment,
    ];

    /// Whether it is asked of each ad group rather than of the mission.
    #[must_use]
    pub fn is_of_ad_groups(self) -> bool {
        (Self::AdGroupActive..=Self::NotSegment).contains(&self)
    }

    /// The rule of that code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.code() == code)
    }
}

impl From<Breach> for Rule {
    fn from(breach: Breach) -> Self {
        match breach {
            Breach::Total => Self::BudgetTotal,
            Breach::Daily => Self::BudgetDaily,
            Breach::Paced => Self::Pacing,
            Breach::Starts => Self::CapTotal,
            Breach::DailyStarts => Self::CapDaily,
        }
    }
}
