//! `complete_step`: a visit, a quiz answer or a check-in, verified by us.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1 |
//! | commit the change, or append the trace | 1 |

use domain::catalog::Rule;
use domain::change::Loaded;
use domain::complete::{Completion, complete, visit_left};
use domain::convert::{Decided, Funds, Write};
use domain::ids::TransactionId;
use domain::verdict::{Reason, Verdict};
use store::Outcome;

use crate::engine::COMMIT_ATTEMPTS_MAX;
use crate::{Ctx, Engine, EngineError, Viewer};

/// What becomes of a completion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompletionAnswer {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The reward.
    pub transaction: Option<TransactionId>,
    /// For a visit that has not lasted long enough: how many seconds it still has to.
    pub wait_seconds: Option<u32>,
    /// For a quiz: how many attempts are left.
    pub attempts_left: Option<u8>,
}

impl Engine {
    /// Decides a completion of the user's own run.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if he has no run of the mission, or it has no such step.
    pub async fn complete_step(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        wish: Completion,
    ) -> Result<CompletionAnswer, EngineError> {
        let _turn = self.stripes.turn(&viewer.user).await;
        let mut funds = Funds::HeldAndMore;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let loaded = self.load_for(ctx, viewer).await?;
            Self::owned(&loaded, viewer)?;
            let decided = complete(&loaded, &self.snapshot(), &wish, funds, ctx.now)
                .ok_or(EngineError::NotFound("enrollment or step"))?;
            let state = match &decided.write {
                Write::Change(change) => Loaded { state: change.state.clone(), ..loaded.clone() },
                Write::Trace(_) | Write::Nothing => loaded.clone(),
            };
            let answer = self.completion_answer(ctx, &state, &wish, &decided);
            match self.write(ctx, decided.write).await? {
                Outcome::Applied(_) | Outcome::Replayed => return Ok(answer),
                Outcome::OverBudget { level, .. } => funds = funds.after_refusal(&level),
                Outcome::Stale => {}
            }
        }
        Err(EngineError::Contended)
    }

    fn completion_answer(
        &self,
        ctx: &Ctx,
        loaded: &Loaded,
        wish: &Completion,
        decided: &Decided,
    ) -> CompletionAnswer {
        let snapshot = self.snapshot();
        let run = loaded.state.run_of(wish.mission);
        let mission = run.and_then(|run| snapshot.mission_version(run.mission, run.version));
        let rule = mission.and_then(|mission| mission.step(wish.step)).map(|step| &step.rule);
        let progress = run.and_then(|run| run.step(wish.step));
        let (mut wait_seconds, mut attempts_left) = (None, None);
        match (rule, progress) {
            (Some(Rule::Visit { dwell_seconds, .. }), Some(progress)) => {
                wait_seconds = visit_left(progress, *dwell_seconds, ctx.now);
            }
            (Some(Rule::Quiz { attempts, .. }), Some(progress)) => {
                attempts_left = Some(attempts.saturating_sub(progress.misses));
            }
            _ => {}
        }
        CompletionAnswer {
            verdict: decided.verdict,
            reason: decided.reason,
            transaction: decided.transaction,
            wait_seconds,
            attempts_left,
        }
    }

    /// Writes what a decision leaves behind.
    pub(crate) async fn write(&self, ctx: &Ctx, write: Write) -> Result<Outcome, EngineError> {
        match write {
            Write::Change(change) => Ok(self.commit(ctx, *change).await?),
            Write::Trace(trace) => {
                self.append(ctx, *trace).await?;
                Ok(Outcome::Replayed)
            }
            Write::Nothing => Ok(Outcome::Replayed),
        }
    }
}
