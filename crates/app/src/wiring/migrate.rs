//! Brings the stores of a configuration to what this release needs.

use anyhow::Context;
use serde::Serialize;
use store_sqlite::{OpenError, SqliteStore};

use crate::config::{Loaded, State};

/// What became of one store.
#[derive(Serialize)]
pub(crate) struct Migrated {
    /// The section that names it.
    pub(crate) section: &'static str,
    /// What people call it.
    pub(crate) store: String,
    /// What was done, in words.
    pub(crate) outcome: String,
}

/// A file that a node has open is in order, or the node would not have started.
const IN_USE: &str = "in use by a node, which has brought it up to date";

/// Migrates every store that the configuration names, one after the other.
pub(crate) async fn migrate(loaded: &Loaded) -> anyhow::Result<Vec<Migrated>> {
    let config = &loaded.config;
    let mut migrated = Vec::new();
    let everything = Some(State::from(config.store.clone()));
    let named =
        [("store", &everything), ("state", &config.state), ("next_state", &config.next_state)];
    for (section, state) in named {
        let Some(state) = state else { continue };
        let store = state.name();
        let outcome = one(loaded, section, state)
            .await
            .with_context(|| format!("{store} cannot be migrated"))?;
        migrated.push(Migrated { section, store, outcome });
    }
    Ok(migrated)
}

async fn one(loaded: &Loaded, section: &str, state: &State) -> anyhow::Result<String> {
    match state {
        State::Sqlite(sqlite) => {
            // Opening it is what creates or upgrades it.
            match SqliteStore::open(&loaded.folder.join(&sqlite.path), sqlite.options()) {
                Ok(_) => Ok(format!("at version {}", store_sqlite::SCHEMA_VERSION)),
                Err(OpenError::InUse(_)) => Ok(IN_USE.to_owned()),
                Err(error) => Err(error.into()),
            }
        }
        State::Mysql(mysql) => {
            let url = loaded.mysql_url(section, mysql)?;
            let mut made = 0;
            let mut told = |step: store_mysql::Migrated| {
                made += u32::from(step.is_new);
                tracing::debug!(step.step, step.makes, "migrated");
            };
            store_mysql::migrate(&url, mysql.options(), &mut told).await?;
            Ok(match made {
                0 => format!("at version {}, as before", store_mysql::SCHEMA_VERSION),
                made => format!("at version {}; {made} new", store_mysql::SCHEMA_VERSION),
            })
        }
        State::Dynamo(dynamo) => {
            store_dynamo::create(&dynamo.place(), dynamo.shards).await?;
            Ok("the table is there, with its index".to_owned())
        }
    }
}
