//! An engine with a catalogue of apps, users who earn rewards, and a worker that tells of them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::catalog::{App, Endpoint, Entity, Unit, sample};
use domain::dialect::{Dialect, preset};
use domain::ids::{AppId, DeliveryId, MissionId, Mode, UnitId};
use domain::recipe::read::Fields;
use domain::secret::Secret;
use domain::targeting::Profile;
use domain::time::{SECOND_MS, Timestamp};
use domain::verdict::{Reason, Verdict};
use engine::{
    Ctx, Delivery, DeliveryFilter, DeliveryState, Engine, MasterKey, Postback, Replay,
    SessionRequest, Stores, Vault,
};
use jobs::{Jitter, Settings, Worker};
use store::StateStore;
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The first moment: 2026-09-21T14:13:20Z.
pub(crate) const NOW: Timestamp = Timestamp(1_790_000_000_000);

/// A Standard Webhooks secret and its bytes.
pub(crate) const WHSEC: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
pub(crate) const WHSEC_BYTES: &[u8] = b"0123456789abcdef01234567";

/// An app without an endpoint, whose rewards show that the worker has looked at the outbox.
const LOOKOUT: AppId = AppId(99);

/// Nothing here takes as long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must come.
pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it never came")
}

pub(crate) struct World {
    pub(crate) engine: Arc<Engine>,
    pub(crate) jitter: Jitter,
    pub(crate) settings: Settings,
    pub(crate) stores: Stores,
    now: Arc<AtomicI64>,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

/// An endpoint that speaks Standard Webhooks.
pub(crate) fn standard(url: String) -> Option<Endpoint> {
    speaking(preset("standard_webhooks").unwrap(), url, &[WHSEC])
}

/// An endpoint that speaks the dialect.
pub(crate) fn speaking(dialect: Dialect, url: String, secrets: &[&str]) -> Option<Endpoint> {
    let secrets = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    Some(Endpoint { url, dialect, secrets })
}

/// The vault of every node.
pub(crate) fn vault() -> Vault {
    Vault::new(&MasterKey::new([7; 32]), &[])
}

impl World {
    /// Apps numbered from 1 with these live endpoints, and a worker that may call this machine.
    pub(crate) async fn new(endpoints: Vec<Option<Endpoint>>) -> Self {
        Self::on(Arc::new(MemoryState::new()), endpoints).await
    }

    /// The same on another state store.
    pub(crate) async fn on(state: Arc<dyn StateStore>, live: Vec<Option<Endpoint>>) -> Self {
        let stores = Stores {
            state,
            catalog: Arc::new(MemoryCatalog::new()),
            reports: Arc::new(MemoryReports::default()),
        };
        let engine = Engine::new(stores.clone(), vault());
        let settings = Settings {
            deliveries_in_flight: 64,
            sweep_every: Duration::from_millis(10),
            refresh_every: Duration::from_millis(10),
            allow_private: vec!["127.0.0.0/8".to_owned()],
        };
        let world = Self {
            engine: Arc::new(engine),
            jitter: Arc::new(|| 0),
            settings,
            stores,
            now: Arc::new(AtomicI64::new(NOW.0)),
            running: None,
        };
        world.apply(&sample::entities()).await;
        for (id, endpoint) in (1..).zip(live) {
            world.set_app(id, |app| app.postback = endpoint).await;
        }
        world
    }

    /// Makes or changes an app with its unit.
    pub(crate) async fn set_app(&self, id: u32, change: impl FnOnce(&mut App)) {
        let apps = &self.engine.snapshot().catalog().apps.clone();
        let mut app = apps.get(&AppId(id)).unwrap_or(&apps[&AppId(1)]).clone();
        if app.id != AppId(id) {
            (app.id, app.postback, app.keys) = (AppId(id), None, Vec::new());
        }
        change(&mut app);
        let unit = Unit { id: UnitId(id), app_id: AppId(id), name: format!("Unit {id}") };
        self.apply(&[Entity::App(app), Entity::Unit(unit)]).await;
    }

    async fn apply(&self, entities: &[Entity]) {
        let applied = self.engine.apply_entities(&self.ctx(), entities, false, "test").await;
        if let Err(error) = applied {
            panic!("{error:?}");
        }
    }

    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::at(self.now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    /// Starts the worker.
    pub(crate) fn start(&mut self) {
        let now = Arc::clone(&self.now);
        let worker = Worker::new(
            Arc::clone(&self.engine),
            Arc::new(move || Timestamp(now.load(Ordering::SeqCst))),
            Arc::clone(&self.jitter),
            self.settings.clone(),
        );
        let stop = CancellationToken::new();
        let running = tokio::spawn(worker.unwrap().run(stop.clone()));
        self.running = Some((stop, running));
    }

    /// Stops the worker and waits for its end.
    pub(crate) async fn stop(&mut self) {
        let (stop, running) = self.running.take().unwrap();
        stop.cancel();
        in_time(running).await.unwrap();
    }

    /// Lets time pass, and lets the worker see it.
    pub(crate) async fn advance(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
        // A replay of nothing is nothing but a hint that there may be work.
        let nothing = Replay::Range {
            app: AppId(1),
            mode: Mode::Live,
            state: DeliveryState::Parked,
            from: NOW,
            to: NOW,
        };
        let live = (AppId(1), Mode::Live);
        self.engine.replay_deliveries(&self.ctx(), live, nothing).await.unwrap();
    }

    /// Waits until the worker has looked at the outbox once more: another app's reward is tried,
    /// where nobody listens.
    pub(crate) async fn settle_down(&self) {
        let app = LOOKOUT.0;
        if !self.engine.snapshot().catalog().apps.contains_key(&LOOKOUT) {
            let nobody = standard("http://127.0.0.1:9/".to_owned());
            self.set_app(app, |app| app.postback = nobody).await;
        }
        let count = self.deliveries(app).await.len();
        self.earn(app, &format!("lookout {count}")).await;
        let is_tried = |all: &[Delivery]| all.len() > count && all[count].attempts > 0;
        self.until_all(app, is_tried).await;
    }

    pub(crate) async fn advance_s(&self, seconds: i64) {
        self.advance(seconds * SECOND_MS).await;
    }

    /// A user of the app starts the sample mission and gets a click id.
    pub(crate) async fn user(&self, app: u32, user_id: &str) -> String {
        self.user_in(Mode::Live, app, user_id).await
    }

    pub(crate) async fn user_in(&self, mode: Mode, app: u32, user_id: &str) -> String {
        let profile = Profile { custom: Some("level=3".to_owned()), ..Profile::default() };
        let (app, unit) = (AppId(app), UnitId(app));
        let request = SessionRequest { unit, user_id: user_id.to_owned(), profile };
        self.engine.open_session(&self.ctx(), (app, mode), request).await.unwrap();
        let viewer = self.engine.viewer(app, mode, unit, user_id).unwrap();
        let tapped = self.engine.participate(&self.ctx(), &viewer, MissionId(1)).await;
        tapped.unwrap().unwrap().click_id
    }

    /// The partner reports an event of that click.
    pub(crate) async fn event(&self, click: &str, fields: &[(&str, &str)]) {
        let mut pairs = vec![("click_id".to_owned(), click.to_owned())];
        pairs.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let postback = Postback {
            token: sample::PARTNER_TOKEN,
            fields: &Fields::new(pairs),
            header: &|_| None,
            body: b"",
        };
        let answer = self.engine.receive_conversion(&self.ctx(), &postback).await.unwrap();
        let has_changed = answer.verdict == Verdict::Rewarded || answer.reason == Reason::Reversed;
        assert!(has_changed, "{answer:?}");
    }

    /// The user earns the reward of the first step.
    pub(crate) async fn earn(&self, app: u32, user_id: &str) -> String {
        let click = self.user(app, user_id).await;
        self.event(&click, &[("event", "install"), ("event_id", "1")]).await;
        click
    }

    /// That reward is taken back.
    pub(crate) async fn take_back(&self, click: &str) {
        let fields = [("event", "install"), ("event_id", "1"), ("reversal", "true")];
        self.event(click, &fields).await;
    }

    /// The app's deliveries in the order of their booking.
    pub(crate) async fn deliveries(&self, app: u32) -> Vec<Delivery> {
        self.deliveries_in(Mode::Live, app).await
    }

    pub(crate) async fn deliveries_in(&self, mode: Mode, app: u32) -> Vec<Delivery> {
        let app = AppId(app);
        let filter = DeliveryFilter { app, mode, state: None, after: None, limit: 1_000 };
        self.engine.list_deliveries(&self.ctx(), filter).await.unwrap()
    }

    /// Waits until the app's first delivery is what is wanted, and answers it.
    pub(crate) async fn until(&self, app: u32, wanted: impl Fn(&Delivery) -> bool) -> Delivery {
        let all = self.until_all(app, |all| all.first().is_some_and(&wanted)).await;
        all.into_iter().next().unwrap()
    }

    /// Waits until the app's deliveries are what is wanted.
    pub(crate) async fn until_all(
        &self,
        app: u32,
        wanted: impl Fn(&[Delivery]) -> bool,
    ) -> Vec<Delivery> {
        self.until_in(Mode::Live, app, wanted).await
    }

    pub(crate) async fn until_in(
        &self,
        mode: Mode,
        app: u32,
        wanted: impl Fn(&[Delivery]) -> bool,
    ) -> Vec<Delivery> {
        in_time(async {
            loop {
                let all = self.deliveries_in(mode, app).await;
                if wanted(&all) {
                    return all;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await
    }

    pub(crate) async fn replay(&self, app: u32, which: Replay) -> u64 {
        let live = (AppId(app), Mode::Live);
        self.engine.replay_deliveries(&self.ctx(), live, which).await.unwrap()
    }

    pub(crate) async fn replay_one(&self, app: u32, id: DeliveryId) -> u64 {
        self.replay(app, Replay::One(id)).await
    }
}

/// Whether all of them have been acknowledged.
pub(crate) fn all_delivered(all: &[Delivery]) -> bool {
    all.iter().all(|one| one.state == DeliveryState::Delivered)
}
