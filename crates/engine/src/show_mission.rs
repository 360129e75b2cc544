//! `show_mission` and `explain_mission`: one mission for one user, and every rule with its verdict.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1; to show one mission with a cache, 0 or 1 |

use domain::change::Loaded;
use domain::decide::{self, RuleVerdict};
use domain::ids::MissionId;

use crate::list_missions::mission_of;
use crate::user_cache::OnError;
use crate::{Ctx, Engine, EngineError, MissionView, Viewer};

impl Engine {
    /// Shows one mission to `write`: the user's run of it, or the offer.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] if he neither has a run nor may start one, or was never seen.
    pub async fn show_mission<R>(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        mission: MissionId,
        write: impl FnOnce(&MissionView<'_>, &Loaded) -> R,
    ) -> Result<R, EngineError> {
        let snapshot = self.snapshot();
        let loaded = self.shown(ctx, viewer, OnError::Fail).await?;
        Self::owned(&loaded, viewer)?;
        if let Some(view) = loaded.state.run_of(mission).and_then(|run| mission_of(&snapshot, run))
        {
            return Ok(write(&view, &loaded));
        }
        let levels = self.board.read();
        let situation = Self::situation(&snapshot, &loaded, &levels, viewer, ctx);
        let offer =
            decide::check(&situation, mission).map_err(|_| EngineError::NotFound("mission"))?;
        let view = MissionView {
            mission: offer.mission,
            version_place: None,
            line_item: offer.line_item,
            ad_group: offer.ad_group,
            run: None,
            prices: offer.prices,
        };
        Ok(write(&view, &loaded))
    }

    /// Every rule with its verdict for that user and mission, whether or not it is shown to him.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a mission that does not exist or a user who was never seen.
    pub async fn explain_mission(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        mission: MissionId,
    ) -> Result<Vec<RuleVerdict>, EngineError> {
        let snapshot = self.snapshot();
        if !snapshot.catalog().missions.contains_key(&mission) {
            return Err(EngineError::NotFound("mission"));
        }
        let loaded = self.load_for(ctx, viewer).await?;
        Self::owned(&loaded, viewer)?;
        let levels = self.board.read();
        let situation = Self::situation(&snapshot, &loaded, &levels, viewer, ctx);
        Ok(decide::explain(&situation, mission))
    }
}
