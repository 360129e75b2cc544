//! `guerdon serve`: one process that serves the API and the pages and does the background work; and
//! `guerdon worker`, which does the work alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use engine::Engine;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{ServeArgs, WorkerArgs};
use crate::config::{Config, Loaded, State};
use crate::readiness::Readiness;
use crate::telemetry::Telemetry;
use crate::wiring::{self, Node};
use crate::{clock, http, telemetry};

/// Runs `guerdon serve` until it is told to stop.
pub(crate) async fn run(path: &Path, args: ServeArgs) -> anyhow::Result<()> {
    let loaded = listening(path, args.listen)?;
    let duty = match loaded.config.jobs.enabled && !args.no_jobs {
        true => Duty::Everything,
        false => Duty::Answers,
    };
    run_until_told(&loaded, duty, "guerdon serves").await
}

/// Runs `guerdon worker` until it is told to stop.
pub(crate) async fn work(path: &Path, args: WorkerArgs) -> anyhow::Result<()> {
    let loaded = listening(path, args.listen)?;
    if matches!(loaded.state(), State::Sqlite(_)) && loaded.config.next_state.is_none() {
        bail!(
            "the state is in a SQLite file, which one process has to itself: `guerdon serve` does \
             the work as well"
        );
    }
    run_until_told(&loaded, Duty::Work, "guerdon works").await
}

fn listening(path: &Path, listen: Option<SocketAddr>) -> anyhow::Result<Loaded> {
    let mut loaded = Loaded::read(path)?;
    loaded.config.server.listen = listen.unwrap_or(loaded.config.server.listen);
    Ok(loaded)
}

async fn run_until_told(loaded: &Loaded, duty: Duty, begun: &str) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&loaded.config)?;
    http::raise_descriptors();
    let mut stop = StopSignal::new()?;
    let server = Server::start(loaded, duty, telemetry).await?;
    for closed in server.engine.closed_secrets() {
        tracing::warn!("a secret of the catalogue cannot be opened: {closed}");
    }
    let revision = server.engine.snapshot().revision();
    tracing::info!(catalog.revision = revision, "the catalogue is loaded");
    tracing::info!(address = %server.address, "{begun}");
    stop.wait().await;
    tracing::info!("stopping: no new connections, requests under way are finished");
    server.stop().await
}

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Duty {
    /// It answers and works.
    Everything,
    /// It answers, and leaves the work to others.
    Answers,
    /// It works, and answers only whoever looks after it.
    Work,
}

/// What a node is run with.
struct Parts {
    node: Node,
    listener: TcpListener,
    telemetry: Telemetry,
}

/// A running node.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
    node: Node,
    telemetry: Telemetry,
    stop: CancellationToken,
    stop_within: Duration,
    http: tokio::task::JoinHandle<()>,
    jobs: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Opens the stores, binds the port and starts the background work.
    pub(crate) async fn start(
        loaded: &Loaded,
        duty: Duty,
        telemetry: Telemetry,
    ) -> anyhow::Result<Self> {
        let node = wiring::open(loaded).await?;
        let listen = loaded.config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; is another server running?"))?;
        Self::run(loaded, duty, Parts { node, listener, telemetry })
    }

    /// The same, with every duty, on a port that is bound already.
    pub(crate) async fn start_on(
        loaded: &Loaded,
        listener: TcpListener,
        telemetry: Telemetry,
    ) -> anyhow::Result<Self> {
        let node = wiring::open(loaded).await?;
        Self::run(loaded, Duty::Everything, Parts { node, listener, telemetry })
    }

    fn run(loaded: &Loaded, duty: Duty, parts: Parts) -> anyhow::Result<Self> {
        let Parts { node, listener, telemetry } = parts;
        let config = &loaded.config;
        let metrics = telemetry::metrics()?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        tokio::spawn(telemetry::keep_small(metrics.clone(), stop.clone()));
        let state = api_state(loaded, &node, address, metrics);
        let served = match duty {
            Duty::Work => api::operations_router(state),
            Duty::Everything | Duty::Answers => {
                let pages = pages_state(&state);
                api::router(state, pages::router(pages))
            }
        };
        let served = match config.traces.otlp_url {
            Some(_) => {
                served.behind(|router| router.layer(axum::middleware::from_fn(telemetry::go_on)))
            }
            None => served,
        };
        let http = tokio::spawn(http::serve(listener, served, config.server.proxies, stop.clone()));
        let worker = worker(config, &node)?;
        let jobs = match duty {
            Duty::Answers => tokio::spawn(worker.keep_fresh(stop.clone())),
            Duty::Everything | Duty::Work => tokio::spawn(worker.run(stop.clone())),
        };
        Ok(Self {
            address,
            engine: Arc::clone(&node.engine),
            node,
            telemetry,
            stop,
            stop_within: Duration::from_secs(config.server.stop_seconds),
            http,
            jobs,
        })
    }

    /// Stops: requests that are under way are finished, leases are left to run out, the database is
    /// closed in order.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        let ended = async {
            let served = self.http.await;
            let _ = self.jobs.await;
            served
        };
        match tokio::time::timeout(self.stop_within, ended).await {
            Err(_) => tracing::warn!("some requests were still under way and have been cut"),
            Ok(served) => served.context("the server ended abruptly")?,
        }
        drop(self.engine);
        drop(self.node);
        self.telemetry.stop().await;
        Ok(())
    }
}

fn api_state(
    loaded: &Loaded,
    node: &Node,
    address: SocketAddr,
    metrics: PrometheusHandle,
) -> api::ApiState {
    let public_url = public_url(&loaded.config, address);
    let ready = Readiness::of(node);
    api::ApiState {
        engine: Arc::clone(&node.engine),
        clock: Arc::new(clock::now),
        entropy: Arc::new(clock::random::<32>),
        admin_keys: wiring::admin_keys(&loaded.config, &node.cli_key),
        page_url: Arc::new({
            let public_url = public_url.clone();
            move |token| format!("{public_url}{}", pages::session_path(token))
        }),
        public_url,
        verify: wiring::verify(loaded),
        readiness: Arc::new(move |ctx| Box::pin(Arc::clone(&ready).dependencies(ctx))),
        metrics: Arc::new(move || metrics.render()),
    }
}

fn pages_state(api: &api::ApiState) -> pages::PagesState {
    pages::PagesState {
        engine: Arc::clone(&api.engine),
        clock: Arc::new(clock::now),
        entropy: Arc::new(clock::random::<32>),
        public_url: api.public_url.clone(),
    }
}

/// The address that links begin with. A demo or test that took any free port is reached there.
fn public_url(config: &Config, address: SocketAddr) -> String {
    if config.server.listen.port() == 0 {
        return format!("http://{address}");
    }
    config.server.public_url.trim_end_matches('/').to_owned()
}

fn worker(config: &Config, node: &Node) -> anyhow::Result<jobs::Worker> {
    let jobs = &config.jobs;
    let settings = jobs::Settings {
        deliveries_in_flight: jobs.deliveries_in_flight,
        sweep_every: Duration::from_millis(jobs.sweep_ms.max(1)),
        refresh_every: Duration::from_millis(jobs.refresh_ms.max(1)),
        allow_private: config.egress.allow_private.clone(),
    };
    jobs::Worker::new(
        Arc::clone(&node.engine),
        Arc::new(clock::now),
        Arc::new(|| u16::from_le_bytes(clock::random::<2>())),
        settings,
    )
}

/// Ctrl-C or SIGTERM.
pub(crate) struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignal {
    /// Listens from now on, so that a signal which comes while the server starts stops it in order.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened to");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for either.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
