//! `sweep`: what time alone does to users who are due.
//!
//! | step | store calls |
//! |---|---|
//! | find users who are due | 1 |
//! | for each: load, commit | 2 |

use domain::sweep::sweep;
use store::Outcome;

use crate::engine::COMMIT_ATTEMPTS_MAX;
use crate::{Ctx, Engine, EngineError};

impl Engine {
    /// Brings at most `limit` users who are due up to date, and says how many there were. Two
    /// sweeps at once are harmless: each change is made on one version only.
    ///
    /// # Errors
    /// [`EngineError`] if a store fails; what was committed before stays.
    pub async fn sweep(&self, ctx: &Ctx, limit: usize) -> Result<usize, EngineError> {
        let due = ctx.metered(self.stores.state.due(ctx.now, limit)).await?;
        for user in &due {
            let _turn = self.stripes.turn(user).await;
            for _ in 0..COMMIT_ATTEMPTS_MAX {
                let loaded = self.load(ctx, *user).await?;
                let Some(change) = sweep(&loaded, &self.snapshot(), ctx.now) else { break };
                if !matches!(self.commit(ctx, change).await?, Outcome::Stale) {
                    break;
                }
            }
        }
        Ok(due.len())
    }
}
