//! The worker as a whole: a real engine on stores in memory, real sockets on this machine.
//!
//! Time is the world's own: it is moved on, never waited for.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go wrong unless the test fails, in helpers too"
)]

mod receiver;
mod world;

mod dialects;
mod egress;
mod isolation;
mod plan;
mod standard;
mod telemetry;
mod upkeep;
