//! `kv`: the catalogue in the process and the user's state by one keyed read; no SQL for a list.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Result;

use super::answer::{List, Shown};
use super::catalog::{self, Catalog};
use super::session::{Calls, Database};
use super::state::{StateStore, UserState};
use super::{Asker, Listed, Refused};

/// How often a newer catalogue is looked for, as often as Django does.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The catalogue that is served and where users are.
pub(super) struct Kv {
    catalog: Arc<RwLock<Arc<Catalog>>>,
    store: StateStore,
}

impl Kv {
    /// Reads the catalogue, and goes on looking for newer ones.
    pub(super) async fn open(database: Database, store: StateStore) -> Result<Self> {
        let catalog = Catalog::read(&mut database.session().await?).await?;
        let catalog = Arc::new(RwLock::new(Arc::new(catalog)));
        tokio::spawn(follow(database, Arc::clone(&catalog)));
        Ok(Self { catalog, store })
    }

    /// The list.
    pub(super) async fn list(&self, asker: &Asker, now: i64) -> Listed {
        let catalog = newest(&self.catalog);
        let app = catalog.app(&asker.api_key, asker.unit_id).ok_or(Refused::Key)?;
        let user = self.store.load(app.id, &asker.user_id).await?.ok_or(Refused::User)?;
        let shown = catalog.shown(&user.language);
        let list = List {
            app,
            revision: catalog.revision,
            every_run: &user.clicks,
            runs: shown_runs(&user, &shown, now),
            offers: startable(&catalog, &user, &shown, now),
        };
        Ok((list.written()?, Calls { sql: 0, kv: 1 }))
    }
}

fn newest(catalog: &RwLock<Arc<Catalog>>) -> Arc<Catalog> {
    Arc::clone(&catalog.read().unwrap_or_else(PoisonError::into_inner))
}

/// Replaces the catalogue when there is a newer one. A database that does not answer is asked again.
async fn follow(database: Database, served: Arc<RwLock<Arc<Catalog>>>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Ok(Some(newer)) = newer(&database, newest(&served).revision).await {
            *served.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newer);
        }
    }
}

async fn newer(database: &Database, revision: u64) -> Result<Option<Catalog>> {
    let mut session = database.session().await?;
    if catalog::revision(&mut session).await? == revision {
        return Ok(None);
    }
    Catalog::read(&mut session).await.map(Some)
}

/// The runs that can still earn, the nearest deadline first.
fn shown_runs<'a>(
    user: &'a UserState,
    shown: &'a HashMap<i64, Shown>,
    now: i64,
) -> Vec<(&'a super::rules::Run, &'a Shown)> {
    let all = user.clicks.iter().filter_map(|run| Some((run, shown.get(&run.mission)?)));
    let mut runs: Vec<_> = all.filter(|(run, shown)| run.can_earn(&shown.steps, now)).collect();
    runs.sort_by(|(a, _), (b, _)| (a.deadline_ms, &a.code).cmp(&(b.deadline_ms, &b.code)));
    runs
}

/// What the user can start, in the order of the line items.
fn startable<'a>(
    catalog: &Catalog,
    user: &UserState,
    shown: &'a HashMap<i64, Shown>,
    now: i64,
) -> Vec<(Option<i64>, &'a Shown)> {
    let clicked: HashSet<i64> = user.clicks.iter().map(|run| run.mission).collect();
    let mut starts: HashMap<i64, usize> = HashMap::new();
    for mission in clicked.iter().filter_map(|id| shown.get(id)) {
        *starts.entry(mission.mission.line_item_id).or_default() += 1;
    }
    let started = |line_item| starts.get(&line_item).copied().unwrap_or(0);
    let line_items = catalog.line_items(user).into_iter();
    line_items
        .filter(|one| one.may_start(now) && one.has_room(started(one.id)))
        .flat_map(|one| catalog.missions_of(one.id).iter().map(move |id| (one.ends_at, id)))
        .filter(|(_, id)| !clicked.contains(id))
        .filter_map(|(ends_at, id)| Some((ends_at, shown.get(id)?)))
        .collect()
}
