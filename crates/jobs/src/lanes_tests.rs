//! Places: who gets how many.

use domain::catalog::{Endpoint as Named, sample};
use domain::dialect::{Dialect, Method};
use domain::ids::AppId;

use super::*;

/// Apps numbered from 1, whose live endpoints want these concurrencies.
fn catalog(concurrencies: &[u16]) -> Catalog {
    let mut catalog = sample::catalog();
    let app = catalog.apps.remove(&AppId(1)).unwrap();
    for (id, concurrency) in (1..).map(AppId).zip(concurrencies) {
        let dialect = Dialect { concurrency: *concurrency, ..Dialect::new("d", Method::Get) };
        let postback = Named { url: "https://p.example".to_owned(), dialect, secrets: Vec::new() };
        let mut app = app.clone();
        app.id = id;
        app.postback = Some(postback);
        catalog.apps.insert(id, app);
    }
    catalog
}

fn live(app: u32) -> Endpoint {
    Endpoint { app: AppId(app), mode: Mode::Live }
}

fn enter(lanes: &mut Lanes, app: u32, times: usize) {
    (0..times).for_each(|_| lanes.enter(live(app)));
}

/// Only the live endpoints among those skipped; the test ones are not configured and always are.
fn configured(terms: Option<Terms>) -> Option<Terms> {
    terms.map(|mut terms| {
        terms.skip.retain(|endpoint| endpoint.mode == Mode::Live);
        terms
    })
}

#[test]
fn an_app_without_an_endpoint_gets_nothing() {
    let mut catalog = catalog(&[8, 8]);
    if let Some(app) = catalog.apps.get_mut(&AppId(2)) {
        app.postback = None;
    }
    let mut lanes = Lanes::new(256);
    let test = |app| Endpoint { app: AppId(app), mode: Mode::Test };
    assert_eq!(lanes.terms(&catalog).unwrap().skip, [test(1), live(2), test(2)]);
    lanes.heard(live(2), true);
    assert_eq!(lanes.silent_terms(&catalog).unwrap().skip, [test(1), live(2), test(2)]);
}

#[test]
fn everybody_gets_what_the_narrowest_has_room_for() {
    let catalog = catalog(&[8, 3, 200]);
    let mut lanes = Lanes::new(256);
    let terms = |limit, per_endpoint, skip: &[u32]| {
        Some(Terms { limit, per_endpoint, skip: skip.iter().copied().map(live).collect() })
    };
    assert_eq!(configured(lanes.terms(&catalog)), terms(256, 3, &[]));
    enter(&mut lanes, 2, 3);
    assert_eq!(configured(lanes.terms(&catalog)), terms(253, 8, &[2]));
    enter(&mut lanes, 1, 7);
    assert_eq!(configured(lanes.terms(&catalog)), terms(246, 1, &[2]));
    enter(&mut lanes, 1, 1);
    // A quarter of all places is the most for one endpoint, whatever its dialect wants.
    assert_eq!(configured(lanes.terms(&catalog)), terms(245, 64, &[1, 2]));
    enter(&mut lanes, 3, 64);
    assert_eq!(configured(lanes.terms(&catalog)).unwrap().skip, [live(1), live(2), live(3)]);
    lanes.leave(live(3));
    assert_eq!(configured(lanes.terms(&catalog)), terms(182, 1, &[1, 2]));
}

#[test]
fn silent_endpoints_get_one_attempt_each_and_half_of_the_places_together() {
    let catalog = catalog(&[8; 12]);
    let mut lanes = Lanes::new(16);
    assert_eq!(lanes.silent_terms(&catalog), None);
    (1..=10).for_each(|app| lanes.heard(live(app), true));
    let terms = configured(lanes.silent_terms(&catalog)).unwrap();
    assert_eq!((terms.limit, terms.per_endpoint, terms.skip.len()), (8, 1, 0));
    (1..=8).for_each(|app| enter(&mut lanes, app, 1));
    assert_eq!(lanes.silent_terms(&catalog), None);
    // The others still have their half, and the silent ones get nothing of it.
    let terms = configured(lanes.terms(&catalog)).unwrap();
    assert_eq!((terms.limit, terms.skip.len()), (8, 10));
    lanes.leave(live(1));
    lanes.heard(live(1), false);
    let terms = configured(lanes.silent_terms(&catalog)).unwrap();
    assert_eq!((terms.limit, terms.skip), (1, (2..=8).map(live).collect()));
    assert!(!configured(lanes.terms(&catalog)).unwrap().skip.contains(&live(1)));
}

#[test]
fn no_place_no_terms() {
    let catalog = catalog(&[8]);
    let mut lanes = Lanes::new(0);
    assert_eq!(lanes.terms(&catalog).map(|terms| terms.limit), Some(1));
    lanes.enter(live(9));
    assert_eq!(lanes.terms(&catalog), None);
    lanes.leave(live(9));
    lanes.leave(live(9));
    assert_eq!(lanes.taken(), 0);
}
