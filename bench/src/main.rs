//! Load for the release binary of `guerdon`, driven from outside as a client, and what it shows.
//!
//! `cargo xtask bench` with `missions`, `conversions`, `shapes`, `ladder`, `growth`,
//! `compression` or `instructions` builds everything and runs it. The server runs as a process of its own on a private copy of seeded data;
//! this program is the load generator, on one thread. Both share the machine's cores, so figures are
//! lower than with a generator elsewhere, and each report says so. An answer that is not the expected
//! one ends a run: there is no rate of errors, because a run with one is no measurement.

mod client;
mod feed;
mod load;
mod process;
mod measure;

mod server;
mod data;
mod world;
mod bare;
mod machine;
mod report;
mod plot;

mod missions;
mod plays;
mod conversions;
mod compression;
mod growth;
mod instructions;
mod figures;
mod shapes;
mod ladder;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tokio::runtime::Builder;

use crate::data::Size;
use crate::ladder::LadderOptions;
use crate::ladder::rust::RustServer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the `guerdon` that was built beside it.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists of missions: requests a second, latency, processor time, memory, start.
    Missions(Options),
    /// Conversions: how many a second are durable.
    Conversions(Options),
    /// Lists and conversions on every shape, side by side.
    Shapes(Options),
    /// Lists of missions from Django's first draft to the bare limit, rung by rung.
    Ladder(LadderOptions),
    /// A stage of the ladder in Rust; the ladder starts it.
    #[command(hide = true)]
    RustServer(RustServer),
    /// What compressing a list would cost and save.
    Compression(Options),
    /// Lists while the catalogue and the users grow.
    Growth(Options),
    /// Instructions of a list, counted by callgrind.
    Instructions(Options),
    /// A server that answers the same bytes to everything; other benchmarks start it.
    #[command(hide = true)]
    BareServer {
        /// Bytes of each answer.
        #[arg(long)]
        answer_bytes: usize,
    },
}

/// How a benchmark runs.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Little data and short runs: shows that everything works, and measures nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Put the results into `docs/performance.md`.
    #[arg(long, conflicts_with = "quick")]
    pub(crate) write_docs: bool,
}

impl Options {
    /// How much data there is.
    pub(crate) fn size(&self) -> Size {
        let users = if self.quick { 2_000 } else { 200_000 };
        Size { users, enrollments: 10, in_progress: 0, line_items: 500, kinds: 30 }
    }

    /// Runs of each kind of load.
    pub(crate) fn repetitions(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// How long one run lasts.
    pub(crate) fn lasts(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { 2_000 })
    }

    /// Callers at once: one alone, some, and many.
    pub(crate) fn callers(&self, full: &[usize]) -> Vec<usize> {
        if self.quick { vec![1, 8] } else { full.to_vec() }
    }
}

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    // The generator keeps to one core; the bare server uses all, as the real one does.
    let mut runtime = match command {
        Command::BareServer { .. } | Command::RustServer(_) => Builder::new_multi_thread(),
        Command::Missions(_)
        | Command::Conversions(_)
        | Command::Shapes(_)
        | Command::Ladder(_)
        | Command::Compression(_)
        | Command::Growth(_)
        | Command::Instructions(_) => Builder::new_current_thread(),
    };
    runtime.enable_all().build()?.block_on(async {
        match command {
            Command::Missions(options) => missions::run(options).await,
            Command::Conversions(options) => conversions::run(options).await,
            Command::Shapes(options) => shapes::run(options).await,
            Command::Ladder(options) => ladder::run(options).await,
            Command::RustServer(wanted) => ladder::rust::serve(wanted).await,
            Command::Compression(options) => compression::run(options).await,
            Command::Growth(options) => growth::run(options).await,
            Command::Instructions(options) => instructions::run(options).await,
            Command::BareServer { answer_bytes } => bare::serve(*answer_bytes).await,
        }
    })
}
