//! The project's own commands: test, services, bench, and the style checks.
//!
//! Everything a contributor or the continuous integration runs is a `cargo xtask` command, so that
//! there is one definition of it, in Rust, that works on a fresh machine. The style checks
//! ([`tidy`]) are a library called by `cargo test -p xtask`.
//!
//! Deliberately not here: anything the running product needs. No other crate may depend on this one.

pub mod bench;
pub mod cli;
pub mod process;
pub mod services;
pub mod stages;
pub mod tidy;
