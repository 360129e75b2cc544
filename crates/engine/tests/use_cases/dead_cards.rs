//! No mission of a list is refused when it is tapped, in any catalogue and for any user.

#[path = "../../../domain/tests/decide/growth.rs"]
mod growth;
#[path = "../../../domain/tests/decide/world.rs"]
mod world;

use std::sync::Arc;

use domain::budget::{BudgetMove, Guard};
use domain::catalog::{Edit, EntityKind};
use domain::change::{Change, Loaded};
use domain::ids::{AppId, MissionId, Mode};
use domain::journal::{Cause, Record};
use domain::user::UserState;
use engine::{Ctx, Engine, MasterKey, Speaker, Stores, Vault, Viewer};
use proptest::collection::vec;
use proptest::prelude::*;
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};
use store::{CatalogStore, Outcome, Users};

use growth::{BYTES, World, world_of};
use world::NOON;

/// A node whose stores hold the world.
async fn node_of(world: &World) -> (Engine, Viewer) {
    let catalog = MemoryCatalog::new();
    let rows = world.snapshot.catalog();
    let of_kind = |kind: EntityKind| {
        rows.ids(kind).into_iter().filter_map(move |id| rows.get(kind, id)).map(Edit::Put)
    };
    let edits = EntityKind::ALL.into_iter().flat_map(of_kind).collect();
    catalog.save(0, edits, "test", NOON).await.expect("a new catalogue");
    let state = Arc::new(MemoryState::new());
    let stores = Stores {
        state: state.clone(),
        catalog: Arc::new(catalog),
        reports: Arc::new(MemoryReports::new()),
    };
    let engine = Engine::new(stores, Vault::new(&MasterKey::new([7; 32]), &[]));
    engine.refresh_catalog(&Ctx::at(NOON)).await.expect("a catalogue");
    let spent = state.commit(spending(world)).await.expect("a commit");
    assert!(matches!(spent, Outcome::Applied(_)));
    let user = Change::new(&Loaded::default(), world.user.clone(), None);
    let known = state.commit(user).await.expect("a commit");
    assert!(matches!(known, Outcome::Applied(_)));
    engine.refresh_catalog(&Ctx::at(NOON)).await.expect("the budgets");
    let UserState { app, mode, .. } = world.user;
    (engine, Viewer { user: world.user.key(), app, unit: world.unit, mode, speaker: Speaker::Key })
}

/// Somebody else's change, which has used the budgets as far as the world says.
fn spending(world: &World) -> Change {
    let state = UserState { app: AppId(1), user_id: "bob".to_owned(), ..UserState::default() };
    let levels = world.snapshot.catalog().line_items.keys().filter_map(|id| world.levels.get(*id));
    let moves = levels.map(|level| BudgetMove {
        line_item: level.line_item,
        day: level.day,
        held: level.total.held,
        booked: level.total.booked,
        starts: level.total.starts,
        guard: Guard::Free,
    });
    let record = Record {
        at: NOON,
        user: Some(state.key()),
        app: Some(state.app),
        mode: Mode::Live,
        cause: Cause::Sweep,
        transactions: Vec::new(),
        moves: moves.collect(),
        messages: Vec::new(),
    };
    Change::new(&Loaded::default(), state, Some(record))
}

async fn offered(engine: &Engine, viewer: &Viewer) -> Vec<MissionId> {
    let ctx = Ctx::at(NOON);
    let list = engine.list_missions(&ctx, viewer, |list| {
        list.offers.all().iter().map(|offer| offer.mission.id).collect()
    });
    list.await.expect("a list")
}

/// Taps every mission of the list, each on a node of its own; says how many there were.
async fn tap_all(world: &World) -> usize {
    let (engine, viewer) = node_of(world).await;
    let offered = offered(&engine, &viewer).await;
    for mission in &offered {
        let (engine, viewer) = node_of(world).await;
        let tapped = engine.participate(&Ctx::at(NOON), &viewer, *mission).await;
        let started = tapped.expect("an answer").expect("a card that is not dead");
        assert!(started.is_new && started.run.mission == *mission);
    }
    offered.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_listed_mission_is_refused(bytes in vec(any::<u8>(), BYTES)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(tap_all(&world_of(&bytes)));
    }
}

#[test]
fn the_random_lists_are_not_empty() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut seed = 1_u64;
    let mut tapped = 0;
    for _ in 0..40 {
        let bytes = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as u8
        });
        let bytes: Vec<u8> = bytes.take(BYTES).collect();
        tapped += runtime.block_on(tap_all(&world_of(&bytes)));
    }
    assert!(tapped > 15, "only {tapped}");
}
