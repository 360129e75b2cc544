//! `cargo xtask services`: what the tests and the benchmarks need beside the Rust toolchain.
//!
//! Debian's packages are one table, `PROGRAMS`; to need another program, add a row. What Debian
//! does not have is made under the target folder (`MADE`), so that nothing is installed into the
//! machine's own Python or beside the user's own programs. Everything is looked for first: a second
//! run changes nothing and takes milliseconds.
//!
//! Servers are only installed here, never started: the tests start their own, on ports and in
//! folders of their own, through the crate `services`.

mod apt;
pub mod dynoxide;
pub mod ladder;
pub mod venv;

use std::path::Path;
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
        package: "mariadb-server",
        needed_for: Purpose::Test,
        why: "the MySQL store is tested against it",
        present: || has_server("mariadbd") && process::on_path("mariadb"),
    },
    Program {
        package: "redis-server",
        needed_for: Purpose::Test,
        why: "the shared cache is tested against it",
        present: || has_server("redis-server") && process::on_path("redis-cli"),
    },
    Program {
        package: "nginx",
        needed_for: Purpose::Test,
        why: "several nodes are tested behind it",
        present: || has_server("nginx"),
    },
    Program {
        package: "python3-venv",
        needed_for: Purpose::Test,
        why: "the contract tests run a Python tool in its own environment",
        present: || python().is_some(),
    },
    Program {
        package: "valgrind",
        needed_for: Purpose::Test,
        why: "the instructions of a request are counted by it",
        present: || process::on_path("valgrind") && process::on_path("callgrind_control"),
    },
    Program {
        package: "python3-dev",
        needed_for: Purpose::Test,
        why: "the latency ladder's Python packages are compiled against it",
        present: ladder::has_headers,
    },
    Program {
        package: "libmariadb-dev",
        needed_for: Purpose::Test,
        why: "the latency ladder's Django talks to MariaDB by its C library",
        present: || process::on_path("mariadb_config"),
    },
    Program {
        package: "pkg-config",
        needed_for: Purpose::Test,
        why: "it tells where that library is",
        present: || process::on_path("pkg-config"),
    },
    Program {
        package: "gcc",
        needed_for: Purpose::Test,
        why: "it compiles them",
        present: || process::on_path("gcc"),
    },
];

/// Something that no package of Debian brings, made under the target folder.
struct Made {
    needed_for: Purpose,
    requirement: &'static str,
    why: &'static str,
    present: fn() -> bool,
    create: fn() -> Result<()>,
}

/// Everything that is made here.
const MADE: &[Made] = &[
    Made {
        needed_for: Purpose::Test,
        requirement: venv::REQUIREMENT,
        why: venv::WHY,
        present: venv::is_ready,
        create: venv::create,
    },
    Made {
        needed_for: Purpose::Test,
        requirement: dynoxide::REQUIREMENT,
        why: dynoxide::WHY,
        present: dynoxide::is_ready,
        create: dynoxide::create,
    },
    Made {
        needed_for: Purpose::Test,
        requirement: ladder::REQUIREMENT,
        why: ladder::WHY,
        present: ladder::is_ready,
        create: ladder::create,
    },
];

/// Installs what is missing, or with `check_only` reports it and fails when anything is.
pub fn ensure(purpose: Purpose, check_only: bool) -> Result<()> {
    let programs = missing(PROGRAMS, purpose);
    for program in &programs {
        println!("missing: {} ({})", program.package, program.why);
    }
    let wanted = MADE.iter().filter(|made| made.needed_for <= purpose);
    let made: Vec<&Made> = wanted.filter(|made| !(made.present)()).collect();
    for made in &made {
        println!("missing: {} ({})", made.requirement, made.why);
    }
    if programs.is_empty() && made.is_empty() {
        println!("all services for {purpose:?} are installed");
        return Ok(());
    }
    if check_only {
        bail!("something is missing; `cargo xtask services` installs it");
    }
    install(&programs)?;
    made.into_iter().try_for_each(|made| (made.create)())
}

fn install(missing: &[&Program]) -> Result<()> {
    if !missing.is_empty() {
        let packages: Vec<&str> = missing.iter().map(|program| program.package).collect();
        apt::install(&packages)?;
    }
    match missing.iter().find(|program| !(program.present)()) {
        Some(program) => bail!("{} was installed and still cannot be found", program.package),
        None => Ok(()),
    }
}

fn missing(programs: &[Program], purpose: Purpose) -> Vec<&Program> {
    let wanted = programs.iter().filter(|program| program.needed_for <= purpose);
    wanted.filter(|program| !(program.present)()).collect()
}

/// Whether a server is installed; an ordinary user's search path may lack Debian's folder for them.
fn has_server(program: &str) -> bool {
    process::on_path(program) || Path::new("/usr/sbin").join(program).is_file()
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
