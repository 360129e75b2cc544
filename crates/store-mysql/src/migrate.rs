//! Bringing the schema to this release: numbered steps, taken while the service runs, and taken up
//! where they were left however the last run ended.
//!
//! The server commits each statement of a step by itself. So before each one its effect is looked
//! for, and after each one `schema_steps` notes it: the note says how far a run came, the look
//! makes a statement that was done but not noted harmless. A lock of the server keeps two migrators
//! apart, and goes with the session of one that died.

use sqlx::Row;
use sqlx::mysql::MySqlRow;
use std::cmp::Ordering;
use std::time::Duration;
use store::StoreError;

use crate::ask::Ask;
use crate::connect::{Connector, Role, Session};
use crate::error::{Failure, OpenError};
use crate::options::{Options, POINT_MAX, TABLE_PAUSE, TABLE_TRIES_MAX};
use crate::steps::{Guarded, Makes, NOTES, STEPS, Step};
use crate::{server, sql};

/// The schema that this release needs.
pub const SCHEMA_VERSION: u32 = STEPS.len() as u32;

/// How long a migrator waits for another one to end, in seconds: one that was killed holds its lock
/// until the server notices.
const LOCK_WAIT_SECONDS: u32 = 5;

/// How long one statement of a step may take: an index on a table of a terabyte takes hours.
const STATEMENT_MAX: Duration = Duration::from_secs(24 * 3_600);

/// One statement of a migration that is there now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Migrated {
    /// Number of the step, from 1.
    pub step: u32,
    /// What the step is for.
    pub name: &'static str,
    /// Number of the statement in its step, from 1.
    pub done: u32,
    /// Statements of the step.
    pub of: u32,
    /// What the statement makes, such as `table users`.
    pub makes: String,
    /// Whether it was made just now, and not by a run before.
    pub is_new: bool,
}

/// Brings the schema of the database at `url` to this release, and tells of each statement. Safe to
/// run again at any time, and while servers of this release and the one before run.
///
/// # Errors
/// The database cannot be used, belongs to another program or is of a newer release, or another
/// migration is at work.
pub async fn migrate(
    url: &str,
    options: Options,
    told: &mut (dyn FnMut(Migrated) + Send),
) -> Result<(), OpenError> {
    let connector = Connector::parse(url)?;
    let mut session = connector.open_first(Role::Migrator).await?;
    server::check(&mut session, &options).await?;
    take(&mut session, STEPS, told).await
}

/// Fails unless the schema is exactly the one of this release.
pub(crate) async fn check_version(session: &mut Session) -> Result<(), OpenError> {
    let found = version_of(session).await.map_err(refused)?;
    match found.cmp(&SCHEMA_VERSION) {
        Ordering::Less => Err(OpenError::Older { found, known: SCHEMA_VERSION }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(OpenError::Newer { found, known: SCHEMA_VERSION }),
    }
}

/// How many steps were taken to their end; 0 for an empty database.
pub(crate) async fn version_of(session: &mut Session) -> Result<u32, Failure> {
    if !is_there(session, NOTES.makes).await? {
        return Ok(0);
    }
    let notes = session.rows(&Ask::new(sql::STEPS_READ), POINT_MAX).await?;
    let mut version = 0;
    for note in &notes {
        let (step, done, of): (u32, u32, u32) =
            (note.try_get(0)?, note.try_get(1)?, note.try_get(2)?);
        if done >= of {
            version = version.max(step);
        }
    }
    Ok(version)
}

async fn take(
    session: &mut Session,
    steps: &'static [Step],
    told: &mut (dyn FnMut(Migrated) + Send),
) -> Result<(), OpenError> {
    lock(session).await?;
    check_ours(session).await?;
    let (found, known) = (version_of(session).await.map_err(refused)?, steps.len() as u32);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for (number, step) in (1_u32..).zip(steps).skip(found as usize) {
        take_step(session, number, step, told).await.map_err(refused)?;
    }
    session.rows(&Ask::new(sql::STEPS_UNLOCK), POINT_MAX).await.map_err(refused)?;
    Ok(())
}

async fn lock(session: &mut Session) -> Result<(), OpenError> {
    let limit = Duration::from_secs(u64::from(LOCK_WAIT_SECONDS)) + POINT_MAX;
    let ask = Ask::new(sql::STEPS_LOCK).bind(LOCK_WAIT_SECONDS);
    let row = session.row(&ask, limit).await.map_err(refused)?;
    let taken = row.map(|row| row.try_get::<Option<i64>, _>(0)).transpose();
    match taken.map_err(|error| refused(error.into()))?.flatten() {
        Some(1) => Ok(()),
        _ => Err(OpenError::Migrating),
    }
}

/// What the steps that were taken have made and is not there any more, in words.
pub(crate) async fn missing(session: &mut Session) -> Result<Vec<String>, Failure> {
    let taken = version_of(session).await? as usize;
    let mut missing = Vec::new();
    for statement in STEPS.iter().take(taken).flat_map(|step| step.statements) {
        let is_checked = !matches!(statement.makes, Makes::Rows(_));
        if is_checked && !is_there(session, statement.makes).await? {
            missing.push(statement.makes.words());
        }
    }
    Ok(missing)
}

/// Whether the database has tables but no notes of ours.
pub(crate) async fn is_foreign(session: &mut Session) -> Result<bool, Failure> {
    if is_there(session, NOTES.makes).await? {
        return Ok(false);
    }
    Ok(!session.rows(&Ask::new(sql::TABLES), POINT_MAX).await?.is_empty())
}

/// Fails if the database is another program's; makes the notes if it is empty.
async fn check_ours(session: &mut Session) -> Result<(), OpenError> {
    if is_foreign(session).await.map_err(refused)? {
        let database = session.row(&Ask::new(sql::DATABASE), POINT_MAX).await.map_err(refused)?;
        let name = database.map(|row| row.try_get(0)).transpose();
        let name: Option<String> = name.map_err(|error| refused(error.into()))?;
        return Err(OpenError::NotOurs(name.unwrap_or_default()));
    }
    if is_there(session, NOTES.makes).await.map_err(refused)? {
        return Ok(());
    }
    session.plain(NOTES.text, STATEMENT_MAX).await.map_err(refused)
}

async fn take_step(
    session: &mut Session,
    number: u32,
    step: &Step,
    told: &mut (dyn FnMut(Migrated) + Send),
) -> Result<(), Failure> {
    tracing::info!(schema.version = number, step = step.name, "bringing the schema forward");
    let of = step.statements.len() as u32;
    for (done, statement) in (1_u32..).zip(step.statements) {
        let is_new = make(session, statement).await?;
        let note = Ask::new(sql::STEP_NOTE).bind(number).bind(done).bind(of);
        session.run(&note, POINT_MAX).await?;
        let makes = statement.makes.words();
        told(Migrated { step: number, name: step.name, done, of, makes, is_new });
    }
    Ok(())
}

/// Runs a statement unless what it makes is there; whether it was run.
async fn make(session: &mut Session, statement: &Guarded) -> Result<bool, Failure> {
    let mut tries = 0;
    while !is_there(session, statement.makes).await? {
        tries += 1;
        match session.plain(statement.text, STATEMENT_MAX).await {
            Ok(()) => return Ok(true),
            Err(failure) if failure.is_passing() && tries < TABLE_TRIES_MAX => {
                let makes = statement.makes.words();
                tracing::info!(makes, tries, "the table is in use; giving way and trying again");
                tokio::time::sleep(TABLE_PAUSE).await;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(false)
}

async fn is_there(session: &mut Session, what: Makes) -> Result<bool, Failure> {
    let ask = match what {
        Makes::Table(table) => Ask::new(sql::HAS_TABLE).bind(table),
        Makes::Column(table, column) => Ask::new(sql::HAS_COLUMN).bind(table).bind(column),
        Makes::Index(table, index) => Ask::new(sql::HAS_INDEX).bind(table).bind(index),
        // The statement itself passes over the rows that are there.
        Makes::Rows(_) => return Ok(false),
    };
    let row = session.row(&ask, POINT_MAX).await?;
    let count = |row: MySqlRow| row.try_get::<i64, _>(0);
    Ok(row.map(count).transpose()?.unwrap_or_default() > 0)
}

fn refused(failure: Failure) -> OpenError {
    OpenError::Refused(StoreError::from(failure).to_string())
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use services::MariaDb;

    use super::*;

    /// The first layout, and a step such as later releases will have.
    const WITH_LATER: &[Step] = &[
        STEPS[0],
        Step {
            name: "a column and an index for a test",
            statements: &[
                Guarded {
                    makes: Makes::Column("users", "note"),
                    text: "ALTER TABLE users ADD COLUMN note INT UNSIGNED NULL, ALGORITHM=INSTANT",
                },
                Guarded {
                    makes: Makes::Index("users", "users_note"),
                    text: "ALTER TABLE users ADD KEY users_note (note), ALGORITHM=INPLACE, LOCK=NONE",
                },
            ],
        },
    ];

    /// Everything that makes a layout, in order.
    const LAYOUT: &str = "
        SELECT table_name, engine, table_collation FROM information_schema.tables
            WHERE table_schema = DATABASE() ORDER BY table_name;
        SELECT table_name, ordinal_position, column_name, column_type, is_nullable, collation_name
            FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 2;
        SELECT table_name, index_name, seq_in_index, column_name, non_unique
            FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3;
        SELECT * FROM schema_steps ORDER BY step; SELECT * FROM state_head;
        SELECT * FROM delivery_counts ORDER BY state; SELECT * FROM report_head;
        SELECT * FROM catalog_head";

    /// A future that is polled so often and then no more, as if its process had been killed there.
    struct Mortal<F> {
        inner: Pin<Box<F>>,
        polls: u32,
    }

    impl<F: Future> Future for Mortal<F> {
        type Output = Option<F::Output>;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            if self.polls == 0 {
                return Poll::Ready(None);
            }
            self.polls -= 1;
            self.inner.as_mut().poll(context).map(Some)
        }
    }

    async fn open(url: &str, role: Role) -> Session {
        Connector::parse(url).unwrap().open_first(role).await.unwrap()
    }

    async fn take_all(url: &str) -> Result<(), OpenError> {
        let mut session = open(url, Role::Migrator).await;
        take(&mut session, WITH_LATER, &mut |_| {}).await
    }

    fn layout(server: &MariaDb, database: &str) -> String {
        server.sql(&format!("USE {database}; {LAYOUT}")).unwrap()
    }

    #[tokio::test]
    async fn a_migrator_that_is_killed_anywhere_is_taken_up() {
        // The server outlives every kill here, so it need not wait for the disk.
        let options = ["--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0"];
        let server = MariaDb::start_with(&options).unwrap();
        take_all(&server.url("whole")).await.unwrap();
        let whole = layout(&server, "whole");
        let mut kills = 0;
        loop {
            let database = format!("killed_{kills}");
            let url = server.url(&database);
            let killed = Mortal { inner: Box::pin(take_all(&url)), polls: kills }.await;
            take_all(&url).await.unwrap();
            assert_eq!(layout(&server, &database), whole, "killed after {kills} polls");
            kills += 1;
            if killed.is_some() {
                break;
            }
        }
        // Each statement takes three round trips: to look for its effect, to run it, to note it.
        let statements: usize = WITH_LATER.iter().map(|step| step.statements.len()).sum();
        assert!(kills as usize > 2 * statements, "only {kills} points were tried");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_of_a_table_gives_way_to_those_who_use_it() {
        let server = MariaDb::start().unwrap();
        let url = server.url("used");
        let mut session = open(&url, Role::Migrator).await;
        take(&mut session, STEPS, &mut |_| {}).await.unwrap();
        let mut reader = open(&url, Role::View).await;
        reader.plain(sql::BEGIN_VIEW, POINT_MAX).await.unwrap();
        let users = Ask::new("SELECT COUNT(*) FROM users");
        reader.rows(&users, POINT_MAX).await.unwrap();
        let migrating = tokio::spawn(async move { take_all(&url).await });
        let column = "SELECT COUNT(*) FROM information_schema.processlist \
                      WHERE state LIKE 'Waiting for table metadata lock%'";
        for is_waiting in ["1\n", "0\n", "1\n"] {
            while server.sql(column).unwrap() != is_waiting {
                assert!(!migrating.is_finished(), "it did not wait for the reader");
            }
        }
        drop(reader);
        migrating.await.unwrap().unwrap();
        assert_eq!(version_of(&mut session).await.unwrap(), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_second_migrator_waits_for_the_first_or_is_refused() {
        let server = MariaDb::start().unwrap();
        let url = server.url("two");
        let mut first = open(&url, Role::Migrator).await;
        lock(&mut first).await.unwrap();
        let refused = take_all(&url).await;
        assert!(matches!(refused, Err(OpenError::Migrating)), "{refused:?}");
        let second = tokio::spawn(async move { take_all(&url).await });
        let waiting = "SELECT COUNT(*) FROM information_schema.processlist \
                       WHERE state = 'User lock'";
        while server.sql(waiting).unwrap() != "1\n" {
            assert!(!second.is_finished(), "it did not wait for the first");
        }
        drop(first);
        second.await.unwrap().unwrap();
    }
}
