//! What a user does: start a mission, begin a visit, finish a step.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use domain::complete::{Completion, Evidence};
use domain::ids::MissionId;
use domain::verdict::{Reason, Verdict};
use engine::{CompletionAnswer, Started, TapRefused};

use super::fault::Fault;
use super::posted::{Looking, Posted};
use super::shared::Shared;
use super::{Params, Visitor, reply};
use crate::address::LandingUrl;
use crate::notice::{Notice, NoticeKind};
use crate::present::{self, Scene, begins_with_check_in, similar_to};
use crate::view::Flash;

/// Starts the mission and opens its landing page. Where it begins with a check-in, the button has
/// promised that, so the same tap does it.
pub(crate) async fn start(
    State(shared): State<Arc<Shared>>,
    posted: Posted,
) -> Result<Response, Fault> {
    let Posted { visitor, target, key, .. } = posted;
    let Visitor { viewer, asked, .. } = &visitor;
    let tapped = match shared.engine.participate(&asked.ctx, viewer, target.mission).await {
        Ok(tapped) => tapped,
        Err(error) => return Err(Fault::of(&shared, &visitor, &error).await),
    };
    match tapped {
        Ok(started) => {
            let flash = match begins_with_check_in(&started.mission) {
                Some(step) => {
                    let wish = Completion {
                        mission: target.mission,
                        step: step.id,
                        evidence: Evidence::CheckIn,
                    };
                    done(&shared, &visitor, key, wish).await?
                }
                None => Some(Flash::Started),
            };
            Ok(reply::see_other(&next_place(&visitor, &started, flash)))
        }
        Err(refused) => {
            let notice = refusal_notice(&shared, &visitor, target.mission, &refused).await?;
            Ok(reply::page(asked, &notice))
        }
    }
}

/// Begins a visit: from now on the user has to stay.
pub(crate) async fn begin_visit(
    State(shared): State<Arc<Shared>>,
    posted: Posted,
) -> Result<Response, Fault> {
    finish(&shared, posted, Evidence::Visit).await
}

/// Finishes a step that we verify.
pub(crate) async fn complete(
    State(shared): State<Arc<Shared>>,
    posted: Posted,
) -> Result<Response, Fault> {
    match evidence(&posted.fields) {
        Some(evidence) => finish(&shared, posted, evidence).await,
        None => Ok(to_mission(&posted.visitor, posted.target.mission, Some(Flash::NoAnswer))),
    }
}

/// A form's own address holds nothing to see.
pub(crate) async fn back(looking: Looking) -> Response {
    to_mission(&looking.visitor, looking.target.mission, None)
}

/// What the form shows; nothing for a quiz without an answer.
fn evidence(fields: &Params) -> Option<Evidence> {
    match fields.get("evidence")? {
        "visit" => Some(Evidence::Visit),
        "check_in" => Some(Evidence::CheckIn),
        "quiz" => fields.get("answer")?.parse().ok().map(Evidence::Quiz),
        _ => None,
    }
}

async fn finish(shared: &Shared, posted: Posted, evidence: Evidence) -> Result<Response, Fault> {
    let Posted { visitor, target, key, .. } = posted;
    let wish = Completion { mission: target.mission, step: target.step, evidence };
    let flash = done(shared, &visitor, key, wish).await?;
    Ok(to_mission(&visitor, target.mission, flash))
}

/// Does what the form with that key wishes, once, and says what came of it.
async fn done(
    shared: &Shared,
    visitor: &Visitor,
    key: String,
    wish: Completion,
) -> Result<Option<Flash>, Fault> {
    let Visitor { viewer, asked, .. } = visitor;
    let work = async {
        let answer = shared.engine.complete_step(&asked.ctx, viewer, wish).await?;
        Ok(flash(&answer))
    };
    match shared.once.answer(viewer.user, key, work).await {
        Ok(flash) => Ok(flash),
        Err(error) => Err(Fault::of(shared, visitor, &error).await),
    }
}

/// What the mission's page says first. Where its steps say it all, that is nothing.
fn flash(answer: &CompletionAnswer) -> Option<Flash> {
    let left = answer.attempts_left.map(u32::from);
    match (answer.verdict, answer.reason) {
        (Verdict::Rewarded, _) => Some(Flash::Paid),
        (Verdict::Pending, _) => Some(Flash::Checking),
        (_, Reason::VisitStarted) => Some(Flash::VisitBegun),
        (_, Reason::TooSoon) => answer.wait_seconds.map(Flash::Wait),
        (_, Reason::WrongAnswer | Reason::NoAttempts) => Some(Flash::Wrong(left)),
        (Verdict::Duplicate, _) | (_, Reason::DailyLimit) => Some(Flash::Again),
        (Verdict::Parked, _) => Some(Flash::Checking),
        _ => None,
    }
}

fn to_mission(visitor: &Visitor, mission: MissionId, flash: Option<Flash>) -> Response {
    reply::see_other(&mission_address(visitor, mission, flash))
}

fn mission_address(visitor: &Visitor, mission: MissionId, flash: Option<Flash>) -> String {
    let page = visitor.links.mission(&mission.0.into());
    match flash {
        Some(flash) => format!("{page}?n={}", flash.to_query()),
        None => page,
    }
}

/// The landing page; the mission's own page where there is none, or where it could not open: in a
/// frame the advertiser's page would be refused, so there the user gets a button that leaves it.
fn next_place(visitor: &Visitor, started: &Started, flash: Option<Flash>) -> String {
    let landing = LandingUrl::parse(&started.landing_url).filter(|_| !visitor.may_be_framed());
    match landing {
        Some(landing) => landing.to_string(),
        None => mission_address(visitor, started.mission.id, flash),
    }
}

/// The refusal with what can be done instead.
async fn refusal_notice(
    shared: &Shared,
    visitor: &Visitor,
    mission: MissionId,
    refused: &TapRefused,
) -> Result<Notice, Fault> {
    let Visitor { viewer, asked, .. } = visitor;
    let listed = shared.engine.list_missions(&asked.ctx, viewer, |view| {
        let scene = Scene::new(visitor, view.snapshot, &view.loaded.state.profile);
        let refusal = present::refusal(view.snapshot, mission, refused, asked.ctx.now);
        Notice {
            kind: NoticeKind::Refused(refusal),
            mission_id: Some(mission.0.into()),
            similar: similar_to(&scene, view, mission),
            retry_href: None,
            request_id: None,
            frame: scene.frame,
        }
    });
    match listed.await {
        Ok(notice) => Ok(notice),
        Err(error) => Err(Fault::of(shared, visitor, &error).await),
    }
}
