//! Random worlds.
//!
//! A world is grown from a list of bytes, a choice a byte; 0 is always the plainest choice, so a
//! failing world shrinks to a plain one.

use std::sync::Arc;

use domain::budget::Level;
use domain::catalog::{
    AdGroupStatus, AgeRange, Entity, Gender, LineItem, LineItemStatus, Mission, MissionStatus,
    OsVersion, OsVersionRange, Pacing, Platform, Targeting,
};
use domain::decide::Levels;
use domain::ids::{AppId, MissionId, Mode, SegmentId, UnitId};
use domain::money::{CurrencyCode, Micros};
use domain::snapshot::Snapshot;
use domain::targeting::{CountryCode, Profile};
use domain::time::{Day, UtcOffset};
use domain::user::{Phase, UserState};

use super::world::{self, NOON, UNIT};

/// Bytes of one world; what a world asks for beyond them is 0.
pub(crate) const BYTES: usize = 1_600;
const LINE_ITEMS: u32 = 8;
const AD_GROUPS: u32 = 24;
const MISSIONS: u32 = 14;

/// A catalogue, a user and what is known of the budgets.
pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
    pub(crate) user: UserState,
    pub(crate) unit: UnitId,
    pub(crate) levels: Levels,
}

/// Choices from bytes.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    /// A number below `sides`.
    fn roll(&mut self, sides: u32) -> u32 {
        u32::from(*self.0.next().unwrap_or(&0)) % sides
    }

    /// True once in `sides` times.
    fn rarely(&mut self, sides: u32) -> bool {
        self.roll(sides) == sides - 1
    }

    /// Nothing mostly, or some of the numbers below `count`.
    fn seldom<T, C: FromIterator<T>>(&mut self, count: u32, of: impl Fn(u32) -> T) -> C {
        let is_seldom = self.rarely(7);
        if is_seldom { self.some(count, of) } else { std::iter::empty().collect() }
    }

    /// Some of the numbers below `count`.
    fn some<T, C: FromIterator<T>>(&mut self, count: u32, of: impl Fn(u32) -> T) -> C {
        let mask = self.roll(256);
        (0..count).filter(|bit| mask & (1 << bit) != 0).map(of).collect()
    }

    /// Mostly nothing, or a limit from 1 to `most`.
    fn limit(&mut self, most: u32) -> Option<u32> {
        if self.rarely(3) { Some(1 + self.roll(most)) } else { None }
    }

    /// Nothing, or one of the numbers below `count`.
    fn maybe<T>(&mut self, count: u32, of: impl Fn(u32) -> T) -> Option<T> {
        self.roll(count + 1).checked_sub(1).map(of)
    }
}

fn country(number: u32) -> CountryCode {
    CountryCode::parse(["KR", "JP", "US"][number as usize]).expect("a country")
}

fn language(number: u32) -> String {
    ["ko", "pt", "pt-br", "ja"][number as usize].to_owned()
}

fn package(number: u32) -> String {
    format!("com.app{number}")
}

fn version(number: u32) -> OsVersion {
    OsVersion { major: 10 + (number / 2) as u16, minor: (number % 2) as u16, patch: 0 }
}

fn targeting(dice: &mut Dice<'_>) -> Targeting {
    let os_version = dice.rarely(7);
    let age = dice.rarely(7);
    Targeting {
        countries: dice.seldom(3, country),
        platforms: dice.seldom(3, |one| Platform::ALL[one as usize]),
        os_version: os_version
            .then(|| OsVersionRange { min: dice.maybe(6, version), max: dice.maybe(6, version) }),
        age: age.then(|| AgeRange { min: dice.roll(60) as u8, max: dice.roll(250) as u8 }),
        genders: dice.seldom(3, |one| Gender::ALL[one as usize]),
        languages: dice.seldom(4, language),
        units: dice.seldom(3, |one| UnitId(one + 1)),
        installed: dice.seldom(4, package),
        not_installed: dice.seldom(4, package),
        segments: dice.seldom(4, SegmentId),
        not_segments: dice.seldom(4, SegmentId),
    }
}

fn line_item(dice: &mut Dice<'_>, id: u32) -> LineItem {
    let mut row = world::line_item(id);
    row.priority = 50 + dice.roll(2) as u8;
    if dice.rarely(8) {
        row.status = LineItemStatus::Paused;
    }
    if dice.rarely(8) {
        row.flight.ends_at = Some(NOON.plus_seconds(i64::from(dice.roll(3)) - 1));
    }
    if dice.rarely(8) {
        row.currency = CurrencyCode::parse("JPY").expect("a currency");
    }
    row.utc_offset = UtcOffset(if dice.rarely(3) { 13 * 60 } else { 0 });
    row.advertised_app = dice.maybe(3, package);
    row.caps.per_user = dice.limit(3);
    row.caps.per_user_daily = dice.limit(3);
    row.caps.total = dice.limit(6);
    row.caps.daily = dice.limit(6);
    row.daily_budget = dice.limit(8).map(|cap| Micros(i64::from(cap) * 3 * UNIT));
    if dice.rarely(2) {
        row.pacing = Pacing::Even;
    }
    row
}

fn mission(dice: &mut Dice<'_>, id: u32) -> Mission {
    let mut row = world::mission(id, 1 + dice.roll(LINE_ITEMS));
    if dice.rarely(8) {
        row.status = MissionStatus::Paused;
    }
    if dice.rarely(6) {
        row.requirements.push("new_users_only".to_owned());
    }
    if dice.rarely(6) {
        row.prerequisites.push(MissionId(1 + dice.roll(MISSIONS)));
    }
    row.steps[0].payout = Micros(i64::from(dice.roll(3)) * UNIT);
    row
}

fn level(dice: &mut Dice<'_>, row: &LineItem) -> Option<Level> {
    let mut level = world::level(row);
    level.today.held = Micros(i64::from(dice.roll(12)) * UNIT);
    level.today.starts = dice.roll(4);
    level.total = level.today;
    level.total.booked = Micros(i64::from(dice.roll(4)) * UNIT);
    level.day = Day(level.day.0 - i32::from(dice.rarely(4)));
    (!dice.rarely(10)).then_some(level)
}

fn profile(dice: &mut Dice<'_>) -> Profile {
    Profile {
        country: dice.maybe(3, country),
        platform: dice.maybe(3, |one| Platform::ALL[one as usize]),
        os_version: dice.maybe(6, version),
        age: dice.maybe(130, |age| age as u8),
        gender: dice.maybe(3, |one| Gender::ALL[one as usize]),
        language: dice.maybe(4, language).unwrap_or_default(),
        installed_apps: dice.some(4, package),
        ..Profile::default()
    }
}

fn user(dice: &mut Dice<'_>, missions: &[Mission]) -> UserState {
    let mut user = UserState { app: AppId(1), user_id: "ann".into(), ..UserState::default() };
    user.profile = profile(dice);
    user.segments = dice.some(4, SegmentId);
    user.blocked = dice.rarely(20);
    user.mode = if dice.rarely(10) { Mode::Test } else { Mode::Live };
    const PHASES: [Phase; 5] =
        [Phase::Open, Phase::Completed, Phase::Expired, Phase::Closed, Phase::Voided];
    for mission in missions {
        if dice.rarely(8) {
            let phase = PHASES[dice.roll(5) as usize];
            let paid = [[Some(false), Some(true), None][dice.roll(3) as usize], Some(false)];
            let mut run = world::run(&user, mission, phase, &paid);
            run.day = Day(run.day.0 + dice.roll(2) as i32);
            user.enrollments.push(run);
        }
    }
    user
}

/// The world that grows from those bytes.
pub(crate) fn world_of(bytes: &[u8]) -> World {
    let mut dice = Dice(bytes.iter());
    let missions: Vec<Mission> = (1..=MISSIONS).map(|id| mission(&mut dice, id)).collect();
    let lines: Vec<LineItem> = (1..=LINE_ITEMS).map(|id| line_item(&mut dice, id)).collect();
    let user = user(&mut dice, &missions);
    let unit = UnitId([1, 2, 1, 2, 1, 3][dice.roll(6) as usize]);
    let levels: Levels = lines.iter().filter_map(|row| level(&mut dice, row)).collect();
    let mut rows = vec![
        Entity::App(world::app(1, &[CurrencyCode::USD])),
        Entity::Unit(world::unit(1, 1)),
        Entity::Unit(world::unit(2, 1)),
        Entity::Unit(world::unit(3, 2)),
    ];
    rows.extend(lines.into_iter().map(Entity::LineItem));
    rows.extend(missions.into_iter().map(world::mission_row));
    for id in 1..=AD_GROUPS {
        let mut group = world::ad_group(id, 1 + dice.roll(LINE_ITEMS + 1));
        group.bid = dice.maybe(3, |bid| Micros(i64::from(bid) * UNIT));
        if dice.rarely(8) {
            group.status = AdGroupStatus::Paused;
        }
        group.targeting = Arc::new(targeting(&mut dice));
        rows.push(Entity::AdGroup(group));
    }
    World { snapshot: Snapshot::compile(world::catalog(rows)), user, unit, levels }
}
