//! `inquire`: "I did not get my reward", answered from the evidence.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1 |
//! | read his latest records | 1 |
//! | append the trace with the answer | 1 |
//!
//! Nobody's state differs afterwards, so the user may ask again as often as he likes.

use domain::convert::trace_of;
use domain::ids::{EnrollmentId, StepId};
use domain::inquire::{Answer, inquire, message_problem};
use domain::journal::{Cause, Record};

use crate::list_enrollments::LEDGER_PAGE;
use crate::{Ctx, Engine, EngineError, Viewer};

/// What a user asks about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inquiry {
    /// His run.
    pub enrollment: EnrollmentId,
    /// The step whose reward he misses.
    pub step: StepId,
    /// His own words.
    pub message: Option<String>,
}

impl Engine {
    /// Answers an inquiry about a step of the user's own run.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if he has no such run or it has no such step, and
    /// [`EngineError::Invalid`] if his message is too long or holds control characters.
    pub async fn inquire(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        inquiry: Inquiry,
    ) -> Result<Answer, EngineError> {
        let Inquiry { enrollment, step, message } = inquiry;
        if let Some(sentence) = message.as_deref().and_then(message_problem) {
            return Err(EngineError::Invalid { code: "bad_message", sentence });
        }
        let loaded = self.load_for(ctx, viewer).await?;
        Self::owned(&loaded, viewer)?;
        let run = loaded.state.run(enrollment).ok_or(EngineError::NotFound("enrollment"))?;
        let snapshot = self.snapshot();
        let mission = snapshot
            .mission_version(run.mission, run.version)
            .ok_or(EngineError::NotFound("mission"))?;
        let place = mission.steps.iter().position(|one| one.id == step);
        let place = place.ok_or(EngineError::NotFound("step"))?;
        let page = ctx
            .metered("users.ledger", self.stores.state.ledger(viewer.user, None, LEDGER_PAGE))
            .await?;
        let records: Vec<&Record> = page.records.iter().map(|stored| &stored.record).collect();
        let answer = inquire(run, mission, place, &records, ctx.now);
        let Answer { finding, reason, .. } = answer;
        let cause = Cause::Inquiry { enrollment, step, finding, reason, message };
        self.append(ctx, trace_of(&loaded, cause, ctx.now)).await?;
        Ok(answer)
    }
}
