//! Which ad groups fit which users, as one set for each targeted value.
//!
//! For every property there is a set of ad groups that do not ask for it, and for every value of it
//! a set of those that do. What fits a user is an intersection over the properties, so a request
//! costs a pass over the bits for each property that anybody targets, and never a look at an ad
//! group that does not fit. Nothing is known of a user's property? Then only those fit that do not
//! ask for it.

use std::borrow::Borrow;
use std::hash::Hash;

use foldhash::{HashMap, HashMapExt};

use super::ranges::Ranges;
use crate::bits::{BitSet, PlaceSet};
use crate::catalog::{AdGroup, AdGroupStatus, Gender, OsVersion, Platform, Targeting};
use crate::decide::Rule;
use crate::ids::{SegmentId, UnitId};
use crate::targeting::{AGE_MAX, CountryCode};
use crate::user::UserState;

/// The compiled targeting of all ranked ad groups; a place is a rank.
#[derive(Debug)]
pub(crate) struct Targets {
    active: BitSet,
    country: Wanted<CountryCode>,
    platform: Wanted<Platform>,
    os_version: WantedRange<OsVersion>,
    age: WantedRange<u8>,
    gender: Wanted<Gender>,
    language: Wanted<String>,
    unit: Wanted<UnitId>,
    installed: Wanted<String>,
    not_installed: HashMap<String, PlaceSet>,
    segment: Wanted<SegmentId>,
    not_segment: HashMap<SegmentId, PlaceSet>,
}

impl Targets {
    /// Compiles the targeting of `groups`, which are in the order of their rank.
    pub(super) fn compile(groups: &[&AdGroup]) -> Self {
        let mut active = BitSet::new(groups.len());
        for (place, group) in (0..).zip(groups) {
            if group.status == AdGroupStatus::Active {
                active.insert(place);
            }
        }
        let all: Vec<&Targeting> = groups.iter().map(|group| &*group.targeting).collect();
        Self {
            active,
            country: Wanted::compile(&all, |one| one.countries.iter()),
            platform: Wanted::compile(&all, |one| one.platforms.iter()),
            os_version: WantedRange::compile(&all, |one| {
                one.os_version.map(|range| (range.min, range.max))
            }),
            age: WantedRange::compile(&all, |one| {
                one.age.map(|range| (Some(range.min), Some(range.max)))
            }),
            gender: Wanted::compile(&all, |one| one.genders.iter()),
            language: Wanted::compile(&all, |one| one.languages.iter().map(String::as_str)),
            unit: Wanted::compile(&all, |one| one.units.iter()),
            installed: Wanted::compile(&all, |one| one.installed.iter().map(String::as_str)),
            not_installed: by_value(&all, |one| one.not_installed.iter().map(String::as_str)),
            segment: Wanted::compile(&all, |one| one.segments.iter()),
            not_segment: by_value(&all, |one| one.not_segments.iter()),
        }
    }

    /// What is left of the ad groups for this user in this unit.
    pub(crate) fn sieve<'a>(&'a self, user: &UserState, unit: UnitId) -> Sieve<'a> {
        let mut sieve = Sieve { active: &self.active, meshes: Vec::new(), sets: Vec::new() };
        let profile = &user.profile;
        let languages = languages(&profile.language);
        let apps = || profile.installed_apps.iter().map(String::as_str);
        let segments = || user.segments.iter();
        sieve.want(Rule::Country, &self.country, profile.country.iter());
        sieve.want(Rule::Platform, &self.platform, profile.platform.iter());
        sieve.want_range(Rule::OsVersion, &self.os_version, profile.os_version);
        let age = profile.age.map(|age| age.min(AGE_MAX));
        sieve.want_range(Rule::Age, &self.age, age);
        sieve.want(Rule::Gender, &self.gender, profile.gender.iter());
        sieve.want(Rule::Language, &self.language, languages);
        sieve.want(Rule::Unit, &self.unit, std::iter::once(&unit));
        sieve.want(Rule::Installed, &self.installed, apps());
        sieve.refuse(Rule::NotInstalled, &self.not_installed, apps());
        sieve.want(Rule::Segment, &self.segment, segments());
        sieve.refuse(Rule::NotSegment, &self.not_segment, segments());
        sieve
    }
}

/// A language and its primary part (`pt` for `pt-br`); nothing if it is not known.
fn languages(language: &str) -> impl Iterator<Item = &str> {
    let primary = language.split('-').next().filter(|primary| *primary != language);
    std::iter::once(language).chain(primary).filter(|one| !one.is_empty())
}

/// A property of which one of several values is asked for.
#[derive(Debug)]
struct Wanted<K> {
    /// Who does not ask; `None` if nobody asks.
    indifferent: Option<BitSet>,
    values: HashMap<K, PlaceSet>,
}

impl<K: Eq + Hash> Wanted<K> {
    fn compile<'a, Q, I>(all: &[&'a Targeting], values: impl Fn(&'a Targeting) -> I) -> Self
    where
        Q: ToOwned<Owned = K> + Eq + Hash + ?Sized + 'a,
        K: Borrow<Q>,
        I: Iterator<Item = &'a Q>,
    {
        let mut indifferent = BitSet::new(all.len());
        for (place, one) in (0..).zip(all) {
            if values(one).next().is_none() {
                indifferent.insert(place);
            }
        }
        let is_wanted = indifferent.count() < all.len();
        Self { indifferent: is_wanted.then_some(indifferent), values: by_value(all, values) }
    }
}

/// A property that is asked to be within a range.
#[derive(Debug)]
struct WantedRange<K> {
    /// Who does not ask; `None` if nobody asks.
    indifferent: Option<BitSet>,
    ranges: Ranges<K>,
}

impl<K: Copy + Ord> WantedRange<K> {
    fn compile(
        all: &[&Targeting],
        range: impl Fn(&Targeting) -> Option<(Option<K>, Option<K>)>,
    ) -> Self {
        let mut indifferent = BitSet::new(all.len());
        let mut ranged = Vec::new();
        for (place, one) in (0..).zip(all) {
            match range(one) {
                None => indifferent.insert(place),
                Some((min, max)) => ranged.push((place, min, max)),
            }
        }
        Self {
            indifferent: (!ranged.is_empty()).then_some(indifferent),
            ranges: Ranges::new(&ranged, all.len()),
        }
    }
}

fn by_value<'a, K, Q, I>(
    all: &[&'a Targeting],
    values: impl Fn(&'a Targeting) -> I,
) -> HashMap<K, PlaceSet>
where
    Q: ToOwned<Owned = K> + Eq + Hash + ?Sized + 'a,
    K: Borrow<Q> + Eq + Hash,
    I: Iterator<Item = &'a Q>,
{
    let mut places: HashMap<&Q, Vec<u32>> = HashMap::new();
    for (place, one) in (0..).zip(all) {
        for value in values(one) {
            places.entry(value).or_default().push(place);
        }
    }
    let set =
        |(value, places): (&Q, Vec<u32>)| (value.to_owned(), PlaceSet::new(places, all.len()));
    places.into_iter().map(set).collect()
}

/// The targeting of all ad groups, looked up for one user.
#[derive(Debug)]
pub(crate) struct Sieve<'a> {
    active: &'a BitSet,
    /// One for each property that anybody targets, in the order of the rules.
    meshes: Vec<Mesh<'a>>,
    /// The sets of the user's values, those of one mesh side by side.
    sets: Vec<&'a PlaceSet>,
}

#[derive(Debug)]
struct Mesh<'a> {
    rule: Rule,
    /// Who passes whatever the user's value; `None` for an exclusion, where the sets are those who fail.
    indifferent: Option<&'a BitSet>,
    sets: std::ops::Range<usize>,
}

impl<'a> Sieve<'a> {
    /// Leaves in `candidates` the ranks of the ad groups that fit. `scratch` is overwritten.
    pub(crate) fn narrow(&self, candidates: &mut BitSet, scratch: &mut BitSet) {
        candidates.intersect(self.active);
        for mesh in &self.meshes {
            let sets = &self.sets[mesh.sets.clone()];
            match mesh.indifferent {
                None => sets.iter().for_each(|set| set.remove_from(candidates)),
                Some(indifferent) if sets.is_empty() => candidates.intersect(indifferent),
                Some(indifferent) => {
                    scratch.copy_from(indifferent);
                    sets.iter().for_each(|set| set.add_to(scratch));
                    candidates.intersect(scratch);
                }
            }
        }
    }

    /// The identities of the sets, those of each property after their number. Two users of whom they are
    /// the same fit the same ad groups.
    pub(crate) fn identity(&self) -> Box<[usize]> {
        let mut all = Vec::with_capacity(self.meshes.len() + self.sets.len());
        for mesh in &self.meshes {
            all.push(mesh.sets.len());
            all.extend(
                self.sets[mesh.sets.clone()].iter().map(|set| std::ptr::from_ref(*set).addr()),
            );
        }
        all.into()
    }

    /// The first rule by which the ad group of that rank does not fit; `None` if it does.
    pub(crate) fn first_failing(&self, rank: u32) -> Option<Rule> {
        if !self.active.contains(rank) {
            return Some(Rule::AdGroupActive);
        }
        self.meshes.iter().find(|mesh| !self.lets_through(mesh, rank)).map(|mesh| mesh.rule)
    }

    /// Whether the ad group of that rank passes that rule; true for rules not of ad groups.
    pub(crate) fn passes(&self, rule: Rule, rank: u32) -> bool {
        if rule == Rule::AdGroupActive {
            return self.active.contains(rank);
        }
        let mesh = self.meshes.iter().find(|mesh| mesh.rule == rule);
        mesh.is_none_or(|mesh| self.lets_through(mesh, rank))
    }

    fn lets_through(&self, mesh: &Mesh<'_>, rank: u32) -> bool {
        let is_in_any = || self.sets[mesh.sets.clone()].iter().any(|set| set.contains(rank));
        match mesh.indifferent {
            None => !is_in_any(),
            Some(indifferent) => indifferent.contains(rank) || is_in_any(),
        }
    }

    fn want<'q, K, Q>(
        &mut self,
        rule: Rule,
        wanted: &'a Wanted<K>,
        values: impl Iterator<Item = &'q Q>,
    ) where
        K: Borrow<Q> + Eq + Hash,
        Q: Eq + Hash + ?Sized + 'q,
    {
        if wanted.indifferent.is_some() {
            let sets = values.filter_map(|value| wanted.values.get(value));
            self.mesh(rule, wanted.indifferent.as_ref(), sets);
        }
    }

    fn want_range<K: Copy + Ord>(
        &mut self,
        rule: Rule,
        wanted: &'a WantedRange<K>,
        value: Option<K>,
    ) {
        if wanted.indifferent.is_some() {
            let sets = value.into_iter().flat_map(|value| wanted.ranges.holding(value));
            self.mesh(rule, wanted.indifferent.as_ref(), sets);
        }
    }

    fn refuse<'q, K, Q>(
        &mut self,
        rule: Rule,
        unwanted: &'a HashMap<K, PlaceSet>,
        values: impl Iterator<Item = &'q Q>,
    ) where
        K: Borrow<Q> + Eq + Hash,
        Q: Eq + Hash + ?Sized + 'q,
    {
        if !unwanted.is_empty() {
            self.mesh(rule, None, values.filter_map(|value| unwanted.get(value)));
        }
    }

    fn mesh(
        &mut self,
        rule: Rule,
        indifferent: Option<&'a BitSet>,
        sets: impl Iterator<Item = &'a PlaceSet>,
    ) {
        let first = self.sets.len();
        self.sets.extend(sets);
        self.meshes.push(Mesh { rule, indifferent, sets: first..self.sets.len() });
    }
}
