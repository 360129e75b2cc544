//! Opens the stores that a configuration names. Nobody else knows that there are several kinds.

use std::sync::Arc;

use anyhow::{Context, bail};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use store::{
    CatalogStore, Identity, Movable, Opener, Phase, Reports, StateId, StateStore, StoreError,
    Switch, Transfer,
};
use store_dynamo::DynamoStore;
use store_mysql::MysqlStore;
use store_sqlite::SqliteStore;

use super::identity;
use crate::config::{Dynamo, Loaded, Mysql, Sqlite, State, Store};

/// For what a store is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// To work on it.
    Work,
    /// To read it as it is at one moment, beside those who work on it.
    View,
    /// To move the state out of it, beside those who work on it.
    Beside,
}

/// The stores of one node.
pub(crate) struct Opened {
    pub(crate) catalog: Arc<dyn CatalogStore>,
    pub(crate) reports: Arc<dyn Reports>,
    pub(crate) state: Arc<dyn StateStore>,
}

/// Opens all stores of a configuration.
pub(crate) async fn open(loaded: &Loaded, access: Access) -> anyhow::Result<Opened> {
    let whole = match &loaded.config.store {
        Store::Sqlite(sqlite) => Whole::of(open_sqlite(loaded, sqlite, access)?),
        Store::Mysql(mysql) => Whole::of(open_mysql(loaded, "store", mysql, access).await?),
    };
    let current = match &loaded.config.state {
        Some(state) => open_state(loaded, "state", state, access).await?,
        None => whole.state,
    };
    let state = match access {
        Access::Work => {
            has_not_gone(loaded, &current).await?;
            let own = identity::settle(&*whole.catalog, &current).await?;
            following(loaded, current, own)
        }
        Access::Beside => current.state,
        Access::View => {
            let opened = view_of_whoever_has_it(loaded, current).await?;
            identity::check(&*whole.catalog, &opened).await?;
            opened.state
        }
    };
    Ok(Opened { catalog: whole.catalog, reports: whole.reports, state })
}

/// Opens the catalogue of a configuration, and nothing else.
pub(crate) async fn open_catalog(
    loaded: &Loaded,
    access: Access,
) -> anyhow::Result<Arc<dyn CatalogStore>> {
    Ok(match &loaded.config.store {
        Store::Sqlite(sqlite) => open_sqlite(loaded, sqlite, access)?,
        Store::Mysql(mysql) => open_mysql(loaded, "store", mysql, access).await?,
    })
}

/// Opens the store of users, budgets, outbox and journal that a section describes.
pub(crate) async fn open_state(
    loaded: &Loaded,
    section: &str,
    state: &State,
    access: Access,
) -> anyhow::Result<Movable> {
    Ok(match state {
        State::Sqlite(sqlite) => Movable::of(&open_sqlite(loaded, sqlite, access)?),
        State::Mysql(mysql) => Movable::of(&open_mysql(loaded, section, mysql, access).await?),
        // It has no view of one moment; whoever verifies it looks twice.
        State::Dynamo(dynamo) => Movable::of(&open_dynamo(section, dynamo).await?),
    })
}

/// Whether such a store can be read as it is at one moment.
pub(crate) fn has_views(state: &State) -> bool {
    !matches!(state, State::Dynamo(_))
}

/// A store that keeps everything, by each of its ports.
struct Whole {
    catalog: Arc<dyn CatalogStore>,
    reports: Arc<dyn Reports>,
    state: Movable,
}

impl Whole {
    fn of<S>(store: Arc<S>) -> Self
    where
        S: CatalogStore + Reports + StateStore + Transfer + Identity + 'static,
    {
        Self { state: Movable::of(&store), catalog: Arc::clone(&store) as _, reports: store }
    }
}

/// The state, wherever it goes while this process runs. A store from which it has moved is used no
/// more, also where nobody says where to.
fn following(loaded: &Loaded, current: Movable, own: Option<StateId>) -> Arc<dyn StateStore> {
    let opener = loaded.config.next_state.is_some().then(|| {
        let next = Next { loaded: loaded.clone(), own };
        Box::new(next) as Box<dyn Opener>
    });
    Arc::new(Switch::new(current, opener))
}

/// The store that the state moves to.
struct Next {
    loaded: Loaded,
    /// Which state it has to be.
    own: Option<StateId>,
}

#[async_trait]
impl Opener for Next {
    async fn open(&self) -> Result<Movable, StoreError> {
        let opened = open_moved(&self.loaded, self.own).await;
        opened.map_err(|error| match error.downcast::<StoreError>() {
            Ok(failed) => failed,
            Err(error) => StoreError::Unavailable(format!("{error:#}")),
        })
    }
}

/// The next store, to work on it if it is whole. It is looked at first, because whoever works on a file
/// has its lock, which is the mover's until then; and a file that is not there is not made.
async fn open_moved(loaded: &Loaded, own: Option<StateId>) -> anyhow::Result<Movable> {
    let seen = open_next(loaded, Access::Beside).await?;
    let is_whole = seen.transfer.phase().await? != Phase::Filling;
    if is_whole {
        identity::check_next(&seen, own).await?;
    }
    match &loaded.config.next_state {
        Some(State::Sqlite(_)) if is_whole => open_next(loaded, Access::Work).await,
        _ => Ok(seen),
    }
}

async fn open_next(loaded: &Loaded, access: Access) -> anyhow::Result<Movable> {
    let next = loaded.config.next_state.as_ref().context("no [next_state] is configured")?;
    open_state(loaded, "next_state", next, access).await
}

/// Refuses a store from which the state has moved to one that nothing here names.
async fn has_not_gone(loaded: &Loaded, current: &Movable) -> anyhow::Result<()> {
    match (current.transfer.phase().await?, &loaded.config.next_state) {
        (Phase::Moved(to), None) => bail!("{}; let [state] describe it", StoreError::Moved(to)),
        _ => Ok(()),
    }
}

async fn view_of_whoever_has_it(loaded: &Loaded, current: Movable) -> anyhow::Result<Movable> {
    has_not_gone(loaded, &current).await?;
    match current.transfer.phase().await? {
        Phase::Moved(to) => {
            let next = open_next(loaded, Access::View).await;
            let next = next.with_context(|| format!("the state has moved to {to}"))?;
            match next.transfer.phase().await? {
                // Until the move is done, all that was ever acknowledged is still in the old store.
                Phase::Filling => Ok(current),
                Phase::Moved(further) => Err(StoreError::Moved(further).into()),
                Phase::Live | Phase::Watched if has_newest_of(&next, &current).await? => Ok(next),
                Phase::Live | Phase::Watched => bail!(
                    "the state has moved to {to}, but the store of [next_state] lacks its newest \
                     record; let [next_state] describe the store that the state has moved to"
                ),
            }
        }
        Phase::Live | Phase::Watched | Phase::Filling => Ok(current),
    }
}

/// Whether a store holds another one's newest record, at the same place: as the nodes do, whoever
/// goes on with a store demands that.
pub(crate) async fn has_newest_of(next: &Movable, current: &Movable) -> Result<bool, StoreError> {
    let before = current.state.head().await?.saturating_sub(1);
    Ok(current.state.read(before, 1).await? == next.state.read(before, 1).await?)
}

fn open_sqlite(
    loaded: &Loaded,
    sqlite: &Sqlite,
    access: Access,
) -> anyhow::Result<Arc<SqliteStore>> {
    let path = loaded.folder.join(&sqlite.path);
    let opened = match access {
        Access::Work => SqliteStore::open(&path, sqlite.options()),
        Access::View => SqliteStore::open_view(&path),
        Access::Beside => SqliteStore::open_read_only(&path),
    };
    let opened = opened.with_context(|| format!("cannot open the database {}", path.display()))?;
    Ok(Arc::new(opened))
}

async fn open_mysql(
    loaded: &Loaded,
    section: &str,
    mysql: &Mysql,
    access: Access,
) -> anyhow::Result<Arc<MysqlStore>> {
    let url = loaded.mysql_url(section, mysql)?;
    let opened = match access {
        Access::Work | Access::Beside => MysqlStore::connect(&url, mysql.options()).await,
        Access::View => MysqlStore::open_view(&url).await,
    };
    let opened = opened.with_context(|| format!("cannot use the database of [{section}]"))?;
    Ok(Arc::new(opened))
}

/// Opens the table of a section. The future is boxed, because those of the SDK are too deep to be
/// part of others.
pub(crate) fn open_dynamo<'a>(
    section: &'a str,
    dynamo: &'a Dynamo,
) -> BoxFuture<'a, anyhow::Result<Arc<DynamoStore>>> {
    Box::pin(async move {
        let opened = DynamoStore::open(&dynamo.place()).await;
        let opened = opened.with_context(|| format!("cannot use the table of [{section}]"))?;
        Ok(Arc::new(opened))
    })
}
