//! `guerdon seed`: a database full of made-up users, for benchmarks.
//!
//! Everything is decided by the domain's own rules and written through the store's commit path, so
//! the journal, the budgets and the users agree, and `guerdon verify` finds nothing. The same
//! arguments give the same catalogue and the same users; only the moments depend on the clock,
//! because runs have to be young enough to be open.
//!
//! All changes of one user are drawn up in memory, each on the one before, and handed to the store
//! together: SQLite takes them in order and writes the user's value once for the whole group; what
//! another store has taken too early is handed to it again.

mod catalog;
mod people;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use engine::{Ctx, Engine};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use store::{AttemptNote, Claim, Outcome, Settlement, StateStore};

use crate::cli::SeedArgs;
use crate::clock;
use crate::config::{Loaded, State};
use crate::output::{Output, Progress};
use crate::wiring;
use catalog::Kinds;
use people::People;

/// Name under which the catalogue is saved.
const BY: &str = "seed";
/// Users whose changes are under way at once: enough to fill the writer's groups.
const USERS_AT_ONCE: usize = 64;
/// Messages that are settled at once.
const DELIVERIES_AT_ONCE: usize = 1_000;
/// How long they are leased for that, in seconds.
const LEASE_SECONDS: i64 = 600;

/// What a load generator needs to know.
#[derive(Serialize)]
struct Seeded {
    users: u32,
    enrollments_per_user: u32,
    in_progress_per_user: u32,
    line_items: u32,
    ad_groups: usize,
    missions: usize,
    steps: usize,
    /// Missions that a user sees on average, his own open runs among them.
    missions_per_user: usize,
    app_key: &'static str,
    unit_id: u32,
    partner_token: &'static str,
    /// `{n}` runs from 0 to one below the number of users.
    user_id: &'static str,
    /// The events of a mission's steps, in order. Of each user's runs those in progress have had the
    /// first one, and the first of the others has had all.
    events: [&'static str; 2],
    commits: u64,
    seconds: f64,
}

/// Fills an empty database.
pub(crate) async fn run(path: &Path, args: &SeedArgs, out: Output) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let kinds = check(args)?;
    let node = wiring::open(&loaded).await?;
    if node.engine.snapshot().revision() > 0 {
        bail!("{} is not empty; seed another one", State::from(loaded.config.store).name());
    }
    let ctx = Ctx::at(clock::now());
    let entities = catalog::entities(args.line_items, kinds);
    node.engine
        .apply_entities(&ctx, &entities, false, BY)
        .await
        .context("the catalogue could not be saved")?;
    let mut progress = Progress::new("seed");
    let commits = fill(&node.engine, &node.state, (args, kinds), &mut progress).await?;
    deliver(&*node.state, &mut progress).await?;
    absorb(&node.engine, &mut progress).await?;
    let seconds = progress.end();
    let snapshot = node.engine.snapshot();
    let catalog = snapshot.catalog();
    let seeded = Seeded {
        users: args.users,
        enrollments_per_user: args.enrollments,
        in_progress_per_user: args.in_progress,
        line_items: args.line_items,
        ad_groups: catalog.ad_groups.len(),
        missions: catalog.missions.len(),
        steps: catalog.missions.values().map(|mission| mission.steps.len()).sum(),
        missions_per_user: catalog.missions.len() / args.kinds as usize - finished(args),
        app_key: catalog::APP_KEY,
        unit_id: catalog::UNIT.0,
        partner_token: catalog::PARTNER_TOKEN,
        user_id: people::USER_ID,
        events: catalog::EVENTS,
        commits,
        seconds,
    };
    out.answer(&seeded, Seeded::text)
}

/// Whether every user can have so many runs among the missions that are for him; gives the kinds.
fn check(args: &SeedArgs) -> anyhow::Result<Kinds> {
    let kinds = Kinds::of(args.kinds);
    let kinds = kinds.context("the number of kinds must be a multiple of 6, at most 4056")?;
    let most = kinds.missions_per_user(args.line_items);
    ensure!(
        (1..=most).contains(&args.enrollments),
        "with {} line items for {} kinds of users a user can have 1 to {most} enrollments",
        args.line_items,
        args.kinds
    );
    let most = args.enrollments.min(kinds.missions_of_two_steps(args.line_items));
    ensure!(
        args.in_progress <= most,
        "with {} line items and {} enrollments at most {most} can be in progress",
        args.line_items,
        args.enrollments
    );
    Ok(kinds)
}

/// How many missions each user has finished, and is not shown any more.
fn finished(args: &SeedArgs) -> usize {
    usize::from(args.in_progress < args.enrollments)
}

/// Commits all users, many at once, and says how many commits that were.
async fn fill(
    engine: &Engine,
    store: &Arc<dyn StateStore>,
    (args, kinds): (&SeedArgs, Kinds),
    progress: &mut Progress,
) -> anyhow::Result<u64> {
    let levels = store.levels().await?.into_iter().collect();
    let runs = (args.enrollments, args.in_progress);
    let people = People::new(engine.snapshot(), levels, kinds, runs, clock::now());
    let people = Arc::new(people);
    let all = stream::iter(0..args.users).map(|number| {
        let (people, store) = (Arc::clone(&people), Arc::clone(store));
        tokio::spawn(async move { commit(&*store, &people, number).await })
    });
    let mut done = all.buffer_unordered(USERS_AT_ONCE);
    let (mut users, mut commits) = (0_u32, 0_u64);
    while let Some(committed) = done.try_next().await? {
        users += 1;
        commits += committed?;
        progress.at(|| format!("{users} of {} users, {commits} commits", args.users));
    }
    Ok(commits)
}

/// Settles every message as delivered, so that a server on this database has nothing to send.
async fn deliver(store: &dyn StateStore, progress: &mut Progress) -> anyhow::Result<()> {
    let now = clock::now();
    let claim = Claim {
        now,
        lease_until: now.plus_seconds(LEASE_SECONDS),
        limit: DELIVERIES_AT_ONCE,
        per_endpoint: DELIVERIES_AT_ONCE,
        skip: Vec::new(),
    };
    let note = AttemptNote { at: now, status: Some(204), note: String::new(), duration_ms: 1 };
    let mut delivered = 0;
    loop {
        let claimed = store.claim(claim.clone()).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        delivered += claimed.len();
        let settled = claimed.iter().map(|one| {
            let id = one.delivery.message.id;
            store.settle(id, one.fence, Settlement::Delivered, note.clone())
        });
        try_join_all(settled).await?;
        progress.at(|| format!("{delivered} messages delivered"));
    }
}

/// Adds the whole journal to the reports, so that a server on this database has none to add.
async fn absorb(engine: &Engine, progress: &mut Progress) -> anyhow::Result<()> {
    let ctx = Ctx::at(clock::now());
    let mut absorbed = 0;
    loop {
        match engine.absorb_reports(&ctx).await? {
            0 => return Ok(()),
            added => absorbed += added,
        }
        progress.at(|| format!("{absorbed} records in the reports"));
    }
}

/// Commits everything that one user has done, and says how many commits that were.
async fn commit(store: &dyn StateStore, people: &People, number: u32) -> anyhow::Result<u64> {
    let changes = people.changes(number)?;
    let count = changes.len() as u64;
    let at_once = changes.iter().map(|change| store.commit(change.clone()));
    let outcomes = try_join_all(at_once).await?;
    for (change, outcome) in changes.into_iter().zip(outcomes) {
        let outcome = match outcome {
            // Not every store takes them in the order in which they were sent.
            Outcome::Stale => store.commit(change).await?,
            outcome => outcome,
        };
        if !matches!(outcome, Outcome::Applied(_)) {
            bail!("user {number} could not be written: {outcome:?}");
        }
    }
    Ok(count)
}

impl Seeded {
    fn text(&self) -> String {
        format!(
            "{} users with {} enrollments each, {} of them in progress, {} line items, {} ad groups, {} missions, {} steps: \
             {} commits in {:.1} s\n\
             app key        {}\n\
             unit id        {}\n\
             partner token  {}\n\
             user ids       {} (n from 0 to {})",
            self.users,
            self.enrollments_per_user,
            self.in_progress_per_user,
            self.line_items,
            self.ad_groups,
            self.missions,
            self.steps,
            self.commits,
            self.seconds,
            self.app_key,
            self.unit_id,
            self.partner_token,
            self.user_id,
            self.users.saturating_sub(1),
        )
    }
}
