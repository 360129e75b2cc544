//! The one thing a command ends in: a change of one user that is committed whole or not at all.

use crate::ids::ChangeId;
use crate::journal::{Chain, Record};
use crate::user::UserState;

/// A user's state as a store holds it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// Grows by one with each change; 0 means never seen.
    pub version: u64,
    /// The hash over his records so far.
    pub chain: Chain,
    /// The state; empty if never seen.
    pub state: UserState,
}

/// The next state of one user, with everything that has to happen in the same commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Names this change, so that an unknown outcome is resolved by asking again.
    pub id: ChangeId,
    /// The version it was decided on; the commit is refused as stale on any other.
    pub base: u64,
    /// The state afterwards.
    pub state: UserState,
    /// The chain afterwards; the base chain if there is no record.
    pub chain: Chain,
    /// What goes into the journal: bookings, budget moves, messages. `None` for a change that
    /// nobody needs to be able to replay, such as a new profile or another try in vain.
    pub record: Option<Record>,
}

/// Most budget moves of one change. With the state, the record, two rows a move and the messages a
/// change stays within the 100 items that the narrowest store commits at once.
pub const MOVES_MAX: usize = 20;
/// Most messages of one change; a reversal, which takes two rows, counts twice.
pub const MESSAGES_MAX: usize = 40;

impl Change {
    /// The change of `loaded` to `state`, because of `record`.
    #[must_use]
    pub fn new(loaded: &Loaded, state: UserState, record: Option<Record>) -> Self {
        let chain = record.as_ref().map_or(loaded.chain, |record| loaded.chain.with(record));
        let cause = match &record {
            Some(_) => chain.0.to_vec(),
            None => {
                let UserState { profile, segments, blocked, sessions_since, .. } = &state;
                let due_at = state.due_at();
                format!("{profile:?} {segments:?} {blocked} {sessions_since:?} {due_at:?}").into()
            }
        };
        let id = ChangeId::derive(&state.key(), loaded.version, &cause);
        Self { id, base: loaded.version, state, chain, record }
    }

    /// What a store holds once this is committed.
    #[must_use]
    pub fn after(&self) -> Loaded {
        Loaded { version: self.base + 1, chain: self.chain, state: self.state.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    /// Or a store would take the one for the other, made already.
    #[test]
    fn changes_without_a_record_are_told_apart_by_what_they_change() {
        let loaded = Loaded::default();
        let id = |state| Change::new(&loaded, state, None).id;
        let state = |since| UserState { sessions_since: since, ..UserState::default() };
        let blocked = UserState { blocked: true, ..UserState::default() };
        let ids = [
            id(state(None)),
            id(state(Some(Timestamp(1)))),
            id(state(Some(Timestamp(2)))),
            id(blocked),
        ];
        for (place, one) in ids.iter().enumerate() {
            assert!(!ids[place + 1..].contains(one), "{place}");
        }
        assert_eq!(id(state(Some(Timestamp(1)))), ids[1]);
    }
}
