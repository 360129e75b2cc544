//! One user and one mission before the rules.

use super::history::History;
use super::{Offer, Rule, Situation, starting_move};
use crate::budget::{BudgetMove, Guard, Level, Limits};
use crate::catalog::{App, LineItem, LineItemStatus, MissionStatus};
use crate::ids::{MissionId, Mode};
use crate::money::Micros;
use crate::snapshot::{Sieve, Slot};
use crate::time::Day;
use crate::user::ENROLLMENTS_MAX;

/// The requirement of a mission that is only for users who do not have the advertised app.
pub(crate) const NEW_USERS_ONLY: &str = "new_users_only";

/// The rules that are asked before any ad group is looked at.
pub(crate) const BEFORE_AD_GROUPS: [Rule; 9] = [
    Rule::UserBlocked,
    Rule::MissionActive,
    Rule::LineItemRunning,
    Rule::Flight,
    Rule::UnitOfApp,
    Rule::Currency,
    Rule::AlreadyStarted,
    Rule::AdvertisedAppDone,
    Rule::Prerequisites,
];

/// The rules that are asked once an ad group fits.
pub(crate) const AFTER_AD_GROUPS: [Rule; 4] =
    [Rule::NewUsersOnly, Rule::UserCapTotal, Rule::UserCapDaily, Rule::EnrollmentsMax];

/// The rules of the budget, in the order of [`Limits::check`].
pub(crate) const BUDGET: [Rule; 5] =
    [Rule::BudgetTotal, Rule::BudgetDaily, Rule::Pacing, Rule::CapTotal, Rule::CapDaily];

/// A situation with everything that is looked up once for all missions.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) situation: Situation<'a>,
    pub(crate) app: Option<&'a App>,
    pub(crate) history: History<'a>,
    pub(crate) sieve: Sieve<'a>,
}

/// One mission that has a line item, in a situation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'r, 'a> {
    pub(crate) asked: &'r Asked<'a>,
    pub(crate) number: usize,
    pub(crate) slot: &'a Slot,
    pub(crate) line_item: &'a LineItem,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(situation: Situation<'a>) -> Self {
        let Situation { snapshot, user, unit, .. } = situation;
        Self {
            app: snapshot.catalog().apps.get(&user.app),
            history: History::new(snapshot, user),
            sieve: snapshot.targets().sieve(user, unit),
            situation,
        }
    }

    /// The case of that mission, or the rule that fails because something is not there at all.
    pub(crate) fn case(&self, mission: MissionId) -> Result<Case<'_, 'a>, Rule> {
        if self.situation.user.blocked {
            return Err(Rule::UserBlocked);
        }
        self.find(mission)
    }

    /// The case of that mission, whoever asks.
    pub(crate) fn find(&self, mission: MissionId) -> Result<Case<'_, 'a>, Rule> {
        let snapshot = self.situation.snapshot;
        match snapshot.ranking().slot_of(mission) {
            Some(number) => self.case_of_slot(number),
            None => Err(match snapshot.catalog().missions.get(&mission) {
                Some(row) if row.status == MissionStatus::Active => Rule::LineItemRunning,
                Some(_) | None => Rule::MissionActive,
            }),
        }
    }

    /// The case of the mission in that slot, which must exist.
    pub(crate) fn case_of_slot(&self, number: usize) -> Result<Case<'_, 'a>, Rule> {
        let snapshot = self.situation.snapshot;
        let slot = &snapshot.ranking().slots()[number];
        let line_item = snapshot.catalog().line_items.get(&slot.mission.line_item_id);
        let line_item = line_item.ok_or(Rule::LineItemRunning)?;
        Ok(Case { asked: self, number, slot, line_item })
    }
}

impl<'a> Case<'_, 'a> {
    /// Asks what is asked before any ad group is looked at.
    pub(crate) fn asks_before(&self) -> Result<(), Rule> {
        self.asks(&BEFORE_AD_GROUPS)
    }

    /// Asks what is asked once an ad group fits.
    pub(crate) fn asks_after(&self) -> Result<(), Rule> {
        self.asks(&AFTER_AD_GROUPS)?;
        self.asks_budget()
    }

    fn asks(&self, rules: &[Rule]) -> Result<(), Rule> {
        match rules.iter().find(|rule| !self.passes(**rule)) {
            Some(rule) => Err(*rule),
            None => Ok(()),
        }
    }

    /// The best rank at which the user fits, or the rule at which the ad group that came furthest
    /// failed.
    pub(crate) fn best_group(&self) -> Result<u32, Rule> {
        let ranking = self.asked.situation.snapshot.ranking();
        let mut furthest = Rule::AdGroupActive;
        for &rank in &ranking.line(self.slot.line).ranks {
            match self.asked.sieve.first_failing(rank) {
                None => return Ok(rank),
                Some(rule) => furthest = furthest.max(rule),
            }
        }
        Err(furthest)
    }

    /// The offer through the ad group of that rank.
    pub(crate) fn offer(&self, rank: u32) -> Result<Offer<'a>, Rule> {
        let Situation { snapshot, user, .. } = self.asked.situation;
        let group = snapshot.ranking().group(rank);
        let first = snapshot.ranking().line(self.slot.line).slots.start;
        let prices = snapshot.prices_of_slot(user.app, self.number).ok_or(Rule::Currency)?;
        debug_assert_eq!(self.asked.sieve.first_failing(rank), None, "bulk and single agree");
        Ok(Offer {
            mission: &self.slot.mission,
            line_item: self.line_item,
            ad_group: group.id,
            expected: group.expected,
            prices,
            place: group.first_place.saturating_add((self.number - first) as u32),
        })
    }

    /// Whether a rule of the mission says yes. Rules of ad groups are asked of each by the sieve.
    pub(crate) fn passes(&self, rule: Rule) -> bool {
        let Situation { snapshot, user, now, .. } = self.asked.situation;
        let (history, mission, caps) =
            (&self.asked.history, &self.slot.mission, self.line_item.caps);
        let has_left = |cap: Option<u32>, used: u32| cap.is_none_or(|cap| used < cap);
        match rule {
            Rule::UserBlocked => !user.blocked,
            Rule::MissionActive => mission.status == MissionStatus::Active,
            Rule::LineItemRunning => self.line_item.status == LineItemStatus::Running,
            Rule::Flight => {
                let flight = self.line_item.flight;
                flight.starts_at <= now && flight.ends_at.is_none_or(|end| now < end)
            }
            Rule::UnitOfApp => self.is_unit_of_app(),
            Rule::Currency => self
                .asked
                .app
                .is_some_and(|app| app.currency.rates.contains_key(&self.line_item.currency)),
            Rule::AlreadyStarted => history.run_of(mission.id).is_none(),
            Rule::AdvertisedAppDone => self.other_mission_done().is_none(),
            Rule::Prerequisites => {
                mission.prerequisites.iter().all(|&one| history.has_completed(snapshot, one))
            }
            Rule::NewUsersOnly => !(self.is_for_new_users() && self.has_advertised_app()),
            Rule::UserCapTotal => has_left(caps.per_user, history.starts(self.line_item.id)),
            Rule::UserCapDaily => {
                has_left(caps.per_user_daily, history.starts_on(self.line_item.id, self.day()))
            }
            Rule::EnrollmentsMax => history.len() < ENROLLMENTS_MAX,
            _ if BUDGET.contains(&rule) => self.passes_budget(rule),
            _ => true,
        }
    }

    /// Today, as the line item counts days.
    pub(crate) fn day(&self) -> Day {
        Day::of(self.asked.situation.now, self.line_item.utc_offset)
    }

    /// Another mission for the same advertised app that the user has done.
    pub(crate) fn other_mission_done(&self) -> Option<MissionId> {
        let app = self.asked.situation.snapshot.advertised().by(self.line_item.id)?;
        self.asked.history.done_for(app, self.slot.mission.id)
    }

    /// Whether the mission is only for users who do not have the advertised app.
    pub(crate) fn is_for_new_users(&self) -> bool {
        self.slot.mission.requirements.iter().any(|one| one == NEW_USERS_ONLY)
    }

    /// Whether the user has the advertised app installed.
    pub(crate) fn has_advertised_app(&self) -> bool {
        let app = self.asked.situation.snapshot.advertised().by(self.line_item.id);
        app.is_some_and(|app| self.asked.history.has_installed(app))
    }

    /// The budget move that a participation would make now.
    pub(crate) fn starting_move(&self) -> BudgetMove {
        let now = self.asked.situation.now;
        starting_move(self.line_item, &self.slot.mission, self.day(), now)
    }

    /// What is known of the line item's budget.
    pub(crate) fn level(&self) -> Option<&'a Level> {
        self.asked.situation.levels.get(self.line_item.id)
    }

    /// Whether a participation moves a budget at all: a test user's does not.
    pub(crate) fn is_budgeted(&self) -> bool {
        self.asked.situation.user.mode == Mode::Live
    }

    fn is_unit_of_app(&self) -> bool {
        let Situation { snapshot, user, unit, .. } = self.asked.situation;
        snapshot.catalog().units.get(&unit).is_some_and(|row| row.app_id == user.app)
    }

    /// Asks all budget rules at once, with the very move that a participation makes.
    fn asks_budget(&self) -> Result<(), Rule> {
        if !self.is_budgeted() {
            return Ok(());
        }
        let level = self.level().ok_or(Rule::BudgetTotal)?;
        let by = self.starting_move();
        Ok(level.limits.check(&level.total, &level.on(by.day), &by)?)
    }

    /// Asks one budget rule, the other limits being lifted.
    fn passes_budget(&self, rule: Rule) -> bool {
        let Some(level) = self.level().filter(|_| self.is_budgeted()) else {
            return !self.is_budgeted() || rule != Rule::BudgetTotal;
        };
        let (limits, by) = alone(rule, level.limits, self.starting_move());
        limits.check(&level.total, &level.on(by.day), &by).is_ok()
    }
}

/// The limits and the move with only the part in force that the rule is about.
fn alone(rule: Rule, limits: Limits, by: BudgetMove) -> (Limits, BudgetMove) {
    let unlimited = Limits { total: Micros(i64::MAX), ..Limits::default() };
    let unpaced = BudgetMove { guard: Guard::Start { paced: None }, ..by };
    match rule {
        Rule::BudgetTotal => (Limits { total: limits.total, ..unlimited }, unpaced),
        Rule::BudgetDaily => (Limits { daily: limits.daily, ..unlimited }, unpaced),
        Rule::Pacing => (unlimited, by),
        Rule::CapTotal => (Limits { starts: limits.starts, ..unlimited }, unpaced),
        Rule::CapDaily => (Limits { daily_starts: limits.daily_starts, ..unlimited }, unpaced),
        _ => (unlimited, unpaced),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_all_the_rules_in_their_order() {
        let parts: [&[Rule]; 4] =
            [&BEFORE_AD_GROUPS, &Rule::OF_AD_GROUPS, &AFTER_AD_GROUPS, &BUDGET];
        assert_eq!(parts.concat(), Rule::ALL);
        for rule in Rule::ALL {
            assert_eq!(rule.is_of_ad_groups(), Rule::OF_AD_GROUPS.contains(rule));
            assert_eq!(Rule::parse(rule.code()), Some(*rule));
        }
    }
}
