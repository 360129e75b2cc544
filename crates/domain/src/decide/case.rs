//! One user and one mission before the rules.

use super::history::History;
use super::pacing::{budget_changes_at, start_holding};
use super::{Offer, Rule, Situation};
use crate::budget::{Breach, BudgetMove, Guard, Level, Limits};
use crate::catalog::{App, LineItem, LineItemStatus, MissionStatus};
use crate::ids::{MissionId, Mode};
use crate::money::{Micros, Points};
use crate::snapshot::{Line, Price, PriceBook, Sieve, Slot};
use crate::time::{Day, Timestamp};
use crate::user::ENROLLMENTS_MAX;

/// The requirement of a mission that is only for users who do not have the advertised app.
pub(crate) const NEW_USERS_ONLY: &str = "new_users_only";

macro_rules! asked_in_order {
    ($($(#[$doc:meta])* $([$test:ident])? $list:ident, $ask:ident: $($rule:ident),+;)+) => {
        $(
            $(#[$doc])*
            $(#[cfg($test)])?
            pub(crate) const $list: &[Rule] = &[$(Rule::$rule),+];
        )+

        impl Case<'_, '_> {
            $(
                $(#[$doc])*
                pub(crate) fn $ask(&self) -> Result<(), Rule> {
                    // One by one rather than in a loop: the compiler then knows each rule.
                    $(if !self.passes(Rule::$rule) {
                        return Err(Rule::$rule);
                    })+
                    Ok(())
                }
            )+
        }
    };
}

asked_in_order! {
    /// The rules that are asked before any ad group is looked at.
    BEFORE_AD_GROUPS, asks_before:
        UserBlocked,
        MissionActive,
        LineItemRunning,
        Flight,
        UnitOfApp,
        Currency,
        AlreadyStarted,
        AdvertisedAppDone,
        Prerequisites;
    /// The rules that are asked once an ad group fits.
    AFTER_AD_GROUPS, asks_of_user: NewUsersOnly, UserCapTotal, UserCapDaily, EnrollmentsMax;
    /// Of both, the rules that give one answer for everybody of a [`super::Class`].
    [test] OF_CLASS, asks_class: MissionActive, LineItemRunning, Flight, UnitOfApp, Currency;
    /// And the rules that a user's own history answers, for each mission.
    [test] OF_HISTORY, asks_history:
        AlreadyStarted, AdvertisedAppDone, Prerequisites, NewUsersOnly, UserCapTotal, UserCapDaily;
    /// Those that it answers for all missions at once.
    [test] OF_USER, asks_user: UserBlocked, EnrollmentsMax;
}

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
    is_unit_of_app: bool,
    prices: Option<PriceBook<'a>>,
}

/// One mission that has a line item, in a situation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'r, 'a> {
    pub(crate) asked: &'r Asked<'a>,
    /// The slot's number.
    pub(crate) number: usize,
    pub(crate) slot: &'a Slot,
    pub(crate) line: &'a Line,
    pub(crate) line_item: &'a LineItem,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(situation: Situation<'a>) -> Self {
        let Situation { snapshot, user, unit, .. } = situation;
        Self {
            app: snapshot.catalog().apps.get(&user.app),
            history: History::new(snapshot, user),
            sieve: snapshot.targets().sieve(user, unit),
            is_unit_of_app: is_unit_of_app(&situation),
            prices: snapshot.price_book(user.app),
            situation,
        }
    }

    /// Whether the placement belongs to the user's app.
    pub(crate) fn is_unit_of_app(&self) -> bool {
        self.is_unit_of_app
    }

    /// Whether a participation moves a budget at all: a test user's does not.
    pub(crate) fn is_budgeted(&self) -> bool {
        self.situation.user.mode == Mode::Live
    }

    /// The places of the line items of which a mission may be refused because of one of the user's
    /// runs, sorted.
    pub(crate) fn touched_lines(&self) -> Vec<u32> {
        let ranking = self.situation.snapshot.ranking();
        let runs = &self.situation.user.enrollments;
        let mut touched = Vec::with_capacity(2 * runs.len());
        for run in runs {
            touched.extend(ranking.place_of_line(run.line_item));
            let slot = ranking.slot_of(run.mission);
            touched.extend(slot.map(|slot| ranking.slots()[slot].line as u32));
        }
        for app in self.history.apps_done() {
            touched.extend(ranking.advertising(app));
        }
        touched.sort_unstable();
        touched.dedup();
        touched
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
            Some(number) => Ok(self.case_of_slot(number)),
            None => Err(match snapshot.catalog().missions.get(&mission) {
                Some(row) if row.status == MissionStatus::Active => Rule::LineItemRunning,
                Some(_) | None => Rule::MissionActive,
            }),
        }
    }

    /// The case of the mission in that slot, which must exist.
    pub(crate) fn case_of_slot(&self, number: usize) -> Case<'_, 'a> {
        let ranking = self.situation.snapshot.ranking();
        let slot = &ranking.slots()[number];
        let line = ranking.line(slot.line);
        Case { asked: self, number, slot, line, line_item: &line.row }
    }
}

impl<'a> Case<'_, 'a> {
    /// Asks what is asked once an ad group fits.
    pub(crate) fn asks_after(&self) -> Result<(), Rule> {
        self.asks_of_user()?;
        self.asks_budget()
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

    /// What each step of the mission pays in the user's app; `None` if it cannot be paid there.
    pub(crate) fn prices(&self) -> Option<&'a [Price]> {
        self.asked.prices.and_then(|book| book.list(self.number))
    }

    /// Whether every user is asked about the mission, whatever his runs are.
    pub(crate) fn is_asked_of_all(&self) -> bool {
        let caps = self.line_item.caps;
        let is_shut = [caps.per_user, caps.per_user_daily].contains(&Some(0));
        is_shut || self.slot.is_for_new_users || !self.slot.mission.prerequisites.is_empty()
    }

    /// When the clock may next change an answer about the mission.
    pub(crate) fn changes_at(&self) -> Timestamp {
        let now = self.asked.situation.now;
        let flight = self.line_item.flight;
        let flights = [Some(flight.starts_at), flight.ends_at];
        let later = flights.into_iter().flatten().filter(|at| *at > now).min();
        let budget = self.asked.is_budgeted().then(|| budget_changes_at(self.line_item, now));
        later.into_iter().chain(budget).min().unwrap_or(Timestamp(i64::MAX))
    }

    /// The offer through the ad group of that rank, which pays that much in all.
    pub(crate) fn offer(&self, rank: u32, pays: Points) -> Option<Offer<'a>> {
        let group = self.asked.situation.snapshot.ranking().group(rank);
        debug_assert_eq!(self.asked.sieve.first_failing(rank), None, "bulk and single agree");
        Some(Offer {
            mission: &self.slot.mission,
            line_item: self.line_item,
            ad_group: group.id,
            expected: group.expected,
            prices: self.prices()?,
            pays,
            place: group.first_place.saturating_add((self.number - self.line.slots.start) as u32),
            version_place: self.slot.version_place as usize,
        })
    }

    /// Whether a rule of the mission says yes. Rules of ad groups are asked of each by the sieve.
    #[inline(always)]
    pub(crate) fn passes(&self, rule: Rule) -> bool {
        let Situation { snapshot, user, now, .. } = self.asked.situation;
        let (history, mission, caps) =
            (&self.asked.history, &self.slot.mission, self.line_item.caps);
        match rule {
            Rule::UserBlocked => !user.blocked,
            Rule::MissionActive => mission.status == MissionStatus::Active,
            Rule::LineItemRunning => self.line_item.status == LineItemStatus::Running,
            Rule::Flight => {
                let flight = self.line_item.flight;
                flight.starts_at <= now && flight.ends_at.is_none_or(|end| now < end)
            }
            Rule::UnitOfApp => self.asked.is_unit_of_app,
            Rule::Currency => self
                .asked
                .app
                .is_some_and(|app| app.currency.rates.contains_key(&self.line_item.currency)),
            Rule::AlreadyStarted => history.run_of(mission.id).is_none(),
            Rule::AdvertisedAppDone => self.other_mission_done().is_none(),
            Rule::Prerequisites => {
                mission.prerequisites.iter().all(|&one| history.has_completed(snapshot, one))
            }
            Rule::NewUsersOnly => !(self.slot.is_for_new_users && self.has_advertised_app()),
            Rule::UserCapTotal => {
                caps.per_user.is_none_or(|cap| history.starts(self.line_item.id) < cap)
            }
            Rule::UserCapDaily => caps
                .per_user_daily
                .is_none_or(|cap| history.starts_on(self.line_item.id, self.day()) < cap),
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
        self.asked.history.done_for(self.line.advertised?, self.slot.mission.id)
    }

    /// Whether the user has the advertised app installed.
    pub(crate) fn has_advertised_app(&self) -> bool {
        self.line.advertised.is_some_and(|app| self.asked.history.has_installed(app))
    }

    /// The budget move that a participation would make now.
    pub(crate) fn starting_move(&self) -> BudgetMove {
        start(self.slot, self.line, self.asked.situation.now)
    }

    /// What is known of the line item's budget.
    pub(crate) fn level(&self) -> Option<&'a Level> {
        self.asked.situation.levels.get(self.line_item.id)
    }

    /// Asks all budget rules at once, with the very move that a participation makes.
    pub(crate) fn asks_budget(&self) -> Result<(), Rule> {
        if !self.asked.is_budgeted() {
            return Ok(());
        }
        let level = self.level().ok_or(Rule::BudgetTotal)?;
        Ok(has_room(level, self.slot, self.line, self.asked.situation.now)?)
    }

    /// Asks one budget rule, the other limits being lifted.
    fn passes_budget(&self, rule: Rule) -> bool {
        let is_budgeted = self.asked.is_budgeted();
        let Some(level) = self.level().filter(|_| is_budgeted) else {
            return !is_budgeted || rule != Rule::BudgetTotal;
        };
        let (limits, by) = alone(rule, level.limits, self.starting_move());
        limits.check(&level.total, &level.on(by.day), &by).is_ok()
    }
}

/// The budget move of a participation in the mission of that slot.
fn start(slot: &Slot, line: &Line, now: Timestamp) -> BudgetMove {
    let day = Day::of(now, line.row.utc_offset);
    start_holding(slot.hold, &line.row, day, now)
}

/// Whether a line item at that level has room for a participation in the mission of that slot.
pub(crate) fn has_room(
    level: &Level,
    slot: &Slot,
    line: &Line,
    now: Timestamp,
) -> Result<(), Breach> {
    let by = start(slot, line, now);
    level.limits.check(&level.total, &level.on(by.day), &by)
}

fn is_unit_of_app(situation: &Situation<'_>) -> bool {
    let unit = situation.snapshot.catalog().units.get(&situation.unit);
    unit.is_some_and(|unit| unit.app_id == situation.user.app)
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
        let parts: [&[Rule]; 4] = [BEFORE_AD_GROUPS, &Rule::OF_AD_GROUPS, AFTER_AD_GROUPS, &BUDGET];
        assert_eq!(parts.concat(), Rule::ALL);
        let mut asked_apart = [OF_USER, OF_CLASS, OF_HISTORY].concat();
        asked_apart.sort_unstable();
        assert_eq!(asked_apart, [BEFORE_AD_GROUPS, AFTER_AD_GROUPS].concat());
        for rule in Rule::ALL {
            assert_eq!(rule.is_of_ad_groups(), Rule::OF_AD_GROUPS.contains(rule));
            assert_eq!(Rule::parse(rule.code()), Some(*rule));
        }
    }
}
