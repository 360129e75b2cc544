//! `cargo xtask services`: what the tests and the benchmarks need beside the Rust toolchain.
//!
//! Debian's packages are one table, `PROGRAMS`; to need another program, add a row. Python tools
//! live in a virtual environment under the target folder ([`venv`]), so nothing is installed into
//! the machine's own Python. Everything is looked for first: a second run changes nothing and
//! takes milliseconds. Services are installed here and started by the tests that use them.

mod apt;
pub mod venv;

use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

/// What the programs are wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Everything `cargo xtask test` drives.
    Test,
    /// The benchmarks: all of the above and the load tools.
    Bench,
}

/// A program from Debian that tests or benchmarks drive.
struct Program {
    package: &'static str,
    /// The first purpose that needs it; later purposes need it too.
    needed_for: Purpose,
    why: &'static str,
    present: fn() -> bool,
}

/// Every program that is needed and not part of the Rust toolchain.
const PROGRAMS: &[Program] = &[
    Program {
        package: "chromium",
        needed_for: Purpose::Test,
        why: "the page tests drive a real browser",
        present: || process::on_path("chromium"),
    },
    Program {
        package: "chromium-driver",
        needed_for: Purpose::Test,
        why: "it is how the page tests drive it",
        present: || process::on_path("chromedriver"),
    },
    Program {
        package: "curl",
        needed_for: Purpose::Test,
        why: "the commands of the guides are executed",
        present: || process::on_path("curl"),
    },
    Program {
        package: "python3-venv",
        needed_for: Purpose::Test,
        why: "the contract tests run a Python tool in its own environment",
        present: || python().is_some(),
    },
];

/// Installs what is missing, or with `check_only` reports it and fails when anything is.
pub fn ensure(purpose: Purpose, check_only: bool) -> Result<()> {
    let missing = missing(PROGRAMS, purpose);
    for program in &missing {
        println!("missing: {} ({})", program.package, program.why);
    }
    let environment_ready = venv::is_ready();
    if !environment_ready {
        println!("missing: {} ({})", venv::REQUIREMENT, venv::WHY);
    }
    if missing.is_empty() && environment_ready {
        println!("all services for {purpose:?} are installed");
        return Ok(());
    }
    if check_only {
        bail!("something is missing; `cargo xtask services` installs it");
    }
    install(&missing, environment_ready)
}

fn install(missing: &[&Program], environment_ready: bool) -> Result<()> {
    if !missing.is_empty() {
        let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
        apt::install(&packages)?;
    }
    if let Some(program) = missing.iter().find(|program| !(program.present)()) {
        bail!("{} was installed and still cannot be found", program.package);
    }
    if environment_ready { Ok(()) } else { venv::create() }
}

fn missing(programs: &[Program], purpose: Purpose) -> Vec<&Program> {
    let wanted = programs.iter().filter(|program| program.needed_for <= purpose);
    wanted.filter(|program| !(program.present)()).collect()
}

/// A Python that can make virtual environments: the one on the path, or else Debian's own.
fn python() -> Option<&'static str> {
    let able = |python: &&str| {
        process::succeeds(Command::new(python).args(["-c", "import ensurepip, venv"]))
    };
    ["python3", "/usr/bin/python3"].into_iter().find(able)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(package: &'static str, needed_for: Purpose, present: fn() -> bool) -> Program {
        Program { package, needed_for, why: "a test needs it", present }
    }

    #[test]
    fn only_what_is_missing_and_wanted_is_installed() {
        let programs = [
            program("here", Purpose::Test, || true),
            program("gone", Purpose::Test, || false),
            program("load", Purpose::Bench, || false),
        ];
        let names = |purpose| {
            let missing = missing(&programs, purpose);
            missing.iter().map(|program| program.package).collect::<Vec<_>>()
        };
        assert_eq!(names(Purpose::Test), ["gone"]);
        assert_eq!(names(Purpose::Bench), ["gone", "load"]);
    }
}
