//! `guerdon serve`: one process that serves the API and the pages and does the background work.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::words::counted;
use engine::{ClosedSecret, Ctx, Engine};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::ServeArgs;
use crate::config::{Config, Loaded};
use crate::wiring::{self, Node};
use crate::{clock, http, telemetry};

/// Runs the command until it is told to stop.
pub(crate) async fn run(path: &Path, args: ServeArgs) -> anyhow::Result<()> {
    let mut loaded = Loaded::read(path)?;
    if let Some(listen) = args.listen {
        loaded.config.server.listen = listen;
    }
    loaded.config.jobs.enabled &= !args.no_jobs;
    telemetry::log(&loaded.config.log)?;
    http::raise_descriptors();
    let mut stop = StopSignal::new()?;
    let server = Server::start(&loaded).await?;
    for closed in server.engine.closed_secrets() {
        tracing::warn!("a secret of the catalogue cannot be opened: {closed}");
    }
    tracing::info!(address = %server.address, "guerdon serves");
    stop.wait().await;
    tracing::info!("stopping: no new connections, requests under way are finished");
    server.stop().await
}

/// A running node.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
    node: Node,
    stop: CancellationToken,
    stop_within: Duration,
    http: tokio::task::JoinHandle<()>,
    jobs: Option<tokio::task::JoinHandle<()>>,
}

impl Server {
    /// Opens the stores, binds the port and starts the background work.
    pub(crate) async fn start(loaded: &Loaded) -> anyhow::Result<Self> {
        let node = wiring::open(loaded).await?;
        let listen = loaded.config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; is another server running?"))?;
        Self::run(loaded, node, listener)
    }

    /// The same on a port that is bound already.
    pub(crate) async fn start_on(loaded: &Loaded, listener: TcpListener) -> anyhow::Result<Self> {
        let node = wiring::open(loaded).await?;
        Self::run(loaded, node, listener)
    }

    fn run(loaded: &Loaded, node: Node, listener: TcpListener) -> anyhow::Result<Self> {
        let config = &loaded.config;
        let metrics = telemetry::metrics()?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let router = router(loaded, &node, address, metrics);
        let http = tokio::spawn(http::serve(listener, router, stop.clone()));
        let jobs = config.jobs.enabled.then(|| start_jobs(config, &node, &stop)).transpose()?;
        Ok(Self {
            address,
            engine: Arc::clone(&node.engine),
            node,
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
            if let Some(jobs) = self.jobs {
                let _ = jobs.await;
            }
            served
        };
        match tokio::time::timeout(self.stop_within, ended).await {
            Err(_) => tracing::warn!("some requests were still under way and have been cut"),
            Ok(served) => served.context("the server ended abruptly")?,
        }
        drop(self.engine);
        drop(self.node);
        Ok(())
    }
}

fn router(
    loaded: &Loaded,
    node: &Node,
    address: SocketAddr,
    metrics: PrometheusHandle,
) -> axum::Router {
    let config = &loaded.config;
    let public_url = public_url(config, address);
    let engine = Arc::clone(&node.engine);
    let ready = Arc::clone(&node.engine);
    let state = api::ApiState {
        engine: Arc::clone(&engine),
        clock: Arc::new(clock::now),
        entropy: Arc::new(clock::random::<32>),
        admin_keys: wiring::admin_keys(config, &node.cli_key),
        page_url: Arc::new({
            let public_url = public_url.clone();
            move |token| format!("{public_url}{}", pages::session_path(token))
        }),
        public_url: public_url.clone(),
        verify: wiring::verify(loaded),
        readiness: Arc::new(move || Box::pin(readiness(Arc::clone(&ready)))),
        metrics: Arc::new(move || metrics.render()),
    };
    let pages = pages::PagesState {
        engine,
        clock: Arc::new(clock::now),
        entropy: Arc::new(clock::random::<32>),
        public_url,
    };
    api::router(state, pages::router(pages))
}

/// The address that links begin with. A demo or test that took any free port is reached there.
fn public_url(config: &Config, address: SocketAddr) -> String {
    if config.server.listen.port() == 0 {
        return format!("http://{address}");
    }
    config.server.public_url.trim_end_matches('/').to_owned()
}

async fn readiness(engine: Arc<Engine>) -> Vec<api::Dependency> {
    let ctx = Ctx::at(clock::now());
    let store = engine.backlog(&ctx).await;
    let store = api::Dependency {
        name: "store".to_owned(),
        is_required: true,
        problem: store.err().map(|error| error.to_string()),
    };
    let secrets = api::Dependency {
        name: "secrets".to_owned(),
        is_required: false,
        problem: closed(&engine.closed_secrets()),
    };
    vec![store, secrets]
}

/// What anybody may know of secrets that cannot be opened: the first one's place and variable.
fn closed(secrets: &[ClosedSecret]) -> Option<String> {
    let first = secrets.first()?;
    let count = counted(secrets.len(), "secret");
    Some(format!("{count} of the catalogue cannot be opened, such as {first}"))
}

fn start_jobs(
    config: &Config,
    node: &Node,
    stop: &CancellationToken,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let jobs = &config.jobs;
    let settings = jobs::Settings {
        deliveries_in_flight: jobs.deliveries_in_flight,
        sweep_every: Duration::from_millis(jobs.sweep_ms.max(1)),
        refresh_every: Duration::from_millis(jobs.refresh_ms.max(1)),
        allow_private: config.egress.allow_private.clone(),
    };
    let worker = jobs::Worker::new(
        Arc::clone(&node.engine),
        Arc::new(clock::now),
        Arc::new(|| u16::from_le_bytes(clock::random::<2>())),
        settings,
    )?;
    Ok(tokio::spawn(worker.run(stop.clone())))
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
