//! The rounds: each measures every rung once at each number of callers.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::compare::{self, Look};
use super::places::Places;
use super::rungs::{Rung, Up, Way};
use super::{CALLERS, Failure, Ground, LadderOptions};
use crate::client::{Answer, Conn};
use crate::feed::{self, Draw, Feed, Requests};
use crate::load::{self, Pace, Plan};
use crate::machine::{self, Others};
use crate::measure::{self, Row, Sample};
use crate::process;
use crate::report::Report;
use crate::shapes::Shape;

/// How long a rung is warmed up at each number of callers.
const WARM_UP: Duration = Duration::from_millis(500);
/// Answers that make a measurement's p95 mean something.
const ANSWERS_WANTED: f64 = 200.0;
/// How many times longer than others a slow rung is measured at most.
const LONGER_MAX: f64 = 5.0;
/// Users who come back to a list that they have.
const RETURNING: usize = 500;
/// Least share of them who must find it unchanged.
const UNCHANGED_MIN: f64 = 0.5;
/// Bytes of a list where none has been looked at.
const USUAL_BYTES: u64 = 28_000;

/// One measurement.
pub(super) struct Shot {
    pub(super) rung: &'static Rung,
    /// From 1.
    pub(super) round: usize,
    pub(super) callers: usize,
    pub(super) sample: Sample,
    /// Processor time of the databases for an answer, in microseconds.
    pub(super) store_cpu_us: f64,
}

/// A rung in the rounds.
struct Runner {
    up: Up,
    requests: Requests,
    /// How long it is measured at each number of callers.
    lasts: Vec<Duration>,
}

/// Starts all rungs, and measures them.
pub(super) async fn all(
    ground: &Ground<'_>,
    looks: &[(&'static Rung, Look)],
    failures: &mut Vec<Failure>,
    report: &mut Report,
) -> Result<Vec<Shot>> {
    let &Ground { options, places, guerdon } = ground;
    let rungs: Vec<_> =
        options.rungs().into_iter().filter(|rung| !has_failed(failures, rung)).collect();
    let bytes = looks.iter().map(|(_, look)| look.bytes as u64).max().unwrap_or(USUAL_BYTES);
    let embedded = super::rungs::named("guerdon-embedded").map_err(anyhow::Error::msg)?;
    let reference = embedded.start(places, guerdon, (bytes, false)).await?;
    let mut runners = Vec::new();
    for rung in rungs {
        eprintln!("{}: starting and warming up …", rung.name);
        match start(rung, ground, &reference, bytes).await {
            Ok(runner) => runners.push(runner),
            Err(error) => failures.push((rung, error)),
        }
    }
    let shots = measure(ground, &mut runners, failures, report).await?;
    for runner in runners {
        runner.up.stop()?;
    }
    reference.stop()?;
    rows(options, &shots, report);
    Ok(shots)
}

fn has_failed(failures: &[Failure], rung: &Rung) -> bool {
    failures.iter().any(|(failed, _)| failed.name == rung.name)
}

async fn start(
    rung: &'static Rung,
    ground: &Ground<'_>,
    reference: &Up,
    bytes: u64,
) -> Result<Runner> {
    let &Ground { options, places, guerdon } = ground;
    let up = match rung.way {
        Way::Unchanged | Way::Guerdon(Shape::Embedded) => reference.shared_with(rung),
        _ => rung.start(places, guerdon, (bytes, false)).await?,
    };
    if rung.answers_lists() {
        compare::again(&up, reference.address, places).await?;
    }
    let requests = requests(&up, places).await?;
    let mut lasts = Vec::new();
    for callers in CALLERS {
        let plan = plan(up.address, callers, WARM_UP);
        let outcome = load::run(&plan, &Feed::random(&requests)).await?;
        let rate = outcome.answers() as f64 / outcome.took.as_secs_f64();
        lasts.push(long_enough(options.lasts(), rate));
    }
    Ok(Runner { up, requests, lasts })
}

/// So long that there are enough answers, within limits.
fn long_enough(lasts: Duration, per_second: f64) -> Duration {
    let wanted = ANSWERS_WANTED / per_second / lasts.as_secs_f64();
    lasts.mul_f64(wanted.clamp(1.0, LONGER_MAX))
}

fn plan(address: SocketAddr, callers: usize, lasts: Duration) -> Plan {
    Plan { address, callers, pace: Pace::Closed, lasts, is_wanted: is_list }
}

/// What is asked of a rung.
async fn requests(up: &Up, places: &Places) -> Result<Requests> {
    let world = &places.data.world;
    match up.rung.way {
        Way::Bare | Way::Hello => Ok([feed::get(up.address, "/", "")].into_iter().collect()),
        Way::Unchanged => returning(up, places).await,
        Way::Django(..) | Way::Rust(_) | Way::Guerdon(_) => {
            Ok((0..up.rung.users(places)).map(|user| world.missions(up.address, user)).collect())
        }
    }
}

/// Users who have their list, and ask whether it has changed.
async fn returning(up: &Up, places: &Places) -> Result<Requests> {
    let (world, draw) = (&places.data.world, Draw::new());
    let mut conn = Conn::open(up.address).await?;
    let mut requests = Requests::default();
    for _ in 0..RETURNING {
        let user = draw.below(world.contents.users as usize) as u32;
        let answer = conn.ask(&world.missions(up.address, user)).await?;
        let etag = answer.header("etag").context("the list has no ETag")?;
        requests.push(&world.missions_unless(up.address, user, etag));
    }
    Ok(requests)
}

async fn measure(
    &Ground { options, places, .. }: &Ground<'_>,
    runners: &mut [Runner],
    failures: &mut Vec<Failure>,
    report: &mut Report,
) -> Result<Vec<Shot>> {
    let (mut shots, stores) = (Vec::new(), places.servers.pids());
    for round in 1..=options.rounds {
        let others = Others::watch()?;
        for (place, callers) in CALLERS.into_iter().enumerate() {
            for runner in runners.iter_mut() {
                if has_failed(failures, runner.up.rung) {
                    continue;
                }
                match shot(runner, places, (place, callers, round), &stores).await {
                    Ok(shot) => shots.push(shot),
                    Err(error) => failures.push((runner.up.rung, error)),
                }
            }
        }
        let (cores, busy) = others.seen()?;
        let load = machine::load_average();
        eprintln!("round {round} of {}: others used {cores:.2} cores", options.rounds);
        report.note(told(round, cores, &busy, load));
    }
    Ok(shots)
}

/// What else the machine did in a round, in a sentence.
fn told(round: usize, cores: f64, busy: &[String], load: f64) -> String {
    let busy = match busy {
        [] => String::new(),
        busy => format!(" ({})", busy.join(", ")),
    };
    format!(
        "In round {round} processes outside of the benchmark used {cores:.2} cores{busy}; the load \
         average at its end was {load:.1}."
    )
}

async fn shot(
    runner: &mut Runner,
    places: &Places,
    (place, callers, round): (usize, usize, usize),
    stores: &[u32],
) -> Result<Shot> {
    if runner.up.rung.way == Way::Unchanged {
        // A list is kept for a minute at most.
        runner.requests = returning(&runner.up, places).await?;
    }
    let plan = plan(runner.up.address, callers, runner.lasts[place]);
    let before = process::cpu_time_of(stores)?;
    let feed = Feed::random(&runner.requests);
    let sample = measure::sample_of(&runner.up.pids, &plan, &feed).await?;
    ensure!(
        runner.up.rung.way != Way::Unchanged || sample.unchanged > UNCHANGED_MIN,
        "only a share of {:.2} of the lists was unchanged",
        sample.unchanged
    );
    let store = process::cpu_time_of(stores)?.saturating_sub(before);
    let store_cpu_us = store.as_secs_f64() * 1e6 / sample.answers as f64;
    Ok(Shot { rung: runner.up.rung, round, callers, sample, store_cpu_us })
}

/// A row for each rung and number of callers.
fn rows(options: &LadderOptions, shots: &[Shot], report: &mut Report) {
    for rung in options.rungs() {
        for callers in CALLERS {
            let own = |shot: &&Shot| shot.rung == rung && shot.callers == callers;
            let samples: Vec<Sample> = shots.iter().filter(own).map(|shot| shot.sample).collect();
            if !samples.is_empty() {
                let plan = plan(SocketAddr::from(([127, 0, 0, 1], 0)), callers, options.lasts());
                report.row(Row::of(rung.name, &plan, &samples));
            }
        }
    }
}

fn is_list(answer: &Answer<'_>) -> bool {
    matches!(answer.status, 200 | 304)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_rungs_are_measured_for_longer() {
        let lasts = |rate| long_enough(Duration::from_secs(2), rate).as_secs_f64();
        assert_eq!((lasts(30_000.0), lasts(100.0), lasts(50.0), lasts(5.0)), (2.0, 2.0, 4.0, 10.0));
    }

    #[test]
    fn others_are_told_by_name() {
        assert_eq!(
            told(2, 0.5, &["cc1".to_owned()], 3.25),
            "In round 2 processes outside of the benchmark used 0.50 cores (cc1); the load average \
             at its end was 3.2."
        );
    }
}
