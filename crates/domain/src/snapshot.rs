//! The catalogue as a request uses it: immutable, compiled once for each revision.
//!
//! People's edits stay what they are in [`Catalog`]; beside it stand the answers to what a request
//! asks: whose key is this, which ad groups fit this user and in what order, what does a step pay in
//! this app. Compiling costs about the size of the catalogue; a request costs what it matches.
//!
//! Nothing here knows of a user or the time: those rules are in [`crate::decide`].

mod prices;
mod ranges;
mod ranking;
mod targets;

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

use crate::catalog::{App, Catalog, LineItem, Mission, Partner, Step};
use crate::ids::{AppId, LineItemId, MissionId, Mode, NumberMap, PartnerId};
use crate::money::{Points, Split};

pub(crate) use prices::PriceBook;
use prices::PriceBooks;
pub(crate) use ranking::{Line, Ranking, Slot};
pub(crate) use targets::{Sieve, Targets};

/// What one occurrence of a step costs and pays in one app.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Price {
    /// How the payout is divided.
    pub split: Split,
    /// What the user gets, in the app's points.
    pub points: Points,
}

/// The price of one occurrence of `step` in `app`; `None` if the app has no rate for the line
/// item's currency, in which case it cannot offer the mission at all.
#[must_use]
pub fn price(app: &App, line_item: &LineItem, step: &Step) -> Option<Price> {
    let rate = *app.currency.rates.get(&line_item.currency)?;
    let split = Split::of(step.payout, step.reward, app.user_share, app.publisher_share);
    let points = split.user.to_points(rate, app.currency.rounding);
    Some(Price { split, points })
}

/// All that a mission can pay at these prices.
#[must_use]
pub fn reward_total(mission: &Mission, prices: &[Price]) -> Points {
    let steps = mission.steps.iter().zip(prices);
    Points(steps.map(|(step, price)| price.points.0 * i64::from(step.repeat.limit)).sum())
}

/// One revision of the catalogue, compiled.
#[derive(Debug)]
pub struct Snapshot {
    catalog: Catalog,
    app_keys: HashMap<[u8; 32], (AppId, Mode)>,
    partner_tokens: HashMap<[u8; 32], PartnerId>,
    advertised: Advertised,
    ranking: Ranking,
    targets: Targets,
    prices: PriceBooks,
    versions: Vec<Arc<Mission>>,
    version_places: NumberMap<(MissionId, u32), u32>,
}

impl Snapshot {
    /// Compiles `catalog`. Rows whose owner is missing are kept but never offered.
    #[must_use]
    pub fn compile(catalog: Catalog) -> Self {
        let app_keys = catalog
            .apps
            .values()
            .flat_map(|app| app.keys.iter().map(|key| (key.digest, (app.id, key.mode))));
        let partners = catalog.partners.values().map(|row| (row.token_digest, row.id));
        let advertised = Advertised::compile(&catalog);
        let ranking = Ranking::compile(&catalog, &advertised);
        let targets = Targets::compile(&ranking.ad_groups(&catalog));
        Self {
            app_keys: app_keys.collect(),
            partner_tokens: partners.collect(),
            advertised,
            prices: PriceBooks::compile(&catalog, ranking.slots().len()),
            versions: catalog.mission_versions.values().map(Arc::clone).collect(),
            version_places: catalog.mission_versions.keys().copied().zip(0..).collect(),
            targets,
            ranking,
            catalog,
        }
    }

    /// The rows it was compiled from.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The catalogue's revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.catalog.revision
    }

    /// The app whose server has the key of that [`crate::ids::bearer_digest`], and for which users
    /// the key speaks.
    #[must_use]
    pub fn app_by_key(&self, digest: &[u8; 32]) -> Option<(&App, Mode)> {
        let (app, mode) = self.app_keys.get(digest)?;
        Some((self.catalog.apps.get(app)?, *mode))
    }

    /// The partner connection whose token has that [`crate::ids::bearer_digest`], enabled or not.
    #[must_use]
    pub fn partner_by_token(&self, digest: &[u8; 32]) -> Option<&Partner> {
        self.catalog.partners.get(self.partner_tokens.get(digest)?)
    }

    /// The line item, deleted or not.
    #[must_use]
    pub fn any_line_item(&self, id: LineItemId) -> Option<&LineItem> {
        match self.ranking.place_of_line(id) {
            Some(place) => Some(&self.ranking.line(place as usize).row),
            None => self.catalog.any_line_item(id),
        }
    }

    /// That version of that mission, deleted or not.
    #[must_use]
    pub fn mission_version(&self, id: MissionId, version: u32) -> Option<&Arc<Mission>> {
        self.versions.get(self.place_of_version(id, version)?)
    }

    /// Every version of every mission, deleted or not.
    #[must_use]
    pub fn versions(&self) -> &[Arc<Mission>] {
        &self.versions
    }

    /// Where that version is among [`Self::versions`].
    #[must_use]
    pub fn place_of_version(&self, id: MissionId, version: u32) -> Option<usize> {
        self.version_places.get(&(id, version)).map(|place| *place as usize)
    }

    /// A number for the terms by which an app pays; apps with the same number pay the same prices.
    #[must_use]
    pub fn terms_of(&self, app: AppId) -> Option<u32> {
        self.prices.number(app)
    }

    /// The price of each step of `mission` in `app`, in the order of its steps.
    ///
    /// `None` if the app cannot pay in the line item's currency, if either is unknown, or if this is
    /// not the mission's latest version: older versions have their prices locked in enrollments.
    #[must_use]
    pub fn prices(&self, app: AppId, mission: &Mission) -> Option<&[Price]> {
        let number = self.ranking.slot_of(mission.id)?;
        let is_latest = self.ranking.slots()[number].mission.version == mission.version;
        if is_latest { self.price_book(app)?.list(number) } else { None }
    }

    /// The prices of every mission in an app; `None` if there is no such app.
    pub(crate) fn price_book(&self, app: AppId) -> Option<PriceBook<'_>> {
        let app = self.catalog.apps.get(&app)?;
        self.prices.book(app, self.ranking())
    }

    /// The order of everything that can be offered.
    pub(crate) fn ranking(&self) -> &Ranking {
        &self.ranking
    }

    /// Which ad groups fit whom.
    pub(crate) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Which line items advertise which apps.
    pub(crate) fn advertised(&self) -> &Advertised {
        &self.advertised
    }
}

/// A number for each advertised app, so that a user's runs are compared by number, not by name.
#[derive(Debug)]
pub(crate) struct Advertised {
    names: HashMap<String, u32>,
    line_items: NumberMap<LineItemId, u32>,
}

impl Advertised {
    fn compile(catalog: &Catalog) -> Self {
        let mut this = Self { names: HashMap::new(), line_items: NumberMap::default() };
        // Line items that were put back leave the retired ones, so no number is here twice.
        for line_item in catalog.all_line_items() {
            let Some(name) = &line_item.advertised_app else {
                continue;
            };
            let next = this.names.len() as u32;
            let number = *this.names.entry(name.clone()).or_insert(next);
            this.line_items.entry(line_item.id).or_insert(number);
        }
        this
    }

    /// The app that a line item advertises, deleted line items included.
    pub(crate) fn by(&self, line_item: LineItemId) -> Option<u32> {
        self.line_items.get(&line_item).copied()
    }

    /// How many apps are advertised; their numbers are below.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// The app of that package or bundle name, if anybody advertises it.
    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }
}
