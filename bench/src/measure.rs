//! Repeated runs and what they have in common: medians, and how far apart the runs were.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::Options;
use crate::client::Answer;
use crate::feed::{Feed, Requests};
use crate::load::{self, Outcome, Pace, Plan};
use crate::process;

/// The median of some runs, and the least and the most.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value; the upper of two middle ones.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { median: at(values.len() / 2), min: at(0), max: at(values.len().wrapping_sub(1)) }
    }

    /// The same in another unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        let Self { median, min, max } = self;
        Self { median: median * factor, min: min * factor, max: max * factor }
    }
}

/// One run, in the units of the report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) answers: u64,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// Share of answers that said that nothing has changed.
    pub(crate) unchanged: f64,
    pub(crate) body_bytes: f64,
    pub(crate) server_cpu_us: f64,
    pub(crate) generator_cpu_us: f64,
}

impl Sample {
    fn new(outcome: &Outcome, server_cpu: Duration, generator_cpu: Duration) -> Self {
        let answers = outcome.answers();
        let each = |total: f64| total / answers as f64;
        let ms = |quantile| outcome.latency.value_at_quantile(quantile) as f64 / 1e6;
        let unchanged = outcome.statuses.get(&304).copied().unwrap_or_default();
        Self {
            answers,
            per_second: answers as f64 / outcome.took.as_secs_f64(),
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p95_ms: ms(0.95),
            p99_ms: ms(0.99),
            max_ms: outcome.latency.max() as f64 / 1e6,
            unchanged: each(unchanged as f64),
            body_bytes: each(outcome.body_bytes as f64),
            server_cpu_us: each(server_cpu.as_secs_f64() * 1e6),
            generator_cpu_us: each(generator_cpu.as_secs_f64() * 1e6),
        }
    }
}

/// Runs once, and sees what it has cost the server's process and this one.
pub(crate) async fn sample(pid: u32, plan: &Plan, feed: &Feed<'_>) -> Result<Sample> {
    sample_of(&[pid], plan, feed).await
}

/// The same of a server that is several processes.
pub(crate) async fn sample_of(pids: &[u32], plan: &Plan, feed: &Feed<'_>) -> Result<Sample> {
    sample_on(&[plan.address], pids, plan, feed).await
}

/// The same of several nodes.
pub(crate) async fn sample_on(
    nodes: &[SocketAddr],
    pids: &[u32],
    plan: &Plan,
    feed: &Feed<'_>,
) -> Result<Sample> {
    let own = std::process::id();
    let (server, generator) = (process::cpu_time_of(pids)?, process::cpu_time(own)?);
    let outcome = load::run_on(nodes, plan, feed).await?;
    let generator = process::cpu_time(own)?.saturating_sub(generator);
    let server = process::cpu_time_of(pids)?.saturating_sub(server);
    Ok(Sample::new(&outcome, server, generator))
}

/// Callers who ask as fast as they are answered.
pub(crate) fn closed(
    options: &Options,
    address: SocketAddr,
    callers: usize,
    is_wanted: fn(&Answer<'_>) -> bool,
) -> Plan {
    Plan { address, callers, pace: Pace::Closed, lasts: options.lasts(), is_wanted }
}

/// Runs a plan several times with random requests, after a run that warms up.
pub(crate) async fn repeated(
    what: &str,
    options: &Options,
    pid: u32,
    plan: &Plan,
    requests: &Requests,
) -> Result<Row> {
    let feed = Feed::random(requests);
    sample(pid, plan, &feed).await?;
    let mut samples = Vec::new();
    for _ in 0..options.repetitions() {
        samples.push(sample(pid, plan, &feed).await?);
    }
    Ok(Row::of(what, plan, &samples))
}

/// A line of a report: one kind of load, run several times.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) callers: usize,
    /// Requests a second that were due; nothing in a closed loop.
    pub(crate) due_per_second: Option<f64>,
    pub(crate) repetitions: usize,
    pub(crate) answers: u64,
    pub(crate) per_second: Spread,
    pub(crate) p50_ms: Spread,
    pub(crate) p90_ms: Spread,
    pub(crate) p95_ms: Spread,
    pub(crate) p99_ms: Spread,
    /// The slowest answer of all repetitions.
    pub(crate) max_ms: f64,
    pub(crate) unchanged: Spread,
    pub(crate) body_bytes: Spread,
    pub(crate) server_cpu_us: Spread,
    pub(crate) generator_cpu_us: Spread,
}

impl Row {
    /// What samples of one plan have shown.
    pub(crate) fn of(what: &str, plan: &Plan, samples: &[Sample]) -> Self {
        let spread = |value: fn(&Sample) -> f64| Spread::of(samples.iter().map(value));
        let due_per_second = match plan.pace {
            Pace::Closed => None,
            Pace::Open { per_second } => Some(per_second),
        };
        Self {
            what: what.to_owned(),
            callers: plan.callers,
            due_per_second,
            repetitions: samples.len(),
            answers: samples.iter().map(|one| one.answers).sum(),
            per_second: spread(|one| one.per_second),
            p50_ms: spread(|one| one.p50_ms),
            p90_ms: spread(|one| one.p90_ms),
            p95_ms: spread(|one| one.p95_ms),
            p99_ms: spread(|one| one.p99_ms),
            max_ms: spread(|one| one.max_ms).max,
            unchanged: spread(|one| one.unchanged),
            body_bytes: spread(|one| one.body_bytes),
            server_cpu_us: spread(|one| one.server_cpu_us),
            generator_cpu_us: spread(|one| one.generator_cpu_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_value_that_occurred() {
        let spread = Spread::of([3.0, 1.0, 2.0]);
        assert_eq!((spread.median, spread.min, spread.max), (2.0, 1.0, 3.0));
        let spread = Spread::of([1.0, 2.0]);
        assert_eq!((spread.median, spread.min, spread.max), (2.0, 1.0, 2.0));
        assert!(Spread::of([]).median.is_nan());
    }

    #[test]
    fn a_sample_counts_for_each_answer() {
        let mut outcome = Outcome::for_tests();
        outcome.took = Duration::from_secs(2);
        let sample = Sample::new(&outcome, Duration::from_millis(4), Duration::from_millis(2));
        assert_eq!((sample.answers, sample.per_second), (4, 2.0));
        assert_eq!((sample.server_cpu_us, sample.generator_cpu_us), (1_000.0, 500.0));
        assert_eq!((sample.unchanged, sample.body_bytes), (0.25, 30.0));
        assert!((sample.p50_ms - 2.0).abs() < 0.01 && (sample.max_ms - 4.0).abs() < 0.01);
    }
}
