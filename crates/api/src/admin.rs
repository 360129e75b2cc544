//! What operators call: the catalogue, what came of it, and the proof that the books are right.
//!
//! Every operator reads everything that is not secret; who may change what is said by the extractor
//! that a handler asks for ([`crate::auth`]).

mod body;
mod rows;

mod catalog;
mod line_items;
mod segments;

mod deliveries;
mod explain;
mod reports;
mod trail;
mod verify;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::state::Api;

pub(crate) fn router() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .merge(rows::router())
        .merge(catalog::router())
        .merge(line_items::router())
        .merge(segments::router())
        .merge(deliveries::router())
        .merge(explain::router())
        .merge(reports::router())
        .merge(trail::router())
        .merge(verify::router())
}
