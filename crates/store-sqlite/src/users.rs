//! `Users`: one keyed read, one conditional write in the writer's group.
//!
//! | verb | round trips | statements |
//! |---|---|---|
//! | `load` | 1, on the caller's task | 1; 2 if a row is not where it was remembered |
//! | `glance` | 0 | 0 |
//! | `commit` | 1, to the writer | 1 read, 2 writes, and the touched budgets once per group |
//! | `ledger` | 1, on a blocking thread | 1 a record, and 1 or 2 to find the first |
//! | `due`, `find`, `scan` | 1, on a blocking thread | 1 |

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use domain::budget::BudgetMove;
use domain::change::{Change, Loaded};
use domain::ids::{ChangeId, UserKey, UserPrefix};
use domain::journal::Chain;
use domain::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{Committed, Glance, LedgerPage, Outcome, Phase, Seq, StoreError, Stored, Users};

use crate::codec::{
    corrupt, int, key_from_row, loaded_from_row, record_to_bytes, rows, state_to_bytes,
    stored_from_row, uint,
};
use crate::error::Failure;
use crate::journal::Entry;
use crate::memory::Rows;
use crate::writer::{Tx, Work};
use crate::{SqliteStore, sql};

/// A change, encoded on the caller's task so that the writer only writes.
struct CommitChange {
    user: UserKey,
    id: ChangeId,
    base: u64,
    chain: Chain,
    due_at: Option<Timestamp>,
    state: Vec<u8>,
    record: Option<Vec<u8>>,
    messages: usize,
    moves: Vec<BudgetMove>,
}

impl From<Change> for CommitChange {
    fn from(change: Change) -> Self {
        let record = change.record.as_ref();
        Self {
            user: change.state.key(),
            id: change.id,
            base: change.base,
            chain: change.chain,
            due_at: change.state.due_at(),
            state: state_to_bytes(&change.state),
            record: record.map(record_to_bytes),
            messages: record.map_or(0, |record| record.messages.len()),
            moves: change.record.map(|record| record.moves).unwrap_or_default(),
        }
    }
}

impl Work for CommitChange {
    type Answer = Outcome;

    fn run(&self, tx: &mut Tx<'_>) -> Result<Outcome, Failure> {
        let head = head_of(tx, &self.user)?;
        if let Some(refusal) = self.refusal(head.as_ref()) {
            return Ok(refusal);
        }
        if let Some(over) = tx.books.spend(tx.conn, &self.moves)? {
            return Ok(over);
        }
        let prev_seq = head.as_ref().map_or(0, |head| head.last_seq);
        let seq = match &self.record {
            Some(body) => tx.append(&Entry {
                user: Some(self.user),
                prev_seq,
                chain: self.chain,
                messages: self.messages,
                body,
            })?,
            None => 0,
        };
        self.write(tx.conn, head.as_ref(), if seq > 0 { seq } else { prev_seq })?;
        tx.changed.push(self.user);
        if tx.phase == Phase::Watched {
            tx.conn.prepare_cached(sql::TOUCHED_PUT)?.execute([&self.user.0])?;
        }
        Ok(Outcome::Applied(Committed { levels: tx.books.levels(tx.conn, &self.moves)? }))
    }
}

impl CommitChange {
    fn refusal(&self, head: Option<&Head>) -> Option<Outcome> {
        let standing = head.map_or((0, None), |head| (head.version, Some(head.change)));
        Outcome::refusal(standing, self.base, self.id)
    }

    fn write(&self, conn: &Connection, head: Option<&Head>, last: Seq) -> Result<(), Failure> {
        let (version, last, due_at) = (int(self.base + 1), int(last), self.due_at.map(|at| at.0));
        let (change, chain, state) = (&self.id.0, &self.chain.0, &self.state);
        match head {
            None => conn.prepare_cached(sql::USER_INSERT)?.execute(params![
                self.user.0,
                version,
                change,
                chain,
                last,
                due_at,
                state
            ])?,
            Some(head) if head.due_at == self.due_at => conn
                .prepare_cached(sql::USER_UPDATE)?
                .execute(params![head.id, version, change, chain, last, state])?,
            Some(head) => conn
                .prepare_cached(sql::USER_UPDATE_DUE)?
                .execute(params![head.id, version, change, chain, last, state, due_at])?,
        };
        Ok(())
    }
}

/// A user's row without his state.
pub(crate) struct Head {
    /// Number of the row.
    pub(crate) id: i64,
    /// The place of his newest record.
    pub(crate) last_seq: Seq,
    version: u64,
    change: ChangeId,
    due_at: Option<Timestamp>,
}

/// A user's row, if there is one.
pub(crate) fn head_of(tx: &Tx<'_>, user: &UserKey) -> Result<Option<Head>, Failure> {
    if let Some(id) = tx.memory.rows.find(user) {
        let mut select = tx.conn.prepare_cached(sql::USER_HEAD_AT)?;
        let head = select.query_row(params![id, user.0], head_from_row).optional()?;
        if head.is_some() {
            return Ok(head);
        }
    }
    let mut select = tx.conn.prepare_cached(sql::USER_HEAD)?;
    Ok(select.query_row([&user.0], head_from_row).optional()?)
}

fn head_from_row(row: &Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head {
        id: row.get(0)?,
        version: uint(row.get(1)?),
        change: ChangeId(row.get(2)?),
        last_seq: uint(row.get(3)?),
        due_at: row.get::<_, Option<i64>>(4)?.map(Timestamp),
    })
}

/// Makes a trace the newest of its user's records; he may never have been seen.
pub(crate) fn set_newest(
    conn: &Connection,
    user: &UserKey,
    head: Option<&Head>,
    seq: Seq,
) -> Result<(), Failure> {
    match head {
        Some(head) => {
            conn.prepare_cached(sql::USER_LAST_SEQ)?.execute(params![head.id, int(seq)])?
        }
        None => conn.prepare_cached(sql::USER_INSERT)?.execute(params![
            user.0,
            0,
            ChangeId::default().0,
            Chain::default().0,
            int(seq),
            None::<i64>,
            [0_u8; 0],
        ])?,
    };
    Ok(())
}

fn load(conn: &Connection, rows: &Rows, user: &UserKey) -> Result<Loaded, Failure> {
    if let Some(id) = rows.find(user) {
        let mut select = conn.prepare_cached(sql::USER_LOAD_AT)?;
        if let Some(row) = select.query(params![id, user.0])?.next()? {
            return loaded_from_row(row);
        }
    }
    let mut select = conn.prepare_cached(sql::USER_LOAD)?;
    let mut found = select.query([&user.0])?;
    let Some(row) = found.next()? else { return Ok(Loaded::default()) };
    rows.note(user, row.get(3)?);
    loaded_from_row(row)
}

fn ledger(
    conn: &Connection,
    user: UserKey,
    before: Option<Seq>,
    limit: usize,
) -> Result<LedgerPage, Failure> {
    let mut page = LedgerPage::default();
    let mut next = first_before(conn, &user, before)?;
    while next > 0 {
        if page.records.len() == limit {
            page.before = page.records.last().map(|stored: &Stored| stored.seq);
            break;
        }
        let mut select = conn.prepare_cached(sql::JOURNAL_ONE)?;
        let read = |row: &Row<'_>| Ok((stored_from_row(row), row.get(3)?));
        let found = select.query_row([int(next)], read).optional()?;
        let (stored, prev): (_, i64) = found.ok_or_else(|| missing(next, &user))?;
        page.records.push(stored?);
        next = uint(prev);
    }
    Ok(page)
}

/// The user's newest record before `before`; 0 if there is none.
fn first_before(conn: &Connection, user: &UserKey, before: Option<Seq>) -> Result<Seq, Failure> {
    let before = before.unwrap_or(Seq::MAX);
    let mut link = conn.prepare_cached(sql::JOURNAL_LINK)?;
    let mut read = |seq: Seq| {
        let row = |row: &Row<'_>| Ok((uint(row.get(0)?), row.get::<_, Option<[u8; 16]>>(1)?));
        link.query_row([int(seq)], row).optional()
    };
    // A page begins at a record of the user's own, so nothing needs to be walked over.
    if let Some((prev, Some(owner))) = read(before)?
        && owner == user.0
    {
        return Ok(prev);
    }
    let mut select = conn.prepare_cached(sql::USER_NEWEST)?;
    let newest: Option<i64> = select.query_row([&user.0], |row| row.get(0)).optional()?;
    let mut seq = uint(newest.unwrap_or_default());
    while seq > 0 && seq >= before {
        (seq, _) = read(seq)?.ok_or_else(|| missing(seq, user))?;
    }
    Ok(seq)
}

/// A record to which the user's row, or a later record of his, points.
fn missing(seq: Seq, user: &UserKey) -> StoreError {
    corrupt("journal", format_args!("record {seq} of user {user} is missing"))
}

fn find(conn: &Connection, prefix: UserPrefix) -> Result<Vec<Loaded>, Failure> {
    let (mut first, mut last) = ([0; 16], [u8::MAX; 16]);
    first[..prefix.len()].copy_from_slice(&prefix);
    last[..prefix.len()].copy_from_slice(&prefix);
    let mut select = conn.prepare_cached(sql::USERS_BETWEEN)?;
    let found = select.query_and_then([&first, &last], loaded_from_row)?;
    found.collect()
}

fn scan(
    conn: &Connection,
    after: Option<UserKey>,
    limit: usize,
) -> Result<Vec<(UserKey, Loaded)>, Failure> {
    // The empty blob sorts before every key.
    let after = after.map(|user| user.0.to_vec()).unwrap_or_default();
    let mut select = conn.prepare_cached(sql::USERS_SCAN)?;
    let users = select.query_and_then(params![after, rows(limit)], |row| {
        Ok((key_from_row(row, 3)?, loaded_from_row(row)?))
    })?;
    users.collect()
}

#[async_trait]
impl Users for SqliteStore {
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError> {
        let read = |conn: &Connection| load(conn, &self.memory.rows, &user);
        if self.server.is_none() {
            // Another process writes.
            return self.readers().point(read);
        }
        let groups = self.marks.groups.load(Ordering::Acquire);
        let loaded = self.readers().latest(groups, read)?;
        self.memory.glances.note(&user, &loaded, (groups, &self.marks.groups));
        Ok(loaded)
    }

    fn glance(&self, user: UserKey) -> Option<Glance> {
        self.memory.glances.of(&user)
    }

    async fn commit(&self, change: Change) -> Result<Outcome, StoreError> {
        self.ask(CommitChange::from(change)).await
    }

    async fn ledger(
        &self,
        user: UserKey,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<LedgerPage, StoreError> {
        self.readers().scan(move |conn| ledger(conn, user, before, limit)).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError> {
        let due = move |conn: &Connection| {
            let mut select = conn.prepare_cached(sql::USERS_DUE)?;
            let keys = select.query_and_then([now.0, rows(limit)], |row| key_from_row(row, 0))?;
            keys.collect()
        };
        self.readers().scan(due).await
    }

    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError> {
        self.readers().scan(move |conn| find(conn, prefix)).await
    }

    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError> {
        self.readers().scan(move |conn| scan(conn, after, limit)).await
    }
}
