//! The decision: rules as text tables, pacing, prices, and a brute-force oracle over random worlds.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a table that cannot be read has to fail its test, in helpers too"
)]

mod book;
mod growth;
mod oracle;
mod pacing;
mod rules;
mod scene;
mod world;
