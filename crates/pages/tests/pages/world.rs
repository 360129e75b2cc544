//! A small catalogue, a clock that stands still, and users.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use domain::catalog::{Entity, Mission};
use domain::change::Change;
use domain::ids::{AppId, MissionId, Mode, UnitId};
use domain::targeting::{CountryCode, Profile};
use domain::time::{HOUR_MS, Timestamp, UtcOffset};
use engine::{Ctx, Engine, MasterKey, SessionRequest, Stores, Vault};
use format::catalog::parse_toml;
use pages::PagesState;
use store::StateStore;
use store::counting::Method;
use store::fault::{Fault, FaultyStore};
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};

use crate::browser::Browser;

/// 23 November 2026, 05:02:09 UTC; 14:02 in Seoul.
pub(crate) const NOW: i64 = 1_795_410_129_000;

/// Addresses of the server.
pub(crate) const HTTPS: &str = "https://missions.example";

/// The server and what it stands on.
pub(crate) struct World {
    pub(crate) engine: Arc<Engine>,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) router: Router,
    clock: Arc<AtomicI64>,
}

impl World {
    /// The catalogue of `catalog.toml`.
    pub(crate) async fn new() -> Self {
        Self::on(Arc::new(MemoryState::new()), HTTPS).await
    }

    /// The same where these calls of the store fail.
    pub(crate) async fn with_faults(script: &[(Method, u64, Fault)]) -> Self {
        let inner = Arc::new(MemoryState::new());
        Self::on(Arc::new(FaultyStore::scripted(inner, script)), HTTPS).await
    }

    pub(crate) async fn on(state: Arc<dyn StateStore>, public_url: &str) -> Self {
        let stores = Stores {
            state: Arc::clone(&state),
            catalog: Arc::new(MemoryCatalog::new()),
            reports: Arc::new(MemoryReports::new()),
        };
        let vault = Vault::new(&MasterKey::new([7; 32]), &[]);
        let engine = Arc::new(Engine::new(stores, vault));
        let file = parse_toml(include_str!("catalog.toml")).unwrap_or_else(|e| panic!("{e}"));
        let ctx = Ctx::at(Timestamp(NOW));
        engine.apply_entities(&ctx, &file.entities, false, "test").await.unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let router = pages::router(PagesState {
            engine: Arc::clone(&engine),
            clock: ticking(&clock),
            entropy: counting(),
            public_url: public_url.to_owned(),
        });
        Self { engine, state, router, clock }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::at(self.now())
    }

    /// Lets time pass, with what the background work does meanwhile.
    pub(crate) async fn wait(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
        self.engine.sweep(&self.ctx(), 100).await.unwrap();
    }

    /// Lets a day pass.
    pub(crate) async fn sleep_over(&self) {
        self.wait(24 * HOUR_MS).await;
    }

    /// A session token.
    pub(crate) async fn token(&self, user: &str, profile: Profile) -> String {
        let unit = UnitId(1);
        let request = SessionRequest { unit, user_id: user.to_owned(), profile };
        let app = (AppId(1), Mode::Live);
        self.engine.open_session(&self.ctx(), app, request).await.unwrap().token
    }

    /// A browser in which the user has just opened his page.
    pub(crate) async fn open(&self, user: &str) -> Browser {
        self.open_as(user, american()).await
    }

    pub(crate) async fn open_as(&self, user: &str, profile: Profile) -> Browser {
        let token = self.token(user, profile).await;
        let mut browser = Browser::new(self.router.clone());
        browser.get(&pages::session_path(&token)).await;
        assert_eq!(browser.status, 200, "{}", browser.body);
        browser
    }

    /// Edits a mission.
    pub(crate) async fn edit(&self, id: u32, change: impl FnOnce(&mut Mission)) {
        let snapshot = self.engine.snapshot();
        let mut mission = snapshot.catalog().missions[&MissionId(id)].as_ref().clone();
        change(&mut mission);
        let entity = Entity::Mission(Arc::new(mission));
        self.engine.apply_entities(&self.ctx(), &[entity], false, "test").await.unwrap();
    }

    /// Ends the user's sessions, as his publisher can.
    pub(crate) async fn revoke(&self, user: &str) {
        self.engine.revoke_sessions(&self.ctx(), (AppId(1), Mode::Live), user).await.unwrap();
    }

    /// Does to the user what an operator can.
    pub(crate) async fn block(&self, token: &str) {
        let session = self.engine.session(&self.ctx(), token).unwrap();
        let loaded = self.state.load(session.user).await.unwrap();
        let state = domain::user::UserState { blocked: true, ..loaded.state.clone() };
        self.state.commit(Change::new(&loaded, state, None)).await.unwrap();
    }
}

/// Somebody in America, in English, by Seoul's clock.
pub(crate) fn american() -> Profile {
    Profile {
        country: CountryCode::parse("US"),
        language: "en".to_owned(),
        utc_offset: UtcOffset(540),
        ..Profile::default()
    }
}

fn ticking(clock: &Arc<AtomicI64>) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    let clock = Arc::clone(clock);
    Arc::new(move || Timestamp(clock.load(Ordering::SeqCst)))
}

/// Different bytes each time, as the system's would be.
fn counting() -> Arc<dyn Fn() -> [u8; 32] + Send + Sync> {
    let count = AtomicU64::new(0);
    Arc::new(move || {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&count.fetch_add(1, Ordering::SeqCst).to_le_bytes());
        bytes
    })
}
