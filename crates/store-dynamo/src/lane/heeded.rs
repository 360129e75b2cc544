//! Who asked for quiet and got it.

use std::collections::VecDeque;

/// Askers that are remembered: more than there are lanes that could ask at a time. One who was
/// forgotten gets quiet twice, which costs a pause.
const ASKERS_MAX: usize = 256;

/// The latest askers, each with a number of his own. What he has left on the slots stays there until
/// they are written, so a lane meets the same askers again and again, and several at a time.
#[derive(Debug, Default)]
pub(super) struct Heeded(VecDeque<u64>);

impl Heeded {
    /// Remembers these, and says whether somebody among them was not heeded before.
    pub(super) fn take_in(&mut self, askers: impl IntoIterator<Item = u64>) -> bool {
        let mut is_news = false;
        for who in askers {
            if !self.0.contains(&who) {
                self.0.push_back(who);
                is_news = true;
            }
        }
        let forgotten = self.0.len().saturating_sub(ASKERS_MAX);
        self.0.drain(..forgotten);
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_heeded_once_and_the_oldest_are_forgotten() {
        let mut heeded = Heeded::default();
        assert!(!heeded.take_in([]));
        assert!(heeded.take_in([1, 2]));
        assert!(!heeded.take_in([2, 1, 2]));
        assert!(heeded.take_in([2, 3]));
        assert!(heeded.take_in(4..ASKERS_MAX as u64 + 2));
        assert!(!heeded.take_in([2]));
        assert_eq!(heeded.0.len(), ASKERS_MAX);
        assert!(heeded.take_in([1]), "the oldest is remembered");
    }
}
