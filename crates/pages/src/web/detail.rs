//! One mission.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::fault::Fault;
use super::posted::Looking;
use super::reply;
use super::shared::Shared;
use crate::present::{Around, Scene, mission_detail};
use crate::view::Flash;

/// The user's run of the mission, or the offer.
pub(crate) async fn detail(
    State(shared): State<Arc<Shared>>,
    looking: Looking,
) -> Result<Response, Fault> {
    let Looking { visitor, target, params } = looking;
    let engine = &shared.engine;
    let (ctx, snapshot) = (&visitor.asked.ctx, engine.snapshot());
    let shown = engine.show_mission(ctx, &visitor.viewer, target.mission, |view, loaded| {
        let landing = view.run.map(|run| engine.landing_of(view.mission, run, loaded));
        let around = Around {
            guard: shared.guard(&visitor.token),
            flash: params.get("n").and_then(Flash::from_query),
            landing: landing.unwrap_or_default(),
        };
        mission_detail(&Scene::new(&visitor, &snapshot, &loaded.state.profile), view, around)
    });
    match shown.await {
        Ok(page) => Ok(reply::page(&visitor.asked, &page)),
        Err(error) => Err(Fault::of(&shared, &visitor, &error).await),
    }
}
