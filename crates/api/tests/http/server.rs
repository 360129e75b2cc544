//! A server without sockets, its fixture, and requests to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{AdminKey, ApiState, ClientAddress, Dependency, Role};
use axum::body::{Body, to_bytes};
use axum::http::request::Builder;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use domain::catalog::{App, AppKey, Entity, Publisher, Segment, Unit, sample};
use domain::complete::{Completion, Evidence};
use domain::ids::{AppId, MissionId, Mode, PublisherId, SegmentId, StepId, UnitId, bearer_digest};
use domain::targeting::Profile;
use domain::time::Timestamp;
use domain::verify::Report;
use engine::{Ctx, Engine, MasterKey, Rates, SessionRequest, Stores, Vault};
use http_body_util::BodyExt;
use serde_json::Value;
use store::memory::{MemoryCache, MemoryCatalog, MemoryReports, MemoryState};
use tower::ServiceExt;

/// 2026-01-10T12:00:00Z.
pub(crate) const NOON: Timestamp = Timestamp(1_768_046_400_000);

pub(crate) const ADMIN: &str = "admin-key";
/// Every role with its key.
pub(crate) const ROLES: [(Role, &str); 5] = [
    (Role::Admin, ADMIN),
    (Role::AdOps, "ad-ops-key"),
    (Role::Finance, "finance-key"),
    (Role::Support, "support-key"),
    (Role::ReadOnly, "read-only-key"),
];
/// Live key of app 1.
pub(crate) const APP: &str = sample::LIVE_KEY;
/// Test key of app 1.
pub(crate) const APP_TEST: &str = sample::TEST_KEY;
/// Live key of app 2, which belongs to another publisher.
pub(crate) const OTHER_APP: &str = "other-live-key";

/// The server and what it stands on.
pub(crate) struct Server {
    pub(crate) engine: Arc<Engine>,
    router: api::Served,
    document: Value,
    now: Arc<AtomicI64>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The body, if it is JSON.
    pub(crate) body: Value,
}

impl Server {
    /// The sample catalogue, a second publisher with an app of his own, and an audience.
    pub(crate) async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    /// Likewise, with these dependencies.
    pub(crate) async fn with(dependencies: Vec<Dependency>) -> Self {
        Self::of(engine(), dependencies).await
    }

    /// Likewise, with limits on how often somebody may ask.
    pub(crate) async fn limited(rates: Rates) -> Self {
        let cache = Arc::new(MemoryCache::new());
        Self::of(engine().with_rate_limits(rates, cache), Vec::new()).await
    }

    async fn of(engine: Engine, dependencies: Vec<Dependency>) -> Self {
        let engine = Arc::new(engine);
        engine.apply_entities(&Ctx::at(NOON), &fixture(), false, "fixture").await.unwrap();
        let now = Arc::new(AtomicI64::new(NOON.0));
        let router = api::router(state(&engine, &now, dependencies), axum::Router::new());
        let document = serde_json::to_value(api::openapi()).unwrap();
        Self { engine, router, document, now }
    }

    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::at(Timestamp(self.now.load(Ordering::Relaxed)))
    }

    pub(crate) fn pass_seconds(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        self.send("GET", path, key, None).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.send("POST", path, key, Some(("application/json", body.to_string()))).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        let body = ("application/merge-patch+json", body.to_string());
        self.send("PATCH", path, ADMIN, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, ADMIN, None).await
    }

    /// Sends a request, and checks that the answer is one of those that the document describes.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        key: &str,
        body: Option<(&str, String)>,
    ) -> Answer {
        let mut request = asked(method, path, key);
        let body = body.map(|(media_type, text)| {
            request
                .headers_mut()
                .unwrap()
                .insert(header::CONTENT_TYPE, media_type.parse().unwrap());
            text
        });
        let request = request.body(Body::from(body.unwrap_or_default())).unwrap();
        self.answer(method, path, request).await
    }

    /// Asks for something and only tells how long the answer is.
    pub(crate) async fn ask(&self, path: &str, key: &str) -> usize {
        let request = asked("GET", path, key).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        // Not put together, as nobody does who sends it.
        let (mut body, mut length) = (response.into_body(), 0);
        while let Some(frame) = body.frame().await {
            length += frame.unwrap().into_data().unwrap().len();
        }
        length
    }

    /// Asks what the answer would be like, of somebody who has `kept` one; no description speaks of
    /// that, and there is no body.
    pub(crate) async fn head(
        &self,
        path: &str,
        key: &str,
        kept: Option<&HeaderValue>,
    ) -> (StatusCode, HeaderMap) {
        let mut request = asked("HEAD", path, key);
        if let Some(etag) = kept {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        assert_eq!(to_bytes(body, usize::MAX).await.unwrap().len(), 0);
        (parts.status, parts.headers)
    }

    /// Looks at something from an address.
    pub(crate) async fn get_from(&self, address: &str, path: &str, key: &str) -> Answer {
        let from = ClientAddress(address.parse().unwrap());
        let request = asked("GET", path, key).extension(from).body(Body::empty()).unwrap();
        self.answer("GET", path, request).await
    }

    async fn answer(&self, method: &str, path: &str, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().into()).unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        };
        self.check_described(method, path, &answer);
        answer
    }

    /// The described operations: method, path, and its description.
    pub(crate) fn operations(&self) -> Vec<(String, String, &Value)> {
        let paths = self.document["paths"].as_object().unwrap();
        let of_path = |(path, item): (&String, &'_ Value)| {
            let methods = ["get", "post", "patch", "delete", "put"];
            let found = methods.iter().filter(|method| item.get(**method).is_some());
            found.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        };
        let all = paths.iter().flat_map(of_path);
        all.map(|(method, path)| {
            let operation = &self.document["paths"][&path][method.to_lowercase()];
            (method, path, operation)
        })
        .collect()
    }

    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    fn check_described(&self, method: &str, path: &str, answer: &Answer) {
        assert!(answer.headers.contains_key("x-request-id"), "{method} {path}");
        let path = path.split('?').next().unwrap();
        let mut fitting: Vec<_> = self.operations();
        fitting.retain(|(one, template, _)| one == method && fits(template, path));
        fitting.sort_by_key(|(_, template, _)| template.matches('{').count());
        let Some((_, template, operation)) = fitting.first() else {
            assert!([404, 405].contains(&answer.status.as_u16()), "{method} {path}");
            return;
        };
        let mut response = &operation["responses"][answer.status.as_str()];
        if let Some(name) = response["$ref"].as_str() {
            response = &self.document["components"]["responses"][name.rsplit('/').next().unwrap()];
        }
        let status = answer.status;
        assert!(
            response.is_object(),
            "{method} {template}: {status} is not described: {}",
            answer.text
        );
        let Some(media_type) = answer.headers.get(header::CONTENT_TYPE) else { return };
        let media_type = media_type.to_str().unwrap().split(';').next().unwrap();
        assert!(response["content"][media_type].is_object(), "{method} {template}: {media_type}");
    }

    /// A user of an app comes to its page.
    pub(crate) async fn visit(&self, app: u32, mode: Mode, user_id: &str) {
        let (app, unit) = (AppId(app), UnitId(app));
        let request =
            SessionRequest { unit, user_id: user_id.to_owned(), profile: Profile::default() };
        self.engine.open_session(&self.ctx(), (app, mode), request).await.unwrap();
    }

    /// A user of an app starts mission 1 and checks in, which earns 60 points.
    pub(crate) async fn reward(&self, app: u32, mode: Mode, user_id: &str) {
        self.visit(app, mode, user_id).await;
        let (ctx, app, unit) = (self.ctx(), AppId(app), UnitId(app));
        let viewer = self.engine.viewer(app, mode, unit, user_id).unwrap();
        let started = self.engine.participate(&ctx, &viewer, MissionId(1)).await.unwrap();
        assert!(started.is_ok(), "{started:?}");
        let (mission, step) = (MissionId(1), StepId(4));
        let wish = Completion { mission, step, evidence: Evidence::CheckIn };
        self.engine.complete_step(&ctx, &viewer, wish).await.unwrap();
    }
}

impl Answer {
    /// The stable code of a problem.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The fields that a problem names.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(part, given)| part.starts_with('{') || part == given)
}

fn state(engine: &Arc<Engine>, now: &Arc<AtomicI64>, dependencies: Vec<Dependency>) -> ApiState {
    let (clock, verifier) = (Arc::clone(now), Arc::clone(engine));
    let read = move || Timestamp(clock.load(Ordering::Relaxed));
    ApiState {
        engine: Arc::clone(engine),
        clock: Arc::new(read.clone()),
        entropy: Arc::new(|| [3; 32]),
        admin_keys: ROLES.map(|(role, key)| admin_key(role, key)).into(),
        page_url: Arc::new(|token| format!("https://guerdon.example/m?token={token}")),
        public_url: "https://guerdon.example".to_owned(),
        readiness: Arc::new(move |_| {
            let dependencies = dependencies.clone();
            Box::pin(async move { dependencies })
        }),
        metrics: Arc::new(|| "guerdon_up 1\n".to_owned()),
        verify: Arc::new(move |ctx| {
            let engine = Arc::clone(&verifier);
            Box::pin(async move { verified(&engine, &ctx).await })
        }),
    }
}

async fn verified(engine: &Engine, ctx: &Ctx) -> Result<Report, String> {
    engine.verify(ctx, |_, _| ()).await.map_err(|error| error.to_string())
}

fn admin_key(role: Role, key: &str) -> AdminKey {
    AdminKey { name: format!("{role:?}"), role, digest: bearer_digest(key) }
}

fn fixture() -> Vec<Entity> {
    let mut rows = sample::entities();
    let app = rows.iter().find_map(|row| match row {
        Entity::App(app) => Some(app.clone()),
        _ => None,
    });
    let key =
        AppKey { mode: Mode::Live, digest: bearer_digest(OTHER_APP), label: "live".to_owned() };
    let publisher = PublisherId(2);
    rows.push(Entity::Publisher(Publisher { id: publisher, name: "Other".to_owned() }));
    rows.push(Entity::App(App {
        id: AppId(2),
        publisher_id: publisher,
        keys: vec![key],
        ..app.unwrap()
    }));
    rows.push(Entity::Unit(Unit { id: UnitId(2), app_id: AppId(2), name: "Tab".to_owned() }));
    rows.push(Entity::Segment(Segment { id: SegmentId(1), name: "Whales".to_owned() }));
    rows
}

/// An engine on empty stores in memory.
fn engine() -> Engine {
    let stores = Stores {
        state: Arc::new(MemoryState::new()),
        catalog: Arc::new(MemoryCatalog::new()),
        reports: Arc::new(MemoryReports::new()),
    };
    Engine::new(stores, Vault::new(&MasterKey::new([7; 32]), &[]))
}

fn asked(method: &str, path: &str, key: &str) -> Builder {
    let request = Request::builder().method(method).uri(path);
    if key.is_empty() {
        return request;
    }
    request.header(header::AUTHORIZATION, format!("Bearer {key}"))
}
