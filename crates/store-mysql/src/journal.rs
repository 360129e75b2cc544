//! `Journal`: appended in the writer's groups, read in order.
//!
//! Places are given under the lock of the head's row and become visible with the commit that gave
//! them, so a reader never sees one before another that precedes it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use domain::ids::UserKey;
use domain::journal::{Chain, Record};
use sqlx::Row as _;
use store::{Journal, Seq, StoreError, Stored, Writing};

use crate::ask::Ask;
use crate::books::{Books, Wants};
use crate::codec::{record_to_bytes, rows, stored_of};
use crate::error::Failure;
use crate::options::SCAN_MAX;
use crate::writer::Work;
use crate::{MysqlStore, sql};

/// A trace, encoded on the caller's task.
struct AppendTrace {
    user: Option<UserKey>,
    body: Arc<[u8]>,
}

impl Work for AppendTrace {
    type Answer = ();

    const WRITING: Option<Writing> = Some(Writing::Change);

    fn wants(&self, _: &mut Wants) {}

    fn run(&self, books: &mut Books) -> Result<(), StoreError> {
        books.append(self.user, Chain::default(), Arc::clone(&self.body));
        Ok(())
    }
}

#[async_trait]
impl Journal for MysqlStore {
    async fn append(&self, trace: Record) -> Result<(), StoreError> {
        let body = record_to_bytes(&trace).into();
        self.ask(AppendTrace { user: trace.user, body }).await
    }

    async fn read(&self, after: Seq, limit: usize) -> Result<Vec<Stored>, StoreError> {
        let ask = Ask::new(sql::JOURNAL_READ).bind(after).bind(rows(limit));
        let found = self.readers().rows(&ask, SCAN_MAX).await?;
        Ok(found.iter().map(stored_of).collect::<Result<_, _>>()?)
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        let row = self.readers().head().await?;
        Ok(row.try_get(2).map_err(Failure::from)?)
    }

    fn is_total_order(&self) -> bool {
        self.has_total_order.load(Ordering::Relaxed)
    }
}
