//! `cargo xtask bench <name> [args…]`: build what is measured, then run the measuring crate.
//!
//! The benchmark drives the release binary from outside, as a client, so both are built first and
//! neither build is part of a measurement. The ladder and the conversions also need a Python
//! environment, and counting instructions needs callgrind; both are made or installed if they are
//! missing.

use anyhow::{Result, bail};

use crate::process;
use crate::services::{self, Purpose};

/// Builds the release binary and runs one benchmark; the arguments are passed on as they are.
pub fn run(arguments: &[String]) -> Result<()> {
    if arguments.is_empty() {
        bail!("which benchmark? for example `cargo xtask bench missions`");
    }
    let needing = ["ladder", "conversions", "instructions"];
    if arguments.first().is_some_and(|name| needing.contains(&name.as_str())) {
        services::ensure(Purpose::Bench, false)?;
    }
    process::run(process::cargo().args([
        "build",
        "--release",
        "--package",
        "app",
        "--bin",
        "guerdon",
    ]))?;
    let runner = ["run", "--release", "--package", "bench", "--"];
    process::run(process::cargo().args(runner).args(arguments))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_benchmark_must_be_named() {
        assert!(super::run(&[]).is_err());
    }
}
