//! `cargo xtask test`: the stages every change must pass, and how long each took.
//!
//! The stages are one table, [`STAGES`]; to add a stage, add a row. They run in the order of the
//! table, cheapest first, and the first failure ends the run: later stages would mostly repeat it.
//! The table of times is printed in every case, because build time is a figure we watch.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process;
use crate::services::{self, Purpose};

/// One row of the test command.
pub struct Stage {
    /// The word by which it is chosen, skipped, and listed.
    pub name: &'static str,
    /// What a failure of it would mean; shown in the help.
    pub shows: &'static str,
    /// How it is carried out.
    pub action: Action,
}

/// How a stage is carried out.
pub enum Action {
    /// A `cargo` command with extra environment variables.
    Cargo {
        /// The words after `cargo`.
        arguments: &'static [&'static str],
        /// Names and values.
        env: &'static [(&'static str, &'static str)],
    },
    /// A function of this crate, for anything that is more than one command.
    Call(fn() -> Result<()>),
}

/// The stages in the order they run.
pub const STAGES: &[Stage] = &[
    Stage {
        name: "services",
        shows: "the programs the tests drive are installed",
        action: Action::Call(|| services::ensure(Purpose::Test, false)),
    },
    Stage {
        name: "fmt",
        shows: "the code is formatted",
        action: Action::Cargo { arguments: &["fmt", "--all", "--check"], env: &[] },
    },
    Stage {
        name: "clippy",
        shows: "no compiler or lint warning",
        action: Action::Cargo {
            arguments: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
            env: &[],
        },
    },
    Stage {
        name: "build",
        shows: "the binary that the end-to-end tests start is built",
        action: Action::Cargo { arguments: &["build", "--package", "app", "--bins"], env: &[] },
    },
    Stage {
        name: "test",
        shows: "every test of every crate, the style checks among them",
        action: Action::Cargo { arguments: &["test", "--workspace", "--no-fail-fast"], env: &[] },
    },
    Stage {
        name: "doc",
        shows: "the documentation builds and its links lead somewhere",
        action: Action::Cargo {
            arguments: &["doc", "--workspace", "--no-deps"],
            env: &[("RUSTDOCFLAGS", DOC_FLAGS)],
        },
    },
];

/// Private modules are documented too, so links into them lead somewhere.
const DOC_FLAGS: &str = "-D warnings --document-private-items -A rustdoc::private-intra-doc-links";

/// Which stages to run; nothing named means all.
#[derive(Debug, Default)]
pub struct Selection {
    /// When not empty, only these.
    pub only: Vec<String>,
    /// Never these.
    pub skip: Vec<String>,
}

/// Runs the selected stages and prints the table of times; an error when any stage failed.
pub fn run(selection: &Selection) -> Result<()> {
    check_names(selection)?;
    let chosen: Vec<&Stage> =
        STAGES.iter().filter(|stage| selection.includes(stage.name)).collect();
    let rows = run_until_failure(&chosen, perform);
    println!("\n{}", table(&rows));
    match rows.into_iter().find_map(|row| row.failure()) {
        Some(failure) => bail!(failure),
        None => Ok(()),
    }
}

/// One line for each stage, for the help text.
pub fn help() -> String {
    let lines = STAGES.iter().map(|stage| format!("  {:<10} {}", stage.name, stage.shows));
    format!("stages of `test`:\n\n{}", lines.collect::<Vec<_>>().join("\n"))
}

impl Selection {
    fn includes(&self, name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|entry| entry == name);
        !named(&self.skip) && (self.only.is_empty() || named(&self.only))
    }
}

fn check_names(selection: &Selection) -> Result<()> {
    for name in selection.only.iter().chain(&selection.skip) {
        if !STAGES.iter().any(|stage| stage.name == name) {
            bail!("no stage is called `{name}`\n\n{}", help());
        }
    }
    Ok(())
}

/// How one stage ended.
struct Row {
    name: &'static str,
    outcome: Outcome,
}

enum Outcome {
    Passed(Duration),
    Failed(Duration, String),
    NotRun,
}

impl Row {
    fn failure(self) -> Option<String> {
        match self.outcome {
            Outcome::Failed(_, why) => Some(format!("stage {}: {why}", self.name)),
            Outcome::Passed(_) | Outcome::NotRun => None,
        }
    }
}

fn run_until_failure(stages: &[&Stage], perform: impl Fn(&Stage) -> Result<()>) -> Vec<Row> {
    let mut failed = false;
    let mut rows = Vec::with_capacity(stages.len());
    for stage in stages {
        let outcome = if failed { Outcome::NotRun } else { timed(|| perform(stage)) };
        failed |= matches!(outcome, Outcome::Failed(..));
        rows.push(Row { name: stage.name, outcome });
    }
    rows
}

fn timed(work: impl FnOnce() -> Result<()>) -> Outcome {
    let start = Instant::now();
    match work() {
        Ok(()) => Outcome::Passed(start.elapsed()),
        Err(error) => Outcome::Failed(start.elapsed(), format!("{error:#}")),
    }
}

fn perform(stage: &Stage) -> Result<()> {
    println!("\n== {}: {}", stage.name, stage.shows);
    match stage.action {
        Action::Cargo { arguments, env } => {
            process::run(process::cargo().args(arguments).envs(env.iter().copied()))
        }
        Action::Call(function) => function(),
    }
}

fn table(rows: &[Row]) -> String {
    let mut total = Duration::ZERO;
    let mut lines = vec![format!("{:<10} {:>9}  outcome", "stage", "seconds")];
    for row in rows {
        let (took, outcome) = match &row.outcome {
            Outcome::Passed(took) => (*took, "passed"),
            Outcome::Failed(took, _) => (*took, "FAILED"),
            Outcome::NotRun => (Duration::ZERO, "not run"),
        };
        total += took;
        lines.push(format!("{:<10} {:>9.1}  {outcome}", row.name, took.as_secs_f64()));
    }
    lines.push(format!("{:<10} {:>9.1}", "total", total.as_secs_f64()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages() -> Vec<&'static Stage> {
        STAGES.iter().collect()
    }

    #[test]
    fn a_failure_ends_the_run_and_the_table_still_lists_every_stage() {
        let rows = run_until_failure(&stages(), |stage| match stage.name {
            "clippy" => bail!("a warning"),
            _ => Ok(()),
        });
        let table = table(&rows);
        let outcome = |name: &str| {
            let line = table.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().skip(2).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(outcome("fmt"), "passed");
        assert_eq!(outcome("clippy"), "FAILED");
        assert_eq!(outcome("test"), "not run");
        let failure = rows.into_iter().find_map(Row::failure);
        assert_eq!(failure.as_deref(), Some("stage clippy: a warning"));
    }

    #[test]
    fn only_and_skip_choose_stages() {
        let only = Selection { only: vec!["fmt".into()], skip: vec![] };
        assert!(only.includes("fmt") && !only.includes("test"));
        let skip = Selection { only: vec![], skip: vec!["services".into()] };
        assert!(skip.includes("fmt") && !skip.includes("services"));
    }

    #[test]
    fn a_misspelt_stage_is_refused() {
        let misspelt = Selection { only: vec!["fnt".into()], skip: vec![] };
        let error = check_names(&misspelt).unwrap_err();
        assert!(error.to_string().contains("no stage is called `fnt`"));
    }

    #[test]
    fn stage_names_are_unique() {
        let mut names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STAGES.len());
    }
}
