//! A node on stores in memory, with the sample catalogue and one user.

use std::sync::Arc;

use domain::catalog::{Edit, Entity, LineItem, sample};
use domain::complete::{Completion, Evidence};
use domain::dialect::{Dialect, Method};
use domain::ids::{AppId, MissionId, Mode, StepId, UnitId};
use domain::recipe::read::Fields;
use domain::targeting::Profile;
use domain::time::{DAY_MS, HOUR_MS, Timestamp};
use domain::verify::Report;
use engine::{
    AttemptNote, AttemptOutcome, Claim, Claimed, CompletionAnswer, ConversionAnswer,
    ConversionError, Ctx, Engine, EngineError, Finished, MasterKey, Postback, SessionRequest,
    Stores, TapAnswer, Vault, Viewer,
};
use store::memory::{MemoryCatalog, MemoryReports, MemoryState};
use store::{CatalogStore, StateStore};

/// Ten in the morning of some day.
pub(crate) const NOW: Timestamp = Timestamp(20_000 * DAY_MS + 10 * HOUR_MS);
pub(crate) const MISSION: MissionId = MissionId(1);

/// An engine, and the stores that outlive it.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) catalog: Arc<MemoryCatalog>,
    pub(crate) viewer: Viewer,
}

/// A command at so many hours after [`NOW`].
pub(crate) fn at(hours: i64) -> Ctx {
    Ctx::at(Timestamp(NOW.0 + hours * HOUR_MS))
}

impl Node {
    /// The sample catalogue and a user `ann` who has opened the page.
    pub(crate) async fn new() -> Self {
        Self::with(sample::entities(), Mode::Live).await
    }

    pub(crate) async fn with(rows: Vec<Entity>, mode: Mode) -> Self {
        let catalog = Arc::new(MemoryCatalog::new());
        let edits = rows.into_iter().map(Edit::Put).collect();
        catalog.save(0, edits, "test", NOW).await.expect("a new catalogue");
        let state: Arc<dyn StateStore> = Arc::new(MemoryState::new());
        let engine = engine(&state, &catalog).await;
        let viewer = session(&engine, &at(0), mode).await;
        Self { engine, state, catalog, viewer }
    }

    /// A new session of the user.
    pub(crate) async fn open(&self, ctx: &Ctx) -> Viewer {
        session(&self.engine, ctx, self.viewer.mode).await
    }

    /// Ends the user's sessions.
    pub(crate) async fn revoke(&self, ctx: &Ctx) {
        let Viewer { app, mode, .. } = self.viewer;
        self.engine.revoke_sessions(ctx, (app, mode), "ann").await.expect("an end");
    }

    /// Another node on the same stores, whose calls go through `tap`.
    pub(crate) async fn through<S: StateStore + 'static>(
        &self,
        tap: impl FnOnce(Arc<dyn StateStore>) -> S,
    ) -> (Self, Arc<S>) {
        let tapped = Arc::new(tap(Arc::clone(&self.state)));
        let state: Arc<dyn StateStore> = tapped.clone();
        let engine = engine(&state, &self.catalog).await;
        let catalog = Arc::clone(&self.catalog);
        (Self { engine, state, catalog, viewer: self.viewer }, tapped)
    }

    /// Another node on the same state, whose catalogue is empty.
    pub(crate) async fn without_app(&self) -> Self {
        let (state, catalog) = (Arc::clone(&self.state), Arc::new(MemoryCatalog::new()));
        let engine = engine(&state, &catalog).await;
        Self { engine, state, catalog, viewer: self.viewer }
    }

    pub(crate) async fn participate(&self, ctx: &Ctx) -> Result<TapAnswer, EngineError> {
        self.engine.participate(ctx, &self.viewer, MISSION).await
    }

    /// Starts the sample mission, and says its click id.
    pub(crate) async fn start(&self) -> String {
        let started = self.participate(&at(0)).await.expect("an answer");
        started.expect("a start").click_id
    }

    /// A postback of the sample partner; `more` are further fields such as `reversal=1`.
    pub(crate) async fn post(
        &self,
        ctx: &Ctx,
        click_id: &str,
        event: &str,
        more: &[(&str, &str)],
    ) -> Result<ConversionAnswer, ConversionError> {
        let all = [("click_id", click_id), ("event", event), ("event_id", event)];
        let pairs = all.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into()));
        let postback = Postback {
            token: sample::PARTNER_TOKEN,
            fields: &Fields::new(pairs.collect()),
            header: &|_| None,
            body: b"",
        };
        self.engine.receive_conversion(ctx, &postback).await
    }

    /// Today's check-in, which is step 4 of the sample mission.
    pub(crate) async fn check_in(&self, ctx: &Ctx) -> Result<CompletionAnswer, EngineError> {
        let wish = Completion { mission: MISSION, step: StepId(4), evidence: Evidence::CheckIn };
        self.engine.complete_step(ctx, &self.viewer, wish).await
    }

    /// Claims what is due, and settles each so; says the ids of the messages with their kinds.
    pub(crate) async fn deliver(&self, ctx: &Ctx, outcome: AttemptOutcome) -> Vec<String> {
        let claim = Claim {
            now: ctx.now,
            lease_until: ctx.now.plus_seconds(60),
            limit: 100,
            per_endpoint: 100,
            skip: Vec::new(),
        };
        let claimed = self.engine.claim_deliveries(ctx, claim).await.expect("claims");
        let mut told = Vec::new();
        for one in claimed {
            let message = &one.delivery.message;
            told.push(format!("{} {}", message.kind.name(), message.amount.0));
            self.finish(ctx, one, outcome.clone()).await.expect("a settlement");
        }
        told
    }

    /// Settles what was claimed.
    pub(crate) async fn finish(
        &self,
        ctx: &Ctx,
        claimed: Claimed,
        outcome: AttemptOutcome,
    ) -> Result<(), EngineError> {
        let note =
            AttemptNote { at: ctx.now, status: Some(200), note: String::new(), duration_ms: 5 };
        let finished = Finished { claimed, outcome, note, jitter: 0 };
        let dialect = Dialect::new("test", Method::Post);
        self.engine.finish_delivery(ctx, &dialect, finished).await.map(drop)
    }

    pub(crate) async fn report(&self, ctx: &Ctx) -> Report {
        self.engine.verify(ctx, |_, _| {}).await.expect("a report")
    }

    /// That the books are right, and how many lines they have.
    pub(crate) async fn assert_clean(&self) -> u64 {
        let report = self.report(&at(10_000)).await;
        assert_eq!(report.findings, []);
        report.entries_checked
    }
}

/// Opens a session for `ann`, and reads her token.
async fn session(engine: &Engine, ctx: &Ctx, mode: Mode) -> Viewer {
    let (unit, user_id) = (UnitId(1), "ann".to_owned());
    let request = SessionRequest { unit, user_id, profile: Profile::default() };
    let opened = engine.open_session(ctx, (AppId(1), mode), request).await.expect("a session");
    Viewer::of(&engine.session(ctx, &opened.token).expect("our token"))
}

async fn engine(state: &Arc<dyn StateStore>, catalog: &Arc<MemoryCatalog>) -> Engine {
    let stores = Stores {
        state: Arc::clone(state),
        catalog: catalog.clone(),
        reports: Arc::new(MemoryReports::new()),
    };
    let engine = Engine::new(stores, Vault::new(&MasterKey::new([7; 32]), &[]));
    engine.refresh_catalog(&at(0)).await.expect("a catalogue");
    engine
}

/// The sample rows with another line item.
pub(crate) fn rows_with(change: impl Fn(&mut LineItem)) -> Vec<Entity> {
    let mut rows = sample::entities();
    for row in &mut rows {
        if let Entity::LineItem(line_item) = row {
            change(line_item);
        }
    }
    rows
}
