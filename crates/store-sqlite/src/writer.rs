//! The one writer: a thread that commits whatever waits as one transaction (group commit).
//!
//! A unit of work is checked first and written after, so a refusal (`Stale`, `OverBudget`,
//! `Replayed`) leaves nothing behind and does not disturb the others of its group; later units see
//! what earlier ones wrote. Every caller is answered after the group's `COMMIT` has returned, which
//! under `synchronous=FULL` is after the fsync of the log.
//!
//! If anything fails, the whole group is rolled back and each unit is tried in a transaction of its
//! own, so one unit that cannot be written fails alone. If the `COMMIT` itself fails in a way that
//! leaves the outcome open, nothing is tried again and everybody is told so.
//!
//! | moment | statements | fsyncs |
//! |---|---|---|
//! | group begins | 2, of which one reads the phase | 0 |
//! | each unit | its own, 2 to 4 for a user's change | 0 |
//! | group ends | 1 a touched budget, 1 a touched budget day, 1 a moved count | 0 |
//! | commit | 1 | 1 |
//! | every 16 MiB of log | 0 | 2 (checkpoint) |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::ids::UserKey;
use rusqlite::Connection;
use store::{Phase, RunNumber, StoreError, Writing};
use tokio::sync::{mpsc, oneshot};

use crate::books::Books;
use crate::error::Failure;
use crate::memory::Memory;
use crate::readers::Readers;
use crate::sql;
use crate::transfer::{read_phase, read_run};

/// Units that wait for the writer. When so many wait, callers wait to be let in; at 20,000 units a
/// second this is a fifth of a second, after which answering late is worse than refusing upstream.
const QUEUE_MAX: usize = 4_096;

/// One unit of work: all of it is committed, or nothing.
pub(crate) trait Work: Send + 'static {
    /// What the caller is told once it is durable.
    type Answer: Send + 'static;

    /// Who writes, which decides in which phases of a move it may; `None` may always.
    const WRITING: Option<Writing> = Some(Writing::Change);

    /// The run of a mover that it is done for; another run may have taken the store over.
    fn mover(&self) -> Option<RunNumber> {
        None
    }

    /// Does the work inside the group's transaction. May run again if the group failed.
    fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, Failure>;
}

/// The open transaction of a group.
pub(crate) struct Tx<'a> {
    /// The writer's connection.
    pub(crate) conn: &'a Connection,
    /// What the writer remembers between statements and groups.
    pub(crate) books: &'a mut Books,
    /// What is remembered beside the file.
    pub(crate) memory: &'a Memory,
    /// Users whose states it writes.
    pub(crate) changed: &'a mut Vec<UserKey>,
    /// What the file may be used for.
    pub(crate) phase: Phase,
}

/// What readers may know of the writer without asking the file.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Place of the newest committed record.
    pub(crate) head: AtomicU64,
    /// Place of the newest record whose messages are in the outbox.
    pub(crate) absorbed: AtomicU64,
    /// Groups whose commit has ended, whatever came of it.
    pub(crate) groups: AtomicU64,
}

/// The callers' end of the queue.
#[derive(Debug)]
pub(crate) struct Queue(mpsc::Sender<Box<dyn Job>>);

impl Queue {
    /// Waits for a place in the queue, and then until the work is durable or refused.
    pub(crate) async fn ask<W: Work>(&self, work: W) -> Result<W::Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { work, answer: None, reply });
        if self.0.send(task).await.is_err() {
            return Err(StoreError::Unavailable("the store is shutting down".to_owned()));
        }
        let lost = || StoreError::Unknown("the writer ended before it answered".to_owned());
        answer.await.map_err(|_| lost())?
    }
}

/// The thread's end of the queue.
pub(crate) struct Writer {
    conn: Connection,
    books: Books,
    marks: Arc<Marks>,
    group_max: usize,
    /// Who may have left views open.
    readers: Readers,
    memory: Arc<Memory>,
    /// Users whose states the group has written.
    changed: Vec<UserKey>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("group_max", &self.group_max).finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer on an opened connection; `group_max` units at most share one transaction. `readers` are
    /// those of the same file, who share `memory`.
    pub(crate) fn new(
        conn: Connection,
        group_max: usize,
        readers: Readers,
        memory: Arc<Memory>,
    ) -> rusqlite::Result<Self> {
        let books = Books::open(&conn)?;
        let marks = Arc::new(Marks::default());
        books.publish(&marks);
        let (group_max, changed) = (group_max.max(1), Vec::new());
        Ok(Self { conn, books, marks, group_max, readers, memory, changed })
    }

    /// What this writer makes known.
    pub(crate) fn marks(&self) -> Arc<Marks> {
        Arc::clone(&self.marks)
    }

    /// Starts the thread. It ends when every [`Queue`] is gone and the queue is empty.
    pub(crate) fn start(self) -> std::io::Result<(Queue, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || self.serve(receiver))?;
        Ok((Queue(sender), thread))
    }

    fn serve(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut group = Vec::with_capacity(self.group_max);
        while queue.blocking_recv_many(&mut group, self.group_max) > 0 {
            self.commit_group(&mut group);
        }
        self.readers.close_idle();
        // A start after a clean stop then has no log to recover.
        let done = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = done {
            tracing::warn!(%error, "the log could not be moved into the file; the next start will");
        }
    }

    /// Commits and answers everything in `group`, and leaves it empty.
    fn commit_group(&mut self, group: &mut Vec<Box<dyn Job>>) {
        let failed = match self.attempt(group) {
            Ok(()) => return group.drain(..).for_each(|job| job.answer(Ok(()))),
            Err(error) => error,
        };
        if let (StoreError::Unknown(why), _) | (StoreError::Unavailable(why), [_]) =
            (&failed, &group[..])
        {
            tracing::error!(units = group.len(), reason = %why, "a group was not committed");
        }
        match failed {
            StoreError::Unknown(why) => {
                for job in group.drain(..) {
                    job.answer(Err(StoreError::Unknown(why.clone())));
                }
            }
            error if group.len() == 1 => {
                group.drain(..).for_each(|job| job.answer(Err(error.clone())));
            }
            _ => {
                for mut job in group.drain(..) {
                    let outcome = self.attempt(std::slice::from_mut(&mut job));
                    job.answer(outcome);
                }
            }
        }
    }

    /// One transaction with all of `jobs`; on failure nothing of it remains.
    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        self.readers.close_idle();
        let outcome = self.transact(jobs);
        self.marks.groups.fetch_add(1, Ordering::Release);
        // Whatever came of it, since that may be unknown.
        self.changed.drain(..).for_each(|user| self.memory.glances.forget(&user));
        self.memory.moved.note(self.books.touched());
        if outcome.is_ok() {
            self.books.keep();
            self.books.publish(&self.marks);
        } else {
            self.books.forget();
            self.roll_back();
        }
        outcome.map_err(StoreError::from)
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
        self.conn.prepare_cached(sql::BEGIN_WRITE)?.execute([])?;
        let phase = read_phase(&self.conn)?;
        let (conn, books, changed) = (&self.conn, &mut self.books, &mut self.changed);
        let mut tx = Tx { conn, books, memory: &self.memory, changed, phase };
        for job in jobs {
            job.run(&mut tx)?;
        }
        self.books.flush(&self.conn)?;
        let mut commit = self.conn.prepare_cached(sql::COMMIT)?;
        commit.execute([]).map(drop).map_err(Failure::Commit)
    }

    fn roll_back(&self) {
        // After some errors SQLite has rolled back by itself.
        if self.conn.is_autocommit() {
            return;
        }
        let done = self.conn.prepare_cached(sql::ROLLBACK).and_then(|mut stmt| stmt.execute([]));
        if let Err(error) = done {
            tracing::error!(%error, "a failed group could not be rolled back");
        }
    }
}

/// A [`Work`] with its answer's type put away, so that a group holds all sorts.
trait Job: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failure>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Task<W: Work> {
    work: W,
    answer: Option<Result<W::Answer, StoreError>>,
    reply: oneshot::Sender<Result<W::Answer, StoreError>>,
}

impl<W: Work> Job for Task<W> {
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let permit = match self.work.mover() {
            Some(run) => run.check(read_run(tx.conn)?),
            None => Ok(()),
        };
        let permit = permit.and_then(|()| W::WRITING.map_or(Ok(()), |what| tx.phase.permit(what)));
        self.answer = Some(match permit {
            Ok(()) => Ok(self.work.run(tx)?),
            Err(refusal) => Err(refusal),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { answer, reply, .. } = *self;
        let lost = || StoreError::Unknown("the writer has no answer".to_owned());
        // A caller who has gone away needs no answer; the work stays done.
        drop(reply.send(outcome.and_then(|()| answer.unwrap_or_else(|| Err(lost())))));
    }
}

impl Marks {
    /// Makes both places known to readers that come later.
    pub(crate) fn set(&self, head: u64, absorbed: u64) {
        self.head.store(head, Ordering::Release);
        self.absorbed.store(absorbed, Ordering::Release);
    }
}
