//! Missions: how they present themselves, what they may pay, and in which order.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::{Findings, graph, text};
use crate::catalog::limits::{
    CTA_CHARS_MAX, DESCRIPTION_CHARS_MAX, LIST_MAX, STEPS_MAX, SUMMARY_CHARS_MAX, TITLE_CHARS_MAX,
    TYPICAL_MINUTES_MAX, WINDOW_SECONDS_MAX,
};
use crate::catalog::{
    Catalog, Creative, EntityKind, HoldPolicy, LineItem, Mission, Role, Rule, Sequence, Step,
    Wording,
};
use crate::ids::MissionId;
use crate::money::{MICROS_MAX, Micros};
use crate::user::EVENTS_MAX;

pub(super) fn check(catalog: &Catalog, found: &mut Findings) {
    for mission in catalog.missions.values() {
        found.on(EntityKind::Mission, mission.id.0);
        let line_item = catalog.line_items.get(&mission.line_item_id).map(Arc::as_ref);
        let name = format_args!("line item {}", mission.line_item_id);
        found.refers(line_item.is_some(), "line_item_id", name);
        check_terms(mission, found);
        check_landing(mission, found);
        text::languages(found, "creatives", mission.creatives.iter().map(Creative::language));
        for (at, creative) in mission.creatives.iter().enumerate() {
            check_creative(at, &creative.wording(), found);
        }
        check_steps(mission, found);
        check_payout(mission, line_item, found);
    }
    check_prerequisites(catalog, found);
}

fn check_terms(mission: &Mission, found: &mut Findings) {
    found.check(
        (1..=WINDOW_SECONDS_MAX).contains(&mission.window_seconds),
        "window_seconds",
        format_args!("it must be above 0 and at most {} days", WINDOW_SECONDS_MAX / 86_400),
    );
    found.check(
        mission.typical_minutes.is_none_or(|m| (1..=TYPICAL_MINUTES_MAX).contains(&m)),
        "typical_minutes",
        format_args!("it must be between 1 and {TYPICAL_MINUTES_MAX}"),
    );
    let fits = mission.requirements.len() <= LIST_MAX;
    found.check(fits, "requirements", format_args!("at most {LIST_MAX} conditions"));
    for (at, requirement) in mission.requirements.iter().enumerate() {
        text::word(found, format_args!("requirements[{at}]"), requirement);
    }
}

/// A mission that a partner reports on needs a landing that hands the click id over.
fn check_landing(mission: &Mission, found: &mut Findings) {
    let reported = mission.steps.iter().any(|step| matches!(step.rule, Rule::Event { .. }));
    if reported || !mission.landing_url.is_empty() {
        text::landing_url(found, "landing_url", &mission.landing_url);
    }
    found.check(
        !reported || mission.landing_url.contains("{click_id}"),
        "landing_url",
        "it must hold {click_id}, or no event can be matched to its user",
    );
}

fn check_creative(at: usize, creative: &Wording<'_>, found: &mut Findings) {
    let field = |name: &'static str| fmt::from_fn(move |f| write!(f, "creatives[{at}].{name}"));
    text::line(found, field("title"), creative.title, TITLE_CHARS_MAX);
    text::optional_line(found, field("summary"), creative.summary, SUMMARY_CHARS_MAX);
    text::prose(found, field("description"), creative.description, DESCRIPTION_CHARS_MAX);
    text::optional_line(found, field("cta"), creative.cta, CTA_CHARS_MAX);
    text::prose(found, field("fine_print"), creative.fine_print, DESCRIPTION_CHARS_MAX);
    if let Some(url) = creative.icon_url {
        text::web_url(found, field("icon_url"), url);
    }
    if let Some(url) = creative.image_url {
        text::web_url(found, field("image_url"), url);
    }
}

fn check_steps(mission: &Mission, found: &mut Findings) {
    let all = &mission.steps;
    found.check(
        (1..=STEPS_MAX).contains(&all.len()),
        "steps",
        format_args!("a mission has 1 to {STEPS_MAX} steps"),
    );
    found.check(
        all.is_empty() || all.iter().any(|step| step.role == Role::Required),
        "steps",
        "at least one step must be required, or the mission is never completed",
    );
    let mut seen = BTreeSet::new();
    for (at, step) in all.iter().enumerate() {
        let twice = format_args!("another step has the number {}", step.id);
        found.check(seen.insert(step.id), format_args!("steps[{at}].id"), twice);
        for needed in step.after.iter().filter(|needed| mission.step(**needed).is_none()) {
            found.refers(false, format_args!("steps[{at}].after"), format_args!("step {needed}"));
        }
        steps::check(at, step, found);
    }
    let events = all.iter().map(steps::events_needed).fold(0, u64::saturating_add);
    let message = format_args!("they need {events} events together; one run keeps {EVENTS_MAX}");
    found.check(events <= EVENTS_MAX as u64, "steps", message);
    let circle = graph::circular(&step_needs(mission));
    for (at, step) in all.iter().enumerate() {
        found.check(
            !circle.contains(&step.id.0),
            format_args!("steps[{at}].after"),
            "the step waits, over others or by its place, for itself",
        );
    }
}

/// What each step waits for: what it names, and in an ordered mission the required step before it.
fn step_needs(mission: &Mission) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut needs = BTreeMap::<u32, BTreeSet<u32>>::new();
    let mut before: Option<&Step> = None;
    for step in &mission.steps {
        let own = needs.entry(step.id.0).or_default();
        own.extend(step.after.iter().map(|needed| needed.0));
        if mission.sequence == Sequence::Ordered && step.role == Role::Required {
            own.extend(before.map(|before| before.id.0));
            before = Some(step);
        }
    }
    needs
}

/// The whole of it must fit into the budget, or nobody could ever start.
fn check_payout(mission: &Mission, line_item: Option<&LineItem>, found: &mut Findings) {
    let whole: i128 = mission
        .steps
        .iter()
        .map(|step| i128::from(step.payout.0.max(0)) * i128::from(step.repeat.limit))
        .sum();
    if whole > i128::from(MICROS_MAX.0) {
        found.add("steps", "all payouts together are more than any budget");
        return;
    }
    let Some(line_item) = line_item else { return };
    let whole = Micros(whole as i64);
    let held = match line_item.hold {
        HoldPolicy::Full => whole,
        HoldPolicy::Expected { share, .. } => whole.share(share),
    };
    let least =
        line_item.daily_budget.map_or(line_item.budget, |daily| daily.min(line_item.budget));
    found.check(
        held <= least,
        "steps",
        format_args!(
            "one user may earn {} micro-units, of which {} are held, but the budget is {}: nobody can start",
            whole.0, held.0, least.0
        ),
    );
}

fn check_prerequisites(catalog: &Catalog, found: &mut Findings) {
    let waiting = catalog.missions.values().filter(|mission| !mission.prerequisites.is_empty());
    let needs = waiting.map(|mission| {
        (mission.id.0, mission.prerequisites.iter().map(|needed| needed.0).collect())
    });
    let circle = graph::circular(&needs.collect());
    for mission in catalog.missions.values() {
        found.on(EntityKind::Mission, mission.id.0);
        let fits = mission.prerequisites.len() <= LIST_MAX;
        found.check(fits, "prerequisites", format_args!("at most {LIST_MAX} missions"));
        for needed in &mission.prerequisites {
            let there = catalog.missions.contains_key(needed);
            found.refers(there, "prerequisites", format_args!("mission {needed}"));
        }
        let MissionId(id) = mission.id;
        let message = "the mission waits, over others or directly, for itself";
        found.check(!circle.contains(&id), "prerequisites", message);
    }
}
