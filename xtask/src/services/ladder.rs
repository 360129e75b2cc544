//! The Python environment of the latency ladder: Django, gunicorn and what they need.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::python;
use crate::process;

/// The file that lists what the environment holds, pinned so that a run is repeatable.
pub const REQUIREMENT: &str = "bench/ladder/requirements.txt";
/// Why it is needed; printed before it is installed.
pub const WHY: &str = "the benchmarks, which are tested too, measure a Django application";

/// Whether the environment holds what is listed now, and its Python still exists.
pub(super) fn is_ready() -> bool {
    let wanted = fs::read_to_string(process::root().join(REQUIREMENT));
    let installed = fs::read_to_string(stamp());
    wanted.is_ok_and(|wanted| installed.is_ok_and(|installed| installed == wanted))
        && program("python").exists()
}

/// Whether C programs can be compiled against the Python that makes the environment.
pub(super) fn has_headers() -> bool {
    let script = "import os, sys, sysconfig; \
                  sys.exit(not os.path.isfile(sysconfig.get_path('include') + '/Python.h'))";
    let found = |python| process::succeeds(Command::new(python).args(["-c", script]));
    python().is_some_and(found)
}

/// Makes the environment anew; the stamp is written last, so a broken one is never taken as ready.
pub(super) fn create() -> Result<()> {
    let python = python().context("no python3 that can make virtual environments")?;
    let requirements = process::root().join(REQUIREMENT);
    process::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder()))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    process::run(Command::new(program("python")).args(pip).arg(&requirements))?;
    let copied = fs::copy(&requirements, stamp());
    copied.with_context(|| format!("cannot write {}", stamp().display())).map(drop)
}

fn program(name: &str) -> PathBuf {
    folder().join("bin").join(name)
}

fn folder() -> PathBuf {
    process::target_dir().join("ladder").join("venv")
}

fn stamp() -> PathBuf {
    folder().join("installed")
}
