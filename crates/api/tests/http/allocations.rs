//! What a list of missions takes from the allocator: a figure that repeats, unlike time.

use std::sync::Arc;

use domain::catalog::{Entity, sample};
use domain::ids::{AdGroupId, LineItemId, MissionId, Mode};
use tokio::runtime::Builder;

use crate::server::{APP, Server};

/// Most allocations of a request for a list, from its head to its body, without those of the store.
const LIST_MAX: u64 = 34;
/// Most that a list of a hundred missions takes more than one of ten: buffers that grow.
const GROWTH_MAX: u64 = 6;
/// Most that a run takes more than an offer: what the user's own state consists of.
const RUN_MAX: u64 = 14;

/// As many line items as wanted, each with an ad group and a mission.
pub(crate) fn line_items(count: u32) -> Vec<Entity> {
    let rows = sample::entities();
    let numbered = |number: u32| {
        rows.iter().filter_map(move |row| {
            Some(match row {
                Entity::LineItem(row) => {
                    let mut row = row.clone();
                    (row.id, row.advertised_app) = (LineItemId(number), None);
                    Entity::LineItem(row)
                }
                Entity::AdGroup(row) => {
                    let mut row = row.clone();
                    (row.id, row.line_item_id) = (AdGroupId(number), LineItemId(number));
                    Entity::AdGroup(row)
                }
                Entity::Mission(row) => {
                    let mut row = (**row).clone();
                    (row.id, row.line_item_id) = (MissionId(number), LineItemId(number));
                    Entity::Mission(Arc::new(row))
                }
                _ => return None,
            })
        })
    };
    (2..count + 1).flat_map(numbered).collect()
}

/// How often a list of so many missions, of which the user has started one or none, allocates.
fn allocations(missions: u32, has_run: bool) -> u64 {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(async {
        let server = Server::start().await;
        let rows = line_items(missions);
        server.engine.apply_entities(&server.ctx(), &rows, false, "many").await.unwrap();
        server.visit(1, Mode::Live, "ann").await;
        if has_run {
            server.reward(1, Mode::Live, "ann").await;
        }
        server
    });
    // The first one writes the fragments; the second shows that nothing is left to be written.
    let ask = || runtime.block_on(server.ask("/v1/missions?user_id=ann&unit_id=1", APP));
    let length = ask();
    assert!(length > 500 * missions as usize, "{length} bytes");
    assert_eq!(ask(), length);
    allocation_counter::measure(|| assert_eq!(ask(), length)).count_total
}

#[test]
fn a_list_allocates_little_whatever_its_length() {
    let [short, long] = [10, 100].map(|missions| allocations(missions, false));
    assert!(short <= LIST_MAX, "{short} allocations");
    assert!(long <= short + GROWTH_MAX, "{short} and {long} allocations");
    let with_run = allocations(10, true);
    assert!(with_run <= short + RUN_MAX, "{short} and {with_run} allocations");
}
