//! Filling the file. What is encoded is encoded on the caller's task, so that the writer only writes.

use std::collections::HashMap;

use domain::ids::{ChangeId, UserKey};
use domain::journal::Chain;
use domain::time::Timestamp;
use rusqlite::params;
use store::{BudgetRow, Seq, Stored, UserRow, Writing};

use crate::codec::{int, record_to_bytes, rows, state_to_bytes};
use crate::error::Failure;
use crate::outbox;
use crate::sql;
use crate::users::{head_of, set_newest};
use crate::writer::{Tx, Work};

/// Whether the order of the journal is total.
pub(super) struct PutOrder(pub(super) bool);

impl Work for PutOrder {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        tx.conn.prepare_cached(sql::META_SET)?.execute(params!["total_order", self.0])?;
        Ok(())
    }
}

/// Users as they are.
pub(super) struct PutUsers(Vec<EncodedUser>);

struct EncodedUser {
    key: UserKey,
    version: u64,
    latest: ChangeId,
    chain: Chain,
    due_at: Option<Timestamp>,
    state: Vec<u8>,
}

impl From<Vec<UserRow>> for PutUsers {
    fn from(rows: Vec<UserRow>) -> Self {
        let encoded = rows.into_iter().map(|row| EncodedUser {
            key: row.key,
            version: row.loaded.version,
            latest: row.latest,
            chain: row.loaded.chain,
            due_at: row.loaded.state.due_at(),
            state: state_to_bytes(&row.loaded.state),
        });
        Self(encoded.collect())
    }
}

impl Work for PutUsers {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let mut put = tx.conn.prepare_cached(sql::USER_PUT)?;
        for user in &self.0 {
            put.execute(params![
                user.key.0,
                int(user.version),
                user.latest.0,
                user.chain.0,
                user.due_at.map(|at| at.0),
                user.state,
            ])?;
            tx.changed.push(user.key);
        }
        Ok(())
    }
}

/// Records at their places.
pub(super) struct PutRecords(Vec<(Stored, Vec<u8>)>);

impl From<Vec<Stored>> for PutRecords {
    fn from(records: Vec<Stored>) -> Self {
        let encoded = records.into_iter().map(|stored| {
            let body = record_to_bytes(&stored.record);
            (stored, body)
        });
        Self(encoded.collect())
    }
}

impl Work for PutRecords {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    /// Each user's newest record is written once, however many of his are among them.
    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        outbox::absorb_all(tx)?;
        let mut newest: HashMap<UserKey, Seq> = HashMap::new();
        for (stored, body) in &self.0 {
            if stored.seq <= tx.books.head() {
                continue;
            }
            let prev_seq = match stored.record.user {
                Some(user) => match newest.get(&user) {
                    Some(seq) => *seq,
                    None => head_of(tx, &user)?.map_or(0, |head| head.last_seq),
                },
                None => 0,
            };
            newest.extend(stored.record.user.map(|user| (user, stored.seq)));
            put_record(tx, stored, prev_seq, body)?;
        }
        for (user, seq) in newest {
            let head = head_of(tx, &user)?;
            set_newest(tx.conn, &user, head.as_ref(), seq)?;
        }
        Ok(())
    }
}

fn put_record(tx: &mut Tx<'_>, stored: &Stored, prev_seq: Seq, body: &[u8]) -> Result<(), Failure> {
    tx.conn.prepare_cached(sql::JOURNAL_INSERT)?.execute(params![
        int(stored.seq),
        int(prev_seq),
        stored.record.user.as_ref().map(|user| &user.0),
        stored.chain.0,
        rows(stored.record.messages.len()),
        body,
    ])?;
    tx.books.put_head(stored.seq);
    outbox::queue(tx, stored.seq, &stored.record)
}

/// Budgets as they are.
pub(super) struct PutBudgets(pub(super) Vec<BudgetRow>);

impl Work for PutBudgets {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Copy);

    fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        for row in &self.0 {
            tx.books.put_budget(row);
        }
        Ok(())
    }
}
