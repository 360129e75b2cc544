//! Random worlds, decided twice: by the compiled snapshot and by reading the rows one by one.

use std::cmp::Reverse;
use std::sync::Arc;

use domain::catalog::{
    AdGroup, AdGroupStatus, LineItem, LineItemStatus, Mission, MissionStatus, OsVersionRange, Role,
    Targeting,
};
use domain::change::Loaded;
use domain::decide::{self, Assortment, Listing, Offer, Situation, changes_offers, starting_move};
use domain::ids::{LineItemId, MissionId, Mode, SegmentId};
use domain::money::{CurrencyCode, Micros};
use domain::participate::{Participation, participate};
use domain::targeting::AgeRange;
use domain::time::{DAY_MS, Day, HOUR_MS, Timestamp};
use domain::user::{Enrollment, Phase, UserState};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, any, prop_assert_eq, prop_oneof, proptest};

use super::growth::{BYTES, World, world_of};
use super::world::{NOON, UNIT};

impl World {
    fn situation(&self) -> Situation<'_> {
        let Self { snapshot, user, unit, levels } = self;
        Situation { snapshot, user, unit: *unit, now: NOON, levels }
    }

    fn expected_value(&self, group: &AdGroup) -> Micros {
        let missions = self.snapshot.catalog().missions.values();
        let of_line = missions.filter(|one| {
            one.line_item_id == group.line_item_id && one.status == MissionStatus::Active
        });
        group.bid.unwrap_or(Micros(of_line.map(|one| one.payout_max().0).sum()))
    }

    fn fits(&self, target: &Targeting) -> bool {
        let profile = &self.user.profile;
        let language = profile.language.as_str();
        let primary = language.split('-').next().unwrap_or("");
        let has_app = |app: &String| profile.installed_apps.contains(app);
        let in_segment = |segment: &SegmentId| self.user.segments.contains(segment);
        let in_os_range = |range: OsVersionRange| {
            profile.os_version.is_some_and(|os| {
                range.min.is_none_or(|min| min <= os) && range.max.is_none_or(|max| os <= max)
            })
        };
        let in_age_range = |range: AgeRange| {
            profile.age.is_some_and(|age| range.min <= age.min(120) && age.min(120) <= range.max)
        };
        (target.countries.is_empty()
            || profile.country.is_some_and(|one| target.countries.contains(&one)))
            && (target.platforms.is_empty()
                || profile.platform.is_some_and(|one| target.platforms.contains(&one)))
            && target.os_version.is_none_or(in_os_range)
            && target.age.is_none_or(in_age_range)
            && (target.genders.is_empty()
                || profile.gender.is_some_and(|one| target.genders.contains(&one)))
            && (target.languages.is_empty()
                || target.languages.contains(language)
                || target.languages.contains(primary))
            && (target.units.is_empty() || target.units.contains(&self.unit))
            && (target.installed.is_empty() || target.installed.iter().any(has_app))
            && !target.not_installed.iter().any(has_app)
            && (target.segments.is_empty() || target.segments.iter().any(in_segment))
            && !target.not_segments.iter().any(in_segment)
    }

    fn best_group(&self, line_item: LineItemId) -> Option<&AdGroup> {
        let groups = self.snapshot.catalog().ad_groups.values().map(Arc::as_ref);
        groups
            .filter(|group| {
                group.line_item_id == line_item && group.status == AdGroupStatus::Active
            })
            .filter(|group| self.fits(&group.targeting))
            .min_by_key(|group| (Reverse(self.expected_value(group)), group.id))
    }

    fn has_completed(&self, mission: MissionId) -> bool {
        let required_done = |run: &Enrollment| {
            let mission = &self.snapshot.catalog().missions[&mission];
            let mut steps = mission.steps.iter().zip(&run.steps);
            steps
                .all(|(step, done)| step.role != Role::Required || done.live() == step.repeat.limit)
        };
        self.user.enrollments.iter().any(|run| {
            run.mission == mission
                && matches!(run.phase, Phase::Completed | Phase::Closed)
                && required_done(run)
        })
    }

    fn did_same_app(&self, mission: &Mission, app: &str) -> bool {
        let counts = |run: &&Enrollment| {
            run.mission != mission.id
                && run.phase != Phase::Voided
                && !(matches!(run.phase, Phase::Expired | Phase::Closed) && run.is_untouched())
        };
        self.user.enrollments.iter().filter(counts).any(|run| {
            let line_item = self.snapshot.catalog().any_line_item(run.line_item);
            line_item.is_some_and(|row| row.advertised_app.as_deref() == Some(app))
        })
    }

    fn has_budget(&self, line_item: &LineItem, mission: &Mission) -> bool {
        let day = Day::of(NOON, line_item.utc_offset);
        let by = starting_move(line_item, mission, day, NOON);
        self.user.mode == Mode::Test
            || self
                .levels
                .get(line_item.id)
                .is_some_and(|level| level.limits.check(&level.total, &level.on(day), &by).is_ok())
    }

    fn may_start(&self, mission: &Mission) -> bool {
        let catalog = self.snapshot.catalog();
        let Some(line_item) = catalog.line_items.get(&mission.line_item_id) else {
            return false;
        };
        let runs = || self.user.enrollments.iter();
        let in_line = || runs().filter(|run| run.line_item == line_item.id);
        let today = Day::of(NOON, line_item.utc_offset);
        let started_today = in_line().filter(|run| run.day == today).count() as u32;
        let app = line_item.advertised_app.as_ref();
        let is_new = !app.is_some_and(|app| self.user.profile.installed_apps.contains(app));
        !self.user.blocked
            && mission.status == MissionStatus::Active
            && line_item.status == LineItemStatus::Running
            && line_item.flight.starts_at <= NOON
            && line_item.flight.ends_at.is_none_or(|end| NOON < end)
            && catalog.units[&self.unit].app_id == self.user.app
            && line_item.currency == CurrencyCode::USD
            && !runs().any(|run| run.mission == mission.id)
            && !app.is_some_and(|app| self.did_same_app(mission, app))
            && mission.prerequisites.iter().all(|one| self.has_completed(*one))
            && (is_new || mission.requirements.is_empty())
            && line_item.caps.per_user.is_none_or(|cap| (in_line().count() as u32) < cap)
            && line_item.caps.per_user_daily.is_none_or(|cap| started_today < cap)
            && self.has_budget(line_item, mission)
    }

    /// Mission and ad group of everything that may be started, in order.
    fn by_hand(&self) -> Vec<(u32, u32)> {
        let catalog = self.snapshot.catalog();
        let missions = catalog.missions.values().filter(|one| self.may_start(one));
        let mut found: Vec<_> = missions
            .filter_map(|one| {
                let group = self.best_group(one.line_item_id)?;
                let priority = catalog.line_items[&one.line_item_id].priority;
                let value = self.expected_value(group);
                Some((Reverse(priority), Reverse(value), group.id, one.id))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, group, mission)| (mission.0, group.0)).collect()
    }
}

/// That the three answers about every mission are one answer.
fn check_agreement(world: &World, offers: &[Offer<'_>]) {
    let situation = world.situation();
    for &id in world.snapshot.catalog().missions.keys() {
        let listed = offers.iter().find(|one| one.mission.id == id);
        let explained = decide::explain(&situation, id);
        let of_mission = || explained.iter().filter(|one| one.ad_group.is_none());
        let mission_passes = of_mission().all(|one| one.passed);
        let fitting = world.snapshot.catalog().ad_groups.keys().find(|&&group| {
            let mut asked = explained.iter().filter(|one| one.ad_group == Some(group)).peekable();
            asked.peek().is_some() && asked.all(|one| one.passed)
        });
        let answer = decide::check(&situation, id);
        assert_eq!(answer.is_ok(), mission_passes && fitting.is_some(), "{explained:#?}");
        assert_eq!(answer.as_ref().ok(), listed);
        if let Err(refused) = answer {
            let says_no = explained.iter().any(|one| one.rule == refused.rule && !one.passed);
            assert!(says_no, "{refused:?} {explained:#?}");
            let first = of_mission().find(|one| !one.passed).map(|one| one.rule);
            assert!(first.is_none_or(|first| refused.rule <= first), "{refused:?} {explained:#?}");
            assert_eq!(refused.refusal, refused.rule.refusal());
        }
    }
}

/// That every listed mission can really be started, within every limit.
fn check_no_dead_cards(world: &World, offers: &[Offer<'_>]) {
    let loaded = Loaded { state: world.user.clone(), ..Loaded::default() };
    for offer in offers {
        let started = participate(&loaded, &world.situation(), offer.mission.id);
        let Ok(Participation::New(_, change)) = started else { panic!("a dead card: {started:?}") };
        for by in change.record.iter().flat_map(|record| &record.moves) {
            let level = world.levels.get(by.line_item).expect("a level");
            assert_eq!(level.limits.check(&level.total, &level.on(by.day), by), Ok(()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_compiled_decision_is_the_one_made_by_hand(bytes in vec(any::<u8>(), BYTES)) {
        let world = world_of(&bytes);
        let offers = decide::offers(&world.situation());
        let found: Vec<(u32, u32)> =
            offers.iter().map(|one| (one.mission.id.0, one.ad_group.0)).collect();
        assert_eq!(found, world.by_hand());
        assert!(offers.windows(2).all(|pair| pair[0].place < pair[1].place));
        check_agreement(&world, &offers);
        check_no_dead_cards(&world, &offers);
    }
}

/// The moments, within an assortment's time, that are most likely to differ from the first.
fn moments_of(kept: &Assortment, first: Timestamp) -> Vec<Timestamp> {
    let steps = [0, 1, 86_399, 86_400, HOUR_MS, 11 * HOUR_MS, 12 * HOUR_MS - 1, DAY_MS];
    let moments = steps.iter().flat_map(|step| [first.0 + step, first.0 - step]).map(Timestamp);
    moments.filter(|at| kept.holds_at(*at)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_kept_assortment_gives_what_a_fresh_one_does(
        bytes in vec(any::<u8>(), BYTES),
        others in vec(any::<u8>(), BYTES),
        committed in vec((0_usize..8, 0_i64..30), 0..6),
        // A commit may have been decided before the assortment was made; noon is a tick of pacing.
        before_ms in prop_oneof![Just(0), Just(1), Just(30_000)],
    ) {
        let mut world = world_of(&bytes);
        let situation = world.situation();
        let listing = Listing::of(situation);
        let (class, kept) = (listing.class(), listing.assortment());
        // Of the same class, with another past.
        let like = UserState {
            enrollments: world_of(&others).user.enrollments,
            blocked: false,
            ..world.user.clone()
        };
        for user in [&world.user, &like] {
            for now in moments_of(&kept, NOON) {
                let situation = Situation { user, now, ..situation };
                let listing = Listing::of(situation);
                prop_assert_eq!(&listing.class(), &class);
                prop_assert_eq!(listing.offers(&kept), decide::offers(&situation));
            }
        }
        for (line, spent) in committed {
            let before = world.levels.iter().nth(line).copied();
            let Some(before) = before else { continue };
            let mut after = before;
            after.total.held.0 += spent * UNIT;
            after.today.held.0 += spent * UNIT;
            (after.total.starts, after.today.starts) = (before.total.starts + 1, before.today.starts + 1);
            if changes_offers(&world.snapshot, Some(&before), &after, Timestamp(NOON.0 - before_ms)) {
                continue;
            }
            world.levels.set(after);
            for now in moments_of(&kept, NOON) {
                let situation = Situation { now, ..world.situation() };
                prop_assert_eq!(Listing::of(situation).offers(&kept), decide::offers(&situation));
            }
        }
    }
}

#[test]
fn random_worlds_are_worth_looking_at() {
    let mut offered = 0;
    let mut refusing = std::collections::BTreeSet::new();
    let mut seed = 1_u64;
    for _ in 0..500 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u8
        })
        .take(BYTES)
        .collect();
        let world = world_of(&bytes);
        for &id in world.snapshot.catalog().missions.keys() {
            match decide::check(&world.situation(), id) {
                Ok(_) => offered += 1,
                Err(refused) => drop(refusing.insert(refused.rule)),
            }
        }
    }
    assert!(offered > 200, "only {offered} offers in 500 worlds");
    assert!(refusing.len() > 24, "only {refusing:?} refuse");
}
