//! The list.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::fault::Fault;
use super::shared::Shared;
use super::{Params, Visitor, reply};
use crate::present::{ListWish, Scene, mission_list};

/// Missions that were started, and missions that can be.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    params: Params,
) -> Result<Response, Fault> {
    let wish = ListWish::read(&params);
    let Visitor { viewer, asked, .. } = &visitor;
    let listed = shared.engine.list_missions(&asked.ctx, viewer, |view| {
        mission_list(&Scene::new(&visitor, view.snapshot, &view.loaded.state.profile), view, wish)
    });
    match listed.await {
        Ok(page) => Ok(reply::page(asked, &page)),
        Err(error) => Err(Fault::of(&shared, &visitor, &error).await),
    }
}
