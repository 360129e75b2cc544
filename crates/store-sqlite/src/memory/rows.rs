//! Where users' rows are, as far as it is remembered.
//!
//! A row is found by its number in one tree, and by its user's key in two, of which the second is all
//! over the file. What is remembered is never believed: whoever looks there asks for the key as well.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::ids::UserKey;

/// Users who are remembered at most. Each takes sixteen bytes, all of them from the start.
const ROWS: usize = 1 << 20;

/// The numbers of rows. A user has one place; who comes to a taken one takes it over.
#[derive(Debug)]
pub(crate) struct Rows(Box<[Hint]>);

/// The two halves are not read at once, and need not fit together.
#[derive(Debug, Default)]
struct Hint {
    /// A part of the key; 0 while nobody is here.
    key: AtomicU64,
    row: AtomicI64,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self((0..ROWS).map(|_| Hint::default()).collect())
    }

    /// For a store that is looked at once: nobody is remembered.
    pub(crate) fn none() -> Self {
        Self(Box::default())
    }

    /// Where the user's row may be.
    pub(crate) fn find(&self, user: &UserKey) -> Option<i64> {
        let (hint, key) = self.place(user)?;
        (hint.key.load(Ordering::Relaxed) == key).then(|| hint.row.load(Ordering::Relaxed))
    }

    /// Remembers where it is.
    pub(crate) fn note(&self, user: &UserKey, row: i64) {
        if let Some((hint, key)) = self.place(user) {
            hint.key.store(key, Ordering::Relaxed);
            hint.row.store(row, Ordering::Relaxed);
        }
    }

    /// Keys are hashes, so any part of one is as good as another.
    fn place(&self, user: &UserKey) -> Option<(&Hint, u64)> {
        let (place, key) = user.0.split_first_chunk::<8>()?;
        let place = u64::from_le_bytes(*place) as usize % ROWS;
        Some((self.0.get(place)?, u64::from_le_bytes(*key.first_chunk()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_at_a_place_is_remembered() {
        let rows = Rows::new();
        let [ann, ben] = [1, 2].map(|last| {
            let mut key = [7; 16];
            key[15] = last;
            UserKey(key)
        });
        assert_eq!(rows.find(&ann), None);
        rows.note(&ann, 5);
        assert_eq!((rows.find(&ann), rows.find(&ben)), (Some(5), None));
        rows.note(&ben, 6);
        assert_eq!((rows.find(&ann), rows.find(&ben)), (None, Some(6)));
    }
}
