//! Missions as cards.

use domain::catalog::{AdGroup, Mission, MissionKind, Role};
use domain::decide::Offer;
use domain::ids::{AdGroupId, MissionId};
use domain::money::Points;
use domain::targeting::{OsVersion, Platform as System};
use domain::user::{Enrollment, PaidState};
use domain::view::{self, StepState};
use engine::{ListView, MissionView};

use super::Scene;
use super::step::repeat;
use crate::address::ImageUrl;
use crate::notice::SIMILAR_MAX;
use crate::plain::Plain;
use crate::view::{Kind, OfferCard, Platform, ProgressCard, Requirement, UpNext};

const DAY_SECONDS: u32 = 86_400;

/// What the page calls a kind of the catalogue.
pub(crate) fn kind(kind: MissionKind) -> Kind {
    match kind {
        MissionKind::Install => Kind::App,
        MissionKind::Game => Kind::Game,
        MissionKind::SignUp => Kind::SignUp,
        MissionKind::Purchase => Kind::Purchase,
        MissionKind::Follow => Kind::Follow,
        MissionKind::Quiz => Kind::Quiz,
        MissionKind::Visit => Kind::Visit,
        MissionKind::Daily => Kind::CheckIn,
        MissionKind::Other => Kind::Other,
    }
}

/// A mission that can be started.
pub(crate) fn offer_card(scene: &Scene<'_>, offer: &Offer<'_>) -> OfferCard {
    let mission = offer.mission.as_ref();
    let creative = scene.creative(&mission.creatives);
    let points: Vec<Points> = offer.prices.iter().map(|price| price.points).collect();
    let main = mission.steps.iter().filter(|step| step.role != Role::Bonus);
    OfferCard {
        id: mission.id.0.into(),
        kind: kind(mission.kind),
        title: Plain::new(creative.title),
        summary: Plain::new(creative.summary),
        icon: creative.icon_url.and_then(ImageUrl::parse),
        reward_total: total(mission, &points),
        reward_first: first_reward(mission, &points),
        first_minutes: None,
        boost: None,
        steps: count(main.count()),
        typical_minutes: mission.typical_minutes,
        days_allowed: days(mission.window_seconds),
        requirements: requirements(scene, mission, offer.ad_group),
    }
}

/// A mission that the user has started.
pub(crate) fn progress_card(scene: &Scene<'_>, view: &MissionView<'_>) -> Option<ProgressCard> {
    let (mission, run) = (view.mission.as_ref(), view.run?);
    let creative = scene.creative(&mission.creatives);
    let states = states(scene, mission, run);
    let is_main = |place: &usize| mission.steps[*place].role != Role::Bonus;
    let main = || (0..mission.steps.len()).filter(is_main);
    let next = current(mission, &states);
    let only = main().next().filter(|_| main().count() == 1);
    Some(ProgressCard {
        id: mission.id.0.into(),
        kind: kind(mission.kind),
        title: Plain::new(creative.title),
        icon: creative.icon_url.and_then(ImageUrl::parse),
        steps_done: count(main().filter(|place| states[*place] == StepState::Rewarded).count()),
        steps_total: count(main().count()),
        repeat: only.and_then(|place| repeat(mission, Some(run), place)),
        checking: count(states.iter().filter(|state| **state == StepState::Pending).count()),
        earned: paid(run),
        reward_total: run_total(mission, run),
        next: next.map(|place| up_next(scene, mission, run, place)),
        deadline: Some(nearest_deadline(scene, mission, run, next)),
    })
}

fn up_next(scene: &Scene<'_>, mission: &Mission, run: &Enrollment, place: usize) -> UpNext {
    let text = scene.step_text(&mission.steps[place].texts);
    UpNext {
        title: Plain::new(text.map_or("", |text| &text.title)),
        reward: run.steps[place].points.0,
    }
}

fn nearest_deadline(
    scene: &Scene<'_>,
    mission: &Mission,
    run: &Enrollment,
    next: Option<usize>,
) -> i64 {
    let own = next.and_then(|place| view::step_view(run, mission, place, scene.now()).deadline);
    own.unwrap_or(run.deadline).min(run.deadline).0
}

/// Missions to do instead of one that could not be started: of its kind first.
pub(crate) fn similar_to(
    scene: &Scene<'_>,
    view: &ListView<'_>,
    mission: MissionId,
) -> Vec<OfferCard> {
    let wanted = scene.snapshot.catalog().missions.get(&mission).map(|one| one.kind);
    let others = view.offers.all().iter().filter(|offer| offer.mission.id != mission);
    let mut others: Vec<&Offer<'_>> = others.collect();
    others.sort_by_key(|offer| Some(offer.mission.kind) != wanted);
    others.iter().take(SIMILAR_MAX).map(|offer| offer_card(scene, offer)).collect()
}

/// The state of every step of a run, in the mission's order.
fn states(scene: &Scene<'_>, mission: &Mission, run: &Enrollment) -> Vec<StepState> {
    let state = |place| view::step_view(run, mission, place, scene.now()).state;
    (0..mission.steps.len()).map(state).collect()
}

/// The step to do next: on the main path if there is one, else an extra.
fn current(mission: &Mission, states: &[StepState]) -> Option<usize> {
    let is_open = |place: &usize| states[*place] == StepState::Available;
    let is_main = |place: &usize| mission.steps[*place].role != Role::Bonus;
    let all = || (0..states.len()).filter(is_open);
    all().find(is_main).or_else(|| all().next())
}

/// All that the mission can pay, extras included: the same sum before the start and after it.
pub(crate) fn total(mission: &Mission, points: &[Points]) -> i64 {
    let steps = mission.steps.iter().zip(points);
    steps.map(|(step, points)| points.0 * i64::from(step.repeat.limit)).sum()
}

/// What the first step that pays at all pays: a signal without a reward promises nothing.
pub(crate) fn first_reward(mission: &Mission, points: &[Points]) -> i64 {
    let steps = mission.steps.iter().zip(points).filter(|(step, _)| step.role != Role::Bonus);
    steps.map(|(_, points)| points.0).find(|points| *points > 0).unwrap_or_default()
}

fn run_total(mission: &Mission, run: &Enrollment) -> i64 {
    let points: Vec<Points> = run.steps.iter().map(|own| own.points).collect();
    total(mission, &points)
}

/// What a run has brought into the wallet and not lost again.
pub(crate) fn paid(run: &Enrollment) -> i64 {
    let of_step = |step: &domain::user::StepProgress| {
        let paid = step.paid.iter().filter(|one| one.state == PaidState::Rewarded).count();
        step.points.0 * i64::from(count(paid))
    };
    run.steps.iter().map(of_step).sum()
}

/// Whole days of a window; a shorter one is told by its deadline once it has begun.
pub(crate) fn days(seconds: u32) -> Option<u32> {
    Some(seconds / DAY_SECONDS).filter(|days| *days > 0)
}

pub(crate) fn count(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}

/// What the mission itself asks for, and what its ad group asks of the user and his device.
pub(crate) fn requirements(
    scene: &Scene<'_>,
    mission: &Mission,
    ad_group: AdGroupId,
) -> Vec<Requirement> {
    let mut all: Vec<Requirement> = mission.requirements.iter().map(|code| named(code)).collect();
    if let Some(group) = scene.snapshot.catalog().ad_groups.get(&ad_group) {
        all.extend(targeted(group));
    }
    all
}

fn named(code: &str) -> Requirement {
    match code {
        "new_users_only" => Requirement::NewUsersOnly,
        "payment_required" => Requirement::PaymentNeeded,
        "no_payment" => Requirement::NoPayment,
        "tracking" => Requirement::Tracking,
        own => Requirement::Other(Plain::new(&own.replace('_', " "))),
    }
}

fn targeted(group: &AdGroup) -> Vec<Requirement> {
    let targeting = &group.targeting;
    let version = targeting.os_version.and_then(|range| range.min).map(version_text);
    let systems = targeting.platforms.iter().map(|system| match system {
        System::Android => Platform::Android,
        System::Ios => Platform::Ios,
        System::Web => Platform::Web,
    });
    let mut all: Vec<Requirement> =
        systems.map(|system| Requirement::Os(system, version.clone())).collect();
    let age = targeting.age.map(|range| range.min).filter(|min| *min > 0);
    all.extend(age.map(Requirement::MinAge));
    all
}

fn version_text(version: OsVersion) -> Plain {
    let OsVersion { major, minor, patch } = version;
    Plain::new(&match (minor, patch) {
        (0, 0) => major.to_string(),
        (minor, 0) => format!("{major}.{minor}"),
        (minor, patch) => format!("{major}.{minor}.{patch}"),
    })
}
