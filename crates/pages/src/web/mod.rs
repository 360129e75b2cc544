//! The pages over HTTP: routes, sessions, forms, answers.
//!
//! A handler extracts, asks the engine once, has the answer presented, and answers. Everything works
//! with plain links and forms. A form is guarded by its session's token ([`crate::csrf`]); doing it
//! twice is doing it once, because the engine's verbs are, and for those that count tries by
//! [`once`].

mod asked;
mod fault;
mod once;
mod params;
mod posted;
mod reply;
mod session;
mod shared;

mod act;
mod detail;
mod file;
mod list;
mod wallet;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};

pub use shared::PagesState;

pub(crate) use params::Params;
pub(crate) use session::Visitor;

use crate::paths;
use shared::Shared;

/// Longest form that is read; ours have a few short fields.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// The routes of all pages: everything below [`paths::ROOT`], and [`paths::ICON`].
pub fn router(state: PagesState) -> Router {
    Router::new()
        .route(paths::SESSION, get(session::open))
        .route(paths::ASSET, get(file::stylesheet))
        .route(paths::THEME, get(file::theme))
        .route(paths::ICON, get(file::no_icon))
        .route(paths::REST, any(fault::no_such_page))
        .merge(of_user(paths::ROOT))
        .merge(of_user(paths::TOKEN_ROOT))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(Arc::new(Shared::new(state)))
}

/// One user's pages. Whoever asks for a form's own address, as after a reload, gets the mission.
fn of_user(root: &str) -> Router<Arc<Shared>> {
    let at = |below: &str| format!("{root}{below}");
    Router::new()
        .route(root, get(list::list))
        .route(&at(paths::WALLET), get(wallet::wallet))
        .route(&at(paths::MISSION), get(detail::detail))
        .route(&at(paths::START), post(act::start).get(act::back))
        .route(&at(paths::VISIT), post(act::begin_visit).get(act::back))
        .route(&at(paths::COMPLETE), post(act::complete).get(act::back))
}
