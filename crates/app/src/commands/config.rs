//! `guerdon config print`: what is in force.

use std::path::Path;

use crate::cli::ConfigCommand;
use crate::config::Loaded;
use crate::output::Output;

/// Prints the configuration file's settings and the defaults of what it leaves out.
pub(crate) fn run(path: &Path, command: &ConfigCommand, out: Output) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Print => {
            let loaded = Loaded::read(path)?;
            let text = toml::to_string(&loaded.config)?;
            out.answer(&loaded.config, |_| text.trim_end().to_owned())
        }
    }
}
