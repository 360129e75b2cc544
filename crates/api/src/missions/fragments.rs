//! Missions that nobody has started, written once for each revision, app and language.
//!
//! What such a mission looks like depends on nothing of the user but his app's prices and his
//! language, so its JSON is made when it is first needed and copied from then on.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use domain::catalog::{Catalog, Mission};
use domain::decide::Offer;
use domain::ids::{AppId, MissionId};
use domain::snapshot::Snapshot;

use super::document::{MissionDoc, json};

/// The fragments of the newest revision that was asked for.
pub(crate) struct Fragments {
    edition: RwLock<Arc<Edition>>,
}

/// The fragments of one revision.
struct Edition {
    revision: u64,
    /// Every language that some mission is written in; users of any other see each mission's first.
    languages: BTreeSet<String>,
    books: RwLock<HashMap<(AppId, String), Arc<Book>>>,
}

/// The fragments of one app and one language.
pub(crate) struct Book {
    language: String,
    missions: Vec<MissionId>,
    written: Vec<OnceLock<Box<[u8]>>>,
}

impl Fragments {
    pub(crate) fn new() -> Self {
        Self { edition: RwLock::new(Arc::new(Edition::of(0, &Catalog::default()))) }
    }

    /// The book for an app's users of a language.
    pub(crate) fn book(&self, snapshot: &Snapshot, app: AppId, language: &str) -> Arc<Book> {
        let edition = self.edition(snapshot);
        let language = edition.known(language);
        let books = edition.books.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = books.get(&(app, language.to_owned())) {
            return Arc::clone(book);
        }
        drop(books);
        let book = Arc::new(Book::new(snapshot.catalog(), language));
        let mut books = edition.books.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(books.entry((app, language.to_owned())).or_insert(book))
    }

    fn edition(&self, snapshot: &Snapshot) -> Arc<Edition> {
        let current = Arc::clone(&self.edition.read().unwrap_or_else(PoisonError::into_inner));
        if current.revision == snapshot.revision() {
            return current;
        }
        let next = Arc::new(Edition::of(snapshot.revision(), snapshot.catalog()));
        // A request that still holds the older snapshot must not take the newer edition away.
        if current.revision < next.revision {
            let mut edition = self.edition.write().unwrap_or_else(PoisonError::into_inner);
            *edition = Arc::clone(&next);
        }
        next
    }
}

impl Edition {
    fn of(revision: u64, catalog: &Catalog) -> Self {
        let missions = catalog.missions.values();
        let languages = missions.flat_map(|mission| {
            let creatives = mission.creatives.iter().map(|one| &one.language);
            let steps = mission.steps.iter().flat_map(|step| &step.texts);
            creatives.chain(steps.map(|one| &one.language)).cloned().collect::<Vec<_>>()
        });
        Self { revision, languages: languages.collect(), books: RwLock::default() }
    }

    /// The language as far as it makes a difference, so that there are no more books than languages
    /// in the catalogue, whatever users say that they speak.
    fn known<'a>(&self, language: &'a str) -> &'a str {
        let primary = language.split('-').next().unwrap_or_default();
        [language, primary].into_iter().find(|one| self.languages.contains(*one)).unwrap_or("")
    }
}

impl Book {
    fn new(catalog: &Catalog, language: &str) -> Self {
        let missions: Vec<MissionId> = catalog.missions.keys().copied().collect();
        let written = missions.iter().map(|_| OnceLock::new()).collect();
        Self { language: language.to_owned(), missions, written }
    }

    /// Appends the JSON of an offer.
    pub(crate) fn append(&self, offer: &Offer<'_>, to: &mut Vec<u8>) {
        match self.missions.binary_search(&offer.mission.id) {
            Ok(place) => {
                to.extend_from_slice(self.written[place].get_or_init(|| self.write(offer)));
            }
            Err(_) => to.extend(self.write(offer)),
        }
    }

    fn write(&self, offer: &Offer<'_>) -> Box<[u8]> {
        let mission: &Mission = offer.mission;
        json(&MissionDoc::of_offer(mission, offer.line_item, offer.prices, &self.language)).into()
    }
}
