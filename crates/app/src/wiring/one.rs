//! Whether two sections mean one store, however each of them spells it.

use anyhow::Context;
use futures_util::future::BoxFuture;

use crate::config::{Loaded, State};

/// A state store as a section describes it.
#[derive(Clone, Copy)]
pub(crate) struct Described<'a> {
    /// The configuration.
    pub(crate) loaded: &'a Loaded,
    /// Its section, such as `next_state`.
    pub(crate) section: &'a str,
    /// What that says.
    pub(crate) state: &'a State,
}

/// Asks the servers. The future is boxed, because those of the SDK are too deep to be part of others.
pub(crate) fn are_one<'a>(
    one: Described<'a>,
    other: Described<'a>,
) -> BoxFuture<'a, anyhow::Result<bool>> {
    Box::pin(async move {
        match (one.state, other.state) {
            (State::Sqlite(file), State::Sqlite(beside)) => {
                let file = one.loaded.folder.join(&file.path).canonicalize();
                let beside = other.loaded.folder.join(&beside.path).canonicalize();
                // One that is not there is no other.
                Ok(matches!((file, beside), (Ok(file), Ok(beside)) if file == beside))
            }
            (State::Mysql(database), State::Mysql(beside)) => {
                let database = one.loaded.mysql_url(one.section, database)?;
                let beside = other.loaded.mysql_url(other.section, beside)?;
                let found = store_mysql::are_one(&database, &beside).await;
                found.context("cannot find out whether both databases are one")
            }
            (State::Dynamo(table), State::Dynamo(beside)) => {
                let found = store_dynamo::are_one(&table.place(), &beside.place()).await;
                found.context("cannot find out whether both tables are one")
            }
            _ => Ok(false),
        }
    })
}
