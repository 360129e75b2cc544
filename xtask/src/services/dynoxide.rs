//! The DynamoDB-compatible server of the tests: a Rust program, built from source under the target
//! folder.
//!
//! `cargo install` resolves it on its own, so none of its libraries enter the workspace's lock
//! file. The crate `services` starts it from the same place.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process;

/// What is installed, pinned so that a run is repeatable; its features follow.
pub const REQUIREMENT: &str = "dynoxide-rs@3.2.0";
/// Why it is needed; printed before it is installed.
pub const WHY: &str = "the DynamoDB store is tested against it";

/// A server that keeps its tables in a file, without what else the program can do.
const FEATURES: &str = "native-sqlite,http-server,cli";

/// Its own release settings make a small program in many minutes. We want it soon and fast
/// enough: optimized a little, in parallel, and not once more as a whole.
const PROFILE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// Whether the pinned version is built.
pub(super) fn is_ready() -> bool {
    let installed = fs::read_to_string(stamp()).unwrap_or_default();
    installed == REQUIREMENT && folder().join("bin").join("dynoxide").is_file()
}

/// Builds the program; the stamp is written last, so a broken build is never taken as ready.
pub(super) fn create() -> Result<()> {
    let build = process::target_dir().join("services").join("dynoxide-build");
    let words = ["install", REQUIREMENT, "--locked", "--force", "--no-default-features"];
    let mut install = process::cargo();
    install.args(words).args(["--features", FEATURES]).envs(PROFILE.iter().copied());
    process::run(install.arg("--root").arg(folder()).arg("--target-dir").arg(&build))?;
    // Kept until here so that an interrupted build goes on; 200 MB that nobody needs now.
    fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    fs::write(stamp(), REQUIREMENT).with_context(|| format!("cannot write {}", stamp().display()))
}

fn folder() -> PathBuf {
    process::target_dir().join("services").join("dynoxide")
}

fn stamp() -> PathBuf {
    folder().join("installed")
}
