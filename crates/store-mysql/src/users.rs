//! `Users`: one keyed read, one conditional write in the writer's group.
//!
//! | verb | round trips |
//! |---|---|
//! | `load`, `ledger`, `due`, `find`, `scan` | 1 |
//! | `commit` | 1 to the writer, whose group has 3 however many share it |

use std::sync::Arc;

use async_trait::async_trait;
use domain::budget::BudgetMove;
use domain::change::{Change, Loaded};
use domain::ids::{ChangeId, UserKey, UserPrefix};
use domain::journal::Chain;
use domain::time::Timestamp;
use store::{Committed, LedgerPage, Outcome, Seq, StoreError, Users, Writing};

use crate::ask::Ask;
use crate::books::{Books, UserWrite, Wants};
use crate::codec::{bytes_of, loaded_of, record_to_bytes, rows, state_to_bytes, stored_of};
use crate::error::Failure;
use crate::options::{POINT_MAX, SCAN_MAX};
use crate::outbox::Post;
use crate::writer::Work;
use crate::{MysqlStore, sql};

/// A change, encoded on the caller's task so that the writer only writes.
struct CommitChange {
    user: UserKey,
    id: ChangeId,
    base: u64,
    chain: Chain,
    due_at: Option<Timestamp>,
    state: Arc<[u8]>,
    record: Option<(Arc<[u8]>, Post)>,
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
            state: state_to_bytes(&change.state).into(),
            record: record.map(|record| (record_to_bytes(record).into(), Post::from(record))),
            moves: change.record.map(|record| record.moves).unwrap_or_default(),
        }
    }
}

impl Work for CommitChange {
    type Answer = Outcome;

    const WRITING: Option<Writing> = Some(Writing::Change);

    fn wants(&self, wants: &mut Wants) {
        wants.user(self.user);
        wants.moves(&self.moves);
        if let Some((_, post)) = &self.record {
            post.grants().for_each(|grant| wants.delivery(grant));
        }
    }

    fn run(&self, books: &mut Books) -> Result<Outcome, StoreError> {
        if let Some(refusal) = Outcome::refusal(books.user(&self.user), self.base, self.id) {
            return Ok(refusal);
        }
        if let Some(over) = books.spend(&self.moves) {
            return Ok(over);
        }
        if let Some((body, post)) = &self.record {
            let seq = books.append(Some(self.user), self.chain, Arc::clone(body));
            books.desk.post(seq, post);
        }
        books.put_user(self.user, self.write());
        Ok(Outcome::Applied(Committed { levels: books.levels(&self.moves) }))
    }
}

impl CommitChange {
    fn write(&self) -> UserWrite {
        UserWrite {
            version: self.base + 1,
            change: self.id,
            chain: self.chain,
            due_at: self.due_at,
            state: Arc::clone(&self.state),
        }
    }
}

#[async_trait]
impl Users for MysqlStore {
    async fn load(&self, user: UserKey) -> Result<Loaded, StoreError> {
        let ask = Ask::new(sql::USER_LOAD).bind(&user.0[..]);
        let found = self.readers().row(&ask, POINT_MAX).await?;
        Ok(found.as_ref().map(loaded_of).transpose()?.unwrap_or_default())
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
        let before = before.unwrap_or(Seq::MAX);
        // One more than is asked for tells whether there is another page.
        let ask = Ask::new(sql::LEDGER).bind(&user.0[..]).bind(before).bind(rows(limit) + 1);
        let found = self.readers().rows(&ask, POINT_MAX).await?;
        let records = found.iter().take(limit).map(stored_of).collect::<Result<Vec<_>, _>>()?;
        let has_more = found.len() > limit;
        let before = records.last().map(|stored| stored.seq).filter(|_| has_more);
        Ok(LedgerPage { records, before })
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<UserKey>, StoreError> {
        let ask = Ask::new(sql::USERS_DUE).bind(now.0).bind(rows(limit));
        let found = self.readers().rows(&ask, POINT_MAX).await?;
        let keys = found.iter().map(|row| bytes_of(row, 0).map(UserKey));
        Ok(keys.collect::<Result<_, _>>()?)
    }

    async fn find(&self, prefix: UserPrefix) -> Result<Vec<Loaded>, StoreError> {
        let (mut first, mut last) = ([0; 16], [u8::MAX; 16]);
        first[..prefix.len()].copy_from_slice(&prefix);
        last[..prefix.len()].copy_from_slice(&prefix);
        let ask = Ask::new(sql::USERS_BETWEEN).bind(&first[..]).bind(&last[..]);
        let found = self.readers().rows(&ask, POINT_MAX).await?;
        Ok(found.iter().map(loaded_of).collect::<Result<_, _>>()?)
    }

    async fn scan(
        &self,
        after: Option<UserKey>,
        limit: usize,
    ) -> Result<Vec<(UserKey, Loaded)>, StoreError> {
        // The empty key sorts before every other.
        let after = after.map(|user| user.0.to_vec()).unwrap_or_default();
        let ask = Ask::new(sql::USERS_SCAN).bind(after).bind(rows(limit));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        let users =
            found.iter().map(|row| Ok::<_, Failure>((UserKey(bytes_of(row, 3)?), loaded_of(row)?)));
        Ok(users.collect::<Result<_, _>>()?)
    }
}
