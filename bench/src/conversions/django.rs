//! The same conversions by a Django view through its ORM on MariaDB, with the same load generator.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use services::MariaDb;

use super::{CONVERSIONS, LASTS_MAX, most, pays};
use crate::Options;
use crate::data::Data;
use crate::feed::{Feed, Requests};
use crate::ladder::django::{DATABASE, Django, Dump, Worker};
use crate::load::Plan;
use crate::measure::{self, Row, Sample};
use crate::process;
use crate::report::{Aim, Report};
use crate::server::{Guerdon, Running};
use crate::shapes::place;
use crate::world::World;

/// Users of its database. A run converts some thousands; with fewer rows than Guerdon has it is
/// not slower.
const USERS: u32 = 20_000;
/// Conversions of a run for each caller: some seconds.
const EACH: usize = 16;
/// Kinds of workers; the better one is what Guerdon is compared with.
const WORKERS: [Worker; 2] = [Worker::Gthread, Worker::Gevent];
/// How many times its rate Guerdon is to have.
const TIMES: f64 = 50.0;
/// What a conversion leaves behind: each of these must grow by one.
const ROWS: [&str; 4] = ["inbound_event", "completion", "ledger_entry", "outbox_message"];
/// What must be the same sum in all places afterwards.
const SUMS: &str = "SELECT (SELECT sum(points) FROM ledger_entry), \
    (SELECT sum(points) FROM balance), (SELECT sum(booked) FROM budget)";

/// Measures it, and compares.
pub(super) async fn compare(
    options: &Options,
    guerdon: &Guerdon,
    data: &Data,
    report: &mut Report,
) -> Result<()> {
    let mariadb = place::mariadb()?;
    let django = Django::on_mariadb(&mariadb)?;
    let users = data.world.contents.users.min(USERS);
    let dump = django.dump(data, guerdon, users).await?;
    django.load(&dump, &["mariadb"])?;
    let mut view = View { options, mariadb, world: &data.world, runs: runs(&dump)?, used: 0 };
    let mut best = f64::NAN;
    for worker in WORKERS {
        let log = dump.path().join(format!("{}.log", worker.name()));
        let server = django.serve("before", worker, false, log).await?;
        let row = view.level(&server, worker).await?;
        best = best.max(row.per_second.median);
        report.row(row);
        server.stop()?;
    }
    let ours = report.find(CONVERSIONS, most(options))?.per_second.median;
    report.note(place::settings(&view.mariadb)?);
    report.note(format!("The view's database holds {users} of the users."));
    report.fact("the view's conversions, each with all of its rows", view.used as f64, "");
    report.aim(Aim::at_least("times the Django view's rate", ours / best, TIMES, ""));
    Ok(())
}

/// The view under load.
struct View<'a> {
    options: &'a Options,
    mariadb: MariaDb,
    world: &'a World,
    runs: Vec<Run>,
    /// Conversions so far.
    used: usize,
}

/// A run that has done nothing yet.
struct Run {
    code: String,
    /// Its step's events, in order.
    steps: usize,
}

impl View<'_> {
    /// Several runs with the most callers after one that warms up; each conversion really pays.
    async fn level(&mut self, server: &Running, worker: Worker) -> Result<Row> {
        let callers = most(self.options);
        let plan = measure::closed(self.options, server.address, callers, pays);
        let plan = Plan { lasts: LASTS_MAX, ..plan };
        let mut pids = process::family(&process::all()?, server.pid());
        pids.extend(self.mariadb.pid());
        let before = self.rows()?;
        let mut samples: Vec<Sample> = Vec::new();
        for _ in 0..=self.options.repetitions() {
            let requests = self.requests(server, EACH * callers)?;
            let feed = Feed::once(&requests, 0..requests.len());
            samples.push(measure::sample_of(&pids, &plan, &feed).await?);
        }
        let paid: u64 = samples.iter().map(|one| one.answers).sum();
        let after = self.rows()?;
        for ((table, before), after) in ROWS.iter().zip(before).zip(after) {
            ensure!(before + paid == after, "{paid} paid: {table} had {before}, and has {after}");
        }
        let sums = self.mariadb.sql(&format!("USE {DATABASE}; {SUMS}"))?;
        let sums: Vec<&str> = sums.split_whitespace().collect();
        ensure!(sums.windows(2).all(|pair| pair[0] == pair[1]), "the points differ: {sums:?}");
        let what = format!("Django view, {}", worker.name());
        Ok(Row::of(&what, &plan, &samples[1..]))
    }

    /// The next postbacks, each of which pays: first the first events of all runs, then the others.
    fn requests(&mut self, server: &Running, count: usize) -> Result<Requests> {
        let events = self.world.events.iter().enumerate();
        let all = events.flat_map(|(place, event)| {
            self.runs.iter().filter(move |run| place < run.steps).map(move |run| (run, event))
        });
        let write = |(run, event): (&Run, &String)| {
            self.world.postback(server.address, &run.code, event, "1")
        };
        let requests: Requests = all.skip(self.used).take(count).map(write).collect();
        ensure!(requests.len() == count, "the view's users have too few runs");
        self.used += count;
        Ok(requests)
    }

    /// How many rows each table of [`ROWS`] has.
    fn rows(&self) -> Result<Vec<u64>> {
        let count = |table: &&str| {
            let counted = format!("SELECT count(*) FROM {DATABASE}.{table}");
            Ok(self.mariadb.sql(&counted)?.trim().parse()?)
        };
        ROWS.iter().map(count).collect()
    }
}

/// The runs of a dump that have done nothing yet: the first of each user, then the second ones, and
/// so on, so that callers do not meet at one user.
fn runs(dump: &Dump) -> Result<Vec<Run>> {
    let mut steps = std::collections::HashMap::new();
    for mission in lines(&dump.path().join("missions.jsonl"))? {
        let count = mission["steps"].as_array().map_or(0, Vec::len);
        steps.insert(mission["id"].as_u64(), count);
    }
    let mut runs = Vec::new();
    for user in lines(&dump.path().join("users.jsonl"))? {
        let all = user["participations"].as_array().context("a user has no participations")?;
        let is_new = |run: &&Value| {
            run["status"] == "open" && run["completions"].as_array().is_some_and(Vec::is_empty)
        };
        for (turn, run) in all.iter().filter(is_new).enumerate() {
            let code = run["id"].as_str().context("a run has no id")?.to_owned();
            let steps = steps.get(&run["mission_id"].as_u64()).copied().unwrap_or_default();
            runs.push((turn, Run { code, steps }));
        }
    }
    runs.sort_by_key(|(turn, _)| *turn);
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(path)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
