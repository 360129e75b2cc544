//! Traces: a span for each request, and in it one for each store call, for a collector that speaks
//! OTLP over HTTP.
//!
//! A trace that a caller has begun goes on here (W3C Trace Context). Store calls of the background work
//! belong to no request and are left out; it has figures of its own. Spans wait in a queue of a fixed
//! length, so a collector that is slow or gone costs traces and nothing else.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http;
use axum::middleware::Next;
use axum::response::Response;
use engine::TRACE;
use opentelemetry::context::FutureExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::DynFilterFn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::config;

/// How long the collector may take to take a batch.
const SENT_WITHIN: Duration = Duration::from_secs(10);
/// Under which name the spans are shown.
const SERVICE: &str = "guerdon";

/// The way to the collector.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// The way to the collector that the configuration names; `None` if it names none.
    pub(super) fn of(config: &config::Traces) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.otlp_url else { return Ok(None) };
        let client =
            Client { http: reqwest::Client::builder().build()?, runtime: Handle::current() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(url)
            .with_timeout(SENT_WITHIN)
            .build()
            .context("traces cannot start")?;
        // Whoever began a trace has decided about it.
        let own = Sampler::TraceIdRatioBased(1.0 / f64::from(config.keep_one_in.max(1)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(own)))
            .with_resource(Resource::builder().with_service_name(SERVICE).build())
            .build();
        Ok(Some(Self(provider)))
    }

    /// What turns the spans of requests into those of a trace.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let tracer = self.0.tracer(SERVICE);
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let filter = DynFilterFn::new(is_of_request::<S>)
            .with_callsite_filter(|meta| match meta.target() {
                TRACE => Interest::sometimes(),
                _ => Interest::never(),
            })
            .with_max_level_hint(Level::DEBUG);
        layer.with_location(false).with_threads(false).with_filter(filter)
    }

    /// Sends what waits.
    pub(super) async fn stop(self) {
        let Self(provider) = self;
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

/// Whether it is the span of a request or lies in one.
fn is_of_request<S>(meta: &Metadata<'_>, context: &Context<'_, S>) -> bool
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    meta.target() == TRACE && (meta.name() == "request" || context.lookup_current().is_some())
}

/// Lets the trace go on that the caller has begun, if he has.
pub(crate) async fn go_on(request: Request, next: Next) -> Response {
    let begun = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    next.run(request).with_context(begun).await
}

/// Sends on the server's own threads, since the exporter's thread knows no timers and no sockets.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let http = self.http.clone();
        self.runtime.spawn(async move { http.send_bytes(request).await }).await?
    }
}
