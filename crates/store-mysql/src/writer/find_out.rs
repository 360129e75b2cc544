//! What became of a group whose `COMMIT` was not answered.
//!
//! Each writer keeps the number of its newest group in a row of its own, in the same transaction as
//! the group. Whoever holds the head's lock knows that the lost session does not hold it any more, so
//! its transaction has ended, one way or the other, and the number says which.

use std::time::Duration;

use sqlx::Row as _;
use store::StoreError;
use tokio::time::{Instant, sleep};

use super::{Batch, Value, Writer};
use crate::connect::Role;
use crate::error::Failure;
use crate::options::WRITE_MAX;
use crate::sql;

/// How long the answer is looked for; a server that was killed is often back within it.
const FIND_OUT_MAX: Duration = Duration::from_secs(3);

/// How long it waits between two looks.
const PAUSE: Duration = Duration::from_millis(50);

impl Writer {
    /// Whether the newest group is there.
    ///
    /// # Errors
    /// `Unknown`: the database could not be asked in time.
    pub(super) async fn find_out(
        &mut self,
        failure: Failure,
        since: Instant,
    ) -> Result<bool, StoreError> {
        let until = Instant::now() + FIND_OUT_MAX;
        let why = self.lose(failure, since);
        tracing::warn!(reason = %why, "the answer to a commit was lost");
        loop {
            match self.newest_group().await {
                Ok(newest) => {
                    self.gate.heard();
                    return Ok(newest == self.group_no);
                }
                Err(failure) if Instant::now() >= until => {
                    let why = self.lose(failure, since);
                    return Err(StoreError::Unknown(format!(
                        "a commit was not answered, and {why}"
                    )));
                }
                Err(failure) => drop(self.lose(failure, since)),
            }
            sleep(PAUSE).await;
        }
    }

    /// The number of this writer's newest committed group, 0 if none was.
    async fn newest_group(&mut self) -> Result<u64, Failure> {
        let mut batch = Batch::default();
        batch.add(sql::BEGIN, &[]);
        batch.add(sql::HEAD_LOCK, &[]);
        let number = batch.add(sql::WRITER_GROUP, &[Value::Bytes(&self.id)]);
        batch.add(sql::ROLLBACK, &[]);
        let mut session = self.connector.open(Role::Writer).await?;
        let sent = batch.send(&mut session, WRITE_MAX).await?;
        self.session = Some(session);
        let found = sent.replies.get(number).and_then(|reply| reply.rows.first());
        Ok(found.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
    }
}
