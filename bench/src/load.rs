//! Load: callers on kept connections, and how long each of them waits.
//!
//! **Closed loop**: each caller sends its next request when the last is answered. It shows the most
//! that a server can do; its latencies hide that a slow server is asked less.
//!
//! **Open loop**: requests are due at fixed times whatever the server does, and latency counts from
//! the time a request was due, not from when a connection was free to send it. It shows what users
//! see at that rate (no coordinated omission).
//!
//! All callers share one thread, so that the generator takes one core at most and few switches.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use tokio::sync::Semaphore;

use crate::client::{Answer, Conn};
use crate::feed::Feed;

/// The longest latency that is told apart, in nanoseconds.
const LATENCY_MAX_NS: u64 = 120_000_000_000;
/// Digits of a latency that are kept.
const LATENCY_DIGITS: u8 = 3;
/// How long a run may last beyond its time before the server counts as hanging.
const HANGS_AFTER: Duration = Duration::from_secs(30);

/// When requests are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as answers come.
    Closed,
    /// So many a second, evenly.
    Open {
        /// Requests a second.
        per_second: f64,
    },
}

/// One run of load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    /// Connections, each with at most one request under way.
    pub(crate) callers: usize,
    pub(crate) pace: Pace,
    pub(crate) lasts: Duration,
    /// Whether an answer is the one that is wanted.
    pub(crate) is_wanted: fn(&Answer<'_>) -> bool,
}

impl Plan {
    /// The same with requests that are due at half of a rate, in hundreds a second where there are
    /// so many.
    pub(crate) fn at_half_of(self, per_second: f64) -> Self {
        let half = per_second / 2.0;
        let per_second = if half >= 100.0 { (half / 100.0).floor() * 100.0 } else { half };
        Self { pace: Pace::Open { per_second }, ..self }
    }
}

/// What a run has shown.
pub(crate) struct Outcome {
    /// Nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// Answers by status; only wanted ones, for any other ends the run.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Bytes of all bodies.
    pub(crate) body_bytes: u64,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
}

impl Outcome {
    fn new() -> Result<Self> {
        Ok(Self {
            latency: Histogram::new_with_bounds(1, LATENCY_MAX_NS, LATENCY_DIGITS)?,
            statuses: BTreeMap::new(),
            body_bytes: 0,
            took: Duration::ZERO,
        })
    }

    /// Four answers, after 1 to 4 ms, of which one was unchanged.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let mut latency = Histogram::new_with_bounds(1, LATENCY_MAX_NS, LATENCY_DIGITS).unwrap();
        for ms in 1..=4 {
            latency.record(ms * 1_000_000).unwrap();
        }
        let statuses = BTreeMap::from([(200, 3), (304, 1)]);
        Self { latency, statuses, body_bytes: 120, took: Duration::ZERO }
    }

    /// How many requests were answered.
    pub(crate) fn answers(&self) -> u64 {
        self.latency.len()
    }

    fn add(&mut self, answer: &Answer<'_>, latency: Duration) {
        self.latency.saturating_record(latency.as_nanos() as u64);
        *self.statuses.entry(answer.status).or_default() += 1;
        self.body_bytes += answer.body.len() as u64;
    }
}

/// Runs it.
///
/// # Errors
/// An answer that is not wanted, a lost connection, or a server that hangs: such a run says nothing.
pub(crate) async fn run(plan: &Plan, feed: &Feed<'_>) -> Result<Outcome> {
    run_on(&[plan.address], plan, feed).await
}

/// The same on several nodes, to which the callers are dealt out in turn.
pub(crate) async fn run_on(nodes: &[SocketAddr], plan: &Plan, feed: &Feed<'_>) -> Result<Outcome> {
    let opened = nodes.iter().cycle().take(plan.callers).map(|&node| Conn::open(node));
    let conns = try_join_all(opened).await.context("cannot connect")?;
    let course = Course::new(plan, feed)?;
    let callers = conns.into_iter().map(|conn| course.call(conn));
    let all = tokio::time::timeout(plan.lasts + HANGS_AFTER, try_join_all(callers));
    all.await.context("the server does not answer any more")??;
    let mut outcome = course.outcome.into_inner();
    outcome.took = course.start.elapsed();
    if outcome.answers() == 0 {
        bail!("no request was sent");
    }
    Ok(outcome)
}

/// A run under way; shared by its callers.
struct Course<'a> {
    plan: &'a Plan,
    feed: &'a Feed<'a>,
    start: Instant,
    clock: Option<Metronome>,
    outcome: RefCell<Outcome>,
}

impl<'a> Course<'a> {
    fn new(plan: &'a Plan, feed: &'a Feed<'a>) -> Result<Self> {
        let start = Instant::now();
        let clock = match plan.pace {
            Pace::Closed => None,
            Pace::Open { per_second } => Some(Metronome::start(start, per_second, plan.lasts)?),
        };
        Ok(Self { plan, feed, start, clock, outcome: RefCell::new(Outcome::new()?) })
    }

    async fn call(&self, mut conn: Conn) -> Result<()> {
        while let Some(due) = self.next_due().await? {
            let Some(request) = self.feed.take() else { break };
            let answer = conn.ask(request).await?;
            let latency = due.elapsed();
            if !(self.plan.is_wanted)(&answer) {
                let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
                bail!("{}: {}", String::from_utf8_lossy(line), answer.shown());
            }
            self.outcome.borrow_mut().add(&answer, latency);
        }
        Ok(())
    }

    /// Waits until the next request is due; `None` at the end of the run.
    async fn next_due(&self) -> Result<Option<Instant>> {
        match &self.clock {
            Some(clock) => clock.next().await,
            None => {
                let now = Instant::now();
                Ok((now.duration_since(self.start) < self.plan.lasts).then_some(now))
            }
        }
    }
}

/// Lets one request go at each due time.
///
/// A thread of its own keeps the times: the runtime's timer counts whole milliseconds, which is as
/// long as a request.
struct Metronome {
    start: Instant,
    interval: Duration,
    beats: u32,
    taken: Cell<u32>,
    permits: Arc<Semaphore>,
}

impl Metronome {
    fn start(start: Instant, per_second: f64, lasts: Duration) -> Result<Self> {
        if !per_second.is_normal() || per_second < 0.0 {
            bail!("{per_second} requests a second is not a rate");
        }
        let interval = Duration::from_secs_f64(1.0 / per_second);
        let beats = (lasts.as_secs_f64() * per_second) as u32;
        let permits = Arc::new(Semaphore::new(0));
        let given = Arc::clone(&permits);
        std::thread::Builder::new().name("metronome".to_owned()).spawn(move || {
            for beat in 0..beats {
                let due = start + interval * beat;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                given.add_permits(1);
            }
        })?;
        Ok(Self { start, interval, beats, taken: Cell::new(0), permits })
    }

    /// Takes the next beat, and waits for it. Beats are handed out in the order in which callers
    /// ask, which is also the order in which the semaphore lets them go.
    async fn next(&self) -> Result<Option<Instant>> {
        let beat = self.taken.get();
        if beat >= self.beats {
            return Ok(None);
        }
        self.taken.set(beat + 1);
        self.permits.acquire().await?.forget();
        Ok(Some(self.start + self.interval * beat))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::feed::Requests;

    /// Answers each request, the first one on each connection after `stall`.
    async fn server(stall: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut request, mut stall) = ([0; 64], Some(stall));
                    while stream.read(&mut request).await.unwrap_or(0) > 0 {
                        tokio::time::sleep(stall.take().unwrap_or_default()).await;
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                        stream.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        address
    }

    fn plan(address: SocketAddr, pace: Pace, is_wanted: fn(&Answer<'_>) -> bool) -> Plan {
        // A closed loop ends with its requests before that.
        let lasts = match pace {
            Pace::Closed => HANGS_AFTER,
            Pace::Open { .. } => Duration::from_millis(400),
        };
        Plan { address, callers: 2, pace, lasts, is_wanted }
    }

    fn requests() -> Requests {
        (0..100).map(|_| b"GET / HTTP/1.1\r\n\r\n".to_vec()).collect()
    }

    #[tokio::test]
    async fn a_closed_loop_ends_with_its_requests() {
        let address = server(Duration::ZERO).await;
        let requests = requests();
        let plan = plan(address, Pace::Closed, |answer| answer.status == 200);
        let outcome = run(&plan, &Feed::once(&requests, 0..100)).await.unwrap();
        assert_eq!((outcome.answers(), outcome.body_bytes), (100, 200));
        assert_eq!(outcome.statuses[&200], 100);
    }

    #[tokio::test]
    async fn an_unwanted_answer_ends_the_run_and_is_shown() {
        let address = server(Duration::ZERO).await;
        let requests = requests();
        let plan = plan(address, Pace::Closed, |answer| answer.status == 304);
        let error = run(&plan, &Feed::once(&requests, 0..100)).await.err().unwrap();
        assert_eq!(format!("{error:#}"), "GET / HTTP/1.1: status 200: ok");
    }

    /// A server that stands still for 200 ms delays everything that is due meanwhile, not only the
    /// two requests that two connections can have under way.
    #[tokio::test]
    async fn an_open_loop_counts_from_when_a_request_was_due() {
        let address = server(Duration::from_millis(200)).await;
        let requests = requests();
        let plan = plan(address, Pace::Open { per_second: 200.0 }, |answer| answer.status == 200);
        let outcome = run(&plan, &Feed::random(&requests)).await.unwrap();
        assert_eq!(outcome.answers(), 80);
        let late = outcome.latency.count_between(100_000_000, LATENCY_MAX_NS);
        assert!(late >= 18, "only {late} requests waited for more than 100 ms");
    }

    #[tokio::test]
    async fn a_rate_must_be_a_rate() {
        for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Metronome::start(Instant::now(), per_second, Duration::ZERO).is_err());
        }
    }
}
