//! `guerdon completions`: so that the shell knows the commands.

use clap::CommandFactory;

use crate::cli::Cli;

/// Prints the script, made from the very definition that the arguments are read by.
pub(crate) fn run(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "guerdon", &mut script);
    crate::output::print(String::from_utf8(script)?.trim_end())
}
