//! One attempt over the network.
//!
//! One client for all endpoints, so connections are pooled. It follows no redirect, uses no proxy from
//! the environment, keeps no cookies, repeats nothing by itself and trusts the roots of the public web.

use super::guard::{EgressPolicy, Refused};
use super::render::Prepared;
use super::resolve::GuardedDns;
use super::verdict::{ANSWER_READ_MAX, Attempt, Look, Outcome, Why, head_of};
use domain::dialect::{Method, RETRY_AFTER_MAX_S};
use domain::time::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::{Instant, timeout_at};

/// How long a body is waited for that cannot change the verdict.
const UNNEEDED_BODY_WAIT: Duration = Duration::from_secs(1);

/// How long an idle connection is kept: less than the minute that most servers allow.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// Largest header list of an HTTP/2 answer, in bytes.
const ANSWER_HEADERS_MAX: u32 = 16 * 1024;

/// Time allowed for a connection, TLS included: a server that takes longer is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle connections kept for one host: as many as are usually in flight to one endpoint.
const IDLE_PER_HOST: usize = 8;

/// Value of `User-Agent`.
const USER_AGENT: &str = concat!("Guerdon/", env!("CARGO_PKG_VERSION"));

/// Longest error text kept, in bytes.
const ERROR_TEXT_MAX: usize = 300;

/// Sends requests, guarded.
#[derive(Clone)]
pub(crate) struct Sender {
    client: reqwest::Client,
    policy: Arc<EgressPolicy>,
}

impl Sender {
    /// A sender that calls what `policy` allows.
    ///
    /// # Errors
    ///
    /// TLS settings or a client that this build cannot make.
    pub(crate) fn try_new(policy: EgressPolicy) -> anyhow::Result<Self> {
        let policy = Arc::new(policy);
        let dns = GuardedDns { policy: policy.clone() };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(Arc::new(dns))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http2_max_header_list_size(ANSWER_HEADERS_MAX)
            .build()?;
        Ok(Sender { client, policy })
    }

    /// Sends `prepared` once. `now` is what a `Retry-After` date is compared with.
    ///
    /// Never fails: what goes wrong is part of the attempt.
    pub(crate) async fn attempt(&self, prepared: &Prepared, now: Timestamp) -> Attempt {
        let began = Instant::now();
        if let Err(refused) = self.policy.check_url(&prepared.url) {
            return Attempt::failed(Why::Refused(refused), 0, None);
        }
        let limit = Duration::from_millis(prepared.timeout_ms.into());
        let deadline = began + limit;
        match timeout_at(deadline, self.request(prepared).send()).await {
            Err(_) => Attempt::failed(Why::Timeout(prepared.timeout_ms), elapsed_ms(began), None),
            Ok(Err(error)) => {
                let why = classify(&error, prepared.timeout_ms);
                Attempt::failed(why, elapsed_ms(began), Some(describe(error)))
            }
            Ok(Ok(response)) => {
                let mut attempt = judge(prepared, response, deadline, now).await;
                attempt.duration_ms = elapsed_ms(began);
                attempt
            }
        }
    }

    fn request(&self, prepared: &Prepared) -> reqwest::RequestBuilder {
        let method = match prepared.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let request =
            self.client.request(method, prepared.url.clone()).headers(prepared.headers.clone());
        match prepared.method {
            Method::Get => request,
            Method::Post => request.body(prepared.body.clone()),
        }
    }
}

/// Roots of the public web; TLS 1.2 and 1.3; HTTP/2 where offered.
fn tls() -> anyhow::Result<ClientConfig> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// How reading a body ended.
enum Read {
    /// All of it, or as much as is ever read.
    Enough,
    /// Time was up.
    Late,
    /// The connection broke.
    Broken(reqwest::Error),
}

async fn judge(
    prepared: &Prepared,
    mut response: Response,
    deadline: Instant,
    now: Timestamp,
) -> Attempt {
    let status = response.status().as_u16();
    let after_s = retry_after(response.headers(), now);
    let look = prepared.expect.look(status);
    let until = if look == Look::DependsOnBody {
        deadline
    } else {
        deadline.min(Instant::now() + UNNEEDED_BODY_WAIT)
    };
    let (body, read) = read_body(&mut response, until).await;
    let outcome = match (look, &read) {
        (Look::Accepted, _) => Outcome::Delivered,
        (Look::Stop, _) => Outcome::Stop { why: Why::StopStatus(status) },
        (Look::Redirect, _) => Outcome::Retry { after_s, why: Why::Redirect(status) },
        (Look::NotAccepted, _) => Outcome::Retry { after_s, why: Why::Status(status) },
        (Look::DependsOnBody, Read::Late) => {
            Outcome::Retry { after_s, why: Why::Timeout(prepared.timeout_ms) }
        }
        (Look::DependsOnBody, Read::Broken(_)) => Outcome::Retry { after_s, why: Why::Broken },
        (Look::DependsOnBody, Read::Enough) if prepared.expect.accepts(status, &body) => {
            Outcome::Delivered
        }
        (Look::DependsOnBody, Read::Enough) => Outcome::Retry { after_s, why: Why::Body },
    };
    let error = match read {
        Read::Broken(error) if outcome != Outcome::Delivered => Some(describe(error)),
        _ => None,
    };
    Attempt { outcome, status: Some(status), duration_ms: 0, answer_head: head_of(&body), error }
}

/// Reads at most [`ANSWER_READ_MAX`] bytes until `until`.
async fn read_body(response: &mut Response, until: Instant) -> (Vec<u8>, Read) {
    let mut body = Vec::new();
    loop {
        match timeout_at(until, response.chunk()).await {
            Err(_) => return (body, Read::Late),
            Ok(Err(error)) => return (body, Read::Broken(error)),
            Ok(Ok(None)) => return (body, Read::Enough),
            Ok(Ok(Some(chunk))) => {
                let room = ANSWER_READ_MAX - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            }
        }
        if body.len() >= ANSWER_READ_MAX {
            return (body, Read::Enough);
        }
    }
}

/// Seconds that the server asks us to wait: a number, or a date compared with `now`.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(u32::try_from(seconds).unwrap_or(u32::MAX).min(RETRY_AFTER_MAX_S));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let at_ms = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    let wait_ms = Timestamp(at_ms).since(now).max(0);
    let seconds = u32::try_from((wait_ms + 999) / 1_000).unwrap_or(u32::MAX);
    Some(seconds.min(RETRY_AFTER_MAX_S))
}

/// What a client error means.
fn classify(error: &reqwest::Error, timeout_ms: u32) -> Why {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(found) = cause {
        if let Some(refused) = found.downcast_ref::<Refused>() {
            return match refused {
                Refused::Lookup(_) => Why::Lookup,
                other => Why::Refused(other.clone()),
            };
        }
        if found.is::<rustls::Error>() {
            return Why::Tls;
        }
        if let Some(why) = found.downcast_ref::<io::Error>().and_then(|e| of_io(e, timeout_ms)) {
            return why;
        }
        cause = found.source();
    }
    match error {
        e if e.is_timeout() => Why::Timeout(timeout_ms),
        e if e.is_connect() => Why::Connect,
        _ => Why::Broken,
    }
}

fn of_io(error: &io::Error, timeout_ms: u32) -> Option<Why> {
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return Some(Why::Tls);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(Why::ConnectionRefused),
        io::ErrorKind::TimedOut => Some(Why::Timeout(timeout_ms)),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Some(Why::Broken),
        _ => None,
    }
}

/// The chain of causes in one line, without the URL.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(found) = cause {
        text.push_str(": ");
        text.push_str(&found.to_string());
        cause = found.source();
    }
    text.truncate(text.floor_char_boundary(ERROR_TEXT_MAX));
    text
}

fn elapsed_ms(began: Instant) -> u32 {
    u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "send_tests.rs"]
mod tests;
