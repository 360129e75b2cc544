//! `revoke_sessions`: ends every session of a user at once, on every node.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1 |
//! | commit the moment from which his sessions count | 1 |
//!
//! There is no list of tokens that could be lost or forgotten. A token keeps the moment from which the
//! user's sessions counted when it was opened; here he gets a later one, and every verb that acts for a
//! session compares the two where it loads him anyway. What was decided for an ended session and is not
//! committed yet finds the user changed, and is refused when it looks again.
//!
//! Moments are compared with each other and never with a clock, so nodes whose clocks differ agree, and
//! a session that is opened right afterwards counts. Doing it again ends what was opened meanwhile.
//!
//! There is no record in the journal: nothing was booked, nothing that is derived from the journal
//! depends on it, and the state itself says since when sessions count.

use domain::change::Change;
use domain::ids::{AppId, Mode, UserKey};
use domain::user::UserState;
use store::Outcome;

use crate::engine::COMMIT_ATTEMPTS_MAX;
use crate::open_session::check_user_id;
use crate::{Ctx, Engine, EngineError};

impl Engine {
    /// Ends the sessions of a user of `app` that are open.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a user who was never seen, [`EngineError::Invalid`] for an unusable
    /// user id.
    pub async fn revoke_sessions(
        &self,
        ctx: &Ctx,
        (app, mode): (AppId, Mode),
        user_id: &str,
    ) -> Result<(), EngineError> {
        check_user_id(user_id)?;
        let user = UserKey::derive(app, mode, user_id);
        let _turn = self.stripes.turn(&user).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let loaded = self.load(ctx, user).await?;
            if loaded.version == 0 {
                return Err(EngineError::NotFound("user"));
            }
            let sessions_since = Some(loaded.state.sessions_end(ctx.now));
            let state = UserState { sessions_since, ..loaded.state.clone() };
            match self.commit(ctx, Change::new(&loaded, state, None)).await? {
                Outcome::Applied(_) | Outcome::Replayed => return Ok(()),
                Outcome::Stale | Outcome::OverBudget { .. } => {}
            }
        }
        Err(EngineError::Contended)
    }
}
