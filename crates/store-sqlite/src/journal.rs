//! `Journal`: appended in the writer's groups, read in order.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use domain::ids::UserKey;
use domain::journal::{Chain, Record};
use rusqlite::{Connection, params};
use store::{Journal, Seq, StoreError, Stored};

use crate::codec::{int, record_to_bytes, rows, stored_from_row, uint};
use crate::error::Failure;
use crate::users::{head_of, set_newest};
use crate::writer::{Tx, Work};
use crate::{SqliteStore, sql};

/// A record about to be appended.
pub(crate) struct Entry<'a> {
    /// Whose.
    pub(crate) user: Option<UserKey>,
    /// The place of his record before; 0 if there is none.
    pub(crate) prev_seq: Seq,
    /// His chain with this record on it.
    pub(crate) chain: Chain,
    /// How many messages it carries.
    pub(crate) messages: usize,
    /// The record in its stored form.
    pub(crate) body: &'a [u8],
}

impl Tx<'_> {
    /// Appends a record at the next place, and says which that is.
    pub(crate) fn append(&mut self, entry: &Entry<'_>) -> Result<Seq, Failure> {
        let seq = self.books.next_seq();
        self.conn.prepare_cached(sql::JOURNAL_INSERT)?.execute(params![
            int(seq),
            int(entry.prev_seq),
            entry.user.as_ref().map(|user| &user.0),
            entry.chain.0,
            rows(entry.messages),
            entry.body,
        ])?;
        Ok(seq)
    }
}

/// A trace, encoded on the caller's task.
struct AppendTrace {
    user: Option<UserKey>,
    body: Vec<u8>,
}

impl Work for AppendTrace {
    type Answer = ();

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let head = match &self.user {
            Some(user) => head_of(tx, user)?,
            None => None,
        };
        let seq = tx.append(&Entry {
            user: self.user,
            prev_seq: head.as_ref().map_or(0, |head| head.last_seq),
            chain: Chain::default(),
            messages: 0,
            body: &self.body,
        })?;
        if let Some(user) = &self.user {
            set_newest(tx.conn, user, head.as_ref(), seq)?;
        }
        Ok(())
    }
}

fn read(conn: &Connection, after: Seq, limit: usize) -> Result<Vec<Stored>, Failure> {
    let mut select = conn.prepare_cached(sql::JOURNAL_READ)?;
    let records = select.query_and_then([int(after), rows(limit)], stored_from_row)?;
    records.collect()
}

#[async_trait]
impl Journal for SqliteStore {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        self.ask(AppendTrace { user: trace.user, body: record_to_bytes(&trace) }).await
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        self.readers().scan(move |conn| read(conn, after, limit)).await
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        self.readers().point(|conn| {
            let head = conn.prepare_cached(sql::JOURNAL_HEAD)?.query_row([], |row| row.get(0))?;
            Ok(uint(head))
        })
    }

    fn is_total_order(&self) -> bool {
        self.has_total_order.load(Ordering::Relaxed)
    }
}
