//! What of a list is the same for many users, written once for each revision.
//!
//! What a mission that nobody has started looks like depends on nothing of the user but the terms of
//! his app and his language, so its JSON is made when it is first needed and copied from then on. A
//! mission that he has started is a form with gaps ([`Form`]).

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use domain::catalog::{Catalog, Mission};
use domain::decide::Offer;
use domain::ids::AppId;
use domain::snapshot::Snapshot;
use foldhash::HashMap;

use super::document::{Form, MissionDoc, json};

/// What was written for the newest revision that was asked for.
pub(crate) struct Fragments {
    edition: RwLock<Arc<Edition>>,
}

/// What was written for one revision.
struct Edition {
    revision: u64,
    /// Every language that some mission is written in; users of any other see each mission's first.
    languages: BTreeSet<String>,
    books: RwLock<HashMap<String, Shelf>>,
}

/// The books of one language, by the number of the terms.
type Shelf = HashMap<u32, Arc<Book>>;

/// What was written for one language and the terms of an app. There are as many books as a catalogue
/// has languages and different terms; apps on the same terms share one.
pub(crate) struct Book {
    pub(super) language: String,
    offers: Box<[OnceLock<Box<[u8]>>]>,
    forms: Box<[OnceLock<Form>]>,
}

impl Fragments {
    pub(crate) fn new() -> Self {
        Self { edition: RwLock::new(Arc::new(Edition::of(0, &Catalog::default()))) }
    }

    /// The book for an app's users of a language.
    pub(crate) fn book(&self, snapshot: &Snapshot, app: AppId, language: &str) -> Arc<Book> {
        let edition = self.edition(snapshot);
        let language = edition.known(language);
        // An app without terms is offered nothing, and what is started already needs none.
        let terms = snapshot.terms_of(app).unwrap_or_default();
        let books = edition.books.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = books.get(language).and_then(|shelf| shelf.get(&terms)) {
            return Arc::clone(book);
        }
        drop(books);
        let mut books = edition.books.write().unwrap_or_else(PoisonError::into_inner);
        let shelf = books.entry(language.to_owned()).or_default();
        Arc::clone(shelf.entry(terms).or_insert_with(|| Arc::new(Book::new(snapshot, language))))
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
        // Older versions too: a run shows the texts that were in force when it began.
        let missions = catalog.mission_versions.values().chain(catalog.missions.values());
        let mut languages = BTreeSet::new();
        for mission in missions {
            languages.extend(mission.creatives.iter().map(|one| one.language.as_str()));
            let texts = mission.steps.iter().flat_map(|step| step.texts.iter());
            languages.extend(texts.map(|one| one.language.as_str()));
        }
        let languages = languages.into_iter().map(str::to_owned).collect();
        Self { revision, languages, books: RwLock::default() }
    }

    /// The language as far as it makes a difference, so that there are no more books than languages
    /// in the catalogue, whatever users say that they speak.
    fn known<'a>(&self, language: &'a str) -> &'a str {
        let primary = language.split('-').next().unwrap_or_default();
        [language, primary].into_iter().find(|one| self.languages.contains(*one)).unwrap_or("")
    }
}

impl Book {
    fn new(snapshot: &Snapshot, language: &str) -> Self {
        Self {
            language: language.to_owned(),
            offers: (0..snapshot.slot_count()).map(|_| OnceLock::new()).collect(),
            forms: (0..snapshot.versions().len()).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Appends the JSON of an offer.
    pub(crate) fn append(&self, offer: &Offer<'_>, to: &mut Vec<u8>) {
        match self.offers.get(offer.slot) {
            Some(written) => to.extend_from_slice(written.get_or_init(|| self.write(offer))),
            None => to.extend(self.write(offer)),
        }
    }

    /// The form of a version of a mission, by its place among those of the snapshot.
    pub(super) fn form(&self, place: usize, mission: &Mission) -> Option<&Form> {
        Some(self.forms.get(place)?.get_or_init(|| Form::of(mission, &self.language)))
    }

    fn write(&self, offer: &Offer<'_>) -> Box<[u8]> {
        let mission: &Mission = offer.mission;
        let doc = MissionDoc::of_offer(mission, offer.line_item, offer.prices, &self.language);
        // A copy is as large as it has to be; a buffer that is cut off keeps its room.
        Box::from(&json(&doc)[..])
    }
}
