//! Two nodes that show users through one Redis: whatever is acknowledged is shown at once on both while
//! Redis is there, gone, and back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Duration;

use cache::{RedisSettings, Shape, Shared};
use domain::catalog::{Edit, sample};
use domain::ids::{AppId, MissionId, Mode, UnitId};
use domain::targeting::Profile;
use domain::time::{DAY_MS, Timestamp};
use engine::{Ctx, Engine, MasterKey, SessionRequest, Source, Stores, UserCodec, Vault};
use format::loaded::{decode_loaded, encode_loaded};
use services::RedisNode;
use store::CatalogStore;
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};

const NOW: Timestamp = Timestamp(20_000 * DAY_MS);
const APP: AppId = AppId(1);
const UNIT: UnitId = UnitId(1);

/// A node, and its cache.
struct Node {
    engine: Engine,
    cache: Arc<Shared>,
}

impl Node {
    async fn on(stores: &Stores, redis: &RedisNode) -> Self {
        let mut settings = RedisSettings::new(Shape::One, vec![redis.url()]);
        // On a busy machine an answer must not count as lost only because it is late.
        settings.answer_within = Duration::from_secs(10);
        let cache = Arc::new(Shared::open(&settings).unwrap());
        let codec = UserCodec { encode: encode_loaded, decode: decode_loaded };
        let engine = Engine::new(stores.clone(), Vault::new(&MasterKey::new([7; 32]), &[]));
        let engine = engine.with_user_cache(Arc::clone(&cache) as _, codec);
        engine.refresh_catalog(&Ctx::at(NOW)).await.unwrap();
        Self { engine, cache }
    }

    /// Whether the user's list has a run, and where he came from.
    async fn look(&self, user_id: &str) -> (bool, Option<Source>) {
        let ctx = Ctx::at(NOW);
        let viewer = self.engine.viewer(APP, Mode::Live, UNIT, user_id).unwrap();
        let runs = self.engine.list_missions(&ctx, &viewer, |view| view.runs.len()).await;
        (runs.unwrap() > 0, ctx.seen())
    }

    async fn come(&self, user_id: &str) {
        let (user_id, profile) = (user_id.to_owned(), Profile::default());
        let request = SessionRequest { unit: UNIT, user_id, profile };
        self.engine.open_session(&Ctx::at(NOW), (APP, Mode::Live), request).await.unwrap();
    }

    async fn start(&self, user_id: &str) {
        let viewer = self.engine.viewer(APP, Mode::Live, UNIT, user_id).unwrap();
        let started = self.engine.participate(&Ctx::at(NOW), &viewer, MissionId(1)).await;
        started.unwrap().unwrap();
    }

    /// Waits until the node has noticed that Redis is there, or gone.
    async fn until(&self, is_there: bool) {
        while self.cache.problem().is_none() != is_there {
            self.look("nobody in particular").await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// New users start a mission on one node and look at once on both.
async fn walk([one, other]: [&Node; 2], round: &str) {
    for number in 0..20 {
        let user_id = format!("{round} {number}");
        one.come(&user_id).await;
        for _ in 0..3 {
            assert!(!one.look(&user_id).await.0 && !other.look(&user_id).await.0, "{user_id}");
        }
        one.start(&user_id).await;
        assert!(one.look(&user_id).await.0, "{user_id} on the node where he has started");
        assert!(other.look(&user_id).await.0, "{user_id} on the other node");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_is_shown_at_once_whatever_happens_to_redis() {
    let redis = RedisNode::start().unwrap();
    let catalog = MemoryCatalog::new();
    let edits = sample::entities().into_iter().map(Edit::Put).collect();
    catalog.save(0, edits, "test", NOW).await.unwrap();
    let stores = Stores {
        state: Arc::new(MemoryState::new()),
        catalog: Arc::new(catalog),
        reports: Arc::new(MemoryReports::new()),
    };
    let (one, other) = (Node::on(&stores, &redis).await, Node::on(&stores, &redis).await);
    let both = [&one, &other];
    one.come("nobody in particular").await;
    one.until(true).await;
    other.until(true).await;
    walk(both, "Redis is there").await;
    while other.look("nobody in particular").await.1 != Some(Source::Cache) {
        tokio::task::yield_now().await;
    }
    redis.kill().unwrap();
    one.until(false).await;
    other.until(false).await;
    walk(both, "Redis is gone").await;
    redis.restart().unwrap();
    one.until(true).await;
    other.until(true).await;
    walk(both, "Redis is back").await;
}
