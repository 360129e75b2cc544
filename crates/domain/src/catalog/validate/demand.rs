//! Advertisers, orders, segments, line items, ad groups and partner connections.

use super::{Findings, check_secrets, text};
use crate::catalog::limits::{GRACE_SECONDS_MAX, LIST_MAX, PRIORITY_MAX};
use crate::catalog::{
    AdGroup, Caps, Catalog, EntityKind, Flight, HoldPolicy, LineItem, OsVersionRange, Partner,
    Targeting,
};
use crate::money::{MICROS_MAX, Micros, PPM_WHOLE};
use crate::targeting::AGE_MAX;
use crate::time::{TIMESTAMP_MAX, Timestamp, UTC_OFFSET_MAX};

pub(super) fn check(catalog: &Catalog, found: &mut Findings) {
    for advertiser in catalog.advertisers.values() {
        found.on(EntityKind::Advertiser, advertiser.id.0);
        text::name(found, &advertiser.name);
    }
    for order in catalog.orders.values() {
        found.on(EntityKind::Order, order.id.0);
        let there = catalog.advertisers.contains_key(&order.advertiser_id);
        found.refers(there, "advertiser_id", format_args!("advertiser {}", order.advertiser_id));
        text::name(found, &order.name);
    }
    for segment in catalog.segments.values() {
        found.on(EntityKind::Segment, segment.id.0);
        text::name(found, &segment.name);
    }
    for line_item in catalog.line_items.values() {
        found.on(EntityKind::LineItem, line_item.id.0);
        check_owners(catalog, line_item, found);
        check_line_item(line_item, found);
    }
    for group in catalog.ad_groups.values() {
        found.on(EntityKind::AdGroup, group.id.0);
        check_ad_group(catalog, group, found);
    }
    for partner in catalog.partners.values() {
        found.on(EntityKind::Partner, partner.id.0);
        check_partner(catalog, partner, found);
    }
}

fn check_owners(catalog: &Catalog, line_item: &LineItem, found: &mut Findings) {
    let advertiser = line_item.advertiser_id;
    let there = catalog.advertisers.contains_key(&advertiser);
    found.refers(there, "advertiser_id", format_args!("advertiser {advertiser}"));
    if let Some(id) = line_item.order_id {
        let order = catalog.orders.get(&id);
        found.refers(order.is_some(), "order_id", format_args!("order {id}"));
        found.check(
            order.is_none_or(|order| order.advertiser_id == advertiser),
            "order_id",
            "the order belongs to another advertiser",
        );
    }
}

fn check_line_item(line_item: &LineItem, found: &mut Findings) {
    text::name(found, &line_item.name);
    check_flight(line_item.flight, found);
    found.check(
        line_item.utc_offset.0.unsigned_abs() <= UTC_OFFSET_MAX.unsigned_abs(),
        "utc_offset",
        format_args!("it must be within {} hours", UTC_OFFSET_MAX / 60),
    );
    check_budget(line_item, found);
    check_hold(line_item.hold, found);
    found.check(
        line_item.priority <= PRIORITY_MAX,
        "priority",
        format_args!("it must be between 0 and {PRIORITY_MAX}"),
    );
    check_caps(line_item.caps, found);
    found.check(
        line_item.grace_seconds <= GRACE_SECONDS_MAX,
        "grace_seconds",
        format_args!("it must be at most {} days", GRACE_SECONDS_MAX / 86_400),
    );
    if let Some(app) = &line_item.advertised_app {
        text::word(found, "advertised_app", app);
    }
}

fn check_flight(flight: Flight, found: &mut Findings) {
    let believed = Timestamp(0)..=TIMESTAMP_MAX;
    let message = "it must be between the years 1970 and 9999";
    found.check(believed.contains(&flight.starts_at), "flight.starts_at", message);
    if let Some(ends_at) = flight.ends_at {
        found.check(believed.contains(&ends_at), "flight.ends_at", message);
        found.check(flight.starts_at < ends_at, "flight.ends_at", "it must be after the start");
    }
}

fn check_budget(line_item: &LineItem, found: &mut Findings) {
    let budget = line_item.budget;
    amount(budget, 1, "budget", found);
    if let Some(daily) = line_item.daily_budget {
        amount(daily, 1, "daily_budget", found);
        found.check(daily <= budget, "daily_budget", "it must be at most the whole budget");
    }
}

/// An amount between `least` and [`MICROS_MAX`].
fn amount(amount: Micros, least: i64, field: &str, found: &mut Findings) {
    found.check(
        (least..=MICROS_MAX.0).contains(&amount.0),
        field,
        format_args!("it must be between {least} and {} micro-units", MICROS_MAX.0),
    );
}

fn check_hold(hold: HoldPolicy, found: &mut Findings) {
    if let HoldPolicy::Expected { share, grace } = hold {
        found.check(share.0 <= PPM_WHOLE, "hold.share", "it must be between 0% and 100%");
        amount(grace, 0, "hold.grace", found);
    }
}

fn check_caps(caps: Caps, found: &mut Findings) {
    let all = [
        ("caps.total", caps.total),
        ("caps.daily", caps.daily),
        ("caps.per_user", caps.per_user),
        ("caps.per_user_daily", caps.per_user_daily),
    ];
    for (field, cap) in all {
        found.check(cap != Some(0), field, "0 lets nobody start; pause the line item instead");
    }
}

fn check_ad_group(catalog: &Catalog, group: &AdGroup, found: &mut Findings) {
    let there = catalog.line_items.contains_key(&group.line_item_id);
    found.refers(there, "line_item_id", format_args!("line item {}", group.line_item_id));
    text::name(found, &group.name);
    if let Some(bid) = group.bid {
        amount(bid, 0, "bid", found);
    }
    check_references(catalog, &group.targeting, found);
    check_targeting(&group.targeting, found);
}

fn check_references(catalog: &Catalog, targeting: &Targeting, found: &mut Findings) {
    for unit in &targeting.units {
        let there = catalog.units.contains_key(unit);
        found.refers(there, "targeting.units", format_args!("unit {unit}"));
    }
    let segments = [
        ("targeting.segments", &targeting.segments),
        ("targeting.not_segments", &targeting.not_segments),
    ];
    for (field, list) in segments {
        for segment in list {
            let there = catalog.segments.contains_key(segment);
            found.refers(there, field, format_args!("segment {segment}"));
        }
    }
}

fn check_targeting(targeting: &Targeting, found: &mut Findings) {
    if let Some(age) = targeting.age {
        found.check(
            age.min <= age.max && age.max <= AGE_MAX,
            "targeting.age",
            format_args!("it must go from a lower to a higher age of at most {AGE_MAX}"),
        );
    }
    if let Some(OsVersionRange { min: Some(min), max: Some(max) }) = targeting.os_version {
        let message = "it must go from a lower to a higher version";
        found.check(min <= max, "targeting.os_version", message);
    }
    for language in &targeting.languages {
        text::language(found, "targeting.languages", language);
        found.check(
            !language.contains('-'),
            "targeting.languages",
            "give the primary language only, such as pt for pt-br",
        );
    }
    let apps = [
        ("targeting.installed", &targeting.installed),
        ("targeting.not_installed", &targeting.not_installed),
    ];
    for (field, list) in apps {
        found.check(list.len() <= LIST_MAX, field, format_args!("at most {LIST_MAX} apps"));
        list.iter().for_each(|app| text::word(found, field, app));
    }
}

fn check_partner(catalog: &Catalog, partner: &Partner, found: &mut Findings) {
    let there = catalog.advertisers.contains_key(&partner.advertiser_id);
    found.refers(there, "advertiser_id", format_args!("advertiser {}", partner.advertiser_id));
    text::name(found, &partner.name);
    for (field, message) in partner.recipe.problems() {
        found.add(format_args!("recipe.{field}"), message);
    }
    check_secrets(&partner.secrets, "secrets", found);
    let signed = partner.recipe.signature.as_ref().is_some_and(|signature| signature.required);
    found.check(
        !signed || !partner.secrets.is_empty(),
        "secrets",
        "the recipe requires a signature, which needs a key",
    );
    let names = partner.event_names.len();
    found.check(names <= LIST_MAX, "event_names", format_args!("at most {LIST_MAX} names"));
    for (theirs, ours) in &partner.event_names {
        text::word(found, "event_names", theirs);
        text::word(found, format_args!("event_names.{theirs}"), ours);
    }
}
