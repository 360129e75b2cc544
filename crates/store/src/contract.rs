//! What every store must do, case by case.
//!
//! An adapter implements [`Fixture`] and calls [`run`] in one test; each case gets empty stores of
//! its own and fails by name. A case is one sentence about one method of one port and is called
//! `<port>_<method>_<what>`. Whatever a case asks for can be done as one round trip and one atomic
//! unit on SQLite, MySQL and `DynamoDB`; it says nothing of speed.
//!
//! Where the ports leave a choice, these cases are the choice:
//!
//! - A change is recognised as `Replayed` only while it is the user's latest; after another change
//!   it is `Stale`, and whoever loads the user again sees what became of it.
//! - A record without a user, and a trace with one, carry a chain of zeroes.
//! - A line item without limits refuses every `Start` and `Extra`, of any size, and no `Free` move.
//! - A settlement ends its lease: the same fence is good for one settlement.
//! - A replay leaves a delivery alone that is being tried at that moment.
//! - A reversal never waits for a grant that has ended undelivered: it is parked, at the latest by
//!   the next claim. Replaying that grant replays the reversal with it.
//! - The moment that `backlog` names is one at which a claim can return something, so a worker that
//!   sleeps until then does not spin.

#[macro_use]
mod check;
mod between;
pub mod broker;
pub mod budgets;
pub mod cache;
pub mod catalog;
pub mod guards;
pub mod heavy;
pub mod identity;
pub mod journal;
pub mod outbox;
pub mod outbox_order;
pub mod reports;
pub mod sample;
pub mod transfer;
pub mod transfer_put;
pub mod transfer_runs;
pub mod users;
pub mod users_commit;

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

pub use between::Between;
pub use check::{All, Checked, Failure, all};

use crate::{Broker, Cache, CatalogStore, Movable, Reports, StateStore};

/// One set of stores, as a case uses them.
#[derive(Clone)]
pub struct Stores {
    /// Users, budgets, outbox and journal.
    pub state: Arc<dyn StateStore>,
    /// The catalogue.
    pub catalog: Arc<dyn CatalogStore>,
    /// The figures.
    pub reports: Arc<dyn Reports>,
}

/// How an adapter makes its stores for the cases. It keeps alive what they stand on, such as a
/// directory, for as long as it lives.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Empty stores that no other case uses.
    ///
    /// # Errors
    /// Whatever keeps them from being made.
    async fn fresh(&self) -> Result<Stores, Failure>;

    /// Closes the stores and opens what they left behind, as after a crash; `None` if nothing is
    /// meant to survive, and the cases about durability are passed over.
    ///
    /// # Errors
    /// Whatever keeps them from being opened again.
    async fn reopen(&self, stores: Stores) -> Result<Option<Stores>, Failure> {
        drop(stores);
        Ok(None)
    }
}

/// How an adapter of the cache makes it for the cases.
#[async_trait]
pub trait CacheFixture: Send + Sync {
    /// An empty cache that no other case uses.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    async fn fresh(&self) -> Result<Arc<dyn Cache>, Failure>;
}

/// How an adapter of the broker makes it for the cases.
#[async_trait]
pub trait BrokerFixture: Send + Sync {
    /// Two nodes that no other case uses.
    ///
    /// # Errors
    /// Whatever keeps them from being made.
    async fn pair(&self) -> Result<(Arc<dyn Broker>, Arc<dyn Broker>), Failure>;
}

/// A case on its way.
pub type Running<'a> = Pin<Box<dyn Future<Output = Checked> + Send + 'a>>;

/// One sentence about one method.
#[derive(Clone, Copy)]
pub struct Case {
    /// `<port>_<method>_<what>`.
    pub name: &'static str,
    /// Checks it on fresh stores.
    pub run: for<'a> fn(&'a dyn Fixture) -> Running<'a>,
}

/// A case of the cache, or of the broker, by its fixture.
pub struct SideCase<F: ?Sized> {
    /// `<port>_<method>_<what>`.
    pub name: &'static str,
    /// Checks it on something fresh.
    pub run: for<'a> fn(&'a F) -> Running<'a>,
}

/// How an adapter makes state stores that can be moved.
#[async_trait]
pub trait MoveFixture: Send + Sync {
    /// An empty store that no other case uses. A case may ask for several and use all of them.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    async fn fresh(&self) -> Result<Movable, Failure>;

    /// Closes the store and opens what it left behind; see [`Fixture::reopen`].
    ///
    /// # Errors
    /// Whatever keeps it from being opened again.
    async fn reopen(&self, store: Movable) -> Result<Option<Movable>, Failure> {
        drop(store);
        Ok(None)
    }
}

/// One sentence about one method of `Transfer`.
#[derive(Clone, Copy)]
pub struct MoveCase {
    /// `transfer_<method>_<what>`.
    pub name: &'static str,
    /// Checks it on fresh stores.
    pub run: for<'a> fn(&'a dyn MoveFixture) -> Running<'a>,
}

macro_rules! cases {
    ($case:ident: $($module:ident: $($name:ident,)+;)+) => {
        vec![$($($case {
            name: stringify!($name),
            run: |fixture| Box::pin($module::$name(fixture)),
        },)+)+]
    };
}

/// Every case. A store that has only some of the ports takes the cases of those, by their names.
#[must_use]
pub fn cases() -> Vec<Case> {
    [users_cases(), state_cases(), other_cases()].concat()
}

fn users_cases() -> Vec<Case> {
    cases! { Case:
        users:
            users_load_of_a_stranger_is_empty,
            users_load_keeps_every_field,
            users_load_keeps_the_largest_state,
            users_load_tells_user_ids_apart,
            users_glance_is_as_true_as_a_load,
            users_ledger_is_newest_first_and_pages,
            users_ledger_includes_traces,
            users_due_is_in_order_and_ends,
            users_find_goes_by_prefix,
            users_scan_goes_by_key,
        ;
        users_commit:
            users_commit_applies_and_is_read_back,
            users_commit_without_a_record_is_not_journalled,
            users_commit_again_is_replayed,
            users_commit_of_a_superseded_change_is_stale,
            users_commit_on_another_version_is_stale,
            users_commit_race_has_one_winner_for_each_version,
            users_commit_of_the_largest_change_is_one_unit,
            users_commit_over_budget_changes_nothing,
            users_commit_survives_reopening,
        ;
        guards:
            users_commit_guards_budgets,
            users_commit_guards_starts,
            users_commit_guards_two_moves_of_one_budget,
            users_commit_never_refuses_a_free_move,
            users_commit_without_limits_is_over_budget,
            users_commit_gives_the_last_unit_to_one_of_a_thousand,
            users_commit_race_takes_what_fits,
        ;
    }
}

fn state_cases() -> Vec<Case> {
    cases! { Case:
        budgets:
            budgets_level_of_a_stranger_is_none,
            budgets_level_adds_up_by_day,
            budgets_levels_are_in_order,
            budgets_levels_since_a_mark_miss_nothing,
            budgets_levels_since_no_mark_are_all,
            budgets_set_limits_is_journalled_once,
            budgets_set_limits_below_committed_is_refused,
            budgets_set_limits_survives_reopening,
        ;
        journal:
            journal_head_counts_records,
            journal_append_leaves_state_and_chain_alone,
            journal_read_pages_without_gaps,
            journal_read_misses_nothing_while_commits_go_on,
            journal_read_keeps_every_field,
            journal_read_gives_chains_that_verify,
            journal_read_survives_reopening,
            journal_is_total_order_says_how_users_are_ordered,
        ;
        outbox:
            outbox_claim_leases_what_is_due,
            outbox_claim_race_leases_once,
            outbox_claim_takes_an_expired_lease_with_a_higher_fence,
            outbox_settle_records_the_attempt,
            outbox_settle_with_an_old_fence_is_refused,
            outbox_settle_counts_once,
            outbox_replay_starts_over,
            outbox_replay_of_a_range_goes_by_booking,
            outbox_replay_leaves_a_running_attempt_alone,
            outbox_delivery_is_found_by_id,
            outbox_deliveries_of_finds_some,
            outbox_backlog_counts_states,
            outbox_backlog_names_a_moment_worth_waking_for,
        ;
        outbox_order:
            outbox_claim_is_fair_over_endpoints,
            outbox_claim_keeps_to_its_limits,
            outbox_claim_tells_a_reversal_after_its_grant,
            outbox_settle_of_a_lost_grant_parks_its_reversal,
            outbox_claim_parks_a_reversal_of_a_lost_grant,
            outbox_replay_of_a_grant_revives_its_reversal,
            outbox_deliveries_page_in_order,
            outbox_deliveries_miss_nothing_while_commits_go_on,
            outbox_deliveries_filter_by_endpoint_and_state,
        ;
    }
}

fn other_cases() -> Vec<Case> {
    cases! { Case:
        reports:
            reports_cursor_follows_the_journal,
            reports_add_twice_is_adding_once,
            reports_add_passes_over_test_bookings,
            reports_figures_add_up_by_day_and_key,
            reports_clear_forgets_everything,
        ;
        catalog:
            catalog_snapshot_is_only_given_when_it_differs,
            catalog_snapshot_catches_up_over_many_edits,
            catalog_save_on_another_revision_is_a_conflict,
            catalog_save_race_has_one_winner,
            catalog_save_gives_versions_to_missions,
            catalog_save_keeps_what_users_may_have_started,
            catalog_save_never_forgets_a_number,
            catalog_save_survives_reopening,
            catalog_history_is_newest_first_and_pages,
            catalog_take_over_keeps_what_users_may_have_started,
            catalog_take_over_of_an_edited_store_changes_nothing,
            catalog_take_over_race_has_one_winner,
            catalog_take_over_survives_reopening,
            catalog_state_is_none_at_first_and_not_taken_over,
            catalog_adopt_holds_for_ever,
            catalog_adopt_race_has_one_winner,
        ;
    }
}

macro_rules! side_cases {
    ($module:ident: $($name:ident,)+) => {
        vec![$(SideCase {
            name: stringify!($name),
            run: |fixture| Box::pin($module::$name(fixture)),
        },)+]
    };
}

/// Every case of the cache. One that keeps nothing takes those about `take`.
#[must_use]
pub fn cache_cases() -> Vec<SideCase<dyn CacheFixture>> {
    side_cases! {
        cache:
        cache_get_of_a_stranger_gives_a_ticket,
        cache_get_asks_one_reader_to_refresh,
        cache_get_tells_the_age_of_what_is_stale,
        cache_put_is_read_back,
        cache_put_without_its_ticket_is_refused,
        cache_put_after_a_removal_is_refused,
        cache_put_of_an_older_version_is_refused,
        cache_put_takes_the_age_of_its_ticket,
        cache_put_with_a_stale_ticket_is_refused,
        cache_remove_forgets_what_is_older,
        cache_take_gives_the_burst_and_no_more,
        cache_take_finds_a_token_again,
        cache_take_race_gives_the_burst,
    }
}

/// Every case of the broker.
#[must_use]
pub fn broker_cases() -> Vec<SideCase<dyn BrokerFixture>> {
    side_cases! {
        broker:
        broker_hint_reaches_the_other_node,
        broker_hint_is_not_for_oneself,
        broker_wait_finds_what_came_before,
    }
}

/// Runs such cases one after the other, and says how many there were.
///
/// # Errors
/// The cases that failed, one a line, each with its reason.
pub async fn run_side<F: ?Sized + 'static>(
    cases: Vec<SideCase<F>>,
    fixture: &F,
) -> Result<usize, Failure> {
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(failure) = (case.run)(fixture).await {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    if failures.is_empty() { Ok(cases.len()) } else { Err(Failure::new(failures.join("\n"))) }
}

/// Runs every case on fresh stores, one after the other, and says how many there were.
///
/// # Errors
/// The cases that failed, one a line, each with its reason.
pub async fn run(fixture: &dyn Fixture) -> Result<usize, Failure> {
    let cases = cases();
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(failure) = (case.run)(fixture).await {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    judged(cases.len(), failures)
}

/// Every case about `Transfer`.
#[must_use]
pub fn move_cases() -> Vec<MoveCase> {
    cases! { MoveCase:
        transfer:
            transfer_phase_is_live_at_first,
            transfer_set_phase_survives_reopening,
            transfer_set_phase_moved_refuses_every_change,
            transfer_set_phase_filling_refuses_everybody_else,
            transfer_set_phase_watched_refuses_only_replays,
            transfer_set_phase_moved_lets_nothing_in_later,
            transfer_touched_notes_who_changes,
            transfer_touched_begins_anew,
            transfer_users_go_by_key_and_page,
            transfer_users_of_leaves_strangers_out,
            transfer_budget_rows_hold_every_day,
            transfer_delivery_rows_tell_how_far_they_are,
            transfer_delivery_rows_of_find_some,
        ;
        transfer_put:
            transfer_put_order_holds_for_the_whole_journal,
            transfer_put_users_keeps_every_field,
            transfer_put_records_keeps_places_and_ledgers,
            transfer_put_records_queues_deliveries,
            transfer_put_budgets_keeps_limits_and_days,
            transfer_put_deliveries_keeps_how_far_they_are,
            transfer_put_deliveries_in_any_order,
            transfer_put_deliveries_survives_reopening,
        ;
        transfer_runs:
            transfer_take_over_tells_the_phase,
            transfer_take_over_race_has_one_winner,
            transfer_take_over_ends_the_run_before,
            transfer_take_over_refuses_what_the_run_before_puts,
            transfer_take_over_waits_for_what_is_under_way,
        ;
        identity:
            identity_get_of_a_new_store_is_none,
            identity_keep_gives_one_for_ever,
            identity_keep_race_has_one_winner,
            identity_keep_gives_none_between_the_stores,
            identity_put_replaces_while_it_is_filled,
        ;
    }
}

/// Runs every case about `Transfer` on fresh stores, one after the other, and says how many there
/// were.
///
/// # Errors
/// The cases that failed, one a line, each with its reason.
pub async fn run_moves(fixture: &dyn MoveFixture) -> Result<usize, Failure> {
    let cases = move_cases();
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(failure) = (case.run)(fixture).await {
            failures.push(format!("{}: {failure}", case.name));
        }
    }
    judged(cases.len(), failures)
}

fn judged(cases: usize, failures: Vec<String>) -> Result<usize, Failure> {
    if failures.is_empty() { Ok(cases) } else { Err(Failure::new(failures.join("\n"))) }
}
