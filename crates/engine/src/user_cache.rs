//! Users as they are shown, through a cache: for nodes that show the same user many times a second.
//!
//! Off unless [`Engine::with_user_cache`] is called, and used by reads that merely show something.
//! Whatever decides loads the user from the store, and its commit is checked there. What is shown
//! keeps these rules:
//!
//! - After a commit is acknowledged nobody is shown an older state, as long as the cache has confirmed
//!   that it forgot it; [`Engine::commit`] asks it to before it acknowledges.
//! - If it has not confirmed, this node shows users from the store until whatever is cached is stale,
//!   and other nodes are behind for no longer than that, [`USER_AGES`]`.fresh` (S3).
//! - Only a list of missions may be shown from a stale entry, and only while the store fails; it is at
//!   most [`USER_AGES`]`.kept` old, counted, and never older than what this node knows of.
//!
//! Many who miss the same user at once share one load. They share it only if they hold the same
//! ticket, and so have all come before the next change: nobody joins a load that has begun before a
//! change that he may know of.
//!
//! | step | store calls |
//! |---|---|
//! | the user is cached and fresh | 0 |
//! | he is not, or the cache is gone | 1, shared by all who miss at once |
//! | he is cached and soon stale | 0, and 1 in the background by one node |

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::change::Loaded;
use domain::ids::UserKey;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use store::{Ages, Cache, CacheKey, Entry, StateStore, StoreError, Ticket};
use tokio::sync::Semaphore;

use crate::{Ctx, Engine, EngineError, Viewer};

/// How old a shown user may be. A second is what S3 allows between an acknowledged step and the page
/// that shows it, so no entry is ever taken for fresh any longer.
pub const USER_AGES: Ages = Ages {
    early: Duration::from_millis(700),
    fresh: Duration::from_secs(1),
    kept: Duration::from_secs(10),
};

/// Largest user that is cached, in bytes. Larger ones are few, and each would push out many.
const USER_BYTES_MAX: usize = 64 * 1024;

/// Loads in the background at once, by which users are refreshed before they are stale; one that finds
/// no place is not needed, since the user is loaded when he is stale.
const REFRESHES_MAX: usize = 64;

/// How a user is written down and read again.
#[derive(Clone, Copy)]
pub struct UserCodec {
    /// His bytes.
    pub encode: fn(&Loaded) -> Vec<u8>,
    /// The user of these bytes, if they are any.
    pub decode: fn(&[u8]) -> Option<Loaded>,
}

/// Where a shown user came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The store.
    Store,
    /// The cache.
    Cache,
    /// The cache, stale, because the store fails.
    Stale,
}

impl Source {
    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Cache => "cache",
            Self::Stale => "stale",
        }
    }
}

/// What is done if the store fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnError {
    /// The failure is the answer.
    Fail,
    /// What was known some seconds ago is better than nothing.
    ShowStale,
}

/// A load that is under way, with its ticket.
type Flight = Shared<BoxFuture<'static, Result<Arc<Loaded>, Arc<StoreError>>>>;

/// The cache of users.
pub(crate) struct UserCache {
    shared: Arc<Parts>,
    doubt: Doubt,
}

/// What flights need after their passengers have left.
struct Parts {
    cache: Arc<dyn Cache>,
    codec: UserCodec,
    state: Arc<dyn StateStore>,
    flights: Mutex<HashMap<(UserKey, Ticket), Flight>>,
    refreshes: Semaphore,
}

impl Engine {
    /// Shows users through `cache` from now on.
    #[must_use]
    pub fn with_user_cache(mut self, cache: Arc<dyn Cache>, codec: UserCodec) -> Self {
        self.users = Some(UserCache {
            shared: Arc::new(Parts {
                cache,
                codec,
                state: Arc::clone(&self.stores.state),
                flights: Mutex::default(),
                refreshes: Semaphore::new(REFRESHES_MAX),
            }),
            doubt: Doubt::new(),
        });
        self
    }

    /// The user whom somebody speaks for, as he is to be shown. Never decide by it.
    ///
    /// That his sessions were ended is a change as any other, so by the rules above an ended session is
    /// refused at once, or within a second where the cache has not confirmed.
    pub(crate) async fn shown(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        on_error: OnError,
    ) -> Result<Arc<Loaded>, EngineError> {
        let loaded = match &self.users {
            Some(cache) => cache.shown(ctx, viewer.user, on_error).await?,
            None => Arc::new(self.load(ctx, viewer.user).await?),
        };
        viewer.check_session(&loaded.state)?;
        Ok(loaded)
    }

    /// The user is, or may be, at that version now.
    pub(crate) async fn changed(&self, user: UserKey, version: u64) {
        if let Some(cache) = &self.users {
            cache.changed(user, version).await;
        }
    }
}

impl UserCache {
    async fn shown(
        &self,
        ctx: &Ctx,
        user: UserKey,
        on_error: OnError,
    ) -> Result<Arc<Loaded>, StoreError> {
        let parts = &self.shared;
        if self.doubt.is_within(USER_AGES.fresh) {
            ctx.saw(Source::Store);
            return ctx.metered("users.load", parts.state.load(user)).await.map(Arc::new);
        }
        let found = parts.cache.get(key_of(user), &USER_AGES).await;
        let known = found.entry.and_then(|(entry, age)| Some((parts.read(&entry)?, age)));
        if let Some((loaded, age)) = &known
            && *age < USER_AGES.fresh
        {
            if let Some(ticket) = found.ticket {
                parts.refresh(user, ticket);
            }
            ctx.saw(Source::Cache);
            return Ok(Arc::clone(loaded));
        }
        ctx.saw(Source::Store);
        match (ctx.metered("users.load", parts.load(user, found.ticket)).await, known) {
            (Err(StoreError::Unavailable(_) | StoreError::Moving(_)), Some((loaded, _)))
                if self.may_be_stale(on_error) =>
            {
                ctx.saw(Source::Stale);
                Ok(loaded)
            }
            (answer, _) => answer,
        }
    }

    /// A commit of this node that the cache does not know of would be missing in what is stale.
    fn may_be_stale(&self, on_error: OnError) -> bool {
        on_error == OnError::ShowStale && !self.doubt.is_within(USER_AGES.kept)
    }

    async fn changed(&self, user: UserKey, version: u64) {
        if !self.shared.cache.remove(key_of(user), version, &USER_AGES).await {
            self.doubt.begin();
        }
    }
}

impl Parts {
    /// The user from the store, who is put into the cache if there is a ticket for it.
    async fn load(
        self: &Arc<Self>,
        user: UserKey,
        ticket: Option<Ticket>,
    ) -> Result<Arc<Loaded>, StoreError> {
        match ticket {
            None => self.state.load(user).await.map(Arc::new),
            Some(ticket) => {
                self.flight(user, ticket).await.map_err(|error| StoreError::clone(&error))
            }
        }
    }

    /// Joins the load that holds the ticket, or begins it. It goes on if its passengers leave.
    fn flight(self: &Arc<Self>, user: UserKey, ticket: Ticket) -> Flight {
        match self.flights().entry((user, ticket)) {
            Place::Occupied(place) => place.get().clone(),
            Place::Vacant(place) => {
                let task = tokio::spawn(Arc::clone(self).fill(user, ticket));
                let lost = |_| Err(Arc::new(StoreError::Unavailable("the load was lost".into())));
                let flight = task.map(move |ended| ended.unwrap_or_else(lost)).boxed().shared();
                place.insert(flight).clone()
            }
        }
    }

    /// Loads the user and puts him into the cache, which ends the flight.
    async fn fill(
        self: Arc<Self>,
        user: UserKey,
        ticket: Ticket,
    ) -> Result<Arc<Loaded>, Arc<StoreError>> {
        let landing = Landing(Arc::clone(&self), (user, ticket));
        let loaded = self.state.load(user).await.map(Arc::new).map_err(Arc::new)?;
        let bytes = (self.codec.encode)(&loaded);
        if bytes.len() <= USER_BYTES_MAX {
            let entry = Entry { version: loaded.version, bytes: bytes.into() };
            // Whoever waits for the user does not wait for the cache as well; and whoever comes
            // before the cache has him gets him here.
            tokio::spawn(async move {
                let _landing = landing;
                self.cache.put(key_of(user), ticket, entry, &USER_AGES).await
            });
        }
        Ok(loaded)
    }

    /// Begins a load that nobody waits for.
    fn refresh(self: &Arc<Self>, user: UserKey, ticket: Ticket) {
        let parts = Arc::clone(self);
        if self.refreshes.available_permits() > 0 {
            tokio::spawn(async move {
                if let Ok(_place) = parts.refreshes.try_acquire() {
                    // A failure shows when somebody needs the user.
                    let _ = parts.flight(user, ticket).await;
                }
            });
        }
    }

    fn read(&self, entry: &Entry) -> Option<Arc<Loaded>> {
        let loaded = (self.codec.decode)(&entry.bytes)?;
        (loaded.version == entry.version).then(|| Arc::new(loaded))
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<(UserKey, Ticket), Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight off the board when it has ended, however it ends.
struct Landing(Arc<Parts>, (UserKey, Ticket));

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.flights().remove(&self.1);
    }
}

/// Since when the cache may hold what this node knows to be old.
struct Doubt {
    begun: Instant,
    /// Milliseconds after `begun`, and one more; 0 for never.
    latest: AtomicU64,
}

impl Doubt {
    fn new() -> Self {
        Self { begun: Instant::now(), latest: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    fn begin(&self) {
        self.latest.fetch_max(self.now() + 1, Ordering::AcqRel);
    }

    /// Whether it has begun so recently. One millisecond more makes up for cut fractions.
    fn is_within(&self, age: Duration) -> bool {
        let latest = self.latest.load(Ordering::Acquire);
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        latest > 0 && self.now().saturating_sub(latest - 1) <= age.saturating_add(1)
    }
}

fn key_of(user: UserKey) -> CacheKey {
    CacheKey::of("user", &user.0)
}
