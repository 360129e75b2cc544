//! The memory stores pass the contract, and stores with a planted fault do not.

#[path = "memory/broken.rs"]
mod broken;
#[path = "memory/never_over.rs"]
mod never_over;

use std::sync::Arc;

use async_trait::async_trait;
use broken::{BrokenCatalog, BrokenReports, BrokenState, Fault};
use store::Movable;
use store::contract::{Failure, Fixture, MoveFixture, Stores, cases, move_cases, run, run_moves};
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};

/// Makes memory stores, with one fault or none.
struct Memory(Option<Fault>);

#[async_trait]
impl Fixture for Memory {
    async fn fresh(&self) -> Result<Stores, Failure> {
        Ok(match self.0 {
            None => Stores {
                state: Arc::new(MemoryState::new()),
                catalog: Arc::new(MemoryCatalog::new()),
                reports: Arc::new(MemoryReports::new()),
            },
            Some(fault) => Stores {
                state: Arc::new(BrokenState::new(fault)),
                catalog: Arc::new(BrokenCatalog::new(fault)),
                reports: Arc::new(BrokenReports::new(fault)),
            },
        })
    }
}

#[tokio::test]
async fn the_memory_stores_pass_every_case() {
    let passed = run(&Memory(None)).await.unwrap();
    assert_eq!(passed, cases().len());
}

#[async_trait]
impl MoveFixture for Memory {
    async fn fresh(&self) -> Result<Movable, Failure> {
        Ok(Movable::of(&Arc::new(MemoryState::new())))
    }
}

#[tokio::test]
async fn the_memory_store_can_be_moved() {
    let passed = run_moves(&Memory(None)).await.unwrap();
    assert_eq!(passed, move_cases().len());
}

#[tokio::test]
async fn every_planted_fault_is_found_by_the_cases_about_its_rule() {
    for fault in Fault::ALL {
        let failed = failed(&Memory(Some(fault))).await;
        for name in found_by(fault) {
            assert!(failed.contains(name), "{fault:?} is not found by {name} but by {failed:#?}");
        }
        let foreign: Vec<_> = failed.iter().filter(|name| !has_part_in(fault, name)).collect();
        assert!(foreign.is_empty(), "{fault:?} fails what it has no part in: {foreign:#?}");
    }
}

#[tokio::test]
async fn the_wrapper_without_a_fault_passes_every_case() {
    assert_eq!(failed(&Memory(Some(Fault::None))).await, [""; 0]);
}

async fn failed(fixture: &Memory) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for case in cases() {
        if (case.run)(fixture).await.is_err() {
            failed.push(case.name);
        }
    }
    failed
}

/// Whether the fault is in the store that the case is about.
fn has_part_in(fault: Fault, case: &str) -> bool {
    let (of_catalog, of_reports) = (case.starts_with("catalog_"), case.starts_with("reports_"));
    match fault {
        Fault::IgnoresRevisions | Fault::ForgetsFrozenTerms => of_catalog,
        Fault::AddsTwice => of_reports,
        _ => !of_catalog && !of_reports,
    }
}

/// Some of the cases that must fail for it.
fn found_by(fault: Fault) -> &'static [&'static str] {
    match fault {
        Fault::None => &[],
        Fault::IgnoresVersions => &[
            "users_commit_on_another_version_is_stale",
            "users_commit_of_a_superseded_change_is_stale",
            "users_commit_race_has_one_winner_for_each_version",
        ],
        Fault::IgnoresGuards => &[
            "users_commit_guards_budgets",
            "users_commit_guards_starts",
            "users_commit_over_budget_changes_nothing",
            "users_commit_gives_the_last_unit_to_one_of_a_thousand",
            "users_commit_race_takes_what_fits",
        ],
        Fault::JudgesEarly => &[
            "users_commit_gives_the_last_unit_to_one_of_a_thousand",
            "users_commit_race_takes_what_fits",
        ],
        Fault::AppliesTwice => {
            &["users_commit_applies_and_is_read_back", "users_commit_guards_budgets"]
        }
        Fault::LosesMessages => {
            &["users_commit_applies_and_is_read_back", "outbox_delivery_is_found_by_id"]
        }
        Fault::LeasesTwice => &["outbox_claim_leases_what_is_due", "outbox_claim_race_leases_once"],
        Fault::IgnoresFences => {
            &["outbox_settle_with_an_old_fence_is_refused", "outbox_settle_counts_once"]
        }
        Fault::ForgetsWhoWaits => &["outbox_claim_tells_a_reversal_after_its_grant"],
        Fault::SkipsRecords => {
            &["journal_read_pages_without_gaps", "journal_read_misses_nothing_while_commits_go_on"]
        }
        Fault::SwapsUsers => &["journal_is_total_order_says_how_users_are_ordered"],
        Fault::IgnoresRevisions => {
            &["catalog_save_on_another_revision_is_a_conflict", "catalog_save_race_has_one_winner"]
        }
        Fault::AddsTwice => &["reports_add_twice_is_adding_once"],
        Fault::ForgetsFrozenTerms => &["catalog_take_over_keeps_what_users_may_have_started"],
    }
}
