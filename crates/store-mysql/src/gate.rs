//! Whether the database answers, as far as this node knows.
//!
//! While it does not, calls are refused at once instead of each waiting for its own limit, so that
//! nothing piles up; one call at a time goes through to see whether it is back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use store::StoreError;
use tokio::time::Instant;

use crate::options::REFUSE_FOR;

/// What is known. Shared by the readers and the writer of one store.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<Known>);

#[derive(Debug)]
struct Known {
    /// When the database last answered.
    heard: Instant,
    /// When to try again, and what went wrong.
    shut: Option<(Instant, String)>,
}

impl Gate {
    /// Open: the database has just answered.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Known { heard: Instant::now(), shut: None }))
    }

    /// The moment at which a call goes through; or it is refused.
    pub(crate) fn pass(&self) -> Result<Instant, StoreError> {
        let now = Instant::now();
        let mut known = self.known();
        match &mut known.shut {
            None => Ok(now),
            Some((again, _)) if *again <= now => {
                *again = now + REFUSE_FOR;
                Ok(now)
            }
            Some((_, why)) => Err(StoreError::Unavailable(why.clone())),
        }
    }

    /// Fails while the database does not answer; for a call that has passed and had to wait.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &self.known().shut {
            Some((_, why)) => Err(StoreError::Unavailable(why.clone())),
            None => Ok(()),
        }
    }

    /// The database has answered.
    pub(crate) fn heard(&self) {
        let mut known = self.known();
        known.heard = Instant::now();
        if known.shut.take().is_some() {
            tracing::info!("the database answers again");
        }
    }

    /// A call that passed at `since` had no answer. If nobody else has had one in the meantime
    /// either, the database does not answer; otherwise it was only this call.
    pub(crate) fn lost(&self, since: Instant, why: &str) {
        let mut known = self.known();
        if known.heard > since {
            return;
        }
        if known.shut.is_none() {
            tracing::warn!(reason = why, "the database does not answer");
        }
        known.shut = Some((Instant::now() + REFUSE_FOR, why.to_owned()));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn one_call_in_a_while_goes_through_until_there_is_an_answer() {
        let gate = Gate::new();
        advance(REFUSE_FOR).await;
        let since = gate.pass().unwrap();
        gate.lost(since, "gone");
        assert!(gate.pass().is_err(), "refused at once");
        advance(REFUSE_FOR).await;
        assert!(gate.pass().is_ok(), "one goes through");
        assert!(gate.pass().is_err(), "and no second");
        gate.heard();
        assert!(gate.pass().is_ok() && gate.check().is_ok(), "open again");
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_without_an_answer_says_nothing_while_others_have_theirs() {
        let gate = Gate::new();
        let since = gate.pass().unwrap();
        advance(REFUSE_FOR).await;
        gate.heard();
        gate.lost(since, "slow");
        assert!(gate.pass().is_ok());
    }
}
