//! Runs of missions: the rules as text tables, properties over random histories, and the verifier.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a table that cannot be read has to fail its test, in helpers too"
)]

mod book;
mod digest;
mod script;
mod terms;

mod budgets;
mod bursts;
mod inquiries;
mod order;
mod own_steps;
mod random;
mod reversals;
mod rules;
mod times;
mod verify;
