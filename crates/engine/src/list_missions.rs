//! `list_missions`: which missions a user may see now, his own runs first.
//!
//! | step | store calls |
//! |---|---|
//! | load the user | 1; with a cache, 0 or 1; 0 if the caller has the list and the store knows that nothing changed |
//!
//! The catalogue and the budgets are read in memory; the answer is written by the caller from what
//! it is shown here, so nothing is copied on the way.

use std::cell::OnceCell;
use std::sync::Arc;

use domain::catalog::{LineItem, Mission};
use domain::change::Loaded;
use domain::decide::{self, Listing, Offer, Withheld};
use domain::ids::AdGroupId;
use domain::money::Points;
use domain::snapshot::{Price, Snapshot};
use domain::time::Timestamp;
use domain::user::Enrollment;
use domain::view;

use crate::assortments::Shared;
use crate::sheets::{Cut, SHEET_MISSIONS_MAX, Sheet};
use crate::user_cache::OnError;
use crate::{Ctx, Engine, EngineError, Viewer};

/// How long an unchanged list may be kept, in milliseconds: flight dates, deadlines and pacing move
/// with time, so a list is at most this old.
pub(crate) const LIST_BUCKET_MS: i64 = 60_000;

/// What a list is written from.
pub struct ListView<'a> {
    /// Tells it from other lists.
    pub tag: ListTag,
    /// The compiled catalogue.
    pub snapshot: &'a Snapshot,
    /// The user.
    pub loaded: &'a Loaded,
    /// The moment.
    pub now: Timestamp,
    /// Runs that can still earn, nearest deadline first.
    pub runs: Vec<MissionView<'a>>,
    /// Missions that can be started, in order.
    pub offers: Offered<'a>,
    /// Points that all of it can still pay.
    pub earnable: Points,
    /// Points that have reached the wallet and were not taken back; those on hold have not.
    pub earned: Points,
}

/// What a user can start: an assortment without what is withheld from him.
pub struct Offered<'a> {
    pub(crate) listing: Listing<'a>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) withheld: Withheld,
    all: OnceCell<Vec<Offer<'a>>>,
}

/// Tells lists apart: two of one tag differ only in what the clock has changed within a minute.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListTag {
    /// Revision of the catalogue.
    pub revision: u64,
    /// Version of the user.
    pub version: u64,
    /// Changes with the budgets that this node knows of; another node begins elsewhere.
    pub epoch: u64,
    /// Changes with time.
    pub bucket: u64,
    /// Part of the user's key, since one page may show several users after each other.
    pub user: u64,
    /// The placement.
    pub unit: u32,
}

/// One mission and the user's run of it.
#[derive(Clone, Copy)]
pub struct MissionView<'a> {
    /// The version that the user sees: the locked one if he has started.
    pub mission: &'a Arc<Mission>,
    /// Where that version is among [`Snapshot::versions`], if he has started.
    pub version_place: Option<usize>,
    /// Who pays.
    pub line_item: &'a LineItem,
    /// The ad group that it is, or was, offered through.
    pub ad_group: AdGroupId,
    /// His run.
    pub run: Option<&'a Enrollment>,
    /// The prices of the steps now; a run has its own, locked ones.
    pub prices: &'a [Price],
}

impl Engine {
    /// Shows the list to `write`, and returns what it makes of it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`] for a user who was never seen; [`EngineError::Store`].
    pub async fn list_missions<R>(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        write: impl FnOnce(&ListView<'_>) -> R,
    ) -> Result<R, EngineError> {
        self.list_missions_unless::<R, fn(ListTag) -> Option<R>>(ctx, viewer, None, write).await
    }

    /// The same, unless `known` has an answer already for a list of that tag: then nothing is decided,
    /// and where the store knows the user's version the user is not even loaded.
    ///
    /// # Errors
    /// As [`Self::list_missions`].
    pub async fn list_missions_unless<R, K: Fn(ListTag) -> Option<R>>(
        &self,
        ctx: &Ctx,
        viewer: &Viewer,
        known: Option<K>,
        write: impl FnOnce(&ListView<'_>) -> R,
    ) -> Result<R, EngineError> {
        let snapshot = self.snapshot();
        let has_known = known.is_some();
        let known = |version| known.as_ref()?(self.tag(&snapshot, version, viewer, ctx.now));
        if has_known && let Some(answer) = self.glanced(viewer).and_then(&known) {
            return Ok(answer);
        }
        let loaded = self.shown(ctx, viewer, OnError::ShowStale).await?;
        Self::owned(&loaded, viewer)?;
        if let Some(answer) = known(loaded.version) {
            return Ok(answer);
        }
        let levels = self.board.read();
        let tag = self.tag(&snapshot, loaded.version, viewer, ctx.now);
        let situation = Self::situation(&snapshot, &loaded, &levels, viewer, ctx);
        let runs: Vec<_> = decide::runs(&situation)
            .into_iter()
            .filter_map(|run| mission_of(&snapshot, run))
            .collect();
        let listing = Listing::of(situation);
        let shared = self.assortments.of(&snapshot, tag.epoch, &listing, ctx.now);
        let offers = Offered::of(listing, shared);
        let view = ListView {
            tag,
            earnable: earnable(&runs, &offers),
            earned: earned(&loaded),
            snapshot: &snapshot,
            loaded: &loaded,
            now: ctx.now,
            runs,
            offers,
        };
        Ok(write(&view))
    }

    /// The user's version, if the store knows it without being asked for him. All sessions of such a user
    /// count, so nothing of him is left to be checked but his app.
    fn glanced(&self, viewer: &Viewer) -> Option<u64> {
        let glance = self.stores.state.glance(viewer.user)?;
        (glance.app == viewer.app).then_some(glance.version)
    }

    fn tag(&self, snapshot: &Snapshot, version: u64, viewer: &Viewer, now: Timestamp) -> ListTag {
        let user = u128::from_be_bytes(viewer.user.0);
        ListTag {
            revision: snapshot.revision(),
            version,
            epoch: self.board.epoch(),
            bucket: (now.0 / LIST_BUCKET_MS) as u64,
            user: user as u64,
            unit: viewer.unit.0,
        }
    }
}

/// The mission of a run, in the version whose terms are locked.
pub(crate) fn mission_of<'a>(
    snapshot: &'a Snapshot,
    run: &'a Enrollment,
) -> Option<MissionView<'a>> {
    let version_place = snapshot.place_of_version(run.mission, run.version)?;
    Some(MissionView {
        mission: snapshot.versions().get(version_place)?,
        version_place: Some(version_place),
        line_item: snapshot.any_line_item(run.line_item)?,
        ad_group: run.ad_group,
        run: Some(run),
        prices: &[],
    })
}

fn earnable(runs: &[MissionView<'_>], offers: &Offered<'_>) -> Points {
    let of_run =
        |one: &MissionView<'_>| one.run.map_or(0, |run| view::remaining(run, one.mission).0);
    let runs: i64 = runs.iter().map(of_run).sum();
    Points(runs + offers.pays().0)
}

impl<'a> Offered<'a> {
    fn of(listing: Listing<'a>, shared: Arc<Shared>) -> Self {
        let withheld = listing.withheld(&shared.assortment);
        Self { listing, shared, withheld, all: OnceCell::new() }
    }

    /// All of it, best first.
    pub fn all(&self) -> &[Offer<'a>] {
        self.all
            .get_or_init(|| self.listing.beside(&self.shared.assortment, &self.withheld).collect())
    }

    /// At most `limit` missions behind the place `after`, as pieces of the sheet of his class in
    /// `language`. `write` appends the text of an offer and what separates it from the next one; it must
    /// depend on nothing but the offer, the language and the terms of the app. `None` if they are not on
    /// a sheet: then [`Self::all`] has them.
    pub fn cut(
        &self,
        language: &str,
        (after, limit): (Option<u32>, usize),
        write: impl FnMut(&Offer<'_>, &mut Vec<u8>),
    ) -> Option<Cut> {
        let Withheld::Some(withheld) = &self.withheld else { return Some(Cut::EMPTY) };
        let Shared { assortment, sheets } = &*self.shared;
        let sheet = sheets.of(language, || {
            let count = assortment.len().min(SHEET_MISSIONS_MAX);
            let at = |place| self.listing.offer_at(assortment, place);
            Sheet::of((0..count as u32).filter_map(at), count == assortment.len(), write)
        })?;
        sheet.cut(withheld, after, limit)
    }

    /// Points that it can pay.
    #[must_use]
    pub fn pays(&self) -> Points {
        self.shared.assortment.pays_beside(&self.withheld)
    }
}

/// All that has reached the user's wallet and was not taken back.
pub(crate) fn earned(loaded: &Loaded) -> Points {
    Points(loaded.state.enrollments.iter().map(|run| run.earned().0).sum())
}
