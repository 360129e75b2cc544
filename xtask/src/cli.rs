//! The command line of `cargo xtask`: parse, then call one function.
//!
//! Parsed by hand: a command-line library would double the time the first `cargo xtask` takes.

use anyhow::{Result, bail};

use crate::services::{self, Purpose};
use crate::stages::{self, Selection};

const USAGE: &str = "\
cargo xtask <command>

  test [stage…] [--skip stage]   everything, or only the stages named; `ci` is the same command
  services [--for test|bench] [--check]
                                 install what the tests (or the benchmarks) need;
                                 --check only reports, and fails when something is missing
  bench <name> [args…]           build the release binary and run one benchmark against it
  help                           this text";

/// Runs one command; the arguments are those after `cargo xtask`.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        bail!("no command given\n\n{}\n\n{}", USAGE, stages::help());
    };
    match command.as_str() {
        "test" | "ci" => stages::run(&parse_selection(rest)?),
        "services" => {
            let (purpose, check_only) = parse_services(rest)?;
            services::ensure(purpose, check_only)
        }
        "bench" => crate::bench::run(rest),
        "help" | "-h" | "--help" => {
            println!("{}\n\n{}", USAGE, stages::help());
            Ok(())
        }
        other => bail!("no command is called `{other}`\n\n{USAGE}"),
    }
}

fn parse_selection(arguments: &[String]) -> Result<Selection> {
    let mut selection = Selection::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--skip" => match rest.next() {
                Some(stage) => selection.skip.push(stage.clone()),
                None => bail!("--skip needs the name of a stage"),
            },
            flag if flag.starts_with('-') => bail!("`test` has no option `{flag}`"),
            stage => selection.only.push(stage.to_owned()),
        }
    }
    Ok(selection)
}

fn parse_services(arguments: &[String]) -> Result<(Purpose, bool)> {
    let (mut purpose, mut check_only) = (Purpose::Test, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--check" => check_only = true,
            "--for" => match rest.next().map(String::as_str) {
                Some("test") => purpose = Purpose::Test,
                Some("bench") => purpose = Purpose::Bench,
                _ => bail!("--for needs `test` or `bench`"),
            },
            other => bail!("`services` has no option `{other}`"),
        }
    }
    Ok((purpose, check_only))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn services_are_for_the_tests_unless_told_otherwise() {
        let parsed = |line| parse_services(&words(line)).unwrap();
        assert_eq!(parsed(""), (Purpose::Test, false));
        assert_eq!(parsed("--check"), (Purpose::Test, true));
        assert_eq!(parsed("--for bench --check"), (Purpose::Bench, true));
    }

    #[test]
    fn unknown_words_are_refused() {
        for line in
            ["", "nonsense", "services --for fun", "services fast", "test --quick", "test --skip"]
        {
            assert!(run(&words(line)).is_err(), "`{line}` was accepted");
        }
    }

    #[test]
    fn stages_are_chosen_by_name() {
        let selection = parse_selection(&words("fmt clippy --skip services")).unwrap();
        assert_eq!(selection.only, ["fmt", "clippy"]);
        assert_eq!(selection.skip, ["services"]);
    }
}
