//! An edit of many line items takes a few durable writes of the state store, not one for each of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use domain::budget::Limits;
use domain::catalog::{Entity, sample};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::time::{DAY_MS, Timestamp};
use engine::{Ctx, Engine, MasterKey, Stores, Vault};
use services::MariaDb;
use store::Budgets as _;
use store::memory::{MemoryCatalog, MemoryReports};
use store_mysql::{MysqlStore, Options, migrate};

const NOW: Timestamp = Timestamp(20_000 * DAY_MS);
const LINE_ITEMS: u32 = 600;
/// Transactions that setting the limits of all of them may take.
const TRANSACTIONS_MAX: u32 = 10;

/// The sample rows, and as many line items with that budget.
fn rows(budget: Micros) -> Vec<Entity> {
    let mut rows = sample::entities();
    let is_line_item = |row: &Entity| matches!(row, Entity::LineItem(_));
    let Some(Entity::LineItem(one)) = rows.iter().find(|row| is_line_item(row)).cloned() else {
        unreachable!("the sample has a line item")
    };
    rows.retain(|row| !is_line_item(row));
    rows.extend((1..=LINE_ITEMS).map(|id| {
        let mut one = one.clone();
        (one.id, one.budget, one.daily_budget) = (LineItemId(id), budget, None);
        Entity::LineItem(one)
    }));
    rows
}

/// The transactions of the store's writer so far.
fn transactions(server: &MariaDb) -> u32 {
    server.sql("SELECT SUM(group_no) FROM guerdon.writers").unwrap().trim().parse().unwrap_or(0)
}

#[tokio::test]
async fn new_raised_and_lowered_limits_are_set_together() {
    let server = MariaDb::start().unwrap();
    let url = server.url("guerdon");
    migrate(&url, Options::default(), &mut |_| {}).await.unwrap();
    let state = Arc::new(MysqlStore::connect(&url, Options::default()).await.unwrap());
    let stores = Stores {
        state: Arc::clone(&state) as _,
        catalog: Arc::new(MemoryCatalog::new()),
        reports: Arc::new(MemoryReports::new()),
    };
    let engine = Engine::new(stores, Vault::new(&MasterKey::new([7; 32]), &[]));
    let ctx = Ctx::at(NOW);
    engine.refresh_catalog(&ctx).await.unwrap();
    for budget in [2_000_000_000, 3_000_000_000, 1_000_000_000].map(Micros) {
        let before = transactions(&server);
        engine.apply_entities(&ctx, &rows(budget), false, "test").await.unwrap();
        let taken = transactions(&server) - before;
        assert!((1..=TRANSACTIONS_MAX).contains(&taken), "{taken} transactions for {budget:?}");
        let limits: Vec<Limits> =
            state.levels().await.unwrap().into_iter().map(|level| level.limits).collect();
        assert_eq!(limits.len(), LINE_ITEMS as usize);
        assert!(limits.iter().all(|limits| limits.total == budget), "{budget:?}");
    }
}
