//! Answers that clients have asked for and do not take.
//!
//! HTTP/2 lets a client ask for as much as it likes and give no room for the answers, while its
//! connection is alive in every other respect; they would lie in memory for as long as he wants.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Response;
use hyper::body::{Frame, SizeHint};

/// How long a client may take to fetch an answer before its connection is cut: enough for half a
/// megabyte, the largest page of a list, on the slowest line.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(120);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Answers of all connections that wait to be taken. Each holds what was written for one user; what
/// many share is held once.
const UNTAKEN_MAX: usize = 16_384;

/// The answers of one connection that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct Untaken {
    /// When they were begun, in their order.
    begun: Mutex<Begun>,
    of_all: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Begun {
    at: BTreeMap<u64, Instant>,
    latest: u64,
}

impl Untaken {
    /// Those of a connection, counted with those of all others.
    pub(super) fn counted_in(of_all: &Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self { begun: Mutex::default(), of_all: Arc::clone(of_all) })
    }

    /// Whether there are too many already, of whichever connection.
    pub(super) fn is_full(&self) -> bool {
        self.of_all.load(Ordering::Relaxed) >= UNTAKEN_MAX
    }

    /// Counts an answer until it has been taken or given up.
    pub(super) fn count(self: &Arc<Self>, answer: Response<Body>) -> Response<Taking> {
        answer.map(|body| {
            let place = (!body.is_end_stream()).then(|| Place::take(self));
            Taking { body, place }
        })
    }

    /// Waits until one has waited for too long.
    pub(super) async fn too_old(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.is_too_old(Instant::now()) {
                return;
            }
        }
    }

    fn is_too_old(&self, now: Instant) -> bool {
        let oldest = self.begun().at.first_key_value().map(|(_, at)| *at);
        oldest.is_some_and(|at| now.saturating_duration_since(at) > TAKEN_WITHIN)
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them.
#[derive(Debug)]
struct Place {
    among: Arc<Untaken>,
    number: u64,
}

impl Place {
    fn take(among: &Arc<Untaken>) -> Self {
        among.of_all.fetch_add(1, Ordering::Relaxed);
        let mut begun = among.begun();
        begun.latest += 1;
        let number = begun.latest;
        begun.at.insert(number, Instant::now());
        Self { among: Arc::clone(among), number }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.among.begun().at.remove(&self.number);
        self.among.of_all.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that has its place for as long as something of it is left.
#[derive(Debug)]
pub(super) struct Taking {
    body: Body,
    place: Option<Place>,
}

impl HttpBody for Taking {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if self.body.is_end_stream() || matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.place = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn answers(untaken: &Untaken) -> (usize, usize) {
        (untaken.begun().at.len(), untaken.of_all.load(Ordering::Relaxed))
    }

    #[test]
    fn an_answer_counts_until_it_is_taken_or_given_up() {
        let untaken = Untaken::counted_in(&Arc::default());
        let [mut taken, given_up] =
            ["a", "b"].map(|text| untaken.count(Response::new(Body::from(text))));
        let empty = untaken.count(Response::new(Body::empty()));
        assert!(empty.body().place.is_none());
        assert_eq!(answers(&untaken), (2, 2));
        let mut context = Context::from_waker(Waker::noop());
        let frame = Pin::new(taken.body_mut()).poll_frame(&mut context);
        assert!(matches!(frame, Poll::Ready(Some(Ok(_)))), "{frame:?}");
        assert_eq!(answers(&untaken), (1, 1));
        drop(given_up);
        assert_eq!(answers(&untaken), (0, 0));
    }

    #[test]
    fn whoever_takes_nothing_is_found_out() {
        let untaken = Untaken::counted_in(&Arc::default());
        let later = Instant::now() + TAKEN_WITHIN + LOOK_EVERY;
        assert!(!untaken.is_too_old(later), "nothing waits");
        let answers = ["a", "b"].map(|text| untaken.count(Response::new(Body::from(text))));
        assert!(!untaken.is_too_old(Instant::now()));
        let [first, second] = answers;
        drop(first);
        assert!(untaken.is_too_old(later));
        drop(second);
        assert!(!untaken.is_too_old(later));
    }

    #[test]
    fn there_is_an_end_to_all_of_them() {
        let of_all = Arc::new(AtomicUsize::new(UNTAKEN_MAX - 1));
        let (one, other) = (Untaken::counted_in(&of_all), Untaken::counted_in(&of_all));
        let answer = one.count(Response::new(Body::from("a")));
        assert!(other.is_full());
        drop(answer);
        assert!(!other.is_full());
    }
}
