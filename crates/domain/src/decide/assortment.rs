//! What is offered to everybody alike, and what is left of it for one user.
//!
//! Most rules ask nothing of a user but what his profile says: they give one answer to all users of a
//! [`Class`], as long as the budgets allow the same and until the clock changes an answer. That answer
//! is an [`Assortment`]. It can be kept and shared; what is decided anew for each request is only what
//! a user's own history says, and of the missions that it can say anything about.
//!
//! Nothing here is a second set of rules: [`super::offers`] makes an assortment and narrows it down, and
//! whoever keeps assortments leaves out the first half while it would come out the same.

use super::case::{Asked, Case, has_room};
use super::pacing::budget_changes_at;
use super::{Offer, Situation};
use crate::bits::BitSet;
use crate::budget::Level;
use crate::money::Points;
use crate::snapshot::{Snapshot, reward_total};
use crate::time::Timestamp;

/// What the rules that ask nothing of a user's history know of him. Users of one class, under one
/// snapshot, have one assortment.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Class {
    /// How his app pays; `None` if nothing can be offered in it.
    terms: Option<u32>,
    is_unit_of_app: bool,
    is_budgeted: bool,
    /// The compiled sets that his properties have led to. They live as long as the snapshot.
    sets: Box<[usize]>,
}

/// The missions that pass every rule but those of a user's own history, best first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assortment {
    entries: Vec<Entry>,
    /// The line item of each entry and the entry's place, sorted: where to look for those that a run
    /// may touch.
    by_line: Vec<(u32, u32)>,
    /// The places of the entries that every user is asked about, ascending.
    asked_of_all: Vec<u32>,
    /// All that its missions can pay.
    pays: Points,
    /// From when on it has been as it is, as far as is known.
    from: Timestamp,
    /// The moment at which the clock may change it.
    until: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    slot: u32,
    rank: u32,
    pays: Points,
}

/// What of an assortment one user is not offered, because of his own history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Withheld {
    /// All of it.
    All,
    /// The missions at these places of the assortment, ascending.
    Some(Vec<u32>),
}

impl Assortment {
    /// How many missions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All that can be earned with what is left beside `withheld`.
    #[must_use]
    pub fn pays_beside(&self, withheld: &Withheld) -> Points {
        match withheld {
            Withheld::All => Points(0),
            Withheld::Some(places) => {
                let pays = |place: &u32| self.entries[*place as usize].pays.0;
                Points(self.pays.0 - places.iter().map(pays).sum::<i64>())
            }
        }
    }

    /// Whether it still is, or already was, the same at that moment, as far as the clock goes.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        (self.from..self.until).contains(&now)
    }
}

/// A list in the making: a situation with everything that is looked up once for all missions.
#[derive(Debug)]
pub struct Listing<'a>(Asked<'a>);

impl<'a> Listing<'a> {
    /// Looks up what the missions have in common.
    #[must_use]
    pub fn of(situation: Situation<'a>) -> Self {
        Self(Asked::new(situation))
    }

    /// The class of the user in this situation.
    #[must_use]
    pub fn class(&self) -> Class {
        let asked = &self.0;
        Class {
            terms: asked.situation.snapshot.terms_of(asked.situation.user.app),
            is_unit_of_app: asked.is_unit_of_app(),
            is_budgeted: asked.is_budgeted(),
            sets: asked.sieve.identity(),
        }
    }

    /// The assortment of that class now. The cost is a pass over the bits of all ad groups for each
    /// property that is targeted at all, and then the rules of what fits.
    #[must_use]
    pub fn assortment(&self) -> Assortment {
        let asked = &self.0;
        let ranking = asked.situation.snapshot.ranking();
        let mut candidates = ranking.servable().clone();
        asked.sieve.narrow(&mut candidates, &mut BitSet::default());
        let now = asked.situation.now;
        let (mut until, mut from) = (Timestamp(i64::MAX), 0);
        let (mut entries, mut by_line, mut asked_of_all) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(rank) = candidates.next_from(from) {
            let line = ranking.line(ranking.group(rank).line);
            // The other ad groups of the line item rank lower and are not looked at again.
            line.ranks.iter().for_each(|&other| candidates.remove(other));
            for slot in line.slots.clone() {
                let case = asked.case_of_slot(slot);
                until = until.min(case.changes_at());
                let Some(entry) = case.entry(rank) else { continue };
                let place = entries.len() as u32;
                by_line.push((case.slot.line as u32, place));
                asked_of_all.extend(case.is_asked_of_all().then_some(place));
                entries.push(entry);
            }
            from = rank + 1;
        }
        by_line.sort_unstable();
        let pays = Points(entries.iter().map(|entry| entry.pays.0).sum());
        Assortment { entries, by_line, asked_of_all, pays, from: now, until }
    }

    /// What of an assortment of the user's class is not for himself. Only missions are looked at that
    /// one of his runs may have to do with, and those that everybody is asked about.
    #[must_use]
    pub fn withheld(&self, assortment: &Assortment) -> Withheld {
        let asked = &self.0;
        let Some(first) = assortment.entries.first() else { return Withheld::All };
        // These rules answer for every mission alike.
        if asked.case_of_slot(first.slot as usize).asks_user().is_err() {
            return Withheld::All;
        }
        let touched = asked.touched_lines();
        let mut places = Vec::with_capacity(assortment.asked_of_all.len() + 2 * touched.len());
        places.extend_from_slice(&assortment.asked_of_all);
        for line in touched {
            let from = assortment.by_line.partition_point(|(one, _)| *one < line);
            let of_line = assortment.by_line[from..].iter().take_while(|(one, _)| *one == line);
            places.extend(of_line.map(|(_, place)| *place));
        }
        places.sort_unstable();
        places.dedup();
        let is_refused = |place: &u32| {
            let entry = &assortment.entries[*place as usize];
            asked.case_of_slot(entry.slot as usize).asks_history().is_err()
        };
        places.retain(is_refused);
        Withheld::Some(places)
    }

    /// The mission at that place of an assortment of the user's class; `None` if there is no such place.
    #[must_use]
    pub fn offer_at(&self, assortment: &Assortment, place: u32) -> Option<Offer<'a>> {
        let entry = assortment.entries.get(place as usize)?;
        self.0.case_of_slot(entry.slot as usize).offer(entry.rank, entry.pays)
    }

    /// What is left of an assortment of the user's class beside what is withheld from him.
    pub fn beside(
        &self,
        assortment: &Assortment,
        withheld: &Withheld,
    ) -> impl Iterator<Item = Offer<'a>> {
        let (count, withheld) = match withheld {
            Withheld::All => (0, &[][..]),
            Withheld::Some(places) => (assortment.entries.len() as u32, places.as_slice()),
        };
        let mut withheld = withheld.iter().peekable();
        let left = (0..count).filter(move |place| withheld.next_if_eq(&place).is_none());
        left.filter_map(|place| self.offer_at(assortment, place))
    }

    /// What is left of an assortment of the user's class for himself.
    #[must_use]
    pub fn offers(&self, assortment: &Assortment) -> Vec<Offer<'a>> {
        self.beside(assortment, &self.withheld(assortment)).collect()
    }
}

impl Case<'_, '_> {
    /// The mission's entry, through the ad group of that rank, if it passes all but the user's history.
    fn entry(&self, rank: u32) -> Option<Entry> {
        self.asks_class().and_then(|()| self.asks_budget()).ok()?;
        Some(Entry {
            slot: self.number as u32,
            rank,
            pays: reward_total(&self.slot.mission, self.prices()?),
        })
    }
}

/// Whether a line item's new level allows another mission of it, or forbids one, compared with the
/// level before: assortments that were made before are then not to be used any more.
///
/// `now` is when the change was decided. Until it is known here the clock may have changed what the
/// budget allows, so the verdicts after that moment are compared too.
#[must_use]
pub fn changes_offers(
    snapshot: &Snapshot,
    before: Option<&Level>,
    after: &Level,
    now: Timestamp,
) -> bool {
    let ranking = snapshot.ranking();
    let Some(place) = ranking.place_of_line(after.line_item) else { return false };
    let line = ranking.line(place as usize);
    let moments = [now, budget_changes_at(&line.row, now)];
    let differ = |before, slot| {
        let fits = |level, at| has_room(level, slot, line, at).is_ok();
        moments.iter().any(|&at| fits(before, at) != fits(after, at))
    };
    match before {
        Some(before) if before == after => false,
        Some(before) => ranking.slots()[line.slots.clone()].iter().any(|slot| differ(before, slot)),
        None => true,
    }
}
