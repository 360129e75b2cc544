//! What is known of users without reading their rows: enough to say that nothing of one has changed.
//!
//! A row's number may be wrong ([`super::rows`]), but this is believed, so it has to be right: nobody is
//! remembered at an older version than one that was acknowledged (S3). Readers note what they have read,
//! and the writer forgets whom it has changed, in this order: it commits, counts the group, forgets, and
//! then answers. A reader notes only what it has read before that count moved. Both happen under the
//! lock of the user's place, so a reader who comes before the writer is forgotten, and one who comes
//! after it notes nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::change::Loaded;
use domain::ids::{AppId, UserKey};
use store::Glance;

/// Users who are remembered at most. Each takes 40 bytes, all of them from the start.
const GLANCES: usize = 1 << 18;

/// The users. One has one place; who comes to a taken one takes it over.
#[derive(Debug)]
pub(crate) struct Glances(Box<[Mutex<Place>]>);

/// Who is there; nobody while the version is 0.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    user: UserKey,
    app: AppId,
    version: u64,
}

impl Glances {
    pub(crate) fn new() -> Self {
        Self((0..GLANCES).map(|_| Mutex::default()).collect())
    }

    pub(crate) fn none() -> Self {
        Self(Box::default())
    }

    /// What is known of the user.
    pub(crate) fn of(&self, user: &UserKey) -> Option<Glance> {
        let Place { user: known, app, version } = *self.place(user)?;
        (known == *user && version > 0).then_some(Glance { version, app })
    }

    /// Remembers a user as he was read when `read_at` groups had been committed, unless others have been
    /// since. Of one whose sessions were ended more would have to be known, so he is not remembered.
    pub(crate) fn note(
        &self,
        user: &UserKey,
        loaded: &Loaded,
        (read_at, groups): (u64, &AtomicU64),
    ) {
        if loaded.state.sessions_since.is_some() {
            return;
        }
        if let Some(mut place) = self.place(user)
            && groups.load(Ordering::Acquire) == read_at
        {
            *place = Place { user: *user, app: loaded.state.app, version: loaded.version };
        }
    }

    /// Forgets whoever has been changed, or may have been.
    pub(crate) fn forget(&self, user: &UserKey) {
        if let Some(mut place) = self.place(user)
            && place.user == *user
        {
            *place = Place::default();
        }
    }

    /// Keys are hashes, so any part of one is as good as another.
    fn place(&self, user: &UserKey) -> Option<MutexGuard<'_, Place>> {
        let part = user.0.first_chunk::<8>().copied().map(u64::from_le_bytes)?;
        let place = self.0.get(part as usize % GLANCES)?;
        Some(place.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Timestamp;

    use super::*;

    const ANN: UserKey = UserKey([7; 16]);
    /// At the same place.
    const BEN: UserKey = UserKey([7, 7, 7, 7, 7, 7, 7, 7, 1, 1, 1, 1, 1, 1, 1, 1]);

    fn at(version: u64) -> Loaded {
        let mut loaded = Loaded { version, ..Loaded::default() };
        loaded.state.app = AppId(3);
        loaded
    }

    #[test]
    fn the_latest_at_a_place_is_remembered_until_he_is_changed() {
        let (glances, groups) = (Glances::new(), AtomicU64::new(5));
        let known = |user: &UserKey| glances.of(user).map(|glance| (glance.version, glance.app));
        assert_eq!((known(&ANN), known(&UserKey::default())), (None, None));
        glances.note(&ANN, &at(2), (5, &groups));
        assert_eq!((known(&ANN), known(&BEN)), (Some((2, AppId(3))), None));
        glances.forget(&BEN);
        assert_eq!(known(&ANN), Some((2, AppId(3))));
        glances.note(&BEN, &at(4), (5, &groups));
        assert_eq!((known(&ANN), known(&BEN)), (None, Some((4, AppId(3)))));
        glances.forget(&BEN);
        assert_eq!(known(&BEN), None);
    }

    #[test]
    fn what_was_read_before_another_commit_is_not_noted() {
        let (glances, groups) = (Glances::new(), AtomicU64::new(5));
        glances.note(&ANN, &at(2), (4, &groups));
        assert_eq!(glances.of(&ANN), None);
    }

    #[test]
    fn strangers_and_those_whose_sessions_were_ended_are_not_remembered() {
        let (glances, groups) = (Glances::new(), AtomicU64::new(0));
        glances.note(&ANN, &at(0), (0, &groups));
        assert_eq!(glances.of(&ANN), None);
        let mut ended = at(2);
        ended.state.sessions_since = Some(Timestamp(1));
        glances.note(&ANN, &ended, (0, &groups));
        assert_eq!(glances.of(&ANN), None);
    }
}
