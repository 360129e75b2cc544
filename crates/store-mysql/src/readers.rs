//! Sessions that read, and short transactions beside the writer's.
//!
//! A read takes a session, asks once, and gives it back: one round trip. A session whose answer
//! failed or was given up is dropped, never used again. A statement outside a transaction sees
//! everything committed before it began, so a read after an acknowledged commit sees it (S3).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::MySqlRow;
use store::StoreError;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use crate::ask::Ask;
use crate::books::order_of;
use crate::codec::corrupt;
use crate::connect::{Connector, Role, Session};
use crate::error::Failure;
use crate::gate::Gate;
use crate::options::{PLACE_MAX, POINT_MAX, TRIES_MAX, WRITE_MAX};
use crate::sql;

/// The sessions of one store.
#[derive(Debug)]
pub(crate) struct Readers(Source);

#[derive(Debug)]
enum Source {
    /// As many as are allowed, opened when needed.
    Pool(Pool),
    /// One, in a transaction that sees one moment; nothing once it is lost.
    View(tokio::sync::Mutex<Option<Session>>),
}

#[derive(Debug)]
struct Pool {
    connector: Connector,
    gate: Arc<Gate>,
    places: Semaphore,
    idle: Mutex<Vec<Session>>,
}

/// A short transaction beside the writer's. It may be run again although it was committed, when the
/// answer to the `COMMIT` was lost, and has to find that out by itself.
#[async_trait]
pub(crate) trait Unit: Send {
    /// What the caller is told once it is durable.
    type Answer: Send;

    /// Does the work inside a transaction; locks something first that makes such units take turns.
    async fn run(&mut self, session: &mut Session) -> Result<Self::Answer, Failure>;
}

impl Readers {
    /// At most `most` sessions.
    pub(crate) fn pool(connector: Connector, gate: Arc<Gate>, most: usize) -> Self {
        let places = Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS));
        Self(Source::Pool(Pool { connector, gate, places, idle: Mutex::default() }))
    }

    /// One session that stands in a transaction with a view of its own.
    pub(crate) fn view(session: Session) -> Self {
        Self(Source::View(tokio::sync::Mutex::new(Some(session))))
    }

    /// The rows that a statement finds, in one round trip.
    pub(crate) async fn rows(
        &self,
        ask: &Ask,
        limit: Duration,
    ) -> Result<Vec<MySqlRow>, StoreError> {
        match &self.0 {
            Source::Pool(pool) => pool.rows(ask, limit).await,
            Source::View(view) => view_rows(&mut *view.lock().await, ask, limit).await,
        }
    }

    /// The first row that a statement finds.
    pub(crate) async fn row(
        &self,
        ask: &Ask,
        limit: Duration,
    ) -> Result<Option<MySqlRow>, StoreError> {
        Ok(self.rows(ask, limit).await?.into_iter().next())
    }

    /// The row that every writer locks.
    pub(crate) async fn head(&self) -> Result<MySqlRow, StoreError> {
        let found = self.row(&Ask::new(sql::HEAD), POINT_MAX).await?;
        Ok(found.ok_or_else(no_head)?)
    }

    /// Runs a short transaction until it is committed or refused.
    pub(crate) async fn transact<U: Unit>(&self, mut unit: U) -> Result<U::Answer, StoreError> {
        match &self.0 {
            Source::Pool(pool) => pool.transact(&mut unit).await,
            Source::View(_) => {
                Err(StoreError::Unavailable("the store is open only for reading".to_owned()))
            }
        }
    }
}

/// Whether the order of the journal is total, as a session sees it.
pub(crate) async fn has_total_order(session: &mut Session) -> Result<bool, Failure> {
    let found = session.row(&Ask::new(sql::HEAD), POINT_MAX).await?;
    order_of(&found.ok_or_else(no_head)?)
}

fn no_head() -> Failure {
    corrupt("state_head", "the row is missing").into()
}

async fn view_rows(
    view: &mut Option<Session>,
    ask: &Ask,
    limit: Duration,
) -> Result<Vec<MySqlRow>, StoreError> {
    // Taken, so that a call that is given up half way leaves nothing to be used again.
    let mut session = view.take().ok_or_else(|| {
        StoreError::Unavailable("the view of the database is gone; open another".to_owned())
    })?;
    let answer = session.rows(ask, limit).await;
    if !answer.as_ref().is_err_and(Failure::is_lost) {
        *view = Some(session);
    }
    Ok(answer?)
}

impl Pool {
    async fn rows(&self, ask: &Ask, limit: Duration) -> Result<Vec<MySqlRow>, StoreError> {
        let since = self.gate.pass()?;
        let _place = self.place().await?;
        let idle = self.idle().pop();
        if let Some(mut session) = idle {
            match session.rows(ask, limit).await {
                // It may have been closed while it was idle; a read can be asked again.
                Err(failure) if failure.is_lost() && !matches!(failure, Failure::Late(_)) => {
                    self.idle().clear();
                }
                answer => return self.answer(session, answer, since),
            }
        }
        let mut session = self.open(since).await?;
        let answer = session.rows(ask, limit).await;
        self.answer(session, answer, since)
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let busy = || {
            StoreError::Unavailable(format!("every connection has been in use for {PLACE_MAX:?}"))
        };
        let place = timeout(PLACE_MAX, self.places.acquire()).await.map_err(|_| busy())?;
        self.gate.check()?;
        place.map_err(|_| busy())
    }

    async fn open(&self, since: Instant) -> Result<Session, StoreError> {
        let opened = self.connector.open(Role::Reader).await;
        opened.map_err(|failure| self.note(failure, since))
    }

    /// Keeps the session for the next one, unless it is lost.
    fn answer<T>(
        &self,
        session: Session,
        answer: Result<T, Failure>,
        since: Instant,
    ) -> Result<T, StoreError> {
        match answer {
            Err(failure) if failure.is_lost() => Err(self.note(failure, since)),
            answer => {
                self.gate.heard();
                self.idle().push(session);
                Ok(answer?)
            }
        }
    }

    /// Tells the gate of a failure.
    fn note(&self, failure: Failure, since: Instant) -> StoreError {
        let is_lost = failure.is_lost();
        let error = StoreError::from(failure);
        if is_lost {
            self.gate.lost(since, error.why());
        }
        error
    }

    async fn transact<U: Unit>(&self, unit: &mut U) -> Result<U::Answer, StoreError> {
        let since = self.gate.pass()?;
        let _place = self.place().await?;
        let mut idle = self.idle().pop();
        let mut is_unknown = false;
        for is_last in (1..=TRIES_MAX).map(|tries| tries == TRIES_MAX) {
            let mut session = match idle.take() {
                Some(session) => session,
                None => self.open(since).await.map_err(|error| after(error, is_unknown))?,
            };
            let Stopped { failure, is_committing } = match attempt(&mut session, unit).await {
                Ok(answer) => return self.answer(session, Ok(answer), since),
                Err(stopped) => stopped,
            };
            let is_lost = failure.is_lost();
            is_unknown |= is_committing && is_lost;
            let is_silent = matches!(failure, Failure::Late(_)) && !is_committing;
            if is_last || is_silent || !(failure.is_passing() || is_lost) {
                return Err(after(self.note(failure, since), is_unknown));
            }
        }
        Err(StoreError::Unavailable("the transaction was never tried".to_owned()))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a transaction failed.
struct Stopped {
    failure: Failure,
    /// Whether the `COMMIT` had been sent.
    is_committing: bool,
}

/// One transaction. After a failure the session is dropped, and the server rolls back.
async fn attempt<U: Unit>(session: &mut Session, unit: &mut U) -> Result<U::Answer, Stopped> {
    let before = |failure| Stopped { failure, is_committing: false };
    session.plain(sql::BEGIN, POINT_MAX).await.map_err(before)?;
    let answer = unit.run(session).await.map_err(before)?;
    let commit = session.plain(sql::COMMIT, WRITE_MAX).await;
    commit.map_err(|failure| Stopped { failure, is_committing: true })?;
    Ok(answer)
}

/// What an error means when an earlier try may have been committed.
fn after(error: StoreError, is_unknown: bool) -> StoreError {
    match error {
        StoreError::Unavailable(why) if is_unknown => StoreError::Unknown(why),
        error => error,
    }
}
