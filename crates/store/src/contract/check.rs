//! How a case says what it found, and how it does many things at once.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

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
    ($found:expr, $wanted:expr, $($words:tt)+) => {
        let (found, wanted) = (&$found, &$wanted);
        if found != wanted {
            let words = format!($($words)+);
            let words = format!("{words}\n    found  {found:?}\n    wanted {wanted:?}");
            return Err($crate::contract::Failure::new(words));
        }
    };
}

/// An empty state store.
pub(super) async fn fresh(fixture: &dyn Fixture) -> Result<Arc<dyn StateStore>, Failure> {
    Ok(fixture.fresh().await?.state)
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
///
/// Each wake polls every one that is not ready; that is quadratic and fine for a thousand of them.
pub async fn all<T>(futures: impl IntoIterator<Item: Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(|one| Some(Box::pin(one))).collect();
    let mut results: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_ready = true;
        for (slot, result) in running.iter_mut().zip(&mut results) {
            let Some(future) = slot else {
                continue;
            };
            match Pin::as_mut(future).poll(context) {
                Poll::Ready(value) => {
                    *result = Some(value);
                    *slot = None;
                }
                Poll::Pending => is_ready = false,
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}
