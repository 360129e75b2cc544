//! Prices of missions, computed when an app first shows them and then kept for the revision.
//!
//! Apps with the same shares, rates and rounding share one book: a publisher's twenty apps, or a
//! thousand apps on house terms, cost as much memory as one. Missions that pay the same share a list.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::{Price, Ranking, price};
use crate::catalog::{App, Catalog};
use crate::ids::{AppId, NumberMap};
use crate::money::{CurrencyCode, Ppm, Rate, Rounding};

/// The prices of one mission's steps; `None` if they cannot be paid.
type List = Option<Arc<[Price]>>;

/// Everything of an app that a price depends on.
type Terms<'a> = (Ppm, Ppm, &'a BTreeMap<CurrencyCode, Rate>, Rounding);

/// The price books of all apps.
#[derive(Debug)]
pub(super) struct PriceBooks {
    book_of: NumberMap<AppId, u32>,
    books: Vec<OnceLock<Box<[OnceLock<List>]>>>,
    slots: usize,
    lists: Lists,
}

/// Each list once; no more than there are missions in all books.
#[derive(Debug, Default)]
struct Lists(Mutex<HashSet<Arc<[Price]>>>);

impl Lists {
    fn share(&self, list: Vec<Price>) -> Arc<[Price]> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&*list) {
            return Arc::clone(known);
        }
        let list: Arc<[Price]> = list.into();
        all.insert(Arc::clone(&list));
        list
    }
}

impl PriceBooks {
    /// Empty books for `slots` missions.
    pub(super) fn compile(catalog: &Catalog, slots: usize) -> Self {
        let mut terms: HashMap<Terms<'_>, u32> = HashMap::new();
        let mut book_of = NumberMap::default();
        for app in catalog.apps.values() {
            let next = terms.len() as u32;
            book_of.insert(app.id, *terms.entry(terms_of(app)).or_insert(next));
        }
        let books = terms.iter().map(|_| OnceLock::new()).collect();
        Self { book_of, books, slots, lists: Lists::default() }
    }

    /// The number of the book of that app.
    pub(super) fn number(&self, app: AppId) -> Option<u32> {
        self.book_of.get(&app).copied()
    }

    /// The book of that app, which is opened when it is asked for first.
    pub(super) fn book<'a>(&'a self, app: &'a App, ranking: &'a Ranking) -> Option<PriceBook<'a>> {
        let book = self.books.get(self.number(app.id)? as usize)?;
        let lists = book.get_or_init(|| (0..self.slots).map(|_| OnceLock::new()).collect());
        Some(PriceBook { app, lists, shared: &self.lists, ranking })
    }
}

/// What one app pays for each mission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PriceBook<'a> {
    app: &'a App,
    lists: &'a [OnceLock<List>],
    shared: &'a Lists,
    ranking: &'a Ranking,
}

impl<'a> PriceBook<'a> {
    /// The price of each step of the mission in that slot, computed when it is asked for first; `None`
    /// if the app has no rate for its currency.
    pub(crate) fn list(&self, slot: usize) -> Option<&'a [Price]> {
        self.lists.get(slot)?.get_or_init(|| self.work_out(slot)).as_deref()
    }

    /// A function of the app's terms and the mission only, as the list is for all apps with the terms.
    fn work_out(&self, slot: usize) -> List {
        let slot = self.ranking.slots().get(slot)?;
        let line_item = &self.ranking.line(slot.line).row;
        let steps = slot.mission.steps.iter();
        let list: Option<Vec<Price>> = steps.map(|step| price(self.app, line_item, step)).collect();
        list.map(|list| self.shared.share(list))
    }
}

fn terms_of(app: &App) -> Terms<'_> {
    let currency = &app.currency;
    (app.user_share, app.publisher_share, &currency.rates, currency.rounding)
}
