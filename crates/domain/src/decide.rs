//! The decision: which missions a user may see now, and why not the others.
//!
//! There is one set of rules ([`Rule`]), asked in one fixed order. [`offers`] finds everything that
//! passes, [`check`] asks them of one mission when the user taps it, and [`explain()`] writes down every
//! answer. They share the code and the compiled targeting, so no mission of a list is refused at
//! participation unless something changed in between ("no dead cards").
//!
//! Deciding reads the snapshot, one user and the known budget levels; it changes nothing.

mod assortment;
mod case;
mod explain;
mod history;
mod levels;
mod pacing;
mod rule;

use std::sync::Arc;

use crate::catalog::{LineItem, Mission};
use crate::ids::{AdGroupId, MissionId, UnitId};
use crate::money::{Micros, Points};
use crate::rules;
use crate::snapshot::{Price, Snapshot, reward_total};
use crate::time::Timestamp;
use crate::user::{Enrollment, Phase, UserState};
use crate::verdict::Refusal;

pub use assortment::{Assortment, Class, Listing, Withheld, changes_offers};
use case::Asked;
pub(crate) use case::NEW_USERS_ONLY;
pub use explain::{RuleVerdict, explain};
pub use levels::Levels;
pub use pacing::{HEAD_START_PERMILLE, hold_for, paced_ceiling, starting_move};
pub use rule::Rule;

/// Who asks, where and when.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The catalogue.
    pub snapshot: &'a Snapshot,
    /// The user. His app decides what he is paid in.
    pub user: &'a UserState,
    /// The placement that shows the missions; one of another app shows none.
    pub unit: UnitId,
    /// The time.
    pub now: Timestamp,
    /// What is known of the budgets.
    pub levels: &'a Levels,
}

/// A mission that the user may start now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer<'a> {
    /// The mission's latest version.
    pub mission: &'a Arc<Mission>,
    /// Who pays.
    pub line_item: &'a LineItem,
    /// The best of the line item's ad groups that the user fits.
    pub ad_group: AdGroupId,
    /// The ad group's expected value, in the line item's currency.
    pub expected: Micros,
    /// What each step pays, in the order of the mission's steps.
    pub prices: &'a [Price],
    /// All that it can pay.
    pub pays: Points,
    /// Its place among all offers of this revision; unique and the same for every user, so a list
    /// can be continued after it.
    pub place: u32,
    /// Where that version of the mission is among [`Snapshot::versions`].
    pub version_place: usize,
}

/// Why a mission may not be started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Refused {
    /// What the user is told.
    pub refusal: Refusal,
    /// The first rule that said no.
    pub rule: Rule,
}

impl From<Rule> for Refused {
    fn from(rule: Rule) -> Self {
        Self { refusal: rule.refusal(), rule }
    }
}

/// Everything that the user may start now and has not started yet: by priority and then by expected
/// value, the highest first, and then by number. Amounts of different currencies are compared as
/// they stand; whoever sells in several puts them apart by priority.
///
/// A line item is offered through the best ad group that the user fits, never twice. It costs an
/// [`Assortment`] and then what is left of it for the user; whoever lists often keeps assortments.
#[must_use]
pub fn offers<'a>(situation: &Situation<'a>) -> Vec<Offer<'a>> {
    let listing = Listing::of(*situation);
    listing.offers(&listing.assortment())
}

/// Whether the user may start `mission` now, and on what terms.
///
/// # Errors
/// The first rule that says no. Where no ad group fits, it is the rule at which the one that came
/// furthest failed.
pub fn check<'a>(situation: &Situation<'a>, mission: MissionId) -> Result<Offer<'a>, Refused> {
    let asked = Asked::new(*situation);
    let case = asked.case(mission)?;
    case.asks_before()?;
    let rank = case.best_group()?;
    case.asks_after()?;
    let prices = case.prices().ok_or(Rule::Currency)?;
    let pays = reward_total(&case.slot.mission, prices);
    Ok(case.offer(rank, pays).ok_or(Rule::Currency)?)
}

/// The user's runs that can still earn: open ones, and completed ones with extra steps left, before
/// their deadline. The nearest deadline comes first, then the lower id.
#[must_use]
pub fn runs<'a>(situation: &Situation<'a>) -> Vec<&'a Enrollment> {
    let all = situation.user.enrollments.iter();
    let mut runs: Vec<&Enrollment> = all.filter(|run| can_earn(situation, run)).collect();
    runs.sort_by_key(|run| (run.deadline, run.id));
    runs
}

fn can_earn(situation: &Situation<'_>, run: &Enrollment) -> bool {
    let has_steps_left = || {
        let mission = situation.snapshot.mission_version(run.mission, run.version);
        mission.is_some_and(|mission| rules::has_steps_left(run, mission))
    };
    situation.now <= run.deadline
        && match run.phase {
            Phase::Open => true,
            Phase::Completed => has_steps_left(),
            Phase::Expired | Phase::Closed | Phase::Voided => false,
        }
}
