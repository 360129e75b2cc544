//! Whether the state that the configuration names is the one that belongs to the catalogue.

use super::Line;
use crate::config::Loaded;
use crate::wiring::{self, Access};

/// Nothing where either cannot be asked, which other lines tell.
pub(super) async fn examine(loaded: &Loaded) -> Vec<Line> {
    let check = "state";
    let section = if loaded.config.state.is_some() { "state" } else { "store" };
    let Ok(catalog) = wiring::open_catalog(loaded, Access::Beside).await else { return vec![] };
    let state = wiring::open_state(loaded, section, &loaded.state(), Access::Beside).await;
    let Ok(state) = state else { return vec![] };
    vec![match wiring::belongs(&*catalog, &state).await {
        Ok(true) => Line::well(check, "the users' state belongs to it"),
        Ok(false) => Line::wrong(check, wiring::ELSEWHERE, wiring::REMEDY),
        Err(error) => Line::wrong(check, error.to_string(), "see what the store's log says"),
    }]
}
