//! How a case says what it found, and how it does many things at once.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use domain::change::{Change, Loaded};

use super::{Fixture, sample};
use crate::{Committed, Outcome, StateStore, StoreError};

/// What was found, in a sentence.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

/// Passed, or what was found instead.
pub type Checked = Result<(), Failure>;

impl Failure {
    /// A failure in these words.
    #[must_use]
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The words themselves, on lines of their own, because a test prints a failure by `unwrap`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}\n", self.0)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// Fails the case in these words unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err($crate::contract::Failure::new(format!($($words)+)));
        }
    };
}

/// Fails the case unless both are equal; the words say what was compared.
macro_rules! ensure_eq {
    ($found:expr, $wanted:expr, $($words:tt)+) => {{
        let (found, wanted) = (&$found, &$wanted);
        if found != wanted {
            let words = format!($($words)+);
            let words = format!("{words}\n    found  {found:?}\n    wanted {wanted:?}");
            return Err($crate::contract::Failure::new(words));
        }
    }};
}

/// An empty state store.
pub(super) async fn fresh(fixture: &dyn Fixture) -> Result<Arc<dyn StateStore>, Failure> {
    Ok(fixture.fresh().await?.state)
}

/// Asks where the journal ends. From then on what has been committed comes before what will be, also
/// in a store that does not order its users otherwise.
pub(super) async fn in_place(state: &dyn StateStore) -> Checked {
    state.head().await?;
    Ok(())
}

/// Commits a change that must be applied.
pub(super) async fn apply(state: &dyn StateStore, change: Change) -> Result<Committed, Failure> {
    match state.commit(change).await? {
        Outcome::Applied(committed) => Ok(committed),
        other => Err(Failure::new(format!("the commit was not applied: {other:?}"))),
    }
}

/// Commits a change that must be applied, and gives what the store then holds of the user.
pub(super) async fn advance(
    state: &dyn StateStore,
    loaded: &Loaded,
    change: Change,
) -> Result<Loaded, Failure> {
    let next = sample::after(loaded, &change);
    apply(state, change).await?;
    Ok(next)
}

/// Runs all futures at once on the task of the caller and gives their results in order.
pub fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> All<F> {
    let running: Vec<_> = futures.into_iter().map(|one| Some(Box::pin(one))).collect();
    let results = running.iter().map(|_| None).collect();
    All { running, results }
}

/// Many futures as one. Each wake polls every one that is not ready; that is quadratic and fine for
/// a thousand of them.
#[must_use = "futures do nothing unless they are awaited"]
pub struct All<F: Future> {
    running: Vec<Option<Pin<Box<F>>>>,
    results: Vec<Option<F::Output>>,
}

impl<F: Future<Output: Unpin>> Future for All<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { running, results } = &mut *self;
        let mut is_ready = true;
        for (slot, result) in running.iter_mut().zip(results.iter_mut()) {
            let Some(future) = slot else { continue };
            match future.as_mut().poll(context) {
                Poll::Ready(value) => (*result, *slot) = (Some(value), None),
                Poll::Pending => is_ready = false,
            }
        }
        if !is_ready {
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(results).into_iter().flatten().collect())
    }
}
