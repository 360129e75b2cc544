//! Look-ups of the snapshot: keys, tokens, versions and prices; and the user's runs.

use domain::catalog::{AppKey, Edit, Entity, EntityKind, Role};
use domain::decide::{self, Levels, Situation};
use domain::ids::{AppId, MissionId, Mode, UnitId, bearer_digest};
use domain::money::{CurrencyCode, Micros, Points};
use domain::snapshot::{Snapshot, price};
use domain::time::Timestamp;
use domain::user::{Phase, UserState};

use super::world::{self, NOON, UNIT};

#[test]
fn keys_find_their_app_and_mode() {
    let mut app = world::app(1, &[]);
    for mode in [Mode::Live, Mode::Test] {
        app.keys.push(AppKey { mode, digest: bearer_digest(mode.name()), label: String::new() });
    }
    let snapshot = Snapshot::compile(world::catalog(vec![Entity::App(app)]));
    for mode in [Mode::Live, Mode::Test] {
        let found = snapshot.app_by_key(&bearer_digest(mode.name()));
        assert_eq!(found.map(|(app, mode)| (app.id, mode)), Some((AppId(1), mode)));
    }
    assert!(snapshot.app_by_key(&bearer_digest("other")).is_none());
    assert!(snapshot.partner_by_token(&bearer_digest("other")).is_none());
    assert_eq!(snapshot.revision(), 1);
}

#[test]
fn prices_are_those_of_the_app_and_of_the_latest_version() {
    let mut rich = world::app(3, &[CurrencyCode::USD]);
    rich.user_share.0 = 1_000_000;
    let first = world::mission(1, 1);
    let mut second = first.clone();
    second.steps.push(world::step(3, Role::Optional, 5 * UNIT));
    let catalog = world::catalog(vec![
        Entity::App(world::app(1, &[CurrencyCode::USD])),
        Entity::App(world::app(2, &[])),
        Entity::App(rich),
        Entity::LineItem(world::line_item(1)),
        world::mission_row(first.clone()),
        world::mission_row(second),
    ]);
    let snapshot = Snapshot::compile(catalog);
    let latest = &snapshot.catalog().missions[&MissionId(1)];
    let points = |app: u32| -> Option<Vec<i64>> {
        let prices = snapshot.prices(AppId(app), latest)?;
        Some(prices.iter().map(|price| price.points.0).collect())
    };
    assert_eq!(points(1), Some(vec![500, 1_000, 2_500]));
    assert_eq!(points(3), Some(vec![1_000, 2_000, 5_000]));
    assert_eq!(points(2), None);
    assert_eq!(points(9), None);
    assert_eq!(snapshot.prices(AppId(1), &first), None, "an older version");
    assert_eq!(snapshot.mission_version(MissionId(1), 1).map(|one| one.steps.len()), Some(2));
    for id in [1, 3] {
        let app = &snapshot.catalog().apps[&AppId(id)];
        let line_item = &snapshot.catalog().line_items[&latest.line_item_id];
        let direct: Option<Vec<_>> =
            latest.steps.iter().map(|step| price(app, line_item, step)).collect();
        assert_eq!(snapshot.prices(AppId(id), latest), direct.as_deref());
    }
}

#[test]
fn a_price_divides_the_payout_and_rounds_the_points() {
    let app = world::app(1, &[CurrencyCode::USD]);
    let line_item = world::line_item(1);
    let mut step = world::step(1, Role::Required, 1_999);
    let paid = price(&app, &line_item, &step).expect("a rate");
    assert_eq!((paid.split.user, paid.split.publisher), (Micros(999), Micros(599)));
    assert_eq!(paid.split.margin, Micros(401));
    assert_eq!(paid.points, Points(0));
    step.reward = Some(Micros(1_000));
    assert_eq!(price(&app, &line_item, &step).map(|price| price.points), Some(Points(1)));
}

#[test]
fn runs_are_those_that_can_earn_the_nearest_deadline_first() {
    let mut user = UserState { app: AppId(1), ..UserState::default() };
    let phases = [
        (1, Phase::Open, 90, vec![]),
        (2, Phase::Open, 30, vec![]),
        (3, Phase::Completed, 60, vec![Some(true)]),
        (4, Phase::Completed, 10, vec![Some(true), Some(true)]),
        (5, Phase::Closed, 10, vec![]),
        (6, Phase::Expired, 10, vec![]),
        (7, Phase::Voided, 10, vec![]),
        (8, Phase::Open, -1, vec![]),
        (9, Phase::Open, 0, vec![]),
    ];
    let mut catalog = world::catalog(vec![Entity::LineItem(world::line_item(1))]);
    for (id, phase, seconds, paid) in phases {
        let mission = world::mission(id, 1);
        let mut run = world::run(&user, &mission, phase, &paid);
        run.deadline = NOON.plus_seconds(seconds);
        user.enrollments.push(run);
        catalog.apply(&Edit::Put(world::mission_row(mission)));
        catalog.apply(&Edit::Delete(EntityKind::Mission, id));
    }
    let snapshot = Snapshot::compile(catalog);
    let levels = Levels::default();
    let situation =
        Situation { snapshot: &snapshot, user: &user, unit: UnitId(1), now: NOON, levels: &levels };
    let ids: Vec<u32> = decide::runs(&situation).iter().map(|run| run.mission.0).collect();
    assert_eq!(ids, [9, 2, 3, 1]);
    let later = Situation { now: Timestamp(NOON.0 + 3_600_000), ..situation };
    assert!(decide::runs(&later).is_empty());
}

#[test]
fn nothing_is_offered_where_nothing_is() {
    let (user, levels) = (UserState::default(), Levels::default());
    let snapshot = Snapshot::compile(world::catalog(Vec::new()));
    let situation =
        Situation { snapshot: &snapshot, user: &user, unit: UnitId(1), now: NOON, levels: &levels };
    assert!(decide::offers(&situation).is_empty());
    let refused = decide::check(&situation, MissionId(1)).expect_err("there is no mission");
    assert_eq!(refused.rule.code(), "mission_active");
    let verdicts = decide::explain(&situation, MissionId(1));
    assert!(verdicts.last().is_some_and(|one| !one.passed && one.rule == refused.rule));
}
