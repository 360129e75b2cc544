//! `sweep`: what time alone does to users who are due.
//!
//! | step | store calls |
//! |---|---|
//! | find users who are due | 1 |
//! | for each: load, commit | 2 |
//! | for each more that is due than one change may carry: commit | 1 |
//! | for each refusal by a budget: commit what it leaves | 1 |

use domain::catalog::limits::REPEAT_MAX;
use domain::change::MESSAGES_MAX;
use domain::convert::Funds;
use domain::ids::UserKey;
use domain::sweep::sweep;
use store::Outcome;

use crate::{Ctx, Engine, EngineError};

/// Most commits for one user in one sweep, so that one with very much due does not keep the others
/// waiting: he stays due.
const COMMITS_MAX: usize = 32;

// A step that is paid as often as a step can be is paid in one sweep.
const _: () = assert!(REPEAT_MAX as usize <= COMMITS_MAX * MESSAGES_MAX);

impl Engine {
    /// Brings at most `limit` users who are due up to date, and says how many there were. Two
    /// sweeps at once are harmless: each change is made on one version only.
    ///
    /// # Errors
    /// [`EngineError`] if a store fails; what was committed before stays.
    pub async fn sweep(&self, ctx: &Ctx, limit: usize) -> Result<usize, EngineError> {
        let due = ctx.metered("users.due", self.stores.state.due(ctx.now, limit)).await?;
        for user in &due {
            self.bring_up_to_date(ctx, *user).await?;
        }
        Ok(due.len())
    }

    async fn bring_up_to_date(&self, ctx: &Ctx, user: UserKey) -> Result<(), EngineError> {
        let _turn = self.stripes.turn(&user).await;
        let mut loaded = self.load(ctx, user).await?;
        let mut funds = Funds::HeldAndMore;
        for _ in 0..COMMITS_MAX {
            let Some(change) = sweep(&loaded, &self.snapshot(), funds, ctx.now) else { break };
            let after = change.after();
            (loaded, funds) = match self.commit(ctx, change).await? {
                Outcome::Applied(_) | Outcome::Replayed => (after, Funds::HeldAndMore),
                Outcome::Stale => (self.load(ctx, user).await?, Funds::HeldAndMore),
                // Not all that goes beyond the hold has budget: decide again with what there is.
                Outcome::OverBudget { level, .. } => (loaded, funds.after_refusal(&level)),
            };
        }
        Ok(())
    }
}
