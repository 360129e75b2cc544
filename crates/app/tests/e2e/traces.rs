//! Traces as a collector gets them, by OTLP over HTTP, decoded; and the figures of the store by route.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::catalog::{AMPLE, base, campaign, on_event};
use crate::support::http::Request;
use crate::support::node::Node;
use crate::support::people::User;

/// The trace that a caller has begun, and his own span in it.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const SPAN_KIND_SERVER: i32 = 2;

/// A collector; the spans that it got.
struct Collector {
    url: String,
    spans: mpsc::UnboundedReceiver<Span>,
}

impl Collector {
    async fn open() -> Self {
        let (sender, spans) = mpsc::unbounded_channel();
        let take = move |headers: HeaderMap, body: Bytes| {
            let sender = sender.clone();
            async move {
                assert_eq!(headers["content-type"], "application/x-protobuf");
                let got = ExportTraceServiceRequest::decode(body).unwrap();
                let scopes = got.resource_spans.into_iter().flat_map(|one| one.scope_spans);
                for span in scopes.flat_map(|scope| scope.spans) {
                    // The test may have seen enough.
                    let _ = sender.send(span);
                }
                StatusCode::OK
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, spans }
    }

    /// Everything until the span of a request of that name, which comes after what lies in it.
    async fn until(&mut self, name: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        while spans.last().is_none_or(|last: &Span| last.name != name) {
            let next = timeout(PATIENCE, self.spans.recv()).await;
            spans.push(next.unwrap_or_else(|_| panic!("no {name} among {spans:?}")).unwrap());
        }
        spans
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn text(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|one| one.key == key);
    match found.and_then(|one| one.value.clone()?.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{key} is {other:?} in {span:?}"),
    }
}

fn node_with(url: &str) -> Node {
    let catalog = base("http://127.0.0.1:9") + &campaign(11, AMPLE, &[&on_event("install", 1_000)]);
    let node = Node::set_up(&catalog, crate::support::node::Setup::default());
    let path = node.folder().join("guerdon.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let wanted = format!("[traces]\notlp_url = \"{url}\"");
    assert!(config.contains("[traces]"));
    std::fs::write(&path, config.replace("[traces]", &wanted)).unwrap();
    node
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_every_request_with_its_store_calls() {
    let mut collector = Collector::open().await;
    let mut node = node_with(&collector.url);
    node.serve();
    let client = Arc::new(node.client());
    let user = User::open(&client, "ann").await;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let tap = Request::post("/v1/missions/11/participations")
        .bearer(&user.token)
        .header("traceparent", parent)
        .header("x-request-id", "tap-1")
        .json(&serde_json::json!({}));
    let answer = client.send(&tap).await.expect(201);
    let spans = collector.until("POST /v1/missions/{id}/participations").await;
    let request = spans.last().unwrap();
    assert_eq!(hex(&request.trace_id), TRACE, "the caller's trace goes on");
    assert_eq!(hex(&request.parent_span_id), CALLER);
    assert_eq!(request.kind, SPAN_KIND_SERVER);
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/v1/missions/{id}/participations"),
        ("http.response.status_code", "201"),
        ("request.id", "tap-1"),
        ("store.calls", "2"),
    ] {
        assert_eq!(text(request, key), value, "{key}");
    }
    assert_eq!(answer.store_calls(), 2);
    let inside: Vec<&Span> =
        spans.iter().filter(|span| span.parent_span_id == request.span_id).collect();
    let names: Vec<&str> = inside.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["users.load", "users.commit"]);
    let took: u64 =
        inside.iter().map(|one| one.end_time_unix_nano - one.start_time_unix_nano).sum();
    let micros: u64 = text(request, "store.micros").parse().unwrap();
    assert!(took > 0 && micros > 0, "{took} ns in the calls, {micros} µs in the sum");
    for span in &spans {
        let is_of_request = span.kind == SPAN_KIND_SERVER;
        let parent = spans.iter().any(|one| one.span_id == span.parent_span_id);
        assert!(is_of_request || parent, "a store call of no request: {span:?}");
    }
    node.finish();
}

/// The page is counted as the API is, and what takes no store call has no time in the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_calls_and_their_time_are_figures_of_each_route() {
    let mut node = node_with("http://127.0.0.1:9/v1/traces");
    node.serve();
    let client = Arc::new(node.client());
    let user = User::open(&client, "ann").await;
    for _ in 0..2 {
        user.get("/v1/missions").await.expect(200);
    }
    client.send(&Request::get(format!("/m/u/{}/wallet", user.token))).await.expect(200);
    client.send(&Request::get("/livez")).await.expect(200);
    let figures = client.send(&Request::get("/metrics")).await.expect(200).text();
    let value = |name: &str, labels: &str| {
        let begin = format!("guerdon_http_store_{name}{{{labels}}} ");
        figures.lines().find_map(|line| line.strip_prefix(&begin)?.parse::<f64>().ok())
    };
    for (route, requests, calls) in
        [("/v1/missions", 2.0, 2.0), ("/m/u/{token}/wallet", 1.0, 2.0), ("/livez", 1.0, 0.0)]
    {
        let route = format!("route=\"{route}\"");
        assert_eq!(value("calls_count", &route), Some(requests), "{route} in {figures}");
        assert_eq!(value("calls_sum", &route), Some(calls), "{route} in {figures}");
        let none = value("calls_bucket", &format!("{route},le=\"0\""));
        assert_eq!(none, Some(if calls > 0.0 { 0.0 } else { requests }), "{route} in {figures}");
        let timed = if calls > 0.0 { requests } else { 0.0 };
        assert_eq!(value("seconds_count", &route), Some(timed), "{route} in {figures}");
    }
    node.finish_after_errors(&["BatchSpanProcessor", "export"]);
}

/// What a caller does not trace is not traced; what nobody has decided about begins a trace; and a stop
/// sends what waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_decides_and_a_stop_sends_what_waits() {
    let mut collector = Collector::open().await;
    let mut node = node_with(&collector.url);
    node.serve();
    let client = node.client();
    let untraced = format!("00-{TRACE}-{CALLER}-00");
    client.send(&Request::get("/livez").header("traceparent", untraced)).await.expect(200);
    client.send(&Request::get("/openapi.json")).await.expect(200);
    node.stop();
    let spans = collector.until("GET /openapi.json").await;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert!(!names.contains(&"GET /livez"), "{names:?}");
    assert_eq!(spans.last().unwrap().parent_span_id, Vec::<u8>::new());
    node.finish();
}

/// A collector that is not there costs nobody anything but the traces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_may_be_missing() {
    let mut node = node_with("http://127.0.0.1:9/v1/traces");
    node.serve();
    let client = node.client();
    for _ in 0..100 {
        client.send(&Request::get("/livez")).await.expect(200);
    }
    node.finish_after_errors(&["BatchSpanProcessor", "export"]);
}
