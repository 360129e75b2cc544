//! The command line: what can be asked of the binary.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Role;

/// Guerdon: missions that pay a reward for every step.
#[derive(Debug, Parser)]
#[command(
    name = "guerdon",
    version,
    about = "Missions that pay a reward for every step",
    long_about = "Guerdon serves missions to the users of apps, takes the conversions that advertisers' \
                  partners report, pays points for every step exactly once, and tells the publishers.\n\n\
                  Start with `guerdon demo` to see it work, or with `guerdon init` to set it up.",
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 checked and found something wrong."
)]
pub(crate) struct Cli {
    /// The configuration file.
    #[arg(long, short, global = true, default_value = crate::config::FILE_NAME, env = "GUERDON_CONFIG")]
    pub(crate) config: PathBuf,
    /// Answer in JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work: an empty folder becomes a running, seeded system with a pretend publisher.
    Demo(DemoArgs),
    /// Write a commented configuration and a master key.
    Init(InitArgs),
    /// Serve the API, the mission page and the background jobs.
    Serve(ServeArgs),
    /// Do the background jobs alone, beside nodes that run with `serve --no-jobs`.
    Worker(WorkerArgs),
    /// Create or upgrade what the configured stores need: tables and their indexes.
    Migrate,
    /// Move users, budgets, outbox and journal to another store while nodes use them.
    MigrateState(MigrateStateArgs),
    /// Examine everything that the configuration names, and say how to mend what is wrong.
    Doctor,
    /// Show how the databases carry out every statement and request, and what is wrong with it.
    Explain(ExplainArgs),
    /// Apply, export or check the catalogue: apps, line items, missions.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Make a key, and show it once.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Re-derive every balance and invariant from the journal.
    Verify,
    /// Copy the SQLite file that keeps everything while it is in use, and check the copy.
    Backup(BackupArgs),
    /// Put a checked backup in the place of the SQLite file.
    Restore(RestoreArgs),
    /// Show the configuration that is in force.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the OpenAPI document of the HTTP interface.
    Openapi,
    /// Print completions for a shell: `guerdon completions bash > /etc/bash_completion.d/guerdon`.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Fill a database with made-up users for benchmarks.
    Seed(SeedArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder that the demo lives in; made if it is not there.
    #[arg(long, default_value = "guerdon-demo")]
    pub(crate) folder: PathBuf,
    /// Port of the server; 0 takes any that is free.
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
    /// Walk a user through a mission, print what happens, and stop.
    #[arg(long)]
    pub(crate) walk: bool,
    /// Begin anew: forget what an earlier demo in the folder has left.
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to write to.
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// For which size: which stores keep what.
    #[arg(long, default_value = "embedded")]
    pub(crate) shape: Shape,
}

/// A ready choice of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shape {
    /// One node, and one SQLite file that keeps everything.
    Embedded,
    /// Any number of nodes on one database of MySQL or MariaDB.
    Compact,
    /// The state in DynamoDB, the catalogue in MySQL or MariaDB, one Redis.
    Standard,
    /// The same with a Redis Cluster, and workers apart from the nodes that answer.
    Scaled,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Listen here instead of where the configuration says.
    #[arg(long)]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// Leave background work to another process.
    #[arg(long)]
    pub(crate) no_jobs: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Listen here, for /livez, /readyz and /metrics, instead of where the configuration says.
    #[arg(long)]
    pub(crate) listen: Option<std::net::SocketAddr>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Make the catalogue hold what a file says. Applying it twice changes nothing.
    Apply {
        /// A TOML or JSON file.
        file: PathBuf,
        /// Show the difference and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Delete rows that the file does not name.
        #[arg(long)]
        prune: bool,
    },
    /// Print the catalogue as a file that `apply` takes.
    Export {
        /// `toml` or `json`.
        #[arg(long, default_value = "toml")]
        format: CatalogFormat,
    },
    /// Fill the catalogue of another configuration, which nobody has edited yet, with this one: every
    /// mission version, deleted rows, sealed secrets, the revision and the history.
    Copy {
        /// The other configuration file. Its master key must be the same.
        #[arg(long)]
        to: PathBuf,
        /// Check everything and copy nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Check a file on its own, without a database.
    Validate {
        /// A TOML or JSON file.
        file: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum CatalogFormat {
    /// For people.
    Toml,
    /// For programs.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// A key of the admin API, with the lines for the configuration.
    Admin {
        /// Whose key it is.
        #[arg(value_parser = named)]
        name: String,
        /// What it may do.
        #[arg(long, default_value = "admin")]
        role: Role,
    },
    /// A key of a publisher's server or a partner's path, with its digest for a catalogue file.
    Digest {
        /// The key to make a digest of, at least 16 characters; a new one is made if none is given.
        #[arg(value_parser = long_enough)]
        key: Option<String>,
    },
}

/// Fewest characters of a key that is given: 16 random ones cannot be guessed.
const KEY_CHARS_MIN: usize = 16;

fn named(name: &str) -> Result<String, String> {
    match name.trim() {
        "" => Err("say whose key it is: the audit log calls its owner so".to_owned()),
        name => Ok(name.to_owned()),
    }
}

fn long_enough(key: &str) -> Result<String, String> {
    if key.chars().count() < KEY_CHARS_MIN {
        return Err(format!("a key has at least {KEY_CHARS_MIN} characters"));
    }
    Ok(key.to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Show what is fine, too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Show all that is known of one statement or request, by its name.
    #[arg(long, conflicts_with = "all")]
    pub(crate) statement: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateStateArgs {
    /// The store that has the state: `state` or `next_state` of the configuration, or another
    /// configuration file, whose state is meant.
    #[arg(long, default_value = "state")]
    pub(crate) from: String,
    /// The store that gets it, named in the same way.
    #[arg(long, default_value = "next_state")]
    pub(crate) to: String,
    /// Check both ends, say what there is to move, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// End a move that has begun: the old store has the state as before. A run of this command that
    /// is under way ends as well.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) abort: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not exist.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    pub(crate) file: PathBuf,
    /// Replace a database that is not empty; it is kept beside the new one.
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its value, secrets left out.
    Print,
}

#[derive(Debug, Args)]
pub(crate) struct SeedArgs {
    /// Users.
    #[arg(long, default_value_t = 200_000)]
    pub(crate) users: u32,
    /// Enrollments of each.
    #[arg(long, default_value_t = 10)]
    pub(crate) enrollments: u32,
    /// Of those, how many have done the first of two steps.
    #[arg(long, default_value_t = 0)]
    pub(crate) in_progress: u32,
    /// Line items.
    #[arg(long, default_value_t = 500)]
    pub(crate) line_items: u32,
    /// Kinds of users; each line item is for one of them, so more kinds make a user fit fewer.
    #[arg(long, default_value_t = 30)]
    pub(crate) kinds: u32,
}
