//! Whether the table can be reached, as far as is known.
//!
//! An operation that nobody has answered in all its time says that it cannot. From then on operations
//! fail at once with the same words, instead of each waiting in vain, until anything is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Failed;

#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Why it cannot be reached.
    lost: Mutex<Option<String>>,
    /// Requests that were answered, whatever the answer was.
    answers: AtomicU64,
}

impl Reach {
    /// Fails while the table is out of reach; otherwise gives the answers so far.
    pub(super) fn check(&self) -> Result<u64, Failed> {
        match &*self.lock() {
            Some(words) => Err(Failed::Busy(words.clone())),
            None => Ok(self.answers.load(Ordering::Relaxed)),
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lock().is_some()
    }

    /// Somebody was answered.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        *self.lock() = None;
    }

    /// An operation that began after so many answers got none. Says whether that is news.
    pub(super) fn lose(&self, before: u64, words: &str) -> bool {
        let mut lost = self.lock();
        let is_news = lost.is_none() && self.answers.load(Ordering::Relaxed) == before;
        if is_news {
            *lost = Some(words.to_owned());
        }
        is_news
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_lost_only_if_nobody_was_answered() {
        let reach = Reach::default();
        let before = reach.check().unwrap();
        reach.answered();
        assert!(!reach.lose(before, "nobody answers"));
        let before = reach.check().unwrap();
        assert!(reach.lose(before, "nobody answers"));
        assert!(!reach.lose(before, "nobody answers either"));
        assert!(matches!(reach.check(), Err(Failed::Busy(words)) if words == "nobody answers"));
        reach.answered();
        assert!(!reach.is_lost());
    }
}
