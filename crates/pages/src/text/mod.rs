//! The message catalogue. Every language is one value of [`Texts`], written without `..`, so a
//! message that is missing in a language does not compile.
//!
//! Messages with a value are functions, because word order, plurals and particles differ; nothing
//! is glued together outside this module. Values that come in as `&str` are already formatted.

mod en;
mod ja;
mod ko;
mod lang;
mod moment;
mod number;
mod particle;

pub use lang::Lang;
pub use moment::Zone;
pub use number::Currency;

pub(crate) use moment::{Left, machine_time};

use jiff::civil::DateTime;

use crate::view::{Empty, Kind, Nudge, Platform, Refusal, StepState, WalletTab, Why};

/// A message that never changes.
pub(crate) type Fixed = &'static str;

/// Everything we say in one language.
pub(crate) struct Texts {
    pub(crate) common: Common,
    pub(crate) card: Card,
    pub(crate) list: List,
    pub(crate) detail: Detail,
    pub(crate) step: Step,
    pub(crate) wallet: Wallet,
    pub(crate) notice: Notice,
}

/// The frame of every page, and units.
pub(crate) struct Common {
    pub(crate) missions: Fixed,
    pub(crate) rewards: Fixed,
    pub(crate) skip: Fixed,
    pub(crate) menu: Fixed,
    pub(crate) back: Fixed,
    /// Zone label.
    pub(crate) times_in: fn(&str) -> String,
    pub(crate) date_time: fn(&DateTime) -> String,
    /// A clock time of today.
    pub(crate) today: fn(&DateTime) -> String,
    pub(crate) left: fn(Left) -> String,
    /// Minutes, rounded to hours when there are many.
    pub(crate) about: fn(u32) -> String,
    pub(crate) seconds: fn(u32) -> String,
    pub(crate) kind: fn(Kind) -> Fixed,
    /// What to call the app when its name is unknown.
    pub(crate) the_app: Fixed,
}

/// Cards of missions, and the same facts on the mission's page.
pub(crate) struct Card {
    pub(crate) steps: fn(u32) -> String,
    /// Reward, and time if known.
    pub(crate) first: fn(&str, Option<&str>) -> String,
    pub(crate) up_to_days: fn(u32) -> String,
    pub(crate) new_users_only: Fixed,
    pub(crate) payment_needed: Fixed,
    pub(crate) no_payment: Fixed,
    pub(crate) min_age: fn(u8) -> String,
    /// System, and version if it matters.
    pub(crate) os: fn(Platform, Option<&str>) -> String,
    pub(crate) tracking: Fixed,
    pub(crate) boosted: Fixed,
    /// Date.
    pub(crate) boosted_until: fn(&str) -> String,
    /// Spoken before the struck amount.
    pub(crate) usually: Fixed,
    pub(crate) requirements: Fixed,
}

/// The list.
pub(crate) struct List {
    pub(crate) earnable: Fixed,
    pub(crate) earned: Fixed,
    pub(crate) in_progress: Fixed,
    pub(crate) for_you: Fixed,
    pub(crate) kinds: Fixed,
    pub(crate) all: Fixed,
    /// Done, total.
    pub(crate) steps_done: fn(u32, u32) -> String,
    /// Earned, total.
    pub(crate) earned_of: fn(&str, &str) -> String,
    pub(crate) next: Fixed,
    pub(crate) checking: fn(u32) -> String,
    pub(crate) go_on: Fixed,
    /// When there is nothing to go on with.
    pub(crate) look: Fixed,
    pub(crate) more: Fixed,
    /// Date of the next missions, if known.
    pub(crate) empty: fn(Empty, Option<&str>) -> Advice,
    pub(crate) see_all: Fixed,
    pub(crate) see_rewards: Fixed,
}

/// One mission.
pub(crate) struct Detail {
    pub(crate) total: Fixed,
    pub(crate) earned: Fixed,
    pub(crate) steps: Fixed,
    pub(crate) bonus: Fixed,
    pub(crate) bonus_hint: Fixed,
    pub(crate) how: Fixed,
    pub(crate) how_in_app: [Fixed; 3],
    pub(crate) how_on_web: [Fixed; 3],
    pub(crate) how_here: [Fixed; 3],
    pub(crate) conditions: Fixed,
    pub(crate) fine_print: Fixed,
    pub(crate) locked_terms: Fixed,
    pub(crate) start: fn(Kind) -> Fixed,
    pub(crate) go_on: Fixed,
    /// Number of the step.
    pub(crate) to_step: fn(u32) -> String,
    pub(crate) opens_outside: Fixed,
    /// Host, if it is a web page.
    pub(crate) nothing_opened: fn(Option<&str>) -> String,
    pub(crate) next_title: Fixed,
    pub(crate) next_in_app: [Fixed; 3],
    pub(crate) next_on_web: [Fixed; 3],
    pub(crate) next_here: [Fixed; 3],
    pub(crate) completed: Fixed,
    pub(crate) waiting: Fixed,
    pub(crate) expired: Fixed,
    pub(crate) ended: Fixed,
    pub(crate) see_others: Fixed,
    /// Title of the mission.
    pub(crate) flash_started: fn(&str) -> String,
    pub(crate) flash_visit: Fixed,
    pub(crate) flash_wait: fn(u32) -> String,
    pub(crate) flash_wrong: fn(Option<u32>) -> String,
    pub(crate) flash_paid: Fixed,
    pub(crate) flash_checking: Fixed,
    pub(crate) flash_again: Fixed,
    pub(crate) flash_no_answer: Fixed,
    pub(crate) nudge: fn(Nudge) -> Fixed,
}

/// One step.
pub(crate) struct Step {
    /// Spoken instead of the number in the circle.
    pub(crate) number: fn(u32) -> String,
    /// State; the strings are the amount and the date it needs.
    pub(crate) state: fn(&StepState, &str, &str) -> String,
    pub(crate) why: fn(Why) -> Fixed,
    /// Date.
    pub(crate) until: fn(&str) -> String,
    pub(crate) within_days: fn(u32) -> String,
    /// Done, limit.
    pub(crate) times: fn(u32, u32) -> String,
    /// Reward.
    pub(crate) each: fn(&str) -> String,
    pub(crate) ask: Fixed,
    /// Seconds, formatted.
    pub(crate) visit_hint: fn(&str) -> String,
    pub(crate) visit_start: Fixed,
    pub(crate) visit_open: Fixed,
    pub(crate) visit_back: Fixed,
    pub(crate) quiz_send: Fixed,
    pub(crate) tries_left: fn(u32) -> String,
    pub(crate) check_in: Fixed,
    /// Date.
    pub(crate) check_in_next: fn(&str) -> String,
}

/// The wallet.
pub(crate) struct Wallet {
    pub(crate) balance: Fixed,
    pub(crate) pending: Fixed,
    pub(crate) pending_hint: Fixed,
    pub(crate) tabs: Fixed,
    pub(crate) tab: fn(WalletTab) -> Fixed,
    pub(crate) entries: Fixed,
    pub(crate) older: Fixed,
    pub(crate) reference: Fixed,
    /// Tab, name of the currency.
    pub(crate) empty: fn(WalletTab, &str) -> Advice,
    pub(crate) see_missions: Fixed,
}

/// Notices.
pub(crate) struct Notice {
    /// Refusal, date of the next places, name of the app.
    pub(crate) refused: fn(Refusal, &str, &str) -> Advice,
    /// Name of the app.
    pub(crate) session_expired: fn(&str) -> Advice,
    pub(crate) not_found: fn() -> Advice,
    pub(crate) form_expired: fn() -> Advice,
    pub(crate) too_fast: fn() -> Advice,
    /// Name of the app.
    pub(crate) maintenance: fn(&str) -> Advice,
    pub(crate) server_error: fn() -> Advice,
    pub(crate) retry: Fixed,
    pub(crate) to_missions: Fixed,
    pub(crate) to_mission: Fixed,
    pub(crate) similar: Fixed,
    pub(crate) reference: Fixed,
}

/// What happened, why, and what to do: the three things every bad news says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) title: String,
    pub(crate) why: String,
    pub(crate) what: String,
}

impl Advice {
    pub(crate) fn new(title: &str, why: &str, what: &str) -> Self {
        Self { title: title.to_owned(), why: why.to_owned(), what: what.to_owned() }
    }
}
