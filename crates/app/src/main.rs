//! The binary `guerdon`: configuration, wiring and commands. Only this crate knows which adapters
//! run, what time it is, and how to stop.

mod cli;
mod clock;
mod commands;
mod config;
mod demo;
mod http;
mod operator;
mod output;
mod readiness;
mod seed;
mod serve;
mod shapes;
mod telemetry;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::output::Finding;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Checked, and something is wrong.
const EXIT_FINDING: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("guerdon: TLS cannot be set up twice");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("guerdon: threads cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Finding>() => {
            eprintln!("guerdon: {error}");
            ExitCode::from(EXIT_FINDING)
        }
        Err(error) => {
            eprintln!("guerdon: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let out = output::Output { json: cli.json };
    match cli.command {
        Command::Demo(args) => demo::run(args, out).await,
        Command::Init(args) => commands::init::run(&args, out),
        Command::Serve(args) => serve::run(&cli.config, args).await,
        Command::Worker(args) => serve::work(&cli.config, args).await,
        Command::Migrate => commands::migrate::run(&cli.config, out).await,
        Command::MigrateState(args) => commands::migrate_state::run(&cli.config, &args, out).await,
        Command::Doctor => commands::doctor::run(&cli.config, out).await,
        Command::Explain(args) => commands::explain::run(&cli.config, &args, out).await,
        Command::Catalog(command) => commands::catalog::run(&cli.config, command, out).await,
        Command::Key(command) => commands::key::run(command, out),
        Command::Verify => commands::verify::run(&cli.config, out).await,
        Command::Backup(args) => commands::backup::run(&cli.config, &args, out).await,
        Command::Restore(args) => commands::restore::run(&cli.config, &args, out).await,
        Command::Config(command) => commands::config::run(&cli.config, &command, out),
        Command::Openapi => commands::openapi::run(),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Seed(args) => seed::run(&cli.config, &args, out).await,
    }
}
