//! `read_budget`: what a line item may spend, has booked, holds, and has left.
//!
//! | step | store calls |
//! |---|---|
//! | read one budget | 1 |

use domain::budget::Level;
use domain::ids::LineItemId;

use crate::{Ctx, Engine, EngineError};

impl Engine {
    /// The line item's budget as it stands in the store.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a line item that never had one.
    pub async fn read_budget(&self, ctx: &Ctx, id: LineItemId) -> Result<Level, EngineError> {
        let level = ctx.metered("budgets.level", self.stores.state.level(id)).await?;
        let level = level.ok_or(EngineError::NotFound("line item"))?;
        self.take_levels(ctx, &[level]);
        Ok(level)
    }
}
