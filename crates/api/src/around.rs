//! What every request goes through: an id, a limit, a clock, figures, and problems in one form.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use engine::{Asker, Ctx, Spent, TRACE};
use foldhash::{HashMap, HashMapExt};
use futures_util::FutureExt;
use metrics::Histogram;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::extract::{BODY_MAX, read_body};
use crate::limits::{self, ClientAddress};
use crate::problem::Problem;
use crate::state::Api;

/// Carries the request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Room for the longest value of it, of two numbers at their limits.
const SERVER_TIMING_BYTES: usize = 56;

/// Longest request id that is taken over from a caller.
const REQUEST_ID_MAX: usize = 64;

/// How long the body of a request may be on its way.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// How long a request may take once it is here, or in all if its body is large.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Seconds of requests, by `route`, `method` and `status`.
const REQUEST_SECONDS: &str = "guerdon_http_request_seconds";
/// Store calls of requests, by `route`.
const STORE_CALLS: &str = "guerdon_http_store_calls";
/// Seconds that requests spent in them, by `route`; those that make none are not counted.
const STORE_SECONDS: &str = "guerdon_http_store_seconds";
/// Users that were shown through a cache, by `source`: `store`, `cache`, or `stale` while the store
/// fails.
const SHOWN: &str = "guerdon_shown_users_total";
/// Requests that were turned away because too many were under way.
const SHED: &str = "guerdon_http_requests_shed_total";

/// Tells the collector what each figure is.
pub(crate) fn describe() {
    metrics::describe_histogram!(
        REQUEST_SECONDS,
        "Time of requests, in seconds, by `route`, `method` and `status`."
    );
    metrics::describe_histogram!(STORE_CALLS, "Store calls of a request, by `route`.");
    metrics::describe_histogram!(
        STORE_SECONDS,
        "Time of a request's store calls, in seconds, by `route`; of those that make any."
    );
    metrics::describe_counter!(
        SHOWN,
        "Users that were shown through a cache, by `source` (`store`, `cache`, `stale`)."
    );
    metrics::describe_counter!(
        SHED,
        "Requests that were turned away because too many were under way."
    );
}

/// Goes around every request, also those that nothing is served for.
pub(crate) async fn around(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let labels = Labels::of(&request);
    let begun = Begun::now(&api, &labels, request.headers());
    request.extensions_mut().insert(Arc::clone(&begun.ctx));
    let response = answered(&api, &labels, request, next).instrument(begun.span.clone()).await;
    begun.end(&api, &labels, response)
}

/// Goes around a `GET` of a route whose handler need not be looked for.
pub(crate) async fn around_known(
    api: &Api,
    route: &'static str,
    headers: &HeaderMap,
    address: Option<ClientAddress>,
    carry_out: impl AsyncFnOnce(&Ctx) -> Response,
) -> Response {
    let labels = Labels { route: Route::Known(route), method: "GET" };
    let begun = Begun::now(api, &labels, headers);
    let asker = limits::asker(api, route, headers, address);
    // What stands around it would otherwise hold it, and be as large as it, several times over.
    let carried_out = Box::pin(unless_it_panics(carry_out(&begun.ctx)));
    let response = limited(api, asker, carried_out).instrument(begun.span.clone()).await;
    begun.end(api, &labels, response)
}

/// A request under way.
struct Begun {
    at: Instant,
    id: String,
    ctx: Arc<Ctx>,
    span: Span,
}

impl Begun {
    fn now(api: &Api, labels: &Labels, headers: &HeaderMap) -> Self {
        let id = request_id(headers).unwrap_or_else(|| api.new_request_id());
        let span = labels.span(&id);
        Self { at: Instant::now(), id, ctx: Arc::new(Ctx::at(api.now())), span }
    }

    /// Completes the answer, and counts the request.
    fn end(self, api: &Api, labels: &Labels, response: Response) -> Response {
        let Self { at, id, ctx, span } = self;
        let mut response = written(response, &id, labels);
        if let Ok(value) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        let spent = ctx.spent();
        response.headers_mut().insert(SERVER_TIMING, server_timing(spent));
        if let Some(source) = ctx.seen() {
            metrics::counter!(SHOWN, "source" => source.name()).increment(1);
        }
        finish(&span, response.status(), spent);
        api.meters.record(labels, response.status(), at.elapsed(), spent);
        response
    }
}

async fn answered(api: &Api, labels: &Labels, request: Request, next: Next) -> Response {
    // Whether the process lives does not depend on how much it has to do.
    if labels.route() == "/livez" {
        return unless_it_panics(next.run(request)).await;
    }
    let request = if is_small(&request) { arrived(api, request).await } else { Ok(request) };
    match request {
        Ok(request) => {
            let address = request.extensions().get().copied();
            let asker = limits::asker(api, request.uri().path(), request.headers(), address);
            limited(api, asker, unless_it_panics(next.run(request))).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Carries a request out as far as there is room.
async fn limited(
    api: &Api,
    asker: Option<Asker>,
    carried_out: impl Future<Output = Response>,
) -> Response {
    let Ok(_permit) = api.in_flight.try_acquire() else { return shed().into_response() };
    in_time(admitted(api, asker, carried_out)).await
}

/// Carries a request out unless who asks has asked too often.
async fn admitted(
    api: &Api,
    asker: Option<Asker>,
    carried_out: impl Future<Output = Response>,
) -> Response {
    if let Some(asker) = asker
        && let Some(refusal) = limits::refusal(api, asker).await
    {
        return refusal.into_response();
    }
    carried_out.await
}

/// Whether the request has a body of the usual size. Large ones are read by their handlers, which
/// look first at who sends them.
fn is_small(request: &Request) -> bool {
    let is_bodiless = matches!(*request.method(), Method::GET | Method::HEAD);
    !is_bodiless && !request.uri().path().starts_with("/v1/admin/")
}

/// Waits for the body.
async fn arrived(api: &Api, request: Request) -> Result<Request, Problem> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let _permit = api.arriving.try_acquire().map_err(|_| shed())?;
    let (parts, body) = request.into_parts();
    let whole = read_body(Request::from_parts(parts.clone(), body), BODY_MAX);
    let body = tokio::time::timeout(BODY_WITHIN, whole).await.map_err(|_| {
        let detail = "The body has not come in time; send the whole request at once.";
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
    })?;
    Ok(Request::from_parts(parts, Body::from(body?)))
}

/// Lets a request that does not end go.
async fn in_time(response: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(REQUEST_TIME_MAX, response).await.unwrap_or_else(|_| {
        let detail = "The request was not done in time; whether anything was recorded is not known. \
                      Send the same request again: what is done twice counts once.";
        let mut problem = Problem::unavailable("a request was not done in time");
        problem.code = "timeout";
        problem.detail = detail.to_owned();
        problem.into_response()
    })
}

/// Carries a request out, and turns a panic into an answer; the others' requests go on.
async fn unless_it_panics(carried_out: impl Future<Output = Response>) -> Response {
    let ended = AssertUnwindSafe(carried_out).catch_unwind().await;
    ended.unwrap_or_else(|panic| Problem::internal(panic_message(panic.as_ref())).into_response())
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", text.unwrap_or("without a message"))
}

/// The problem of a request for which there is no room.
pub(crate) fn shed() -> Problem {
    metrics::counter!(SHED).increment(1);
    let mut problem = Problem::unavailable("too many requests are under way");
    problem.code = "overloaded";
    problem
}

/// A caller's own id, if it is fit for a log line.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_fit = !id.is_empty() && id.len() <= REQUEST_ID_MAX && id.bytes().all(is_fit);
    is_fit.then(|| id.to_owned())
}

/// Writes down the problem that a handler left, and logs it if it is our fault.
fn written(mut response: Response, id: &str, labels: &Labels) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    if let Some(cause) = &problem.cause {
        log(&problem, cause, id, labels);
    }
    let mut answer = problem.written(id);
    let allow = response.headers_mut().remove(axum::http::header::ALLOW);
    if let Some(allow) = allow {
        answer.headers_mut().insert(axum::http::header::ALLOW, allow);
    }
    answer
}

/// What an operator has brought about is no error.
fn log(problem: &Problem, cause: &str, id: &str, labels: &Labels) {
    let (status, code) = (problem.status.as_u16(), problem.code);
    let route = labels.route();
    if problem.is_expected {
        tracing::info!(request_id = id, route, status, code, cause, "request put off");
    } else {
        tracing::error!(request_id = id, route, status, code, cause, "request failed");
    }
}

/// `store;dur=0.041;desc="2"`: milliseconds in the store, and how many calls that were.
fn server_timing(spent: Spent) -> HeaderValue {
    let Spent { calls, micros } = spent;
    let mut text = String::with_capacity(SERVER_TIMING_BYTES);
    let mut number = itoa::Buffer::new();
    text.push_str("store;dur=");
    text.push_str(number.format(micros / 1_000));
    text.push('.');
    for unit in [100, 10, 1] {
        text.push(char::from(b'0' + (micros / unit % 10) as u8));
    }
    text.push_str(";desc=\"");
    text.push_str(number.format(calls));
    text.push('"');
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("store"))
}

/// Tells the span of a request what came of it.
fn finish(span: &Span, status: StatusCode, spent: Spent) {
    if span.is_disabled() {
        return;
    }
    span.record("http.response.status_code", status.as_u16());
    span.record("store.calls", spent.calls);
    span.record("store.micros", spent.micros);
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// By what a request is counted. Routes are patterns, so there are few of them.
struct Labels {
    route: Route,
    method: &'static str,
}

/// What a request is for.
enum Route {
    Known(&'static str),
    Matched(MatchedPath),
    None,
}

impl Labels {
    fn of(request: &Request) -> Self {
        let method = match request.method().as_str() {
            "GET" => "GET",
            "POST" => "POST",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            "HEAD" => "HEAD",
            "OPTIONS" => "OPTIONS",
            _ => "other",
        };
        let matched = request.extensions().get::<MatchedPath>().cloned();
        Self { route: matched.map_or(Route::None, Route::Matched), method }
    }

    fn route(&self) -> &str {
        match &self.route {
            Route::Known(route) => route,
            Route::Matched(path) => path.as_str(),
            Route::None => "none",
        }
    }

    /// The span of a request; the spans of its store calls lie in it.
    fn span(&self, id: &str) -> Span {
        let Self { method, .. } = self;
        let route = self.route();
        tracing::debug_span!(
            target: TRACE, "request", otel.name = format_args!("{method} {route}"),
            otel.kind = "server", otel.status_code = Empty, http.request.method = method,
            http.route = route, http.response.status_code = Empty, request.id = id,
            store.calls = Empty, store.micros = Empty
        )
    }
}

/// The figures of requests. Each is looked up by its labels once, since that costs more than to count.
#[derive(Default)]
pub(crate) struct Meters(RwLock<HashMap<String, RouteMeters>>);

/// The figures of one route.
struct RouteMeters {
    store_calls: Histogram,
    store_seconds: Histogram,
    seconds: HashMap<(&'static str, StatusCode), Histogram>,
}

impl Meters {
    fn record(&self, labels: &Labels, status: StatusCode, lasted: Duration, spent: Spent) {
        let seconds = lasted.as_secs_f64();
        if !self.record_known(labels, status, seconds, spent) {
            self.record_first(labels, status, seconds, spent);
        }
    }

    /// Whether there were such figures.
    fn record_known(
        &self,
        labels: &Labels,
        status: StatusCode,
        seconds: f64,
        spent: Spent,
    ) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(route) = known.get(labels.route()) else { return false };
        let meter = route.seconds.get(&(labels.method, status));
        meter.inspect(|meter| route.record(meter, seconds, spent)).is_some()
    }

    fn record_first(&self, labels: &Labels, status: StatusCode, seconds: f64, spent: Spent) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let route = known.entry(labels.route().to_owned()).or_insert_with(|| RouteMeters {
            store_calls: metrics::histogram!(STORE_CALLS, "route" => labels.route().to_owned()),
            store_seconds: metrics::histogram!(STORE_SECONDS, "route" => labels.route().to_owned()),
            seconds: HashMap::new(),
        });
        let meter = metrics::histogram!(
            REQUEST_SECONDS, "route" => labels.route().to_owned(), "method" => labels.method,
            "status" => status.as_str().to_owned()
        );
        route.record(&meter, seconds, spent);
        route.seconds.insert((labels.method, status), meter);
    }
}

impl RouteMeters {
    fn record(&self, meter: &Histogram, seconds: f64, spent: Spent) {
        self.store_calls.record(f64::from(spent.calls));
        if spent.calls > 0 {
            self.store_seconds.record(Duration::from_micros(spent.micros).as_secs_f64());
        }
        meter.record(seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fit_request_ids_are_taken_over() {
        let read = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
            request_id(&headers)
        };
        assert_eq!(read("abc-1_2.3").as_deref(), Some("abc-1_2.3"));
        for id in ["", "a b", "a\"b", &"x".repeat(65)] {
            assert_eq!(read(id), None, "{id}");
        }
    }

    #[test]
    fn store_calls_are_told() {
        let value = server_timing(Spent { calls: 2, micros: 1_041 });
        assert_eq!(value, "store;dur=1.041;desc=\"2\"");
        assert_eq!(server_timing(Spent::default()), "store;dur=0.000;desc=\"0\"");
        let value = server_timing(Spent { calls: u32::MAX, micros: u64::MAX });
        assert_eq!(value, "store;dur=18446744073709551.615;desc=\"4294967295\"");
    }
}
