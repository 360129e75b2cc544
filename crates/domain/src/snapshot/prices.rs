//! Prices of missions, computed when an app first shows them and then kept for the revision.
//!
//! Apps with the same shares, rates and rounding share one book: a publisher's twenty apps, or a
//! thousand apps on house terms, cost as much memory as one.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use super::Price;
use crate::catalog::{App, Catalog};
use crate::ids::AppId;
use crate::money::{CurrencyCode, Ppm, Rate, Rounding};

/// The prices of one mission's steps; `None` if they cannot be paid.
type List = Option<Box<[Price]>>;

/// Everything of an app that a price depends on.
type Terms<'a> = (Ppm, Ppm, &'a BTreeMap<CurrencyCode, Rate>, Rounding);

/// The price books of all apps.
#[derive(Debug)]
pub(super) struct PriceBooks {
    book_of: HashMap<AppId, u32>,
    books: Vec<OnceLock<Box<[OnceLock<List>]>>>,
    slots: usize,
}

impl PriceBooks {
    /// Empty books for `slots` missions.
    pub(super) fn compile(catalog: &Catalog, slots: usize) -> Self {
        let mut terms: HashMap<Terms<'_>, u32> = HashMap::new();
        let mut book_of = HashMap::with_capacity(catalog.apps.len());
        for app in catalog.apps.values() {
            let next = terms.len() as u32;
            book_of.insert(app.id, *terms.entry(terms_of(app)).or_insert(next));
        }
        let books = terms.iter().map(|_| OnceLock::new()).collect();
        Self { book_of, books, slots }
    }

    /// The price list of one mission in one app, computed by `work` the first time. `work` must be a
    /// function of the app's terms and the mission only.
    pub(super) fn list(
        &self,
        app: &App,
        slot: usize,
        work: impl FnOnce() -> Option<Box<[Price]>>,
    ) -> Option<&[Price]> {
        let book = self.books.get(*self.book_of.get(&app.id)? as usize)?;
        let lists = book.get_or_init(|| (0..self.slots).map(|_| OnceLock::new()).collect());
        lists.get(slot)?.get_or_init(work).as_deref()
    }
}

fn terms_of(app: &App) -> Terms<'_> {
    let currency = &app.currency;
    (app.user_share, app.publisher_share, &currency.rates, currency.rounding)
}
