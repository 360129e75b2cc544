//! What of a list is the same for many users, written once for each revision and language.
//!
//! A mission is a form with gaps ([`Form`]), which is made when it is first needed. What a user's app
//! pays, or where he stands, is filled in for each list; what he can start is kept whole only for whole
//! classes of users (the sheets of [`engine`]).

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use domain::catalog::{Catalog, Creative, Mission};
use domain::decide::Offer;
use domain::snapshot::Snapshot;
use foldhash::HashMap;

use super::document::{Alike, Form};

/// What was written for the newest revision that was asked for.
pub(crate) struct Fragments {
    edition: RwLock<Arc<Edition>>,
}

/// What was written for one revision.
struct Edition {
    revision: u64,
    /// Every language that some mission is written in; users of any other see each mission's first.
    languages: BTreeSet<String>,
    books: RwLock<HashMap<String, Arc<Book>>>,
}

/// What was written for one language. There are as many books as a catalogue has languages.
pub(crate) struct Book {
    pub(super) language: String,
    forms: Box<[OnceLock<Form>]>,
    alike: Alike,
}

impl Fragments {
    pub(crate) fn new() -> Self {
        Self { edition: RwLock::new(Arc::new(Edition::of(0, &Catalog::default()))) }
    }

    /// The book for the users of a language.
    pub(crate) fn book(&self, snapshot: &Snapshot, language: &str) -> Arc<Book> {
        let edition = self.edition(snapshot);
        let language = edition.known(language);
        let books = edition.books.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(book) = books.get(language) {
            return Arc::clone(book);
        }
        drop(books);
        let mut books = edition.books.write().unwrap_or_else(PoisonError::into_inner);
        let book = books.entry(language.to_owned());
        Arc::clone(book.or_insert_with(|| Arc::new(Book::new(snapshot, language))))
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
            languages.extend(mission.creatives.iter().map(Creative::language));
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
            forms: (0..snapshot.versions().len()).map(|_| OnceLock::new()).collect(),
            alike: Alike::default(),
        }
    }

    /// Appends the JSON of an offer.
    pub(crate) fn append(&self, offer: &Offer<'_>, to: &mut Vec<u8>) {
        match self.form(offer.version_place, offer.mission) {
            Some(form) => form.write_offer(offer, to),
            None => Form::of(offer.mission, &self.language, &self.alike).write_offer(offer, to),
        }
    }

    /// The form of a version of a mission, by its place among those of the snapshot.
    pub(super) fn form(&self, place: usize, mission: &Mission) -> Option<&Form> {
        let make = || Form::of(mission, &self.language, &self.alike);
        Some(self.forms.get(place)?.get_or_init(make))
    }
}
