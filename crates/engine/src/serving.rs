//! `why_not_serving`: every condition that a line item needs to be shown, with its verdict.
//!
//! | step | store calls |
//! |---|---|
//! | read one budget | 1 |

use domain::budget::{Breach, Level};
use domain::catalog::{AdGroupStatus, Catalog, LineItem, LineItemStatus, MissionStatus};
use domain::decide;
use domain::ids::LineItemId;
use domain::time::Day;
use domain::words::counted;

use crate::{Ctx, Engine, EngineError};

/// One condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServingCheck {
    /// Its stable code.
    pub code: &'static str,
    /// Whether it is met.
    pub passed: bool,
    /// What was found, and what to do about it.
    pub detail: String,
}

impl Engine {
    /// Why a line item is or is not shown to anybody.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown line item.
    pub async fn why_not_serving(
        &self,
        ctx: &Ctx,
        id: LineItemId,
    ) -> Result<Vec<ServingCheck>, EngineError> {
        let snapshot = self.snapshot();
        let catalog = snapshot.catalog();
        let line_item = catalog.line_items.get(&id).ok_or(EngineError::NotFound("line item"))?;
        let level = ctx.metered("budgets.level", self.stores.state.level(id)).await?;
        let mut checks = vec![status(line_item), flight(line_item, ctx)];
        checks.extend([ad_groups(catalog, id), missions(catalog, id), apps(catalog, line_item)]);
        checks.extend(partner(catalog, line_item));
        checks.push(budget(catalog, line_item, level.as_ref(), ctx));
        Ok(checks)
    }
}

fn check(code: &'static str, passed: bool, detail: impl Into<String>) -> ServingCheck {
    ServingCheck { code, passed, detail: detail.into() }
}

fn status(line_item: &LineItem) -> ServingCheck {
    let detail = match line_item.status {
        LineItemStatus::Running => "the line item is running",
        LineItemStatus::Draft => "the line item is a draft; set its status to running",
        LineItemStatus::Paused => "the line item is paused; set its status to running",
        LineItemStatus::Ended => "the line item has ended; make a new one",
    };
    check("status", line_item.status == LineItemStatus::Running, detail)
}

fn flight(line_item: &LineItem, ctx: &Ctx) -> ServingCheck {
    if ctx.now < line_item.flight.starts_at {
        return check("flight", false, "the flight has not begun; wait, or set starts_at earlier");
    }
    if line_item.flight.ends_at.is_some_and(|end| ctx.now >= end) {
        return check("flight", false, "the flight is over; set ends_at later");
    }
    check("flight", true, "the flight is on")
}

fn ad_groups(catalog: &Catalog, id: LineItemId) -> ServingCheck {
    let is_active = |group: &&std::sync::Arc<domain::catalog::AdGroup>| {
        group.line_item_id == id && group.status == AdGroupStatus::Active
    };
    match catalog.ad_groups.values().filter(is_active).count() {
        0 => check("ad_groups", false, "there is no active ad group; add or activate one"),
        count => check("ad_groups", true, format!("active now: {}", counted(count, "ad group"))),
    }
}

fn missions(catalog: &Catalog, id: LineItemId) -> ServingCheck {
    let missions = catalog.missions.values();
    let is_active = |mission: &&std::sync::Arc<domain::catalog::Mission>| {
        mission.line_item_id == id && mission.status == MissionStatus::Active
    };
    match missions.filter(is_active).count() {
        0 => check("missions", false, "there is no active mission; add or activate one"),
        count => check("missions", true, format!("active now: {}", counted(count, "mission"))),
    }
}

fn apps(catalog: &Catalog, line_item: &LineItem) -> ServingCheck {
    let currency = &line_item.currency;
    let paid = catalog.apps.values().filter(|app| app.currency.rates.contains_key(currency));
    match paid.count() {
        0 => check("currency", false, format!("no app has a rate for {currency}; add one")),
        count => {
            let apps = counted(count, "app");
            check("currency", true, format!("{apps} can be paid in {currency}"))
        }
    }
}

/// A line item whose steps are reported from outside needs a connection that can report them.
fn partner(catalog: &Catalog, line_item: &LineItem) -> Option<ServingCheck> {
    let is_reported = |mission: &&std::sync::Arc<domain::catalog::Mission>| {
        mission.line_item_id == line_item.id
            && mission.steps.iter().any(|step| step.rule.name() == "event")
    };
    catalog.missions.values().find(is_reported)?;
    let of_advertiser = |one: &&domain::catalog::Partner| {
        one.advertiser_id == line_item.advertiser_id && one.enabled
    };
    Some(match catalog.partners.values().find(of_advertiser) {
        Some(partner) => check("partner", true, format!("{} reports events", partner.name)),
        None => check("partner", false, "no partner connection can report events; add one"),
    })
}

fn budget(
    catalog: &Catalog,
    line_item: &LineItem,
    level: Option<&Level>,
    ctx: &Ctx,
) -> ServingCheck {
    let Some(level) = level else {
        return check("budget", false, "the budget has not reached the state store yet");
    };
    let day = Day::of(ctx.now, line_item.utc_offset);
    let missions = catalog.missions.values().filter(|one| one.line_item_id == line_item.id);
    let refusals = missions.filter_map(|mission| {
        let start = decide::starting_move(line_item, mission, day, ctx.now);
        level.limits.check(&level.total, &level.on(day), &start).err()
    });
    match refusals.last() {
        None => {
            let left = counted(level.left().0, "micro-unit");
            check("budget", true, format!("left of the budget: {left}"))
        }
        Some(breach) => check("budget", false, no_room(breach)),
    }
}

fn no_room(breach: Breach) -> String {
    let remedy = match breach {
        Breach::Paced => "wait, or set its pacing to asap",
        Breach::Total | Breach::Starts => "raise the limit",
        Breach::Daily | Breach::DailyStarts => "wait for the next day, or raise the limit",
    };
    format!("{} leaves no room for another participation; {remedy}", breach.words())
}
