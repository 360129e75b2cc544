//! `bench ladder`: the list of missions from the first draft of a Django application to the bare
//! limit of the machine, rung by rung, on the same data in one run.
//!
//! Every rung is a server of its own. First each answers for some users, and must answer what
//! Guerdon answers. Then all are up, and each round measures every rung once at each number of
//! callers, so that whatever else the machine does comes to all of them alike.

mod compare;
pub(crate) mod django;
mod figures;
mod judge;
mod places;
mod plots;
mod raw;
mod rounds;
mod rungs;
pub(crate) mod rust;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::Options;
use crate::data::{self, Size};
use crate::report::Report;
use crate::server::Guerdon;
use places::Places;
use rounds::Shot;
use rungs::{RUNGS, Rung};

/// Connections of the kinds of load.
const CALLERS: [usize; 3] = [1, 8, 32];
/// The most of them, which the aims are about.
const MOST: usize = 32;
/// With fewer users or rounds than these a run judges nothing.
const WHOLE: (u32, usize) = (200_000, 5);

/// How the ladder runs.
#[derive(Args, Clone, Debug)]
pub(crate) struct LadderOptions {
    /// Users. With fewer than 200,000 the figures mean nothing.
    #[arg(long, default_value_t = WHOLE.0)]
    users: u32,
    /// How often every rung is measured.
    #[arg(long, default_value_t = WHOLE.1)]
    rounds: usize,
    /// How long each measurement lasts; slow rungs get up to five times as long.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Only these rungs.
    #[arg(long, value_delimiter = ',', value_parser = rungs::named)]
    only: Vec<&'static Rung>,
    /// Put the results into `docs/performance.md` and `docs/performance/`.
    #[arg(long)]
    write_docs: bool,
}

impl LadderOptions {
    /// Whether it is a run that shows that everything works, and no measurement.
    fn is_quick(&self) -> bool {
        self.users < WHOLE.0 || self.rounds < WHOLE.1 || !self.only.is_empty()
    }

    fn size(&self, users: u32) -> Size {
        let (enrollments, in_progress, line_items) = (10, 10, 500);
        let users = users.min(self.users);
        Size { users, enrollments, in_progress, line_items, kinds: 30 }
    }

    fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn rungs(&self) -> Vec<&'static Rung> {
        if self.only.is_empty() { RUNGS.iter().collect() } else { self.only.clone() }
    }

    fn for_report(&self) -> Options {
        Options { quick: self.is_quick(), write_docs: self.write_docs }
    }

    /// Where plots and raw data go.
    fn folder(&self) -> Result<PathBuf> {
        let folder = match self.write_docs {
            true => data::root().join("docs/performance"),
            false => data::target_folder()?.join("bench/ladder"),
        };
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// Runs it, until it is done or told to stop. Servers end with whatever holds them.
pub(crate) async fn run(options: &LadderOptions) -> Result<()> {
    ensure!(
        !(options.write_docs && options.is_quick()),
        "a run with fewer users, rounds or rungs is no measurement, and is not put into the docs"
    );
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        done = climb(options) => done,
        _ = interrupt.recv() => bail!("interrupted; its servers are stopped"),
        _ = terminate.recv() => bail!("terminated; its servers are stopped"),
    }
}

async fn climb(options: &LadderOptions) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let places = Places::prepare(options, &guerdon).await?;
    let contents = places.data.world.contents;
    let mut report = Report::new("ladder", &options.for_report(), &guerdon, contents)?;
    report.note(places.servers.settings()?);
    rungs::NOTES.iter().for_each(|note| report.note((*note).to_owned()));
    let ground = Ground { options, places: &places, guerdon: &guerdon };
    let (looks, mut failures) = compare::all(&ground).await?;
    let shots = rounds::all(&ground, &looks, &mut failures, &mut report).await?;
    publish(options, &mut report, &looks, &shots)?;
    // What was measured is said in any case; into the docs goes a whole ladder only.
    report.publish(&Options { write_docs: false, ..options.for_report() })?;
    for (rung, error) in &failures {
        eprintln!("{} failed: {error:#}", rung.name);
    }
    ensure!(failures.is_empty(), "{} rungs failed; see above", failures.len());
    if options.write_docs { report.write_docs() } else { Ok(()) }
}

/// What all rungs stand on.
struct Ground<'a> {
    options: &'a LadderOptions,
    places: &'a Places,
    guerdon: &'a Guerdon,
}

/// A rung that dropped out, and why.
type Failure = (&'static Rung, anyhow::Error);

fn publish(
    options: &LadderOptions,
    report: &mut Report,
    looks: &[(&'static Rung, compare::Look)],
    shots: &[Shot],
) -> Result<()> {
    let folder = options.folder()?;
    let figures = figures::of(&options.rungs(), looks, shots);
    figures::tables(&figures).into_iter().for_each(|table| report.table(table));
    for image in plots::draw(&figures, &folder)? {
        report.image(image);
    }
    judge::judge(&figures, report);
    raw::write(shots, &folder.join("ladder.csv"))?;
    if options.write_docs {
        report.note("[ladder.csv](performance/ladder.csv) has every measurement.".to_owned());
    }
    eprintln!("plots and raw data are in {}", folder.display());
    Ok(())
}
