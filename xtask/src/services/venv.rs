//! The Python environment under the target folder, with the tool that tests our API description.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::python;
use crate::process;

/// What the environment holds, pinned so that a run is repeatable.
pub const REQUIREMENT: &str = "schemathesis==4.32.5";
/// Why it is needed; printed before it is installed.
pub const WHY: &str = "sends requests derived from the API description to the running server";

/// The path of a program in the environment, such as `schemathesis`.
pub fn program(name: &str) -> PathBuf {
    folder().join("bin").join(name)
}

/// Whether the environment is complete, holds the pinned version, and its Python still exists.
pub fn is_ready() -> bool {
    let installed = fs::read_to_string(stamp()).unwrap_or_default();
    installed == REQUIREMENT && program("python").exists()
}

/// Makes the environment anew; the stamp is written last, so a broken one is never taken as ready.
pub(super) fn create() -> Result<()> {
    let python = python().context("no python3 that can make virtual environments")?;
    process::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder()))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT];
    process::run(Command::new(program("python")).args(pip))?;
    fs::write(stamp(), REQUIREMENT).with_context(|| format!("cannot write {}", stamp().display()))
}

fn folder() -> PathBuf {
    process::target_dir().join("services").join("venv")
}

fn stamp() -> PathBuf {
    folder().join("installed")
}
