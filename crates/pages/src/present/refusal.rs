//! Why a tap was refused, as far as the user can be told.

use domain::decide::Rule;
use domain::ids::MissionId;
use domain::snapshot::Snapshot;
use domain::time::{Day, Timestamp};
use domain::verdict;
use engine::TapRefused;

use crate::view::{Ineligible, Refusal};

/// What the notice says. `now` decides when the next day begins.
pub(crate) fn refusal(
    snapshot: &Snapshot,
    mission: MissionId,
    refused: &TapRefused,
    now: Timestamp,
) -> Refusal {
    let rule = Rule::parse(refused.rule);
    match refused.refusal {
        verdict::Refusal::NotEligible => Refusal::NotEligible(ineligible(rule)),
        verdict::Refusal::AlreadyDone => Refusal::AlreadyDone,
        verdict::Refusal::Exhausted => Refusal::Exhausted(match rule {
            Some(Rule::UserCapDaily | Rule::BudgetDaily | Rule::CapDaily) => {
                next_day(snapshot, mission, now)
            }
            _ => None,
        }),
        verdict::Refusal::Closed => Refusal::Closed,
        verdict::Refusal::Blocked => Refusal::Blocked,
    }
}

fn ineligible(rule: Option<Rule>) -> Ineligible {
    match rule {
        Some(Rule::Country) => Ineligible::Region,
        Some(Rule::Platform | Rule::OsVersion) => Ineligible::Device,
        Some(Rule::Age) => Ineligible::Age,
        Some(Rule::NewUsersOnly | Rule::NotInstalled) => Ineligible::NotNew,
        _ => Ineligible::Unstated,
    }
}

/// Daily limits turn over at the line item's own midnight.
fn next_day(snapshot: &Snapshot, mission: MissionId, now: Timestamp) -> Option<i64> {
    let catalog = snapshot.catalog();
    let line_item = catalog.any_line_item(catalog.missions.get(&mission)?.line_item_id)?;
    Some(Day::of(now, line_item.utc_offset).ends_at(line_item.utc_offset).0)
}
