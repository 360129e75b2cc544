//! One transaction of a group, and what is tried again.

use std::time::Duration;

use store::StoreError;
use tokio::time::{Instant, sleep};

use super::{Batch, Job, Value, Writer};
use crate::ask::Ask;
use crate::books::{Books, Wants};
use crate::codec::{bytes_of, corrupt};
use crate::connect::Session;
use crate::error::Failure;
use crate::options::{POINT_MAX, TRIES_MAX, WRITE_MAX};
use crate::sql;

/// Why a group's transaction did not end well.
enum Broken {
    /// Before its `COMMIT` was sent: nothing of it is there, or will be.
    Before(Failure),
    /// A guarded row was not as the books say: somebody writes without the lock.
    Guard,
    /// In its `COMMIT`: it may be there.
    During(Failure),
}

/// A name that no other writer has. Names of writers that are long gone are forgotten.
pub(super) async fn name_for(session: &mut Session) -> Result<[u8; 16], Failure> {
    // Somebody may hold a row; then another start cleans up.
    match session.plain(sql::WRITERS_CLEAN, WRITE_MAX).await {
        Err(failure) if !failure.is_passing() => return Err(failure),
        _ => {}
    }
    let found = session.row(&Ask::new(sql::WRITER_NAME), POINT_MAX).await?;
    bytes_of(&found.ok_or_else(|| corrupt("writer", "the server gave it no name"))?, 0)
}

impl Writer {
    /// Commits all of `jobs`, or nothing. What may pass at another try is tried again.
    pub(super) async fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let (mut tries, mut is_second) = (1, false);
        loop {
            let since = Instant::now();
            match self.transact(jobs).await {
                Ok(()) => {
                    self.gate.heard();
                    return Ok(());
                }
                Err(Broken::Before(failure)) if failure.is_passing() && tries < TRIES_MAX => {
                    self.undo(tries).await;
                    tries += 1;
                }
                Err(Broken::Guard) if tries < TRIES_MAX => {
                    self.undo(tries).await;
                    tries += 1;
                }
                Err(Broken::Guard) => {
                    self.session = None;
                    let why = "somebody changes budgets without the lock";
                    return Err(StoreError::Unavailable(why.to_owned()));
                }
                Err(Broken::Before(failure)) if is_cut(&failure) && !is_second => {
                    self.session = None;
                    is_second = true;
                }
                Err(Broken::Before(failure)) => return Err(self.lose(failure, since)),
                Err(Broken::During(failure)) => match self.find_out(failure, since).await? {
                    true => return Ok(()),
                    false if is_second => return Err(super::unavailable("the commit was undone")),
                    false => is_second = true,
                },
            }
        }
    }

    /// One transaction.
    async fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Broken> {
        let mut batch = self.decide(jobs).await.map_err(Broken::Before)?;
        if batch.is_empty() {
            return self.plain(sql::ROLLBACK).await.map_err(Broken::Before);
        }
        self.group_no += 1;
        batch.add(sql::WRITER_PUT, &[Value::Bytes(&self.id), Value::Uint(self.group_no)]);
        let session = self.session().await.map_err(Broken::Before)?;
        let sent = batch.send(session, WRITE_MAX).await.map_err(Broken::Before)?;
        if !sent.is_held {
            return Err(Broken::Guard);
        }
        self.plain(sql::COMMIT).await.map_err(Broken::During)
    }

    /// Locks the head, reads what the units want and lets them decide. Gives what is to be written.
    async fn decide(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Batch, Failure> {
        let mut wants = Wants::default();
        jobs.iter().for_each(|job| job.wants(&mut wants));
        let (batch, parts) = wants.reads();
        let sent = batch.send(self.session().await?, WRITE_MAX).await?;
        let mut books = Books::open(&parts, &sent.replies)?;
        jobs.iter_mut().for_each(|job| job.run(&mut books));
        Ok(books.packets())
    }

    async fn plain(&mut self, text: &'static str) -> Result<(), Failure> {
        self.session().await?.plain(text, WRITE_MAX).await
    }

    /// Rolls back, and waits a little so that nodes which met do not meet again.
    async fn undo(&mut self, tries: u32) {
        if self.plain(sql::ROLLBACK).await.is_err() {
            self.session = None;
        }
        let mixed = u64::from(self.id[0]) + u64::from(self.id[3]) * 7 + self.group_no * 13;
        sleep(Duration::from_millis(mixed % (10 * u64::from(tries)))).await;
    }
}

/// Whether the connection was cut, so that a new one may do at once; not whether an answer was late.
fn is_cut(failure: &Failure) -> bool {
    failure.is_lost() && !matches!(failure, Failure::Late(_))
}
