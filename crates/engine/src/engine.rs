//! The engine: the stores, the compiled catalogue, and what the verbs share.

use std::sync::{Arc, PoisonError, RwLock};

use domain::budget::Level;
use domain::change::{Change, Loaded};
use domain::decide::{self, Levels, Situation};
use domain::ids::UserKey;
use domain::journal::Record;
use domain::snapshot::Snapshot;
use store::{Broker, CatalogStore, Committed, Outcome, Reports, StateStore, StoreError, Topic};
use tokio::sync::{Mutex, Notify};

use crate::assortments::Assortments;
use crate::board::Board;
use crate::rate_limits::RateLimits;
use crate::refresh_catalog::Turn;
use crate::stripes::Stripes;
use crate::user_cache::UserCache;
use crate::{Ctx, EngineError, Vault, Viewer};

/// How often a decision is made anew because somebody else changed the user meanwhile.
///
/// Within a node commands on one user take turns, so only other nodes can interfere.
pub(crate) const COMMIT_ATTEMPTS_MAX: u32 = 8;

/// The stores that a deployment has chosen.
#[derive(Clone)]
pub struct Stores {
    /// Users, budgets, outbox and journal.
    pub state: Arc<dyn StateStore>,
    /// The catalogue.
    pub catalog: Arc<dyn CatalogStore>,
    /// Derived figures.
    pub reports: Arc<dyn Reports>,
}

/// The use cases of one node.
pub struct Engine {
    pub(crate) stores: Stores,
    pub(crate) vault: Vault,
    pub(crate) board: Board,
    pub(crate) assortments: Assortments,
    pub(crate) stripes: Stripes,
    pub(crate) work: Notify,
    pub(crate) broker: Option<Arc<dyn Broker>>,
    pub(crate) users: Option<UserCache>,
    pub(crate) limits: Option<RateLimits>,
    /// Edits of the catalogue take turns; other nodes' edits are seen by the revision.
    pub(crate) editing: Mutex<Turn>,
    snapshot: RwLock<Arc<Snapshot>>,
}

impl Engine {
    /// An engine with an empty catalogue; [`Engine::refresh_catalog`] loads the real one.
    #[must_use]
    pub fn new(stores: Stores, vault: Vault) -> Self {
        let empty = Snapshot::compile(domain::catalog::Catalog::default());
        Self {
            stores,
            vault,
            board: Board::new(),
            assortments: Assortments::new(),
            stripes: Stripes::new(),
            work: Notify::new(),
            broker: None,
            users: None,
            limits: None,
            editing: Mutex::default(),
            snapshot: RwLock::new(Arc::new(empty)),
        }
    }

    /// The compiled catalogue as of now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals and opens tokens.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Lets a compiled catalogue take the place of an older one; one that came late changes nothing.
    pub(crate) fn swap_snapshot(&self, next: Arc<Snapshot>) {
        let mut current = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        let older = if current.revision() < next.revision() {
            std::mem::replace(&mut *current, next)
        } else {
            next
        };
        // Nobody waits while what it alone held is given back.
        drop(current);
        drop(older);
    }

    pub(crate) async fn load(&self, ctx: &Ctx, user: UserKey) -> Result<Loaded, StoreError> {
        ctx.metered("users.load", self.stores.state.load(user)).await
    }

    /// The user whom somebody speaks for. Every verb that acts for a viewer begins with this or with
    /// [`Self::shown`], so that no session outlives its end.
    pub(crate) async fn load_for(&self, ctx: &Ctx, viewer: &Viewer) -> Result<Loaded, EngineError> {
        let loaded = self.load(ctx, viewer.user).await?;
        viewer.check_session(&loaded.state)?;
        Ok(loaded)
    }

    pub(crate) async fn append(&self, ctx: &Ctx, trace: Record) -> Result<(), StoreError> {
        ctx.metered("journal.append", self.stores.state.append(trace)).await
    }

    /// Commits a change. An unknown outcome is resolved by asking again with the same change, never
    /// by deciding again. Before it is acknowledged nobody is shown the old state any more.
    pub(crate) async fn commit(&self, ctx: &Ctx, change: Change) -> Result<Outcome, StoreError> {
        let has_messages = change.record.as_ref().is_some_and(|one| !one.messages.is_empty());
        let (user, next) = (change.state.key(), change.base + 1);
        let outcome = self.commit_or_ask_again(ctx, change).await;
        let is_made = matches!(outcome, Ok(Outcome::Applied(_) | Outcome::Replayed));
        if is_made || matches!(outcome, Err(StoreError::Unknown(_))) {
            self.changed(user, next).await;
        }
        match &outcome {
            Ok(Outcome::Applied(committed)) => self.take_levels(ctx, &committed.levels),
            Ok(Outcome::OverBudget { level, .. }) => {
                self.take_levels(ctx, std::slice::from_ref(level));
            }
            Ok(Outcome::Replayed | Outcome::Stale) | Err(_) => {}
        }
        if has_messages && is_made {
            self.ring(Topic::Work);
        }
        outcome
    }

    async fn commit_or_ask_again(&self, ctx: &Ctx, change: Change) -> Result<Outcome, StoreError> {
        let again = change.clone();
        match ctx.metered("users.commit", self.stores.state.commit(change)).await {
            // If it turns out to have been made, it was made by us.
            Err(StoreError::Unknown(_)) => {
                match ctx.metered("users.commit", self.stores.state.commit(again)).await? {
                    Outcome::Replayed => Ok(Outcome::Applied(Committed::default())),
                    decided => Ok(decided),
                }
            }
            decided => decided,
        }
    }

    /// Takes budgets over, and notes when that changes what can be shown.
    pub(crate) fn take_levels(&self, ctx: &Ctx, fresh: &[Level]) {
        let snapshot = self.snapshot();
        self.board.update(fresh, |before, after| {
            decide::changes_offers(&snapshot, before, after, ctx.now)
        });
    }

    /// What a user sees is decided from this.
    pub(crate) fn situation<'a>(
        snapshot: &'a Snapshot,
        loaded: &'a Loaded,
        levels: &'a Levels,
        viewer: &Viewer,
        ctx: &Ctx,
    ) -> Situation<'a> {
        Situation { snapshot, user: &loaded.state, unit: viewer.unit, now: ctx.now, levels }
    }

    /// The user of an app whom a publisher calls by that id was never seen, or is another's.
    pub(crate) fn owned(loaded: &Loaded, viewer: &Viewer) -> Result<(), EngineError> {
        let is_owned = loaded.version > 0 && loaded.state.app == viewer.app;
        if is_owned { Ok(()) } else { Err(EngineError::NotFound("user")) }
    }
}
