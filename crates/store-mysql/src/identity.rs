//! `Identity`: which state the database has, and which belongs to its catalogue.
//!
//! | verb | round trips |
//! |---|---|
//! | `get`, and `state` of the catalogue | 1 |
//! | `keep`, and `adopt` of the catalogue | 3 or 4: begin, lock, write, commit |
//! | `put` | 4 |
//!
//! Each stands in the row that those lock who write there, so nodes that start at once agree, and the
//! phase that lets it be written holds until it is. A transaction whose answer was lost is made again,
//! which changes nothing.

use async_trait::async_trait;
use store::{Identity, RunNumber, StateId, StoreError, Writing};

use crate::ask::Ask;
use crate::books::{phase_of, run_of};
use crate::codec::{bytes_if_any, corrupt};
use crate::connect::Session;
use crate::error::Failure;
use crate::options::{POINT_MAX, WRITE_MAX};
use crate::readers::{Readers, Unit};
use crate::{MysqlStore, sql};

/// Says which state the database has, unless it was said.
struct Keep(StateId);

#[async_trait]
impl Unit for Keep {
    type Answer = StateId;

    async fn run(&mut self, session: &mut Session) -> Result<StateId, Failure> {
        let row = session.row(&Ask::new(sql::IDENTITY_LOCK), WRITE_MAX).await?;
        let row = row.ok_or_else(|| no_row("state_head"))?;
        if let Some(known) = bytes_if_any(&row, 2)? {
            return Ok(StateId(known));
        }
        phase_of(&row)?.permit(Writing::Change)?;
        set(session, sql::IDENTITY_SET, self.0).await
    }
}

/// Says which state the database is filled with.
struct Put(RunNumber, StateId);

#[async_trait]
impl Unit for Put {
    type Answer = StateId;

    async fn run(&mut self, session: &mut Session) -> Result<StateId, Failure> {
        let row = session.row(&Ask::new(sql::IDENTITY_LOCK), WRITE_MAX).await?;
        let row = row.ok_or_else(|| no_row("state_head"))?;
        self.0.check(run_of(&row, 3)?)?;
        phase_of(&row)?.permit(Writing::Copy)?;
        set(session, sql::IDENTITY_SET, self.1).await
    }
}

/// Says which state belongs to the catalogue, unless it was said.
struct Adopt(StateId);

#[async_trait]
impl Unit for Adopt {
    type Answer = StateId;

    async fn run(&mut self, session: &mut Session) -> Result<StateId, Failure> {
        let row = session.row(&Ask::new(sql::CATALOG_STATE_LOCK), WRITE_MAX).await?;
        match bytes_if_any(&row.ok_or_else(|| no_row("catalog_head"))?, 0)? {
            Some(known) => Ok(StateId(known)),
            None => set(session, sql::CATALOG_STATE_SET, self.0).await,
        }
    }
}

async fn set(
    session: &mut Session,
    statement: &'static str,
    id: StateId,
) -> Result<StateId, Failure> {
    session.run(&Ask::new(statement).bind(&id.0[..]), WRITE_MAX).await?;
    Ok(id)
}

async fn read(
    readers: &Readers,
    statement: &'static str,
    table: &str,
) -> Result<Option<StateId>, StoreError> {
    let row = readers.row(&Ask::new(statement), POINT_MAX).await?;
    Ok(bytes_if_any(&row.ok_or_else(|| no_row(table))?, 0)?.map(StateId))
}

fn no_row(table: &str) -> Failure {
    corrupt(table, "the row is missing").into()
}

/// The state that belongs to the catalogue.
pub(crate) async fn of_catalog(readers: &Readers) -> Result<Option<StateId>, StoreError> {
    read(readers, sql::CATALOG_STATE, "catalog_head").await
}

/// Lets a state belong to the catalogue, unless one does, which is the answer then.
pub(crate) async fn adopt(readers: &Readers, state: StateId) -> Result<StateId, StoreError> {
    readers.transact(Adopt(state)).await
}

#[async_trait]
impl Identity for MysqlStore {
    async fn get(&self) -> Result<Option<StateId>, StoreError> {
        read(self.readers(), sql::IDENTITY, "state_head").await
    }

    async fn keep(&self, fresh: StateId) -> Result<StateId, StoreError> {
        self.readers().transact(Keep(fresh)).await
    }

    async fn put(&self, run: RunNumber, id: StateId) -> Result<(), StoreError> {
        self.readers().transact(Put(run, id)).await.map(drop)
    }
}
