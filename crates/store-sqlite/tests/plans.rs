//! No statement reads more than it answers with.

use store_sqlite::{Options, SqliteStore};

/// Statements that answer with a whole table.
const WHOLE: [&str; 5] = [
    // One row a line item; read when a snapshot is made, never for a request.
    "BUDGET_LEVELS",
    // The same; read by a move.
    "BUDGETS_CARRIED",
    // One row a state.
    "COUNTS_GET",
    // The catalogue is loaded whole.
    "CATALOG_ROWS",
    "VERSIONS_ALL",
];

#[tokio::test]
async fn every_statement_searches_by_an_index_and_sorts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("a.db"), Options::default()).unwrap();
    let plans = store.plans().await.unwrap();
    let known: Vec<_> = plans.iter().map(|plan| plan.statement.name).collect();
    assert!(WHOLE.iter().all(|name| known.contains(name)), "{known:?}");
    for plan in plans {
        let is_whole = WHOLE.contains(&plan.statement.name);
        for step in &plan.steps {
            let is_scan = step.starts_with("SCAN");
            let is_fine = step.starts_with("SEARCH") || (is_scan && is_whole);
            assert!(is_fine, "{}: {step}", plan.statement.name);
        }
    }
}
