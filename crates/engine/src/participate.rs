//! `participate`: the tap. Eligibility is checked once more, the terms are locked, the budget is
//! held, and the click id is issued.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1 |
//! | commit the run with its hold; or append the trace of a refusal | 1 |
//!
//! A tap on a mission that is already under way costs the load only.

use std::sync::Arc;

use domain::catalog::{Landing, Mission};
use domain::change::Loaded;
use domain::convert::trace_of;
use domain::decide::Situation;
use domain::ids::{EnrollmentId, MissionId};
use domain::journal::Cause;
use domain::participate::{Participation, participate};
use domain::user::Enrollment;
use domain::verdict::Refusal;
use store::Outcome;

use crate::engine::COMMIT_ATTEMPTS_MAX;
use crate::{ClickId, Ctx, Engine, EngineError, Viewer};

/// A run that the user can go on with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Started {
    /// The run.
    pub run: Enrollment,
    /// The mission in the locked version.
    pub mission: Arc<Mission>,
    /// The sealed click id.
    pub click_id: String,
    /// The landing page with its macros filled.
    pub landing_url: String,
    /// Where it opens.
    pub open: Landing,
    /// The user's language.
    pub language: String,
    /// Whether the run began with this tap.
    pub is_new: bool,
}

/// A tap that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TapRefused {
    /// Why.
    pub refusal: Refusal,
    /// The rule that said no.
    pub rule: &'static str,
}

/// What becomes of a tap.
pub type TapAnswer = Result<Started, TapRefused>;

impl Engine {
    /// Starts the mission for the user, or finds the run that he has started.
    ///
    /// # Errors
    /// [`EngineError`] if nothing could be decided; a refusal is an answer.
    pub async fn participate(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        mission: MissionId,
    ) -> Result<TapAnswer, EngineError> {
        if !self.has_mission(mission) {
            return Err(EngineError::NotFound("mission"));
        }
        let _turn = self.stripes.turn(&viewer.user).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let loaded = self.load_for(ctx, viewer).await?;
            Self::owned(&loaded, viewer)?;
            let (id, change) = match self.decide_tap(ctx, viewer, &loaded, mission) {
                Ok(Participation::Again(id)) => return Ok(Ok(self.started(&loaded, id, false)?)),
                Ok(Participation::New(id, change)) => (id, *change),
                Err(refused) => return self.refuse_tap(ctx, &loaded, mission, refused).await,
            };
            let next = Loaded { state: change.state.clone(), ..loaded.clone() };
            match self.commit(ctx, change).await? {
                Outcome::Applied(_) => return Ok(Ok(self.started(&next, id, true)?)),
                // Another node made the very same change first.
                Outcome::Replayed => return Ok(Ok(self.started(&next, id, false)?)),
                Outcome::OverBudget { .. } => {
                    let refused = TapRefused { refusal: Refusal::Exhausted, rule: "budget" };
                    return self.refuse_tap(ctx, &loaded, mission, refused).await;
                }
                Outcome::Stale => {}
            }
        }
        Err(EngineError::Contended)
    }

    /// Whether there is or was such a mission.
    fn has_mission(&self, id: MissionId) -> bool {
        let snapshot = self.snapshot();
        snapshot.catalog().latest_version(id).is_some()
    }

    fn decide_tap(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        loaded: &Loaded,
        mission: MissionId,
    ) -> Result<Participation, TapRefused> {
        let snapshot = self.snapshot();
        let levels = self.board.read();
        let situation: Situation<'_> = Self::situation(&snapshot, loaded, &levels, viewer, ctx);
        participate(loaded, &situation, mission)
            .map_err(|no| TapRefused { refusal: no.refusal, rule: no.rule.code() })
    }

    async fn refuse_tap(
        &self,
        ctx: &Ctx,
        loaded: &Loaded,
        mission: MissionId,
        refused: TapRefused,
    ) -> Result<TapAnswer, EngineError> {
        let cause = Cause::Refused { mission, refusal: refused.refusal };
        self.append(ctx, trace_of(loaded, cause, ctx.now)).await?;
        Ok(Err(refused))
    }

    /// The user's run with its click id and landing page; the same each time.
    pub(crate) fn started(
        &self,
        loaded: &Loaded,
        id: EnrollmentId,
        is_new: bool,
    ) -> Result<Started, EngineError> {
        let snapshot = self.snapshot();
        let run = loaded.state.run(id).ok_or(EngineError::NotFound("enrollment"))?;
        let mission = snapshot
            .mission_version(run.mission, run.version)
            .ok_or(EngineError::NotFound("mission"))?;
        let click_id = self.click_of(loaded, run);
        Ok(Started {
            landing_url: fill_landing(mission, run, loaded, &click_id),
            open: mission.landing,
            mission: Arc::clone(mission),
            run: run.clone(),
            language: loaded.state.profile.language.clone(),
            click_id,
            is_new,
        })
    }

    /// The landing page of a run with its macros filled; empty for a mission that has none.
    #[must_use]
    pub fn landing_of(&self, mission: &Mission, run: &Enrollment, loaded: &Loaded) -> String {
        fill_landing(mission, run, loaded, &self.click_of(loaded, run))
    }

    /// The click id of a run.
    #[must_use]
    pub fn click_of(&self, loaded: &Loaded, run: &Enrollment) -> String {
        self.vault.seal_click(&ClickId {
            user: loaded.state.key(),
            mission: run.mission,
            version: run.version,
            at: run.started_at,
        })
    }
}

/// Fills the landing page's macros; values are percent-encoded, and an unknown value is empty.
fn fill_landing(mission: &Mission, run: &Enrollment, loaded: &Loaded, click_id: &str) -> String {
    let profile = &loaded.state.profile;
    let value = |name: &str| match name {
        "click_id" => Some(click_id.to_owned()),
        "app_id" => Some(loaded.state.app.to_string()),
        "unit_id" | "sub_id" => Some(run.unit.to_string()),
        "mission_id" => Some(run.mission.to_string()),
        "line_item_id" => Some(run.line_item.to_string()),
        "user_key" => Some(loaded.state.key().to_string()),
        "ifa" => Some(profile.ifa.clone().unwrap_or_default()),
        "platform" => Some(profile.platform.map_or("", |one| one.name()).to_owned()),
        "country" => Some(profile.country.map(|one| one.as_str().to_owned()).unwrap_or_default()),
        "language" => Some(profile.language.clone()),
        _ => None,
    };
    let mut filled = String::with_capacity(mission.landing_url.len() + click_id.len());
    let mut rest = &*mission.landing_url;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else { break };
        filled.push_str(&rest[..open]);
        match value(&rest[open + 1..open + length]) {
            Some(value) => percent_encode(&value, &mut filled),
            None => filled.push_str(&rest[open..=open + length]),
        }
        rest = &rest[open + length + 1..];
    }
    filled.push_str(rest);
    filled
}

/// RFC 3986: everything but unreserved characters.
fn percent_encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |four: u8| char::from(b"0123456789ABCDEF"[usize::from(four)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}
