//! Puts the parts together as the configuration says.

mod beside;
mod freshness;
mod identity;
mod migrate;
mod one;
mod stores;

use std::sync::Arc;

use anyhow::Context;
use data_encoding::HEXLOWER_PERMISSIVE;
use domain::ids::bearer_digest;
use engine::{Ctx, Engine, EngineError, Stores, Vault};
use store::{LOOK_EVERY, StateStore, StoreError};
use store_sqlite::OpenError;

use crate::clock;
use crate::commands::verify;
use crate::config::{Config, Loaded, Role};
pub(crate) use beside::{Beside, broker_settings, cache_settings};
pub(crate) use freshness::Freshness;
pub(crate) use identity::{ELSEWHERE, REMEDY, belongs, check_of};
pub(crate) use migrate::{Migrated, migrate};
pub(crate) use one::{Described, are_one};
use stores::Opened;
pub(crate) use stores::{Access, has_newest_of, has_views, open_catalog, open_dynamo, open_state};

/// Name under which the command line signs its edits.
pub(crate) const CLI_NAME: &str = "command line";

/// An engine on its stores.
pub(crate) struct Node {
    pub(crate) engine: Arc<Engine>,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) beside: Beside,
    pub(crate) cli_key: String,
}

/// Opens the stores for writing and loads the catalogue.
pub(crate) async fn open(loaded: &Loaded) -> anyhow::Result<Node> {
    // Keys come first: without them no database is made that nobody could use.
    let vault = vault(loaded)?;
    let node = assemble(loaded, vault, stores::open(loaded, Access::Work).await?)?;
    // Whoever starts in the pause of a move waits for its end.
    while let Err(error) = node.engine.refresh_catalog(&Ctx::at(clock::now())).await {
        match error {
            EngineError::Store(StoreError::Moving(_)) => tokio::time::sleep(LOOK_EVERY).await,
            error => return Err(error).context(NO_CATALOG),
        }
    }
    Ok(node)
}

/// Opens one view of the stores, in which everything fits together, beside a server that may be
/// running.
pub(crate) async fn open_view(loaded: &Loaded) -> anyhow::Result<Node> {
    let vault = vault(loaded)?;
    let node = assemble(loaded, vault, stores::open(loaded, Access::View).await?)?;
    node.engine.load_catalog(&Ctx::at(clock::now())).await.context(NO_CATALOG)?;
    Ok(node)
}

/// Whether opening failed only because another process serves the database.
pub(crate) fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::InUse(_)))
}

/// The admin key of the command line: whoever can read the master key can use it, nobody else.
pub(crate) fn cli_key(vault: &Vault) -> String {
    data_encoding::HEXLOWER.encode(&vault.derive("command line admin key"))
}

/// The vault that the configuration's master keys open.
pub(crate) fn vault(loaded: &Loaded) -> anyhow::Result<Vault> {
    let (current, older) = loaded.master_keys()?;
    Ok(Vault::new(&current, &older))
}

/// What is said when the catalogue cannot be read.
const NO_CATALOG: &str = "cannot load the catalogue";

fn assemble(loaded: &Loaded, vault: Vault, opened: Opened) -> anyhow::Result<Node> {
    let cli_key = cli_key(&vault);
    let freshness = Freshness::of(opened.catalog);
    let stores = Stores {
        state: Arc::clone(&opened.state),
        catalog: Arc::clone(&freshness) as _,
        reports: opened.reports,
    };
    let (engine, beside) = beside::give(loaded, Engine::new(stores, vault))?;
    Ok(Node { engine: Arc::new(engine), state: opened.state, freshness, beside, cli_key })
}

/// How the server derives its books anew: from one view of the store.
pub(crate) fn verify(loaded: &Loaded) -> api::Verify {
    let loaded = Arc::new(loaded.clone());
    Arc::new(move |ctx| {
        let loaded = Arc::clone(&loaded);
        Box::pin(async move {
            let verified = verify::derive(&loaded, &ctx, |_, _| {}).await;
            verified.map_err(|error| format!("{error:#}"))
        })
    })
}

/// The admin keys of the configuration, and the one that the command line derives for itself.
pub(crate) fn admin_keys(config: &Config, cli_key: &str) -> Vec<api::AdminKey> {
    let own = api::AdminKey {
        name: CLI_NAME.to_owned(),
        role: api::Role::Admin,
        digest: bearer_digest(cli_key),
    };
    let configured = config.admin_keys.iter().map(|key| {
        let bytes = HEXLOWER_PERMISSIVE.decode(key.digest.as_bytes()).unwrap_or_default();
        api::AdminKey {
            name: key.name.clone(),
            role: role(key.role),
            digest: bytes.try_into().unwrap_or_default(),
        }
    });
    std::iter::once(own).chain(configured).collect()
}

fn role(role: Role) -> api::Role {
    match role {
        Role::Admin => api::Role::Admin,
        Role::AdOps => api::Role::AdOps,
        Role::Finance => api::Role::Finance,
        Role::Support => api::Role::Support,
        Role::ReadOnly => api::Role::ReadOnly,
    }
}
