//! `set_segment`: puts users into an audience, or takes them out.
//!
//! | step | store calls |
//! |---|---|
//! | for each user: load, and commit if it differs | 1 or 2 |

use domain::change::Change;
use domain::ids::{AppId, Mode, SegmentId, UserKey};
use domain::user::UserState;
use futures_util::future::join_all;
use store::Outcome;

use crate::engine::COMMIT_ATTEMPTS_MAX;
use crate::open_session::check_user_id;
use crate::{Ctx, Engine, EngineError};

/// Most users of one call.
pub(crate) const SEGMENT_BATCH_MAX: usize = 1_000;
/// Users who are moved at once. Each is a commit of his own, and those that wait together are one
/// durable write; so many are a few writes, and leave room in the store's queue.
const USERS_AT_ONCE: usize = 128;

impl Engine {
    /// Puts users of an app into a segment or takes them out, and says for how many that changed
    /// anything. Users who were never seen are remembered for it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for an unknown segment or app; [`EngineError::Invalid`] for too many
    /// users or an unusable user id.
    pub async fn set_segment(
        &self,
        ctx: &Ctx,
        segment: SegmentId,
        (app, user_ids): (AppId, &[String]),
        is_member: bool,
    ) -> Result<usize, EngineError> {
        let snapshot = self.snapshot();
        if !snapshot.catalog().segments.contains_key(&segment) {
            return Err(EngineError::NotFound("segment"));
        }
        if !snapshot.catalog().apps.contains_key(&app) {
            return Err(EngineError::NotFound("app"));
        }
        if user_ids.len() > SEGMENT_BATCH_MAX {
            return Err(EngineError::Invalid {
                code: "too_many_users",
                sentence: format!("send at most {SEGMENT_BATCH_MAX} users at once"),
            });
        }
        user_ids.iter().try_for_each(|user_id| check_user_id(user_id))?;
        let mut changed = 0;
        for some in user_ids.chunks(USERS_AT_ONCE) {
            let moved = some
                .iter()
                .map(|user_id| self.set_member(ctx, segment, (app, user_id.as_str()), is_member));
            for is_changed in join_all(moved).await {
                changed += usize::from(is_changed?);
            }
        }
        Ok(changed)
    }

    async fn set_member(
        &self,
        ctx: &Ctx,
        segment: SegmentId,
        (app, user_id): (AppId, &str),
        is_member: bool,
    ) -> Result<bool, EngineError> {
        let user = UserKey::derive(app, Mode::Live, user_id);
        let _turn = self.stripes.turn(&user).await;
        for _ in 0..COMMIT_ATTEMPTS_MAX {
            let loaded = self.load(ctx, user).await?;
            let mut segments = loaded.state.segments.clone();
            match (segments.binary_search(&segment), is_member) {
                (Ok(_), true) | (Err(_), false) => return Ok(false),
                (Ok(place), false) => drop(segments.remove(place)),
                (Err(place), true) => segments.insert(place, segment),
            }
            let user_id = user_id.to_owned();
            let state = UserState { app, user_id, segments, ..loaded.state.clone() };
            match self.commit(ctx, Change::new(&loaded, state, None)).await? {
                Outcome::Applied(_) | Outcome::Replayed => return Ok(true),
                Outcome::Stale | Outcome::OverBudget { .. } => {}
            }
        }
        Err(EngineError::Contended)
    }
}
