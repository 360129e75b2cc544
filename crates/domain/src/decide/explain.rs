//! Every rule with its verdict, in plain words: "why does this user not see this mission?"
//!
//! The verdicts come from the code and the compiled sets that decide; only the words are made here.

use std::fmt::Display;

use super::case::{AFTER_AD_GROUPS, Asked, BEFORE_AD_GROUPS, BUDGET, Case};
use super::{Rule, Situation};
use crate::budget::{Guard, Level};
use crate::catalog::{LineItemStatus, Targeting};
use crate::ids::{AdGroupId, MissionId};
use crate::money::Micros;
use crate::targeting::{OsVersion, Profile};
use crate::user::ENROLLMENTS_MAX;
use crate::words::counted;

/// The verdict of one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleVerdict {
    /// The rule.
    pub rule: Rule,
    /// The ad group that it was asked of; `None` for a rule of the mission.
    pub ad_group: Option<AdGroupId>,
    /// Whether it said yes.
    pub passed: bool,
    /// What was compared with what, in plain words.
    pub detail: String,
}

/// Every rule for this user and mission, in the order of [`Rule::ALL`]; the rules of ad groups come
/// once for each ad group of the line item, the best first. The mission may be started if every rule
/// of the mission passes, and all the rules of at least one ad group.
///
/// Where the mission or its line item is missing, the list is short and ends with the rule that says so.
#[must_use]
pub fn explain(situation: &Situation<'_>, mission: MissionId) -> Vec<RuleVerdict> {
    let asked = Asked::new(*situation);
    let case = match asked.find(mission) {
        Ok(case) => case,
        Err(rule) => return vec![blocked(situation), missing(rule)],
    };
    let of_mission = |&rule: &Rule| RuleVerdict {
        rule,
        ad_group: None,
        passed: case.passes(rule),
        detail: detail(&case, rule),
    };
    let mut verdicts: Vec<RuleVerdict> = BEFORE_AD_GROUPS.iter().map(of_mission).collect();
    verdicts.extend(of_ad_groups(&case));
    verdicts.extend(AFTER_AD_GROUPS.iter().chain(&BUDGET).map(of_mission));
    verdicts
}

fn of_ad_groups(case: &Case<'_, '_>) -> Vec<RuleVerdict> {
    let Situation { snapshot, .. } = case.asked.situation;
    let ranks = &snapshot.ranking().line(case.slot.line).ranks;
    if ranks.is_empty() {
        let detail = "the line item has no ad group".to_owned();
        let rule = Rule::AdGroupActive;
        return vec![RuleVerdict { rule, ad_group: None, passed: false, detail }];
    }
    let rows = ranks.iter().filter_map(|&rank| {
        let id = snapshot.ranking().group(rank).id;
        Some((rank, snapshot.catalog().ad_groups.get(&id)?))
    });
    rows.flat_map(|(rank, row)| {
        Rule::OF_AD_GROUPS.map(|rule| {
            let passed = case.asked.sieve.passes(rule, rank);
            let detail = match rule {
                Rule::AdGroupActive if passed => "the ad group is active".to_owned(),
                Rule::AdGroupActive => "the ad group is paused".to_owned(),
                _ => targeting_detail(&case.asked.situation, &row.targeting, rule),
            };
            RuleVerdict { rule, ad_group: Some(row.id), passed, detail }
        })
    })
    .collect()
}

fn blocked(situation: &Situation<'_>) -> RuleVerdict {
    let is_blocked = situation.user.blocked;
    let detail = format!("the user is {}", if is_blocked { "blocked" } else { "not blocked" });
    RuleVerdict { rule: Rule::UserBlocked, ad_group: None, passed: !is_blocked, detail }
}

fn missing(rule: Rule) -> RuleVerdict {
    let detail = match rule {
        Rule::LineItemRunning => "the mission's line item is deleted",
        _ => "there is no such mission, or it is paused and its line item is deleted",
    };
    RuleVerdict { rule, ad_group: None, passed: false, detail: detail.to_owned() }
}

/// What a rule of the mission compared.
fn detail(case: &Case<'_, '_>, rule: Rule) -> String {
    let mission = &case.slot.mission;
    match rule {
        Rule::UserBlocked => blocked(&case.asked.situation).detail,
        Rule::MissionActive => format!("the mission is {:?}", mission.status).to_lowercase(),
        Rule::LineItemRunning => format!("the line item is {}", status(case.line_item.status)),
        Rule::Flight => flight(case),
        Rule::UnitOfApp => unit_of_app(case),
        Rule::Currency => currency(case),
        Rule::AlreadyStarted => match case.asked.history.run_of(mission.id) {
            Some(run) => format!("the user started the mission at {}", run.started_at),
            None => "the user has never started the mission".to_owned(),
        },
        Rule::AdvertisedAppDone => advertised_app(case),
        Rule::Prerequisites => prerequisites(case),
        Rule::NewUsersOnly => new_users(case),
        Rule::UserCapTotal => {
            let used = case.asked.history.starts(case.line_item.id);
            user_cap(used, case.line_item.caps.per_user, "")
        }
        Rule::UserCapDaily => {
            let used = case.asked.history.starts_on(case.line_item.id, case.day());
            user_cap(used, case.line_item.caps.per_user_daily, " today")
        }
        Rule::EnrollmentsMax => {
            let runs = counted(case.asked.history.len(), "run");
            format!("the user has {runs}; {ENROLLMENTS_MAX} is the most")
        }
        _ => budget(case, rule),
    }
}

fn status(status: LineItemStatus) -> &'static str {
    match status {
        LineItemStatus::Draft => "a draft, not running yet",
        LineItemStatus::Running => "running",
        LineItemStatus::Paused => "paused",
        LineItemStatus::Ended => "ended",
    }
}

fn flight(case: &Case<'_, '_>) -> String {
    let flight = case.line_item.flight;
    let (now, start) = (case.asked.situation.now, flight.starts_at);
    match flight.ends_at {
        Some(end) => format!("it is {now}; the flight is from {start} to before {end}"),
        None => format!("it is {now}; the flight is from {start} on, without an end"),
    }
}

fn unit_of_app(case: &Case<'_, '_>) -> String {
    let Situation { snapshot, user, unit, .. } = case.asked.situation;
    match snapshot.catalog().units.get(&unit) {
        Some(row) => {
            format!("unit {unit} is in app {}; the user is of app {}", row.app_id, user.app)
        }
        None => format!("there is no unit {unit}; the user is of app {}", user.app),
    }
}

fn currency(case: &Case<'_, '_>) -> String {
    let pays = case.line_item.currency;
    match case.asked.app {
        Some(app) => {
            let rates = list(app.currency.rates.keys());
            format!("the line item pays in {pays}; the app has rates for {rates}")
        }
        None => format!(
            "the line item pays in {pays}; there is no app {}",
            case.asked.situation.user.app
        ),
    }
}

fn advertised_app(case: &Case<'_, '_>) -> String {
    let Some(app) = &case.line_item.advertised_app else {
        return "the line item advertises no app".to_owned();
    };
    match case.other_mission_done() {
        Some(other) => {
            format!("the line item advertises {app}; the user did mission {other} for it")
        }
        None => format!("the line item advertises {app}; the user did no other mission for it"),
    }
}

fn prerequisites(case: &Case<'_, '_>) -> String {
    let Situation { snapshot, .. } = case.asked.situation;
    let before = &case.slot.mission.prerequisites;
    let is_open = |one: &&MissionId| !case.asked.history.has_completed(snapshot, **one);
    let open = list(before.iter().filter(is_open));
    format!("missions that come before: {}; not completed: {open}", list(before))
}

fn new_users(case: &Case<'_, '_>) -> String {
    let audience = if case.slot.is_for_new_users { "new users only" } else { "new and old users" };
    let Some(app) = &case.line_item.advertised_app else {
        return format!("the mission is for {audience}; the line item advertises no app");
    };
    let has = if case.has_advertised_app() { "has it" } else { "is not known to have it" };
    format!("the mission is for {audience} of {app}; the user {has} installed")
}

fn user_cap(used: u32, cap: Option<u32>, when: &str) -> String {
    let cap = cap.map_or_else(|| "as many as he likes".to_owned(), |cap| cap.to_string());
    let missions = counted(used, "mission");
    format!("the user has started {missions} of the line item{when}; he may start {cap}")
}

fn budget(case: &Case<'_, '_>, rule: Rule) -> String {
    if !case.asked.is_budgeted() {
        return "test users touch no budget".to_owned();
    }
    let Some(level) = case.level() else {
        return "no budget has been set up for the line item yet".to_owned();
    };
    let by = case.starting_move();
    let today = level.on(by.day);
    let money = |used: Micros, limit: Option<Micros>, what: &str| {
        let (used, asked) = (used.0, by.held.0);
        match limit {
            Some(Micros(limit)) => format!(
                "{what}: {used} of {limit} micro-units are used, and a participation needs {asked}"
            ),
            None => format!("{what}: {used} micro-units are used, and there is no limit"),
        }
    };
    let starts = |used: u32, limit: Option<u32>, when: &str| match limit {
        Some(limit) => format!("participations{when}: {used} of {limit} are used"),
        None => format!("participations{when}: {used} are used, and there is no limit"),
    };
    let Level { limits, total, .. } = level;
    match rule {
        Rule::BudgetTotal => money(total.committed(), Some(limits.total), "budget"),
        Rule::BudgetDaily => money(today.committed(), limits.daily, "budget of the day"),
        Rule::Pacing => match by.guard {
            Guard::Start { paced } => money(today.committed(), paced, "paced part of the day"),
            Guard::Extra | Guard::Free => "not paced".to_owned(),
        },
        Rule::CapTotal => starts(total.starts, limits.starts, ""),
        _ => starts(today.starts, limits.daily_starts, " today"),
    }
}

/// What a rule of an ad group compared: what is known of the user, and what is asked.
fn targeting_detail(situation: &Situation<'_>, asked: &Targeting, rule: Rule) -> String {
    let profile: &Profile = &situation.user.profile;
    let apps = || list(&profile.installed_apps);
    let segments = || list(&situation.user.segments);
    let (known, wanted) = match rule {
        Rule::Country => {
            let country = profile.country.as_ref().map(|one| one.as_str());
            (known(country), list(asked.countries.iter().map(|one| one.as_str())))
        }
        Rule::Platform => {
            let platform = profile.platform.map(|one| one.name());
            (known(platform), list(asked.platforms.iter().map(|one| one.name())))
        }
        Rule::OsVersion => {
            let range =
                asked.os_version.map(|range| (range.min.map(version), range.max.map(version)));
            (known(profile.os_version.map(version)), range.map_or_else(anybody, range_words))
        }
        Rule::Age => {
            let range = asked.age.map(|range| (Some(range.min), Some(range.max)));
            (known(profile.age), range.map_or_else(anybody, range_words))
        }
        Rule::Gender => {
            let gender = profile.gender.map(|one| one.name());
            (known(gender), list(asked.genders.iter().map(|one| one.name())))
        }
        Rule::Language => {
            let language = Some(profile.language.as_str()).filter(|one| !one.is_empty());
            (known(language), list(&asked.languages))
        }
        Rule::Unit => (situation.unit.to_string(), list(&asked.units)),
        Rule::Installed => (apps(), list(&asked.installed)),
        Rule::NotInstalled => (apps(), list(&asked.not_installed)),
        Rule::Segment => (segments(), list(&asked.segments)),
        _ => (segments(), list(&asked.not_segments)),
    };
    let verb =
        if matches!(rule, Rule::NotInstalled | Rule::NotSegment) { "excludes" } else { "asks for" };
    let wanted = if wanted == NOTHING && verb == "asks for" { anybody() } else { wanted };
    format!("{known} is known of the user; the ad group {verb} {wanted}")
}

/// How an empty list reads.
const NOTHING: &str = "none";

/// Most entries of a list that are written out; a user may have hundreds of apps.
const LIST_MAX: usize = 20;

fn anybody() -> String {
    "anything".to_owned()
}

fn known<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        return NOTHING.to_owned();
    }
    let more = items.len().saturating_sub(LIST_MAX);
    items.truncate(LIST_MAX);
    let shown = items.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

fn range_words<T: Display>((min, max): (Option<T>, Option<T>)) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any that is known".to_owned(),
    }
}

/// A version as people write it; a part that is "as high as can be" is left out.
fn version(version: OsVersion) -> String {
    let parts = [version.major, version.minor, version.patch];
    let parts = parts.iter().take_while(|part| **part != u16::MAX).map(u16::to_string);
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(list::<u32>([]), "none");
        assert_eq!(list([1, 2]), "1, 2");
        assert!(list(0..100).ends_with("19 and 80 more"));
    }
}
