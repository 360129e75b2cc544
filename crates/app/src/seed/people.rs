//! The benchmark's users, each with the changes that lead to where he stands.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use domain::catalog::OsVersion;
use domain::change::{Change, Loaded};
use domain::convert::{Event, Funds, Standing, Write, convert};
use domain::decide::{Levels, Situation};
use domain::ids::{EnrollmentId, MissionId, Mode};
use domain::participate::{Participation, participate};
use domain::snapshot::Snapshot;
use domain::targeting::Profile;
use domain::time::{HOUR_MS, Timestamp};
use domain::user::UserState;

use super::catalog::{APP, EVENTS, Kinds, PARTNER, UNIT, has_two_steps};

/// How user ids are made.
pub(super) const USER_ID: &str = "user-{n}";
/// Ages run from here over fifty years.
const AGE_MIN: u32 = 15;
const AGES: u32 = 50;
/// How far apart the missions of neighbours are; prime to how many a kind has, so that all are used.
const STRIDE: u32 = 7;

/// Draws users up.
pub(super) struct People {
    snapshot: Arc<Snapshot>,
    levels: Levels,
    kinds: Kinds,
    enrollments: u32,
    /// Of those, how many have one of their two steps behind them.
    in_progress: u32,
    now: Timestamp,
}

impl People {
    pub(super) fn new(
        snapshot: Arc<Snapshot>,
        levels: Levels,
        kinds: Kinds,
        (enrollments, in_progress): (u32, u32),
        now: Timestamp,
    ) -> Self {
        Self { snapshot, levels, kinds, enrollments, in_progress, now }
    }

    /// Everything that the user of that number has done, each change on the one before: one run
    /// after the other, an hour apart. Those in progress come first and have done their first step;
    /// of the others the first has done all.
    pub(super) fn changes(&self, number: u32) -> anyhow::Result<Vec<Change>> {
        let mut desk =
            Desk { people: self, loaded: stranger(number, self.kinds), changes: Vec::new() };
        for (at, mission) in (0..).zip(self.missions(number)) {
            let now = self.moment(at);
            let situation = Situation {
                snapshot: &self.snapshot,
                user: &desk.loaded.state,
                unit: UNIT,
                now,
                levels: &self.levels,
            };
            let tap = participate(&desk.loaded, &situation, mission)
                .map_err(|no| anyhow!("user {number} is refused mission {mission}: {no:?}"))?;
            let Participation::New(run, change) = tap else {
                bail!("user {number} has mission {mission} already");
            };
            desk.take(*change);
            if at < self.in_progress {
                desk.report(run, EVENTS[0], now)?;
            } else if at == self.in_progress {
                desk.finish(run, mission, now)?;
            }
        }
        Ok(desk.changes)
    }

    /// The missions that the user of that number has started, in that order.
    fn missions(&self, number: u32) -> Vec<MissionId> {
        let line_items = self.snapshot.catalog().line_items.len() as u32;
        let count = self.kinds.missions_per_user(line_items);
        let first = self.kinds.rounds(number) * STRIDE;
        let own = (0..count).map(|at| (first + at) % count);
        let mut in_progress = Vec::new();
        let mut others = Vec::new();
        for place in own {
            if in_progress.len() < self.in_progress as usize && has_two_steps(place) {
                in_progress.push(place);
            } else {
                others.push(place);
            }
        }
        let places = in_progress.into_iter().chain(others).take(self.enrollments as usize);
        places.map(|place| self.kinds.mission_of_kind(number, place)).collect()
    }

    /// When the run at that place began.
    fn moment(&self, at: u32) -> Timestamp {
        Timestamp(self.now.0 - i64::from(self.enrollments - at) * HOUR_MS)
    }
}

/// A user before his first change.
fn stranger(number: u32, kinds: Kinds) -> Loaded {
    let kind = kinds.kind(number);
    let age = AGE_MIN + kinds.rounds(number) % AGES;
    let profile = Profile {
        country: kind.country,
        platform: Some(kind.platform),
        gender: Some(kind.gender),
        age: u8::try_from(age).ok(),
        os_version: OsVersion::parse("14.4"),
        language: "en".to_owned(),
        ..Profile::default()
    };
    let user_id = USER_ID.replace("{n}", &number.to_string());
    let state = UserState { app: APP, mode: Mode::Live, user_id, profile, ..UserState::default() };
    Loaded { state, ..Loaded::default() }
}

/// One user's changes in the making.
struct Desk<'a> {
    people: &'a People,
    loaded: Loaded,
    changes: Vec<Change>,
}

impl Desk<'_> {
    /// Takes a change as done: the next one is decided on what it leaves.
    fn take(&mut self, change: Change) {
        let version = self.loaded.version + 1;
        self.loaded = Loaded { version, chain: change.chain, state: change.state.clone() };
        self.changes.push(change);
    }

    /// Does all steps of the run.
    fn finish(&mut self, run: EnrollmentId, id: MissionId, now: Timestamp) -> anyhow::Result<()> {
        let mission = self.people.snapshot.catalog().missions.get(&id);
        let steps = mission.map_or(0, |mission| mission.steps.len());
        EVENTS.iter().take(steps).try_for_each(|event| self.report(run, event, now))
    }

    /// Has the partner report an event that must earn something.
    fn report(&mut self, run: EnrollmentId, name: &str, now: Timestamp) -> anyhow::Result<()> {
        let event = Event {
            partner: PARTNER,
            enrollment: run,
            name: name.to_owned(),
            id: Some(format!("{name}-1")),
            occurred_at: Some(now),
            amount: None,
            currency: None,
            standing: Standing::Good,
            raw: format!("event={name}&event_id={name}-1"),
        };
        let snapshot = &self.people.snapshot;
        let decided = convert(&self.loaded, snapshot, &event, Funds::HeldAndMore, now);
        let Write::Change(change) = decided.write else {
            bail!("{name} earned nothing: {:?}", decided.reason);
        };
        self.take(*change);
        Ok(())
    }
}
