//! JSON over HTTP: what publishers, partners, pages and operators call.
//!
//! A resource is a file with its routes, its documents and its handlers; a handler takes valid values
//! from extractors, calls one verb of the engine and says what came of it. Everything around that is
//! here once: who calls ([`auth`]), what was sent ([`extract`]), what went wrong ([`problem`]), and
//! request ids, limits, figures and panics ([`around`]).
//!
//! Every route is registered together with its description, so `/openapi.json` cannot drift from
//! what is served. This crate knows no store, reads no clock and makes no randomness of its own.

mod state;

mod around;
mod auth;
mod extract;
mod limits;
mod paging;
mod problem;
mod served;
mod stamp;
mod strict_json;

mod sessions;
mod missions;
mod participations;
mod completions;
mod enrollments;
mod hex;
mod inquiries;
mod wallet;

mod postbacks;

mod deliveries;
mod rewards;

mod admin;

mod openapi;
mod operations;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

pub use limits::ClientAddress;
pub use served::Served;
pub use state::{AdminKey, ApiState, Dependency, Eventually, Role, Verify};

use state::Api;

/// Everything that is served under `/v1`, what operations needs beside it, and `beside`, which lives
/// under the same limits.
pub fn router(state: ApiState, beside: Router) -> Served {
    let api = Arc::new(Api::new(state));
    let document = Arc::new(openapi());
    let (routes, _) = routes().split_for_parts();
    let routes = routes
        .merge(openapi::router(document))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(Arc::clone(&api))
        .merge(beside);
    Served::new(Arc::clone(&api), surrounded(api, routes))
}

/// What operations needs alone: `/livez`, `/readyz` and `/metrics` of a process that answers nobody
/// else.
pub fn operations_router(state: ApiState) -> Served {
    let api = Arc::new(Api::new(state));
    let (routes, _) = OpenApiRouter::new().merge(operations::router()).split_for_parts();
    let router = surrounded(Arc::clone(&api), routes.with_state(Arc::clone(&api)));
    Served::new(api, router).behind(|router| router)
}

/// What stands around all routes.
fn surrounded(api: Arc<Api>, routes: Router) -> Router {
    around::describe();
    routes
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(from_fn_with_state(api, around::around))
}

/// The description of all of it, OpenAPI 3.1.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::describe(routes().into_openapi())
}

/// The routes with their descriptions.
fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .merge(sessions::router())
        .merge(missions::router())
        .merge(participations::router())
        .merge(completions::router())
        .merge(enrollments::router())
        .merge(inquiries::router())
        .merge(wallet::router())
        .merge(postbacks::router())
        .merge(rewards::router())
        .merge(deliveries::router())
        .merge(admin::router())
        .merge(operations::router())
}
