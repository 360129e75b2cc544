//! Who may have how many attempts in flight. Pure accounting.
//!
//! A slow or dead publisher must not delay another, so no endpoint gets more than a part of all
//! places, and one that has fallen silent gets a single attempt at a time until it answers again. All
//! silent ones together never get more than half of the places, however many they are.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalog::Catalog;
use domain::ids::Mode;
use engine::Endpoint;

/// The part of all places that one endpoint may take at most, as a divisor.
const ENDPOINT_SHARE: usize = 4;

/// The part of all places that silent endpoints may take together, as a divisor.
const SILENT_SHARE: usize = 2;

/// Attempts in flight to an app that the catalogue does not name: they end without a call.
const UNNAMED_CONCURRENCY: usize = 8;

/// What may be claimed now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Terms {
    /// Most deliveries in all.
    pub(crate) limit: usize,
    /// Most deliveries of one endpoint; every endpoint that is not skipped has room for them.
    pub(crate) per_endpoint: usize,
    /// Endpoints that get nothing now.
    pub(crate) skip: Vec<Endpoint>,
}

/// The attempts in flight, and the endpoints that did not answer the latest one.
#[derive(Debug)]
pub(crate) struct Lanes {
    places: usize,
    in_flight: BTreeMap<Endpoint, usize>,
    silent: BTreeSet<Endpoint>,
}

impl Lanes {
    /// So many places, all of them free.
    pub(crate) fn new(places: usize) -> Self {
        Self { places: places.max(1), in_flight: BTreeMap::new(), silent: BTreeSet::new() }
    }

    /// Attempts in flight.
    pub(crate) fn taken(&self) -> usize {
        self.in_flight.values().sum()
    }

    /// An attempt begins.
    pub(crate) fn enter(&mut self, endpoint: Endpoint) {
        *self.in_flight.entry(endpoint).or_default() += 1;
    }

    /// An attempt is over.
    pub(crate) fn leave(&mut self, endpoint: Endpoint) {
        if let Some(count) = self.in_flight.get_mut(&endpoint) {
            *count -= 1;
            if *count == 0 {
                self.in_flight.remove(&endpoint);
            }
        }
    }

    /// Whether the endpoint has answered.
    pub(crate) fn heard(&mut self, endpoint: Endpoint, is_silent: bool) {
        if is_silent {
            self.silent.insert(endpoint);
        } else {
            self.silent.remove(&endpoint);
        }
    }

    /// What endpoints that answer may be given; `None` if no place is free.
    pub(crate) fn terms(&self, catalog: &Catalog) -> Option<Terms> {
        let mut skip: Vec<Endpoint> = self.silent.iter().copied().collect();
        let mut per_endpoint = None;
        for (endpoint, concurrency) in self.known(catalog) {
            if self.silent.contains(&endpoint) {
                continue;
            }
            match self.most(concurrency).saturating_sub(self.count(endpoint)) {
                0 => skip.push(endpoint),
                room => per_endpoint = Some(per_endpoint.map_or(room, |least| room.min(least))),
            }
        }
        let per_endpoint = per_endpoint.unwrap_or_else(|| self.most(UNNAMED_CONCURRENCY));
        self.terms_of(self.places, per_endpoint, skip)
    }

    /// What may be given while there are silent endpoints, before those that answer get all the rest;
    /// `None` if there is no silent endpoint or no place for one.
    pub(crate) fn silent_terms(&self, catalog: &Catalog) -> Option<Terms> {
        let is_full = |(endpoint, concurrency): &(Endpoint, usize)| {
            let most = self.most(*concurrency);
            let most = if self.silent.contains(endpoint) { most.min(1) } else { most };
            self.count(*endpoint) >= most
        };
        let skip = self.known(catalog).into_iter().filter(is_full).map(|(endpoint, _)| endpoint);
        let taken: usize = self.silent.iter().map(|endpoint| self.count(*endpoint)).sum();
        let left = (self.places / SILENT_SHARE).max(1).saturating_sub(taken);
        if self.silent.is_empty() {
            return None;
        }
        self.terms_of(self.taken() + left, 1, skip.collect())
    }

    fn terms_of(&self, places: usize, per_endpoint: usize, skip: Vec<Endpoint>) -> Option<Terms> {
        let limit = places.min(self.places).saturating_sub(self.taken());
        (limit > 0).then_some(Terms { limit, per_endpoint, skip })
    }

    fn count(&self, endpoint: Endpoint) -> usize {
        self.in_flight.get(&endpoint).copied().unwrap_or_default()
    }

    /// Most attempts in flight to an endpoint whose dialect wants `concurrency`. An app that has no
    /// endpoint wants none: its rewards wait for the pull API, or for an endpoint.
    fn most(&self, concurrency: usize) -> usize {
        match concurrency {
            0 => 0,
            _ => concurrency.min(self.places / ENDPOINT_SHARE).max(1),
        }
    }

    /// Every endpoint of the catalogue, every silent one and every one in flight, with the
    /// concurrency that its dialect wants.
    fn known(&self, catalog: &Catalog) -> BTreeMap<Endpoint, usize> {
        let unnamed = self.in_flight.keys().chain(&self.silent);
        let mut known: BTreeMap<Endpoint, usize> =
            unnamed.map(|endpoint| (*endpoint, UNNAMED_CONCURRENCY)).collect();
        for app in catalog.apps.values() {
            for mode in [Mode::Live, Mode::Test] {
                let named = app.endpoint(mode);
                let concurrency = named.map_or(0, |named| named.dialect.concurrency.into());
                known.insert(Endpoint { app: app.id, mode }, concurrency);
            }
        }
        known
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
