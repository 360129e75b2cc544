//! The API and the pages on an embedded store, and rows of everything in it.

use std::sync::Arc;

use api::{AdminKey, ApiState, Role};
use axum::body::{Body, to_bytes};
use axum::http::header::ALLOW;
use axum::http::{Request, Response};
use domain::catalog::{Entity, Segment, sample};
use domain::complete::{Completion, Evidence};
use domain::ids::{
    AdGroupId, AppId, LineItemId, MissionId, Mode, SegmentId, StepId, UnitId, bearer_digest,
};
use domain::targeting::Profile;
use domain::time::Timestamp;
use engine::{
    AttemptNote, AttemptOutcome, Claim, Ctx, Engine, Finished, MasterKey, SessionRequest, Stores,
    Vault,
};
use pages::PagesState;
use store_sqlite::{Durability, Options, SqliteStore};
use tempfile::TempDir;
use tower::ServiceExt;

/// 2026-01-10T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp(1_768_046_400_000);
pub(crate) const ADMIN: &str = "admin-key";
/// The user who asks, and has a run of every mission.
pub(crate) const ANN: &str = "ann";
/// The step that is done by being there.
const CHECK_IN: StepId = StepId(4);
const PUBLIC_URL: &str = "https://guerdon.example";
/// A method that no route has.
const NO_METHOD: &str = "BREW";

/// A server without sockets.
pub(crate) struct World {
    pub(crate) engine: Arc<Engine>,
    pub(crate) rows: u32,
    router: api::Served,
    _folder: TempDir,
}

impl World {
    /// So many line items, missions, users, runs of one user, and messages that a publisher refused.
    pub(crate) async fn new(rows: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { durability: Durability::OffForTests, ..Options::default() };
        let path = folder.path().join("guerdon.db");
        let store = Arc::new(SqliteStore::open(&path, options).unwrap());
        let stores = Stores {
            state: Arc::clone(&store) as _,
            catalog: Arc::clone(&store) as _,
            reports: store,
        };
        let engine = Arc::new(Engine::new(stores, Vault::new(&MasterKey::new([7; 32]), &[])));
        let router = router(&engine);
        let world = Self { engine, rows, router, _folder: folder };
        world.fill().await;
        world
    }

    async fn fill(&self) {
        let rows = entities(self.rows);
        self.engine.apply_entities(&ctx(), &rows, false, "test").await.unwrap();
        for mission in 1..=self.rows {
            self.reward(ANN, mission).await;
            self.reward(&format!("user {mission}"), 1).await;
        }
        self.refuse_all().await;
    }

    /// A user starts a mission and checks in, which earns a reward.
    pub(crate) async fn reward(&self, user: &str, mission: u32) {
        self.token(user).await;
        let viewer = self.engine.viewer(AppId(1), Mode::Live, UnitId(1), user).unwrap();
        let mission = MissionId(mission);
        self.engine.participate(&ctx(), &viewer, mission).await.unwrap().unwrap();
        let wish = Completion { mission, step: CHECK_IN, evidence: Evidence::CheckIn };
        self.engine.complete_step(&ctx(), &viewer, wish).await.unwrap();
    }

    /// The publisher's server refuses what it is told.
    pub(crate) async fn refuse_all(&self) {
        let claim = Claim {
            now: NOON,
            lease_until: NOON.plus_seconds(30),
            limit: 1_000,
            per_endpoint: 1_000,
            skip: Vec::new(),
        };
        let dialect = domain::dialect::preset("standard_webhooks").unwrap();
        for claimed in self.engine.claim_deliveries(&ctx(), claim).await.unwrap() {
            let note =
                AttemptNote { at: NOON, status: Some(410), note: "gone".into(), duration_ms: 7 };
            let finished = Finished { claimed, outcome: AttemptOutcome::Stop, note, jitter: 0 };
            self.engine.finish_delivery(&ctx(), &dialect, finished).await.unwrap();
        }
    }

    /// Does what the background work would do, so that no request finds it undone.
    pub(crate) async fn settle(&self) {
        self.engine.backlog(&ctx()).await.unwrap();
        while self.engine.absorb_reports(&ctx()).await.unwrap() > 0 {}
    }

    /// Opens a session.
    pub(crate) async fn token(&self, user: &str) -> String {
        let wish = SessionRequest {
            unit: UnitId(1),
            user_id: user.to_owned(),
            profile: Profile::default(),
        };
        let app = (AppId(1), Mode::Live);
        self.engine.open_session(&ctx(), app, wish).await.unwrap().token
    }

    /// Every method of every address: `GET /livez`.
    pub(crate) async fn routes(&self) -> Vec<String> {
        let document = serde_json::to_value(api::openapi()).unwrap();
        let described = document["paths"].as_object().unwrap().keys().cloned();
        let mut routes = Vec::new();
        for path in described.chain(pages::patterns()) {
            for method in self.methods(&path).await {
                routes.push(format!("{method} {path}"));
            }
        }
        routes
    }

    /// The methods of an address, as the router says them to whoever uses none of them; where it takes
    /// any, that is `GET`.
    async fn methods(&self, path: &str) -> Vec<String> {
        let address = path.replace(['{', '}', '*'], "");
        let asked = Request::builder().method(NO_METHOD).uri(address);
        let response = self.answer(asked.body(Body::empty()).unwrap()).await;
        let Some(allowed) = response.headers().get(ALLOW) else { return vec!["GET".to_owned()] };
        let methods = allowed.to_str().unwrap().split(',').map(str::to_owned);
        methods.filter(|method| method != "HEAD").collect()
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The body of an answer.
    pub(crate) async fn text(&self, request: Request<Body>) -> String {
        let body = self.answer(request).await.into_body();
        String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().into()).unwrap()
    }

    /// The store calls of a request that is answered as it should be.
    pub(crate) async fn store_calls(&self, route: &str, request: Request<Body>) -> u32 {
        let response = self.answer(request).await;
        let timing = response.headers().get("server-timing").expect(route).to_str().unwrap();
        let count = timing.split("desc=\"").nth(1).and_then(|rest| rest.split('"').next());
        let count = count.and_then(|count| count.parse().ok()).expect(timing);
        let status = response.status();
        let is_good = status.is_success() || status.is_redirection() || is_for_nothing(route);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(is_good, "{route}: {status} {}", String::from_utf8_lossy(&body));
        count
    }
}

/// Whether nothing is there.
fn is_for_nothing(route: &str) -> bool {
    route == "GET /m/{*rest}"
}

pub(crate) fn ctx() -> Ctx {
    Ctx::at(NOON)
}

fn router(engine: &Arc<Engine>) -> api::Served {
    let (ready, verifier) = (Arc::clone(engine), Arc::clone(engine));
    let pages = PagesState {
        engine: Arc::clone(engine),
        clock: Arc::new(|| NOON),
        entropy: Arc::new(|| [3; 32]),
        public_url: PUBLIC_URL.to_owned(),
    };
    let state = ApiState {
        engine: Arc::clone(engine),
        clock: Arc::new(|| NOON),
        entropy: Arc::new(|| [3; 32]),
        admin_keys: vec![AdminKey {
            name: "ann".to_owned(),
            role: Role::Admin,
            digest: bearer_digest(ADMIN),
        }],
        page_url: Arc::new(|token| format!("{PUBLIC_URL}{}", pages::session_path(token))),
        public_url: PUBLIC_URL.to_owned(),
        readiness: Arc::new(move |ctx| {
            let engine = Arc::clone(&ready);
            Box::pin(async move {
                engine.backlog(&ctx).await.unwrap();
                Vec::new()
            })
        }),
        metrics: Arc::new(String::new),
        verify: Arc::new(move |ctx| {
            let engine = Arc::clone(&verifier);
            let verified = async move { engine.verify(&ctx, |_, _| ()).await };
            Box::pin(async move { verified.await.map_err(|error| error.to_string()) })
        }),
    };
    api::router(state, pages::router(pages))
}

/// The sample catalogue with an audience, and so many line items with an ad group and a mission each.
fn entities(count: u32) -> Vec<Entity> {
    let mut rows = sample::entities();
    let numbered = (2..=count).flat_map(|number| {
        sample::entities().into_iter().filter_map(move |row| match row {
            Entity::LineItem(row) => Some(Entity::LineItem(domain::catalog::LineItem {
                id: LineItemId(number),
                advertised_app: None,
                ..row
            })),
            Entity::AdGroup(row) => Some(Entity::AdGroup(domain::catalog::AdGroup {
                id: AdGroupId(number),
                line_item_id: LineItemId(number),
                ..row
            })),
            Entity::Mission(row) => {
                let (id, line_item_id) = (MissionId(number), LineItemId(number));
                let row = domain::catalog::Mission { id, line_item_id, ..(*row).clone() };
                Some(Entity::Mission(Arc::new(row)))
            }
            _ => None,
        })
    });
    rows.extend(numbered);
    rows.push(Entity::Segment(Segment { id: SegmentId(1), name: "Whales".to_owned() }));
    rows
}
