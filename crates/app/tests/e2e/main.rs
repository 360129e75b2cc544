//! Guerdon from outside: the real binary, real HTTP, a publisher's server that takes the rewards, and
//! `guerdon verify` at the end of every test.
//!
//! Nothing here knows what is inside: what is sent is what publishers, partners, browsers and
//! attackers send, and what is checked is what they get. Nothing sleeps; whatever takes time is
//! awaited by the condition that ends it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what cannot be done has to fail its test, in helpers too"
)]

mod support;

mod walk;
mod deliveries;
mod race;
mod crash;
mod moving;
mod rivals;
mod round_trip;
mod growing;
mod elsewhere;
mod shapes;
mod fleet;
mod readiness;
mod connections;
mod traces;
mod doctor;
mod explain;
mod faults;
mod page;
mod proof;

mod bad;
mod secrets;

mod contract;

mod deploy;
