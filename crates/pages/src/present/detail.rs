//! One mission.

use domain::catalog::{Landing, Mission, MissionKind, Role, Rule, Step};
use domain::user::Enrollment;
use domain::view::{self, RunState};
use engine::MissionView;

use super::Scene;
use super::card::{days, first_reward, kind, paid, requirements, total};
use super::step::{points, step_views};
use crate::address::{ImageUrl, LandingUrl};
use crate::form::FormGuard;
use crate::mission_detail::{Cta, Headline, Idle, MissionDetail, Run};
use crate::plain::Plain;
use crate::view::{CheckIn, Flash, Nudge, StepAction, StepState, StepView};

/// From here on an installation that was not seen is worth a word: partners report within minutes.
const INSTALL_LATE_MS: i64 = 15 * 60_000;

/// What the page knows beside the mission.
pub(crate) struct Around {
    /// The guards of its forms.
    pub(crate) guard: FormGuard,
    /// The answer to a form.
    pub(crate) flash: Option<Flash>,
    /// The landing page of the run; empty without one.
    pub(crate) landing: String,
}

/// The page of one mission.
pub(crate) fn mission_detail(
    scene: &Scene<'_>,
    view: &MissionView<'_>,
    around: Around,
) -> MissionDetail {
    let creative = scene.creative(&view.mission.creatives);
    let fine_print = creative.fine_print;
    let steps = step_views(scene, view);
    MissionDetail {
        frame: scene.frame.clone(),
        guard: around.guard,
        headline: headline(scene, view),
        run: view.run.map(|run| Run { earned: paid(run), deadline: open_until(scene, run) }),
        cta: cta(scene, view, &steps, &around.landing),
        steps,
        conditions: Vec::new(),
        fine_print: paragraphs(fine_print),
        flash: around.flash,
        nudge: view.run.and_then(|run| nudge(scene, view, run)),
    }
}

fn headline(scene: &Scene<'_>, view: &MissionView<'_>) -> Headline {
    let mission = view.mission.as_ref();
    let creative = scene.creative(&mission.creatives);
    let about = match creative.description {
        "" => creative.summary,
        description => description,
    };
    Headline {
        id: mission.id.0.into(),
        kind: kind(mission.kind),
        title: Plain::new(creative.title),
        summary: Plain::new(about),
        icon: creative.icon_url.and_then(ImageUrl::parse),
        image: creative.image_url.and_then(ImageUrl::parse),
        reward_total: total(mission, &points(view)),
        boost: None,
        typical_minutes: mission.typical_minutes,
        days_allowed: days(mission.window_seconds),
        requirements: requirements(scene, mission, view.ad_group),
    }
}

fn paragraphs(prose: &str) -> Vec<Plain> {
    prose.lines().map(Plain::new).filter(|line| !line.is_empty()).collect()
}

/// A deadline matters while something can be done.
fn open_until(scene: &Scene<'_>, run: &Enrollment) -> Option<i64> {
    let is_open = matches!(
        view::run_state(run, scene.now()),
        RunState::Started | RunState::InProgress | RunState::Completed
    );
    is_open.then_some(run.deadline.0)
}

fn cta(scene: &Scene<'_>, view: &MissionView<'_>, steps: &[StepView], landing: &str) -> Cta {
    let mission = view.mission.as_ref();
    let Some(run) = view.run else {
        let creative = scene.creative(&mission.creatives);
        let own = Some(Plain::new(creative.cta)).filter(|label| !label.is_empty());
        let check_in = begins_with_check_in(mission);
        let check_in = check_in.map(|_| Plain::new(scene.frame.texts().step.check_in));
        let reward = first_reward(mission, &points(view));
        return Cta::Start { label: own.or(check_in), reward };
    };
    let main_first = steps.iter().filter(|step| !step.bonus).chain(steps);
    let Some(step) = main_first.into_iter().find(|step| step.is_to_do()) else {
        return Cta::Idle(idle(scene, run, steps));
    };
    if step.action == StepAction::CheckIn(CheckIn::Ready) {
        return Cta::CheckIn { step_id: step.id, reward: step.reward };
    }
    let is_elsewhere = step.action == StepAction::Elsewhere;
    match LandingUrl::parse(landing).filter(|_| is_elsewhere) {
        Some(landing) => Cta::Open {
            landing,
            outside: mission.landing == Landing::ExternalBrowser,
            reward: Some(step.reward).filter(|reward| *reward > 0),
        },
        None => Cta::GoToStep { step_id: step.id, position: step.position, reward: step.reward },
    }
}

/// The check-in that a new run of the mission begins with, if it does: its first step on the main
/// path, unless that needs another one.
pub(crate) fn begins_with_check_in(mission: &Mission) -> Option<&Step> {
    let first = mission.steps.iter().find(|step| step.role != Role::Bonus)?;
    (first.rule == Rule::CheckIn && first.after.is_empty()).then_some(first)
}

/// Why nothing is to be done.
fn idle(scene: &Scene<'_>, run: &Enrollment, steps: &[StepView]) -> Idle {
    let is_checked = steps.iter().any(|step| matches!(step.state, StepState::Pending { .. }));
    let is_paid = steps
        .iter()
        .filter(|step| !step.bonus)
        .all(|step| matches!(step.state, StepState::Rewarded { .. }));
    if let Some(at) = steps.iter().find_map(StepView::come_back) {
        return Idle::ComeBack(at);
    }
    match view::run_state(run, scene.now()) {
        _ if is_checked => Idle::Waiting,
        _ if is_paid => Idle::Completed,
        RunState::Started | RunState::InProgress => Idle::Ended,
        RunState::Expired => Idle::Expired,
        RunState::Completed => Idle::Completed,
        RunState::Closed | RunState::Voided => Idle::Ended,
    }
}

fn nudge(scene: &Scene<'_>, view: &MissionView<'_>, run: &Enrollment) -> Option<Nudge> {
    let is_installed_first = matches!(view.mission.kind, MissionKind::Install | MissionKind::Game)
        && matches!(view.mission.steps.first()?.rule, Rule::Event { .. });
    let is_late = view::run_state(run, scene.now()) == RunState::Started
        && scene.now().since(run.started_at) >= INSTALL_LATE_MS;
    (is_installed_first && is_late).then_some(Nudge::InstallNotSeen)
}
