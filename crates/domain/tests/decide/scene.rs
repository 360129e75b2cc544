//! A scene in words: the least that shows mission 1 to a user, changed by `key=value` settings.

use std::sync::Arc;

use domain::catalog::{
    AdGroup, AdGroupStatus, AgeRange, Entity, Gender, LineItem, LineItemStatus, Mission,
    MissionStatus, OsVersion, OsVersionRange, Pacing, Platform,
};
use domain::decide::{self, Levels, Situation};
use domain::ids::{LineItemId, MissionId, Mode, SegmentId, UnitId};
use domain::money::{CurrencyCode, Micros};
use domain::snapshot::Snapshot;
use domain::targeting::CountryCode;
use domain::time::{Day, HOUR_MS, Timestamp};
use domain::user::{Phase, UserState};

use super::world::{self, NOON, UNIT};

/// Line item 1 with ad group 1 and mission 1; line item 2 with mission 2; line item 3 with mission 3.
pub(crate) struct Scene {
    user: UserState,
    unit: UnitId,
    now: Timestamp,
    line: LineItem,
    rival: LineItem,
    group: AdGroup,
    has_group: bool,
    mission: Mission,
    other: [Mission; 2],
    used: i64,
    used_starts: u32,
    has_level: bool,
    retired: bool,
}

impl Scene {
    pub(crate) fn new(settings: &str) -> Self {
        let mut user = UserState { app: domain::ids::AppId(1), ..UserState::default() };
        user.user_id = "ann".into();
        let mut scene = Self {
            user,
            unit: UnitId(1),
            now: NOON,
            line: world::line_item(1),
            rival: world::line_item(2),
            group: world::ad_group(1, 1),
            has_group: true,
            mission: world::mission(1, 1),
            other: [world::mission(2, 2), world::mission(3, 3)],
            used: 0,
            used_starts: 0,
            has_level: true,
            retired: false,
        };
        scene.line.caps.total = Some(10);
        for setting in settings.split_whitespace() {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            assert!(scene.set(key, value), "no such setting: {setting}");
        }
        scene
    }

    /// The verdict on mission 1: `yes`, or the code of the refusal and of the rule. Asserts on the
    /// way that the list, the check and the explanation agree.
    pub(crate) fn verdict(&self) -> String {
        let snapshot = self.snapshot();
        let levels = self.levels();
        let Self { user, unit, now, .. } = self;
        let situation =
            Situation { snapshot: &snapshot, user, unit: *unit, now: *now, levels: &levels };
        let listed =
            decide::offers(&situation).into_iter().find(|one| one.mission.id == MissionId(1));
        let explained = decide::explain(&situation, MissionId(1));
        match decide::check(&situation, MissionId(1)) {
            Ok(offer) => {
                assert_eq!(listed, Some(offer));
                assert!(explained.iter().all(|one| one.passed), "{explained:#?}");
                "yes".to_owned()
            }
            Err(refused) => {
                assert_eq!(listed, None);
                let says_no = explained.iter().find(|one| !one.passed).map(|one| one.rule);
                assert_eq!(says_no, Some(refused.rule), "{explained:#?}");
                format!("{} {}", refused.refusal.code(), refused.rule.code())
            }
        }
    }

    fn snapshot(&self) -> Snapshot {
        let krw = CurrencyCode::parse("KRW").into_iter();
        let currencies: Vec<CurrencyCode> = krw.chain([CurrencyCode::USD]).collect();
        let mut rows = vec![
            Entity::App(world::app(1, &currencies)),
            Entity::App(world::app(2, &currencies)),
            Entity::Unit(world::unit(1, 1)),
            Entity::Unit(world::unit(2, 2)),
            Entity::LineItem(self.line.clone()),
            Entity::LineItem(self.rival.clone()),
            Entity::LineItem(world::line_item(3)),
            world::mission_row(self.mission.clone()),
        ];
        rows.extend(self.other.iter().cloned().map(world::mission_row));
        if self.has_group {
            rows.push(Entity::AdGroup(self.group.clone()));
        }
        let mut catalog = world::catalog(rows);
        if self.retired {
            catalog.apply(&domain::catalog::Edit::Delete(domain::catalog::EntityKind::LineItem, 2));
        }
        Snapshot::compile(catalog)
    }

    fn levels(&self) -> Levels {
        let mut level = world::level(&self.line);
        for used in [&mut level.total, &mut level.today] {
            used.held = Micros(self.used);
            used.starts = self.used_starts;
        }
        self.has_level.then_some(level).into_iter().collect()
    }

    fn set(&mut self, key: &str, value: &str) -> bool {
        match key {
            "blocked" => self.user.blocked = true,
            "test" => self.user.mode = Mode::Test,
            "unit" => self.unit = UnitId(number(value)),
            "mission" => self.mission.status = MissionStatus::Paused,
            "line" => self.line.status = line_status(value),
            "from" => self.line.flight.starts_at = self.hence(value),
            "until" => self.line.flight.ends_at = Some(self.hence(value)),
            "pays" => self.line.currency = CurrencyCode::parse(value).expect("a currency"),
            "ran" => self.ran(value, 0),
            "rival" => self.ran(value, 1),
            "before" => self.ran(value, 2),
            "needs" => self.mission.prerequisites = list(value, |one| MissionId(number(one))),
            "advertises" => self.line.advertised_app = Some(value.to_owned()),
            "rival.advertises" => self.rival.advertised_app = Some(value.to_owned()),
            "rival.deleted" => self.retired = true,
            "new_users" => self.mission.requirements = vec!["new_users_only".to_owned()],
            _ if key.starts_with("for.") => return self.set_target(&key[4..], value),
            _ if key.starts_with("is.") => return self.set_profile(&key[3..], value),
            _ => return self.set_limit(key, value),
        }
        true
    }

    fn set_limit(&mut self, key: &str, value: &str) -> bool {
        match key {
            "group" if value == "none" => self.has_group = false,
            "group" => self.group.status = AdGroupStatus::Paused,
            "per_user" => self.line.caps.per_user = Some(number(value)),
            "per_user_daily" => self.line.caps.per_user_daily = Some(number(value)),
            "started" => self.started(number(value), 0),
            "started_yesterday" => self.started(number(value), 1),
            "level" => self.has_level = false,
            "budget" => self.line.budget = Micros(i64::from(number(value)) * UNIT),
            "daily" => self.line.daily_budget = Some(Micros(i64::from(number(value)) * UNIT)),
            "used" => self.used = i64::from(number(value)) * UNIT,
            "even" => self.line.pacing = Pacing::Even,
            "hour" => self.now = Timestamp(NOON.0 + (i64::from(number(value)) - 12) * HOUR_MS),
            "cap" => self.line.caps.total = Some(number(value)),
            "cap_daily" => self.line.caps.daily = Some(number(value)),
            "starts" => self.used_starts = number(value),
            _ => return false,
        }
        true
    }

    fn set_target(&mut self, key: &str, value: &str) -> bool {
        let target = Arc::make_mut(&mut self.group.targeting);
        match key {
            "country" => target.countries = list(value, country),
            "platform" => target.platforms = list(value, platform),
            "os_version" => {
                let (min, max) = value.split_once("..").expect("a range");
                let range =
                    OsVersionRange { min: OsVersion::parse(min), max: OsVersion::parse(max) };
                target.os_version = Some(range);
            }
            "age" => {
                let (min, max) = value.split_once("..").expect("a range");
                target.age = Some(AgeRange { min: number(min) as u8, max: number(max) as u8 });
            }
            "gender" => target.genders = list(value, gender),
            "language" => target.languages = list(value, str::to_owned),
            "unit" => target.units = list(value, |one| UnitId(number(one))),
            "installed" => target.installed = list(value, str::to_owned),
            "not_installed" => target.not_installed = list(value, str::to_owned),
            "segment" => target.segments = list(value, |one| SegmentId(number(one))),
            "not_segment" => target.not_segments = list(value, |one| SegmentId(number(one))),
            _ => return false,
        }
        true
    }

    fn set_profile(&mut self, key: &str, value: &str) -> bool {
        let profile = &mut self.user.profile;
        match key {
            "country" => profile.country = Some(country(value)),
            "platform" => profile.platform = Some(platform(value)),
            "os_version" => profile.os_version = OsVersion::parse(value),
            "age" => profile.age = Some(number(value) as u8),
            "gender" => profile.gender = Some(gender(value)),
            "language" => profile.language = value.to_owned(),
            "installed" => profile.installed_apps = list(value, str::to_owned),
            "segment" => self.user.segments = list(value, |one| SegmentId(number(one))),
            _ => return false,
        }
        true
    }

    /// Gives the user a run of one of the missions, in a phase and with steps done.
    fn ran(&mut self, value: &str, which: usize) {
        let mission = [&self.mission, &self.other[0], &self.other[1]][which];
        let (phase, paid): (_, &[Option<bool>]) = match value {
            "open" => (Phase::Open, &[]),
            "completed" => (Phase::Completed, &[Some(true)]),
            "closed" => (Phase::Closed, &[Some(true), Some(true)]),
            "reversed" => (Phase::Closed, &[None, Some(true)]),
            "expired" => (Phase::Expired, &[]),
            "expired_touched" => (Phase::Expired, &[Some(true)]),
            "voided" => (Phase::Voided, &[Some(true)]),
            _ => panic!("no such run: {value}"),
        };
        let run = world::run(&self.user, mission, phase, paid);
        self.user.enrollments.push(run);
    }

    /// Gives the user so many runs of other, deleted missions of line item 1.
    fn started(&mut self, runs: u32, days_ago: i32) {
        for id in 0..runs {
            let mut run =
                world::run(&self.user, &world::mission(1_000 + id, 1), Phase::Closed, &[]);
            run.day = Day(run.day.0 - days_ago);
            self.user.enrollments.push(run);
        }
        // Mission 1 must still be in the line item whose limits are asked.
        assert_eq!(self.mission.line_item_id, LineItemId(1));
    }

    fn hence(&self, seconds: &str) -> Timestamp {
        self.now.plus_seconds(seconds.parse().expect("seconds"))
    }
}

fn list<T, C: FromIterator<T>>(text: &str, of: impl Fn(&str) -> T) -> C {
    text.split(',').map(of).collect()
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

fn country(text: &str) -> CountryCode {
    CountryCode::parse(text).expect("a country")
}

fn platform(name: &str) -> Platform {
    Platform::ALL.into_iter().find(|one| one.name() == name).expect("a platform")
}

fn gender(name: &str) -> Gender {
    Gender::ALL.into_iter().find(|one| one.name() == name).expect("a gender")
}

fn line_status(name: &str) -> LineItemStatus {
    match name {
        "draft" => LineItemStatus::Draft,
        "paused" => LineItemStatus::Paused,
        "ended" => LineItemStatus::Ended,
        _ => panic!("no such status: {name}"),
    }
}
