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
use axum::routing::{MethodRouter, any, get, post};

pub use shared::PagesState;

pub(crate) use params::Params;
pub(crate) use session::Visitor;

use crate::paths;
use shared::Shared;

/// Longest form that is read; ours have a few short fields.
const FORM_BYTES_MAX: usize = 8 * 1024;

/// The routes of all pages: everything below [`paths::ROOT`], and [`paths::ICON`].
pub fn router(state: PagesState) -> Router {
    let add = |router: Router<_>, (path, methods): Route| router.route(&path, methods);
    routes()
        .fold(Router::new(), add)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(Arc::new(Shared::new(state)))
}

/// The patterns of all addresses that are served.
#[must_use]
pub fn patterns() -> Vec<String> {
    routes().map(|(path, _)| path).collect()
}

/// A pattern of addresses, and what answers them.
type Route = (String, MethodRouter<Arc<Shared>>);

fn routes() -> impl Iterator<Item = Route> {
    let alone = [
        (paths::SESSION, get(session::open)),
        (paths::ASSET, get(file::stylesheet)),
        (paths::THEME, get(file::theme)),
        (paths::ICON, get(file::no_icon)),
        (paths::REST, any(fault::no_such_page)),
    ];
    let alone = alone.into_iter().map(|(path, methods)| (path.to_owned(), methods));
    alone.chain(of_user(paths::ROOT)).chain(of_user(paths::TOKEN_ROOT))
}

/// One user's pages. Whoever asks for a form's own address, as after a reload, gets the mission.
fn of_user(root: &str) -> [Route; 6] {
    let at = |below: &str| format!("{root}{below}");
    [
        (root.to_owned(), get(list::list)),
        (at(paths::WALLET), get(wallet::wallet)),
        (at(paths::MISSION), get(detail::detail)),
        (at(paths::START), post(act::start).get(act::back)),
        (at(paths::VISIT), post(act::begin_visit).get(act::back)),
        (at(paths::COMPLETE), post(act::complete).get(act::back)),
    ]
}
