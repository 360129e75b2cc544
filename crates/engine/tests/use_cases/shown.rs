//! Beside the stores: users who are shown through a cache, of whom nobody is shown what is older than
//! he may know; and hints between nodes.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::ids::{AppId, Mode, UnitId};
use domain::targeting::Profile;
use engine::{Ctx, EngineError, SessionRequest, Source, StoreError, USER_AGES, UserCodec};
use format::loaded::{decode_loaded, encode_loaded};
use store::counting::{CountingStore, Method};
use store::fault::{Fault, FaultyStore};
use store::memory::{MemoryBroker, MemoryCache};
use store::{Ages, Allowance, Cache, CacheKey, Entry, Found, Rate, Ticket};
use tokio::sync::{Barrier, Semaphore};

use crate::node::{MISSION, Node, at, rows_with};

const CODEC: UserCodec = UserCodec { encode: encode_loaded, decode: decode_loaded };

/// A cache that a test can hold up or break.
#[derive(Default)]
struct Troubled {
    inner: MemoryCache,
    /// Puts wait for a permit.
    puts: Option<Semaphore>,
    /// Looks wait until so many look.
    looks: Option<Barrier>,
    /// Removals are lost.
    is_deaf: AtomicBool,
}

#[async_trait]
impl Cache for Troubled {
    async fn get(&self, key: CacheKey, ages: &Ages) -> Found {
        let found = self.inner.get(key, ages).await;
        if let Some(looks) = &self.looks {
            looks.wait().await;
        }
        found
    }

    async fn put(&self, key: CacheKey, ticket: Ticket, entry: Entry, ages: &Ages) -> bool {
        if let Some(puts) = &self.puts {
            puts.acquire().await.expect("a permit").forget();
        }
        self.inner.put(key, ticket, entry, ages).await
    }

    async fn remove(&self, key: CacheKey, below: u64, ages: &Ages) -> bool {
        !self.is_deaf.load(Ordering::SeqCst) && self.inner.remove(key, below, ages).await
    }

    async fn take(&self, bucket: CacheKey, rate: Rate) -> Allowance {
        self.inner.take(bucket, rate).await
    }
}

/// What a list shows of the sample mission, and where its user came from.
async fn look(node: &Node) -> (bool, Option<Source>) {
    let ctx = at(0);
    let is_started = list(node, &ctx).await.expect("a list");
    (is_started, ctx.seen())
}

/// Whether the list has the user's run.
async fn list(node: &Node, ctx: &Ctx) -> Result<bool, EngineError> {
    node.engine.list_missions(ctx, &node.viewer, |view| !view.runs.is_empty()).await
}

/// Two nodes on the same stores that show users through the same cache, and the second one's calls.
async fn two(cache: &Arc<Troubled>) -> (Node, Node, Arc<CountingStore>) {
    let mut one = Node::new().await;
    let (mut other, calls) = one.through(CountingStore::new).await;
    one.engine = one.engine.with_user_cache(cache.clone(), CODEC);
    other.engine = other.engine.with_user_cache(cache.clone(), CODEC);
    (one, other, calls)
}

/// Looks until the cache has the user.
async fn warm(node: &Node) {
    while look(node).await.1 != Some(Source::Cache) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_user_is_loaded_once_and_a_change_is_shown_at_once_on_every_node() {
    let (one, other, calls) = two(&Arc::default()).await;
    warm(&other).await;
    let loads = calls.calls().of(Method::Load);
    assert_eq!(look(&other).await, (false, Some(Source::Cache)));
    assert_eq!(calls.calls().of(Method::Load), loads);
    one.start().await;
    assert_eq!(look(&other).await, (true, Some(Source::Store)));
    warm(&other).await;
    assert!(look(&other).await.0);
}

#[tokio::test]
async fn who_has_read_before_a_change_brings_nothing_back_after_it() {
    let cache = Troubled { puts: Some(Semaphore::new(0)), ..Troubled::default() };
    let cache = Arc::new(cache);
    let (one, other, _) = two(&cache).await;
    assert_eq!(look(&other).await, (false, Some(Source::Store)));
    one.start().await;
    // The put of what was read before the tap comes now, and again one of what was read after it.
    cache.puts.as_ref().expect("a gate").add_permits(1);
    assert!(look(&other).await.0);
    cache.puts.as_ref().expect("a gate").add_permits(100);
    warm(&other).await;
    assert!(look(&other).await.0);
}

#[tokio::test]
async fn many_who_miss_at_once_share_one_load() {
    const CALLERS: usize = 50;
    let cache = Troubled { looks: Some(Barrier::new(CALLERS)), ..Troubled::default() };
    let (_, other, calls) = two(&Arc::new(cache)).await;
    let other = Arc::new(other);
    let mut looks = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let other = Arc::clone(&other);
        looks.spawn(async move { look(&other).await });
    }
    let seen = looks.join_all().await;
    assert_eq!(seen, [(false, Some(Source::Store)); CALLERS]);
    assert_eq!(calls.calls().of(Method::Load), 1);
}

#[tokio::test]
async fn a_stranger_is_remembered_as_one_until_he_comes() {
    let (mut one, mut other, calls) = two(&Arc::default()).await;
    let bob = one.engine.viewer(AppId(1), Mode::Live, UnitId(1), "bob").expect("a viewer");
    (one.viewer, other.viewer) = (bob, bob);
    let ctx = loop {
        let ctx = at(0);
        let answer = list(&other, &ctx).await;
        assert!(matches!(answer, Err(EngineError::NotFound("user"))), "{answer:?}");
        if ctx.seen() == Some(Source::Cache) {
            break ctx;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((ctx.spent().calls, calls.calls().of(Method::Load)), (0, 1));
    let request =
        SessionRequest { unit: UnitId(1), user_id: "bob".to_owned(), profile: Profile::default() };
    one.engine.open_session(&at(0), (AppId(1), Mode::Live), request).await.expect("a session");
    assert!(!list(&other, &at(0)).await.expect("a list"));
}

#[tokio::test]
async fn a_removal_that_is_lost_leaves_others_behind_for_a_second_at_most() {
    let cache = Arc::new(Troubled::default());
    let (one, other, _) = two(&cache).await;
    warm(&other).await;
    cache.is_deaf.store(true, Ordering::SeqCst);
    one.start().await;
    let acknowledged = Instant::now();
    // The node that has not been confirmed shows its users from the store.
    assert_eq!(look(&one).await, (true, Some(Source::Store)));
    let mut behind = 0;
    loop {
        let asked_after = acknowledged.elapsed();
        if look(&other).await.0 {
            break;
        }
        behind += 1;
        assert!(asked_after < USER_AGES.fresh, "behind after {asked_after:?}");
    }
    assert!(behind > 0, "the removal was not lost");
}

/// Whether the list was refused because the session has ended.
async fn is_refused(node: &Node, ctx: &Ctx) -> bool {
    let answer = list(node, ctx).await;
    let is_ended = matches!(answer, Err(EngineError::SessionEnded));
    assert!(is_ended || answer.is_ok(), "{answer:?}");
    is_ended
}

#[tokio::test]
async fn an_ended_session_is_refused_at_once_on_every_node() {
    let (one, mut other, _) = two(&Arc::default()).await;
    warm(&other).await;
    one.revoke(&at(0)).await;
    assert!(is_refused(&other, &at(0)).await);
    // Also where the cache has him as he is now, without a store call.
    let ctx = loop {
        let ctx = at(0);
        assert!(is_refused(&other, &ctx).await);
        if ctx.seen() == Some(Source::Cache) {
            break ctx;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(ctx.spent().calls, 0);
    other.viewer = one.open(&at(0)).await;
    assert!(!is_refused(&other, &at(0)).await);
}

#[tokio::test]
async fn an_ended_session_is_shown_something_for_a_second_at_most_if_the_removal_is_lost() {
    let cache = Arc::new(Troubled::default());
    let (one, mut other, _) = two(&cache).await;
    warm(&other).await;
    cache.is_deaf.store(true, Ordering::SeqCst);
    one.revoke(&at(0)).await;
    let acknowledged = Instant::now();
    assert!(is_refused(&one, &at(0)).await);
    let mut behind = 0;
    loop {
        let asked_after = acknowledged.elapsed();
        if is_refused(&other, &at(0)).await {
            break;
        }
        behind += 1;
        assert!(asked_after < USER_AGES.fresh, "shown after {asked_after:?}");
        // What decides does not look into the cache.
        let tapped = other.participate(&at(0)).await;
        assert!(matches!(tapped, Err(EngineError::SessionEnded)), "{tapped:?}");
        // Who has come anew is not refused by a node that is behind.
        let ended = std::mem::replace(&mut other.viewer, one.open(&at(0)).await);
        assert!(!is_refused(&other, &at(0)).await);
        other.viewer = ended;
    }
    assert!(behind > 0, "the removal was not lost");
}

#[tokio::test]
async fn a_list_is_shown_stale_while_the_store_fails_and_nothing_else_is() {
    let cache = Arc::new(Troubled::default());
    let (one, other, _) = two(&cache).await;
    warm(&other).await;
    let down = |method, _| (method == Method::Load).then_some(Fault::Unavailable);
    let (mut alone, _) = one.through(|inner| FaultyStore::planned(inner, down)).await;
    alone.engine = alone.engine.with_user_cache(cache.clone(), CODEC);
    while look(&alone).await.1 != Some(Source::Stale) {
        tokio::task::yield_now().await;
    }
    let shown = alone.engine.show_mission(&at(0), &alone.viewer, MISSION, |_, _| ()).await;
    let is_down = |error| matches!(error, EngineError::Store(StoreError::Unavailable(_)));
    assert!(shown.is_err_and(is_down));
    assert!(alone.participate(&at(0)).await.is_err_and(is_down));
    // Once something has changed there is nothing to show.
    one.start().await;
    assert!(list(&alone, &at(0)).await.is_err_and(is_down));
}

#[tokio::test]
async fn a_node_shows_nothing_stale_that_it_knows_to_be_old() {
    let cache = Arc::new(Troubled::default());
    let mut one = Node::new().await;
    let is_down = Arc::new(AtomicBool::new(false));
    let plan = Arc::clone(&is_down);
    let down = move |method, _| {
        (method == Method::Load && plan.load(Ordering::SeqCst)).then_some(Fault::Unavailable)
    };
    let (mut other, _) = one.through(|inner| FaultyStore::planned(inner, down)).await;
    one.engine = one.engine.with_user_cache(cache.clone(), CODEC);
    other.engine = other.engine.with_user_cache(cache.clone(), CODEC);
    warm(&other).await;
    cache.is_deaf.store(true, Ordering::SeqCst);
    other.start().await;
    is_down.store(true, Ordering::SeqCst);
    // Neither at once nor when the doubt about what is fresh is over.
    let begun = Instant::now();
    while begun.elapsed() < USER_AGES.fresh * 2 {
        assert!(list(&other, &at(0)).await.is_err());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_grows_old_is_refreshed_before_anybody_waits_for_it() {
    let (_, other, calls) = two(&Arc::default()).await;
    warm(&other).await;
    let (before, mut waited_for) = (calls.calls().of(Method::Load), 0);
    while calls.calls().of(Method::Load) == before + waited_for {
        let ctx = at(0);
        list(&other, &ctx).await.expect("a list");
        waited_for += u64::from(ctx.spent().calls);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_edit_and_a_message_are_hinted_to_other_nodes() {
    let broker = MemoryBroker::new();
    let mut one = Node::new().await;
    let (mut other, _) = one.through(CountingStore::new).await;
    one.engine = one.engine.with_broker(Arc::new(broker.clone()));
    other.engine = other.engine.with_broker(Arc::new(broker));
    let is_hinted = async |hint: &mut (dyn Future<Output = ()> + Unpin)| {
        tokio::time::timeout(Duration::ZERO, hint).await.is_ok()
    };
    assert!(!is_hinted(&mut pin!(other.engine.catalog_hint())).await);
    let (ctx, rows) = (at(0), rows_with(|row| row.name.push('!')));
    let edit = one.engine.apply_entities(&ctx, &rows, false, "me").await;
    let revision = edit.expect("an edit").revision;
    assert!(is_hinted(&mut pin!(other.engine.catalog_hint())).await);
    assert!(other.engine.refresh_catalog(&at(0)).await.expect("a catalogue"));
    assert_eq!(other.engine.snapshot().revision(), revision);
    // A run pays nothing yet; a conversion leaves a message.
    let click_id = one.start().await;
    assert!(!is_hinted(&mut pin!(other.engine.work_hint())).await);
    one.post(&at(1), &click_id, "install", &[]).await.expect("an answer");
    assert!(is_hinted(&mut pin!(other.engine.work_hint())).await);
    // It has been waited for, and the edit was hinted to the others only.
    assert!(!is_hinted(&mut pin!(other.engine.work_hint())).await);
    assert!(!is_hinted(&mut pin!(one.engine.catalog_hint())).await);
}
