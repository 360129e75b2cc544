//! What is held at participation, and how even pacing opens a day.

use domain::budget::Guard;
use domain::catalog::{Entity, HoldPolicy, LineItem, Pacing};
use domain::decide::{changes_offers, hold_for, paced_ceiling, starting_move};
use domain::money::{Micros, Ppm};
use domain::snapshot::Snapshot;
use domain::time::{DAY_MS, Day, SECOND_MS, Timestamp, UtcOffset};

use super::world::{self, NOON, UNIT};

const MIDNIGHT: Timestamp = Timestamp(20_000 * DAY_MS);

fn even(daily: i64) -> LineItem {
    let mut row = world::line_item(1);
    row.pacing = Pacing::Even;
    row.daily_budget = Some(Micros(daily));
    row
}

#[test]
fn a_hold_is_the_whole_or_the_expected_share_rounded_up() {
    let expected = |share| HoldPolicy::Expected { share: Ppm(share), grace: Micros(0) };
    let cases = [
        (HoldPolicy::Full, 3 * UNIT, 3 * UNIT),
        (HoldPolicy::Full, 0, 0),
        (expected(500_000), 3 * UNIT, 3 * UNIT / 2),
        (expected(500_000), 3, 2),
        (expected(1), 3, 1),
        (expected(0), 3, 1),
        (expected(0), 0, 0),
        (expected(1_000_000), 3, 3),
        (expected(u32::MAX), 3, 3),
    ];
    for (hold, payout, held) in cases {
        let line_item = LineItem { hold, ..world::line_item(1) };
        let mut mission = world::mission(1, 1);
        mission.steps[0].payout = Micros(payout);
        mission.steps[1].payout = Micros(0);
        assert_eq!(hold_for(&line_item, &mission), Micros(held), "{hold:?} of {payout}");
    }
}

#[test]
fn the_ceiling_grows_from_the_head_start_to_the_whole() {
    let cases = [
        (0, 10_000),
        (DAY_MS / 4, 260_000),
        (DAY_MS / 2, 510_000),
        (DAY_MS * 99 / 100, 1_000_000),
        (DAY_MS - 1, 1_000_000),
        (DAY_MS, 10_000),
    ];
    for (elapsed, ceiling) in cases {
        let now = Timestamp(MIDNIGHT.0 + elapsed);
        assert_eq!(paced_ceiling(&even(1_000_000), now), Some(Micros(ceiling)), "{elapsed}");
    }
    let seoul = LineItem { utc_offset: UtcOffset(540), ..even(1_000_000) };
    let nine = Timestamp(MIDNIGHT.0 + DAY_MS * 9 / 24);
    assert_eq!(paced_ceiling(&seoul, nine), Some(Micros(760_000)));
}

#[test]
fn only_an_evenly_paced_daily_budget_has_a_ceiling() {
    let asap = LineItem { pacing: Pacing::Asap, ..even(1_000) };
    let unlimited = LineItem { daily_budget: None, ..even(1_000) };
    for row in [asap, unlimited] {
        assert_eq!(paced_ceiling(&row, MIDNIGHT), None);
        let by = starting_move(&row, &world::mission(1, 1), Day(0), MIDNIGHT);
        assert_eq!(by.guard, Guard::Start { paced: None });
    }
}

/// Somebody taps every minute of a day: who gets in, as minutes of the day.
fn admitted(daily: i64) -> Vec<i64> {
    let (row, mission) = (even(daily), world::mission(1, 1));
    let mut level = world::level(&row);
    level.day = Day(20_000);
    let mut minutes = Vec::new();
    for minute in 0..24 * 60 {
        let now = Timestamp(MIDNIGHT.0 + minute * 60 * SECOND_MS);
        let by = starting_move(&row, &mission, Day(20_000), now);
        if level.limits.check(&level.total, &level.today, &by).is_ok() {
            level.total = level.total.moved(&by);
            level.today = level.today.moved(&by);
            minutes.push(minute);
        }
    }
    minutes
}

#[test]
fn a_day_serves_all_that_its_budget_holds_and_spreads_it() {
    // The mission holds 3 units, so these budgets hold one, two, four and a hundred.
    assert_eq!(admitted(3 * UNIT), [0]);
    let two = admitted(6 * UNIT);
    assert_eq!(two.len(), 2);
    assert!((690..=720).contains(&two[1]), "{two:?}");
    let four = admitted(12 * UNIT);
    assert_eq!(four.len(), 4);
    assert!(four.windows(2).all(|pair| pair[1] - pair[0] > 300), "{four:?}");
    let hundred = admitted(300 * UNIT);
    assert_eq!(hundred.len(), 100);
    assert!((45..=55).contains(&hundred.iter().filter(|&&minute| minute < 12 * 60).count()));
    // One that holds less than one start serves nobody.
    assert!(admitted(3 * UNIT - 1).is_empty());
}

/// What is spent, decided a moment before the day opens further and known a moment after.
#[test]
fn a_change_that_is_known_after_a_tick_is_noticed() {
    let line_item = even(1_000 * UNIT);
    let rows = vec![Entity::LineItem(line_item.clone()), world::mission_row(world::mission(1, 1))];
    let snapshot = Snapshot::compile(world::catalog(rows));
    let at = |committed: i64| {
        let mut level = world::level(&line_item);
        (level.total.held, level.today.held) = (Micros(committed), Micros(committed));
        level
    };
    let (before_noon, open) = (Timestamp(NOON.0 - 1), 510 * UNIT);
    let changes = |from, to, now| changes_offers(&snapshot, Some(&at(from)), &at(to), now);
    // Too much for the tick before noon, and enough for the one after it.
    assert!(changes(open - 1, open + 1, before_noon));
    assert!(changes(open - 1, open + 1, NOON));
    assert!(!changes(0, UNIT, before_noon));
    assert!(!changes(open + UNIT + 1, open + 2 * UNIT, before_noon));
}
