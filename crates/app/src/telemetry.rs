//! Logs, metrics and traces.

mod traces;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{Config, Log, LogFormat};
use traces::Traces;
pub(crate) use traces::go_on;

/// Upper bounds of the latency buckets, in seconds.
const SECONDS: [f64; 13] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 10.0];

/// Upper bounds of the buckets of store calls; up to three are usual.
const CALLS: [f64; 7] = [0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 100.0];

/// Upper bounds of the buckets of the time in them, in seconds: a read of the embedded store takes
/// some ten microseconds, one of a store across a network some hundred.
const STORE_SECONDS: [f64; 13] =
    [0.000_02, 0.000_05, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.2, 1.0];

/// What has to be stopped in order.
pub(crate) struct Telemetry(Option<Traces>);

impl Telemetry {
    /// Starts logging to standard error, and traces if they are wanted. Once in a process.
    pub(crate) fn start(config: &Config) -> anyhow::Result<Self> {
        let traces = Traces::of(&config.traces)?;
        let spans = traces.as_ref().map(Traces::layer);
        let started = tracing_subscriber::registry().with(spans).with(log(&config.log)?).try_init();
        started.map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))?;
        Ok(Self(traces))
    }

    /// Sends what is still to be sent.
    pub(crate) async fn stop(self) {
        if let Some(traces) = self.0 {
            traces.stop().await;
        }
    }
}

fn log<S>(config: &Log) -> anyhow::Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let filter = EnvFilter::try_new(&config.filter)
        .with_context(|| format!("log.filter {:?} cannot be read", config.filter))?;
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    Ok(match config.format {
        LogFormat::Text => layer.with_filter(filter).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_filter(filter).boxed(),
    })
}

/// How often samples are added up that nobody has asked for.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Adds up what was sampled, again and again: without that every sample would be kept until somebody
/// asks for the figures, which nobody may ever do.
pub(crate) async fn keep_small(metrics: PrometheusHandle, stop: CancellationToken) {
    let upkeep = async {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            metrics.run_upkeep();
        }
    };
    stop.run_until_cancelled(upkeep).await;
}

/// Starts collecting metrics. Once in a process.
pub(crate) fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_store_seconds".to_owned()), &STORE_SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_calls".to_owned()), &CALLS)?
        .install_recorder()
        .context("metrics cannot start")
}
