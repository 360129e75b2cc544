//! `Users` in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use async_trait::async_trait;
use domain::change::{Change, Loaded};
use domain::ids::{ChangeId, UserKey, UserPrefix};
use domain::time::Timestamp;

use super::MemoryState;
use crate::{Glance, LedgerPage, Outcome, Seq, StoreError, UserRow, Users, Writing};

/// The users by key, and when each of them is due.
#[derive(Debug, Default)]
pub(super) struct UserRows {
    rows: BTreeMap<UserKey, Row>,
    due: BTreeSet<(Timestamp, UserKey)>,
}

#[derive(Debug)]
struct Row {
    loaded: Loaded,
    /// The change that led to this version, so that it is recognised when it is asked for again.
    latest: ChangeId,
    due_at: Option<Timestamp>,
}

impl UserRows {
    /// Why a change cannot be made on the version there is.
    pub(super) fn refusal(&self, user: &UserKey, change: &Change) -> Option<Outcome> {
        let row = self.rows.get(user);
        let standing = row.map_or((0, None), |row| (row.loaded.version, Some(row.latest)));
        Outcome::refusal(standing, change.base, change.id)
    }

    /// Writes the next version.
    pub(super) fn put(&mut self, user: UserKey, change: Change) {
        let loaded = Loaded { version: change.base + 1, chain: change.chain, state: change.state };
        self.put_row(UserRow { key: user, loaded, latest: change.id });
    }

    /// Writes a user and his place in the order of what is due.
    pub(super) fn put_row(&mut self, row: UserRow) {
        let UserRow { key: user, loaded, latest } = row;
        let due_at = loaded.state.due_at();
        let old = self.rows.insert(user, Row { loaded, latest, due_at });
        if let Some(at) = old.and_then(|row| row.due_at) {
            self.due.remove(&(at, user));
        }
        if let Some(at) = due_at {
            self.due.insert((at, user));
        }
    }

    fn load(&self, user: &UserKey) -> Loaded {
        self.rows.get(user).map(|row| row.loaded.clone()).unwrap_or_default()
    }

    fn due(&self, now: Timestamp, limit: usize) -> Vec<UserKey> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.take(limit).map(|(_, user)| *user).collect()
    }

    fn find(&self, prefix: UserPrefix) -> Vec<Loaded> {
        let mut first = [0; 16];
        first[..8].copy_from_slice(&prefix);
        let from = self.rows.range(UserKey(first)..);
        let same = from.take_while(|(user, _)| user.prefix() == prefix);
        same.map(|(_, row)| row.loaded.clone()).collect()
    }

    /// A user as a move carries him.
    pub(super) fn row(&self, user: &UserKey) -> Option<UserRow> {
        self.rows.get(user).map(|row| carried(*user, row))
    }

    /// Users in order of their keys.
    pub(super) fn page(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> impl Iterator<Item = UserRow> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.rows.range((from, Bound::Unbounded)).take(limit);
        rows.map(|(user, row)| carried(*user, row))
    }
}

fn carried(key: UserKey, row: &Row) -> UserRow {
    UserRow { key, loaded: row.loaded.clone(), latest: row.latest }
}

#[async_trait]
impl Users for MemoryState {
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError> {
        Ok(self.lock().users.load(&user))
    }

    fn glance(&self, user: UserKey) -> Option<Glance> {
        let Loaded { version, state, .. } = self.lock().users.load(&user);
        let is_plain = version > 0 && state.sessions_since.is_none();
        is_plain.then_some(Glance { version, app: state.app })
    }

    async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        let mut inner = self.lock();
        inner.phase.permit(Writing::Change)?;
        inner.commit(change)
    }

    async fn ledger(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, StoreError> {
        Ok(self.lock().journal.ledger(&user, before, limit))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError> {
        Ok(self.lock().users.due(now, limit))
    }

    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError> {
        Ok(self.lock().users.find(prefix))
    }

    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError> {
        let inner = self.lock();
        Ok(inner.users.page(after, limit).map(|row| (row.key, row.loaded)).collect())
    }
}
