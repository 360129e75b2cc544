//! When a command is carried out, and what it has cost in store calls.

use std::future::Future;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use domain::time::Timestamp;
use tracing::Instrument;

use crate::Source;

/// Target of the spans that make a trace: one for each request, and in it one for each store call.
///
/// They are at the level DEBUG, so that they cost nothing unless somebody collects them.
pub const TRACE: &str = "guerdon::trace";

/// One command: its moment, and a meter of its store calls.
#[derive(Debug)]
pub struct Ctx {
    /// The moment of the command; the engine knows no other clock.
    pub now: Timestamp,
    calls: AtomicU32,
    micros: AtomicU64,
    seen: Mutex<Option<Source>>,
}

/// What a command has cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Calls of a store.
    pub calls: u32,
    /// Time in them, in microseconds.
    pub micros: u64,
}

impl Ctx {
    /// A command at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, calls: AtomicU32::new(0), micros: AtomicU64::new(0), seen: Mutex::new(None) }
    }

    /// What it has cost so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent {
            calls: self.calls.load(Ordering::Relaxed),
            micros: self.micros.load(Ordering::Relaxed),
        }
    }

    /// Where the user came from that was shown last; `None` if none was shown through a cache.
    #[must_use]
    pub fn seen(&self) -> Option<Source> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn saw(&self, source: Source) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
    }

    /// Counts one store call and its time, in a span of its own. `name` is the port and its method,
    /// such as `users.load`.
    pub(crate) async fn metered<T>(&self, name: &'static str, call: impl Future<Output = T>) -> T {
        let span = tracing::debug_span!(target: TRACE, "store call", otel.name = name);
        let begun = Instant::now();
        let answer = call.instrument(span).await;
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        answer
    }
}
