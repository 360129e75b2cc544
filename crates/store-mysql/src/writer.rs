//! The one writer of a node: a task that commits whatever waits as one transaction (group commit).
//!
//! Every transaction of the state, of every node, first locks the one row of `state_head`. So they
//! take turns and cannot deadlock, what a group reads is current, the order of the journal is the
//! order of the commits, and the fence of a move is in order with them. Speed comes from the group:
//! it has the same three round trips and the same fsyncs for one unit and for hundreds.
//!
//! | moment | round trips | fsyncs |
//! |---|---|---|
//! | lock the head, read what the units want ([`Wants`]) | 1 | 0 |
//! | decide, in memory ([`Books`]) | 0 | 0 |
//! | write everything, budgets and the head guarded and last | 1 a MiB | 0 |
//! | commit | 1 | the server's: binary log and redo log |
//!
//! A refused unit writes nothing and does not disturb its group. A group that fails because of what
//! one unit writes is rolled back and its units are tried singly. Everybody is answered after the
//! `COMMIT` has; if its answer is lost, [`find_out`] asks the database what became of it.

mod batch;
mod find_out;
mod group;

use std::sync::Arc;
use std::time::Duration;

use store::{RunNumber, StoreError, Writing};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

pub(crate) use batch::{Batch, Reply, Value, int_or_null, uint_or_null};

use crate::books::{Books, Wants};
use crate::connect::{Connector, Role, Session};
use crate::error::Failure;
use crate::gate::Gate;
use crate::options::{REFUSE_FOR, WRITE_MAX};
use crate::sql;

/// Units that wait for the writer. When so many wait, callers wait to be let in.
const QUEUE_MAX: usize = 4_096;

/// How long a caller waits to be let in, after which answering late is worse than refusing.
const PLACE_MAX: Duration = Duration::from_secs(1);

/// How often an idle writer asks whether the database is there, so that the server does not end its
/// session and callers are refused at once when it is not.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// One unit of work: all of it is committed, or nothing.
pub(crate) trait Work: Send + 'static {
    /// What the caller is told once it is durable.
    type Answer: Send + 'static;

    /// What the phase of the store must permit; nothing for a change of the phase itself.
    const WRITING: Option<Writing>;

    /// The run of a mover that it is done for; another run may have taken the store over.
    fn mover(&self) -> Option<RunNumber> {
        None
    }

    /// Says what [`Work::run`] will look at.
    fn wants(&self, wants: &mut Wants);

    /// Does the work on the group's books. It runs again if the group failed, and leaves the books
    /// alone if it fails itself.
    fn run(&self, books: &mut Books) -> Result<Self::Answer, StoreError>;
}

/// The callers' end of the queue. The writer ends when this is gone and the queue is empty.
#[derive(Debug)]
pub(crate) struct Queue {
    jobs: mpsc::Sender<Box<dyn Job>>,
    gate: Arc<Gate>,
}

impl Queue {
    /// Starts a writer whose groups have at most so many units.
    ///
    /// # Errors
    /// The database does not give it a session and a name.
    pub(crate) async fn start(
        connector: Connector,
        gate: Arc<Gate>,
        group_max: usize,
    ) -> Result<Self, Failure> {
        let mut session = connector.open(Role::Writer).await?;
        let id = group::name_for(&mut session).await?;
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let writer = Writer {
            connector,
            gate: Arc::clone(&gate),
            session: Some(session),
            id,
            group_no: 0,
            group_max: group_max.max(1),
            queue,
        };
        tokio::spawn(writer.serve());
        Ok(Self { jobs, gate })
    }

    /// Waits for a place in the queue, and then until the work is durable or refused.
    pub(crate) async fn ask<W: Work>(&self, work: W) -> Result<W::Answer, StoreError> {
        self.gate.check()?;
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { work, answer: None, reply });
        match timeout(PLACE_MAX, self.jobs.send(task)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(unavailable("the store is shutting down")),
            Err(_) => return Err(unavailable("too many changes wait for the database")),
        }
        let lost = || StoreError::Unknown("the writer ended before it answered".to_owned());
        answer.await.map_err(|_| lost())?
    }
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

/// The task's end of the queue.
struct Writer {
    connector: Connector,
    gate: Arc<Gate>,
    /// Nothing while the database has not been reached again after a loss.
    session: Option<Session>,
    id: [u8; 16],
    /// The number of the newest group, committed or not.
    group_no: u64,
    group_max: usize,
    queue: mpsc::Receiver<Box<dyn Job>>,
}

impl Writer {
    async fn serve(mut self) {
        let mut group = Vec::with_capacity(self.group_max);
        loop {
            let pause = if self.gate.check().is_ok() { IDLE_MAX } else { REFUSE_FOR };
            match timeout(pause, self.queue.recv_many(&mut group, self.group_max)).await {
                Ok(0) => return,
                Ok(_) => self.commit_group(&mut group).await,
                Err(_) => self.look().await,
            }
        }
    }

    /// Asks whether the database is there, on a new session if need be.
    async fn look(&mut self) {
        let since = Instant::now();
        match self.knock().await {
            Ok(()) => self.gate.heard(),
            Err(failure) => drop(self.lose(failure, since)),
        }
    }

    async fn knock(&mut self) -> Result<(), Failure> {
        if let Some(session) = &mut self.session {
            match session.plain(sql::PING, WRITE_MAX).await {
                Err(failure) if failure.is_lost() && !matches!(failure, Failure::Late(_)) => {}
                answer => return answer,
            }
        }
        self.session = None;
        self.session().await.map(drop)
    }

    async fn session(&mut self) -> Result<&mut Session, Failure> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.connector.open(Role::Writer).await?,
        };
        Ok(self.session.insert(session))
    }

    /// Gives the session up after a failure, and says so to everybody if the database is gone.
    fn lose(&mut self, failure: Failure, since: Instant) -> StoreError {
        let is_lost = failure.is_lost();
        let error = StoreError::from(failure);
        self.session = None;
        if is_lost {
            self.gate.lost(since, error.why());
            self.refuse_waiting();
        } else {
            // It said no, so it is there.
            self.gate.heard();
        }
        error
    }

    /// Answers whoever waits, if the database is known to be gone.
    fn refuse_waiting(&mut self) {
        while let Err(error) = self.gate.check() {
            let Ok(job) = self.queue.try_recv() else { return };
            job.answer(Err(error));
        }
    }

    /// Commits and answers everything in `group`, and leaves it empty.
    async fn commit_group(&mut self, group: &mut Vec<Box<dyn Job>>) {
        if let Err(error) = self.gate.check() {
            return group.drain(..).for_each(|job| job.answer(Err(error.clone())));
        }
        // Nobody is told of it, and nothing of it has begun.
        group.retain(|job| !job.is_given_up());
        match self.commit(group).await {
            // What is stored or written does not fit: of one unit, and not of the others.
            Err(StoreError::Corrupt(_)) if group.len() > 1 => {
                for mut job in group.drain(..) {
                    let outcome = self.commit(std::slice::from_mut(&mut job)).await;
                    job.answer(outcome);
                }
            }
            Ok(()) => group.drain(..).for_each(|job| job.answer(Ok(()))),
            Err(error) => {
                tracing::error!(units = group.len(), reason = %error, "a group was not committed");
                group.drain(..).for_each(|job| job.answer(Err(error.clone())));
            }
        }
    }
}

/// A [`Work`] with its answer's type put away, so that a group holds all sorts.
trait Job: Send {
    fn wants(&self, wants: &mut Wants);
    fn run(&mut self, books: &mut Books);
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
    fn is_given_up(&self) -> bool;
}

struct Task<W: Work> {
    work: W,
    answer: Option<Result<W::Answer, StoreError>>,
    reply: oneshot::Sender<Result<W::Answer, StoreError>>,
}

impl<W: Work> Job for Task<W> {
    fn wants(&self, wants: &mut Wants) {
        self.work.wants(wants);
    }

    fn run(&mut self, books: &mut Books) {
        let is_his = self.work.mover().map_or(Ok(()), |run| run.check(books.run()));
        let may = || W::WRITING.map_or(Ok(()), |what| books.phase().permit(what));
        let permitted = is_his.and_then(|()| may());
        self.answer = Some(permitted.and_then(|()| self.work.run(books)));
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { answer, reply, .. } = *self;
        let lost = || Err(StoreError::Unknown("the writer has no answer".to_owned()));
        // A caller who has gone away needs no answer; the work stays done.
        drop(reply.send(outcome.and_then(|()| answer.unwrap_or_else(lost))));
    }

    fn is_given_up(&self) -> bool {
        self.reply.is_closed()
    }
}
