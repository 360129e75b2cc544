//! `bench conversions`: postbacks that pay, each durable before it is answered.

mod django;
mod lean;

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::client::{Answer, Conn};
use crate::data::{self, Data};
use crate::feed::{Feed, Requests};
use crate::load::{Pace, Plan};
use crate::measure::{self, Row, Sample};
use crate::plays;
use crate::report::{Aim, Report};
use crate::server::{Guerdon, Running};
use crate::world::{self, World};
use crate::{Options, bare, machine, process};
use lean::Lean;

/// The name of the load.
const CONVERSIONS: &str = "conversion";
/// Partners' connections that report at once.
const CALLERS: [usize; 3] = [1, 32, 64];
/// Conversions that are looked at closely before the load.
const SAMPLED: usize = 20;
/// A run ends with its requests; if they last longer than this, it ends without them.
pub(crate) const LASTS_MAX: Duration = Duration::from_secs(60);

/// The least share of the lean loop's rate.
const LEAN_SHARE: f64 = 0.6;
/// How much longer than the disk one caller waits at most, in milliseconds.
const ABOVE_FSYNC_MS: f64 = 0.3;

/// Runs it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let guerdon = Guerdon::beside_this()?;
    let data = Data::prepare(&guerdon, options.size())?;
    let folder = data.copy()?;
    let bytes_before = data::database_bytes(folder.path())?;
    let report = Report::new("conversions", options, &guerdon, data.world.contents)?;
    let server = guerdon.serve(folder.path()).await?;
    let requests = prepare(options, &data.world, &server).await?;
    let mut bench = Bench { options, requests, used: 0, server, report };
    bench.look_closely().await?;
    bench.levels().await?;
    let Bench { server, used, mut report, .. } = bench;
    server.stop()?;
    let grown = data::database_bytes(folder.path())?.saturating_sub(bytes_before);
    let record = (grown as usize / used).max(1);
    verify(&guerdon, &folder, &mut report)?;
    compare(options, &folder, record, &mut report)?;
    compare_lean(options, &folder, &mut report)?;
    django::compare(options, &guerdon, &data, &mut report).await?;
    report.publish(options)
}

/// Conversions of one run. With a disk that takes a millisecond for an fsync, a run of the full
/// benchmark lasts about two seconds.
fn batch(options: &Options, callers: usize) -> usize {
    if options.quick { 20 * callers } else { 2_000 + 250 * callers }
}

/// The benchmark under way.
struct Bench<'a> {
    options: &'a Options,
    requests: Requests,
    /// Requests that have been handed out.
    used: usize,
    server: Running,
    report: Report,
}

impl Bench<'_> {
    /// The next requests, each for one use.
    fn next(&mut self, count: usize) -> Range<usize> {
        let begin = self.used;
        self.used += count;
        begin..self.used
    }

    /// Looks at some conversions: what they cost the store.
    async fn look_closely(&mut self) -> Result<()> {
        let mut conn = Conn::open(self.server.address).await?;
        let part = self.next(SAMPLED);
        let feed = Feed::once(&self.requests, part);
        let mut most = 0;
        while let Some(request) = feed.take() {
            let answer = conn.ask(request).await?;
            ensure!(pays(&answer), "{}", answer.shown());
            most = most.max(world::store_calls(&answer)?);
        }
        self.report.fact("store calls of a conversion, most", f64::from(most), "");
        Ok(())
    }

    /// All kinds of load. The bytes that go to the disk are those of all of them.
    async fn levels(&mut self) -> Result<()> {
        let (pid, options) = (self.server.pid(), self.options);
        let (written, used) = (process::disk_bytes(pid)?, self.used);
        for callers in options.callers(&CALLERS) {
            let plan = measure::closed(options, self.server.address, callers, pays);
            self.level(Plan { lasts: LASTS_MAX, ..plan }).await?;
        }
        let callers = most(options);
        let rate = self.report.find(CONVERSIONS, callers)?.per_second.median;
        let plan = measure::closed(options, self.server.address, callers, pays);
        self.level(plan.at_half_of(rate)).await?;
        let written = process::disk_bytes(pid)?.saturating_sub(written) as f64;
        let each = written / (self.used - used) as f64;
        self.report.fact("bytes to the disk for a conversion, all files", each, "");
        let busy = process::resident_bytes(pid)? as f64 / 1_048_576.0;
        self.report.fact("memory under load", busy, "MiB");
        Ok(())
    }

    /// One kind of load several times, after a run that warms up.
    async fn level(&mut self, plan: Plan) -> Result<()> {
        let count = batch(self.options, plan.callers);
        let plan = match plan.pace {
            Pace::Closed => plan,
            Pace::Open { per_second } => {
                Plan { lasts: Duration::from_secs_f64(count as f64 / per_second), ..plan }
            }
        };
        let mut samples: Vec<Sample> = Vec::new();
        for _ in 0..=self.options.repetitions() {
            let part = self.next(count);
            let feed = Feed::once(&self.requests, part);
            samples.push(measure::sample(self.server.pid(), &plan, &feed).await?);
        }
        self.report.row(Row::of(CONVERSIONS, &plan, &samples[1..]));
        Ok(())
    }
}

/// Writes as many postbacks as all runs will use.
async fn prepare(options: &Options, world: &World, server: &Running) -> Result<Requests> {
    let levels = options.callers(&CALLERS).into_iter().chain([most(options)]);
    let runs = options.repetitions() + 1;
    let wanted = SAMPLED + levels.map(|callers| batch(options, callers) * runs).sum::<usize>();
    eprintln!("collecting click ids for {wanted} conversions …");
    plays::postbacks(world, server.address, wanted).await
}

/// Whether the step was paid, or is on hold until it is.
pub(crate) fn pays(answer: &Answer<'_>) -> bool {
    let says = |text: &[u8]| answer.body.windows(text.len()).any(|part| part == text);
    let verdicts = [br#""verdict":"rewarded""#.as_slice(), br#""verdict":"pending""#];
    answer.status == 200 && verdicts.into_iter().any(says)
}

fn most(options: &Options) -> usize {
    options.callers(&CALLERS).into_iter().max().unwrap_or(1)
}

/// The books must be right; a finding is an error of the command.
fn verify(guerdon: &Guerdon, folder: &TempDir, report: &mut Report) -> Result<()> {
    let checked = guerdon.ask(folder.path(), &["verify"]).context("the books are not right")?;
    let findings = checked["findings"].as_array().context("verify says no findings")?;
    ensure!(findings.is_empty(), "the books are not right: {checked}");
    let number =
        |name: &str| checked[name].as_f64().with_context(|| format!("verify says no {name}"));
    report.fact("ledger entries verified afterwards, all right", number("entries")?, "");
    report.fact("verified in", number("seconds")?, "s");
    Ok(())
}

/// The same number of bytes in a bare log, with one `fdatasync` for as many records as there are
/// callers: the most that any store could reach that answers after the disk has it.
fn compare(options: &Options, folder: &TempDir, record: usize, report: &mut Report) -> Result<()> {
    let callers = most(options);
    let groups = bare::durable_groups_per_second(folder.path(), record * callers, options.lasts())?;
    let limit = groups * callers as f64;
    let ours = report.find(CONVERSIONS, callers)?.per_second.median;
    report.fact("bytes that the database grows by for a change", record as f64, "");
    report.fact("bare log, as many records of that size a second", limit, "");
    report.fact("share of the bare log's rate", ours / limit, "");
    report.aim(Aim::at_least("durable conversions", ours, 5_000.0, "a second"));
    Ok(())
}

/// The leanest layout in the same database with the same fsyncs, and how long one caller waits for
/// the disk alone.
fn compare_lean(options: &Options, folder: &TempDir, report: &mut Report) -> Result<()> {
    let mut lean = Lean::beside(folder.path())?;
    report.fact("bytes of a record of the lean loop", lean.record_bytes() as f64, "");
    let callers = most(options);
    let rate = lean.rate(callers, options.lasts(), options.repetitions())?.median;
    let ours = report.find(CONVERSIONS, callers)?.per_second.median;
    report.fact("lean loop, changes a second in groups of as many as callers", rate, "");
    report.aim(Aim::at_least("share of the lean loop's rate", ours / rate, LEAN_SHARE, ""));
    let alone = lean.rate(1, options.lasts(), options.repetitions())?.median;
    report.fact("lean loop, changes a second one by one", alone, "");
    let pages = lean.pages_alone()?;
    report.fact("pages that the lean loop writes for a change, one by one", pages, "");
    let bytes = pages.round() as usize * machine::FSYNC_BYTES;
    let fsync_ms = machine::durable_us(folder.path(), bytes)? as f64 / 1_000.0;
    report.fact("so many pages and their fdatasync", fsync_ms, "ms");
    let p50 = report.find(CONVERSIONS, 1)?.p50_ms.median;
    report.aim(Aim::at_most("p50 with one caller", p50, fsync_ms + ABOVE_FSYNC_MS, "ms"));
    Ok(())
}
