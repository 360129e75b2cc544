//! `refresh_catalog`: takes over a newer catalogue and the budgets as they stand.
//!
//! | step | store calls |
//! |---|---|
//! | read the catalogue, unless it is unchanged | 1 |
//! | read the budgets that have changed; all of them once a minute and with a new catalogue | 1 |
//! | for each line item whose limits differ: set them | 1 |

use std::sync::Arc;

use domain::budget::{Level, Limits};
use domain::catalog::{Catalog, HoldPolicy, LineItem};
use domain::ids::LineItemId;
use domain::money::Micros;
use domain::snapshot::Snapshot;
use domain::time::Timestamp;
use futures_util::future::join_all;
use store::{FreshLevels, LevelsMark, LimitsOutcome, StoreError};
use tokio::task::spawn_blocking;

use crate::{Ctx, Engine, EngineError};

/// Line items whose limits are set at once. A catalogue may bring tens of thousands, and a commit each
/// would take a durable write each; so many are a few of a store's groups, and leave room in its queue.
pub(crate) const LIMITS_AT_ONCE: usize = 256;

/// For how long only what has changed is read, in milliseconds. Levels of two commits may be taken over
/// in the wrong order, and a store may be put back in place under a node that runs; what that leaves
/// behind is shown for as long, and never spent.
const WHOLE_EVERY_MS: i64 = 60_000;

/// The turn to edit, and up to where budgets were read and stood as the catalogue says.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    revision: u64,
    mark: Option<LevelsMark>,
    whole_at: Timestamp,
}

impl Turn {
    /// What to ask with; nothing when all has to be compared.
    fn known(&self, revision: u64, now: Timestamp) -> Option<&LevelsMark> {
        let is_recent = (0..WHOLE_EVERY_MS).contains(&now.since(self.whole_at));
        self.mark.as_ref().filter(|_| self.revision == revision && is_recent)
    }

    /// Every limit has been set that was not as that revision says.
    fn after(self, revision: u64, fresh: &FreshLevels, now: Timestamp) -> Self {
        let whole_at = if fresh.is_whole { now } else { self.whole_at };
        Self { revision, mark: fresh.mark.clone(), whole_at }
    }
}

/// A line item, and the limits that it is to have.
pub(crate) type Wanted = (LineItemId, Limits);

impl Engine {
    /// Loads the catalogue if it is newer than the one in memory, and refreshes the budgets.
    /// Answers whether the catalogue changed.
    ///
    /// # Errors
    /// [`EngineError::Store`]; the old snapshot goes on serving.
    pub async fn refresh_catalog(&self, ctx: &Ctx) -> Result<bool, EngineError> {
        match self.editing.try_lock() {
            Ok(mut turn) => {
                let is_newer = self.load_catalog(ctx).await?;
                self.mend_limits(ctx, &mut turn).await?;
                Ok(is_newer)
            }
            // What an edit under way saves it takes over itself, and limits that it is about to lower
            // must not be set back meanwhile.
            Err(_) => {
                let levels = ctx.metered("budgets.levels", self.stores.state.levels()).await?;
                self.take_levels(ctx, &levels);
                Ok(false)
            }
        }
    }

    /// Loads the catalogue alone if it is newer than the one in memory, and answers whether it was;
    /// writes nothing, so it is all that a reader of a store can do.
    ///
    /// # Errors
    /// [`EngineError::Store`]; the old snapshot goes on serving.
    pub async fn load_catalog(&self, ctx: &Ctx) -> Result<bool, EngineError> {
        let known = self.snapshot();
        let newer = self.stores.catalog.snapshot(Some(known.catalog()));
        let newer = ctx.metered("catalog.snapshot", newer).await?;
        let is_newer = newer.is_some();
        if let Some(catalog) = newer {
            self.serve(catalog).await;
        }
        Ok(is_newer)
    }

    /// Compiles a catalogue and lets it take the place of an older one.
    pub(crate) async fn serve(&self, catalog: Catalog) {
        // A large one takes some tenths of a second, in which requests go on being answered.
        let compiled = spawn_blocking(move || Arc::new(Snapshot::compile(catalog))).await;
        match compiled {
            Ok(next) => self.swap_snapshot(next),
            Err(error) => tracing::error!(%error, "the catalogue cannot be compiled"),
        }
    }

    /// Takes over the budgets that have changed, and sets every limit of theirs that is not as the
    /// catalogue says. The caller has the turn to edit.
    pub(crate) async fn mend_limits(&self, ctx: &Ctx, turn: &mut Turn) -> Result<(), EngineError> {
        let snapshot = self.snapshot();
        let known = turn.known(snapshot.revision(), ctx.now);
        let fresh = self.stores.state.levels_since(known);
        let fresh = ctx.metered("budgets.levels_since", fresh).await?;
        self.take_levels(ctx, &fresh.levels);
        let stale = stale_limits(snapshot.catalog(), &fresh);
        let wanted: Vec<Wanted> = stale.into_iter().map(|one| (one.id, limits_of(one))).collect();
        // What cannot be set now has to be found again.
        let before = std::mem::take(turn);
        for some in wanted.chunks(LIMITS_AT_ONCE) {
            for outcome in self.set_limits(ctx, some).await {
                let level = match outcome? {
                    LimitsOutcome::Set(level) => level,
                    LimitsOutcome::BelowCommitted(level) => {
                        tracing::warn!(
                            line_item.id = level.line_item.0,
                            "the catalogue's budget is below what is committed; the old limits hold"
                        );
                        level
                    }
                };
                self.take_levels(ctx, &[level]);
            }
        }
        *turn = before.after(snapshot.revision(), &fresh, ctx.now);
        Ok(())
    }

    /// Sets limits, all of these at once, so that a store which writes what waits in one go does so.
    /// None is given up when another fails: it would be set at some later time.
    pub(crate) async fn set_limits(
        &self,
        ctx: &Ctx,
        wanted: &[Wanted],
    ) -> Vec<Result<LimitsOutcome, StoreError>> {
        let sets = wanted.iter().map(|&(line_item, limits)| {
            ctx.metered(
                "budgets.set_limits",
                self.stores.state.set_limits(line_item, limits, ctx.now),
            )
        });
        join_all(sets).await
    }
}

/// What a line item may spend, as the store guards it.
pub(crate) fn limits_of(line_item: &LineItem) -> Limits {
    let grace = match line_item.hold {
        HoldPolicy::Full => Micros(0),
        HoldPolicy::Expected { grace, .. } => grace,
    };
    Limits {
        total: line_item.budget,
        daily: line_item.daily_budget,
        grace,
        starts: line_item.caps.total,
        daily_starts: line_item.caps.daily,
    }
}

/// Line items whose budget does not stand as the catalogue says: of all, or of those that were read.
/// Both lists are in order.
fn stale_limits<'a>(catalog: &'a Catalog, fresh: &FreshLevels) -> Vec<&'a LineItem> {
    let levels = &fresh.levels;
    let differs = |level: &Level, line_item: &LineItem| level.limits != limits_of(line_item);
    if !fresh.is_whole {
        let read = levels.iter().filter_map(|level| {
            let line_item = catalog.line_items.get(&level.line_item)?;
            differs(level, line_item).then_some(line_item.as_ref())
        });
        return read.collect();
    }
    let is_stale = |line_item: &&LineItem| {
        let place = levels.binary_search_by_key(&line_item.id, |level| level.line_item);
        place.map_or(true, |place| differs(&levels[place], line_item))
    };
    catalog.line_items.values().map(Arc::as_ref).filter(is_stale).collect()
}
