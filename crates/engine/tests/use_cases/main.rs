//! The use cases on the stores in memory, at fixed moments: what they answer, what they leave, how
//! many store calls they make, and what is left of them when a call fails.

#![expect(
    clippy::expect_used,
    reason = "a test's helper that has nothing to return has to fail it"
)]

mod node;

mod calls;
mod dead_cards;
mod edits;
mod faults;
mod flows;
mod inquiries;
mod lost;
mod many_wait;
mod moving;
mod races;
mod rivals;
mod sessions;
mod shown;
mod stuck;
mod support;
mod waiting;
