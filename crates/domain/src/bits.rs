//! Sets of places (small integers) for finding the ad groups that fit a user.
//!
//! A [`BitSet`] is what a request works on: one bit per place, so that "and" touches 64 ad groups at
//! a time. A [`PlaceSet`] is what the snapshot keeps for each targeted value; it is a plain list
//! while it has few members, so a catalogue of a thousand countries and apps stays small in memory.

/// Places in one word.
const WORD: usize = u64::BITS as usize;

/// A set of places below a fixed bound, one bit each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    /// The empty set of places below `bound`.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { words: vec![0; bound.div_ceil(WORD)] }
    }

    /// Adds a place. A place outside the bound is ignored.
    pub fn insert(&mut self, place: u32) {
        let (word, bit) = address(place);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    /// Removes a place; it need not be in the set.
    pub fn remove(&mut self, place: u32) {
        let (word, bit) = address(place);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Whether the place is in the set.
    #[must_use]
    pub fn contains(&self, place: u32) -> bool {
        let (word, bit) = address(place);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// How many places are in the set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Takes the members of `other`, which must have the same bound, without a new allocation.
    pub fn copy_from(&mut self, other: &Self) {
        self.words.clone_from(&other.words);
    }

    /// Keeps only what `other` has too.
    pub fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// The first place at or after `from`; lets a walk go on while places are being removed.
    #[must_use]
    pub fn next_from(&self, from: u32) -> Option<u32> {
        let (start, bit) = address(from);
        // Every bit at or above the one of `from`.
        let mut mask = !(bit - 1);
        for (index, word) in self.words.iter().enumerate().skip(start) {
            let found = word & mask;
            if found != 0 {
                return Some((index * WORD) as u32 + found.trailing_zeros());
            }
            mask = u64::MAX;
        }
        None
    }
}

/// An unchanging set of places: a sorted list while that is smaller than a bit for every place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlaceSet {
    /// Its members, ascending.
    Sparse(Box<[u32]>),
    /// One bit for every place.
    Dense(BitSet),
}

impl PlaceSet {
    /// The set of `places`, which are ascending, without repeats and below `bound`.
    #[must_use]
    pub fn new(places: Vec<u32>, bound: usize) -> Self {
        if places.len() < bound.div_ceil(WORD) {
            return Self::Sparse(places.into());
        }
        let mut bits = BitSet::new(bound);
        for place in places {
            bits.insert(place);
        }
        Self::Dense(bits)
    }

    /// Whether the place is in the set.
    #[must_use]
    pub fn contains(&self, place: u32) -> bool {
        match self {
            Self::Sparse(places) => places.binary_search(&place).is_ok(),
            Self::Dense(bits) => bits.contains(place),
        }
    }

    /// Adds its members to `bits`.
    pub fn add_to(&self, bits: &mut BitSet) {
        match self {
            Self::Sparse(places) => places.iter().for_each(|&place| bits.insert(place)),
            Self::Dense(dense) => {
                for (word, other) in bits.words.iter_mut().zip(&dense.words) {
                    *word |= other;
                }
            }
        }
    }

    /// Removes its members from `bits`.
    pub fn remove_from(&self, bits: &mut BitSet) {
        match self {
            Self::Sparse(places) => places.iter().for_each(|&place| bits.remove(place)),
            Self::Dense(dense) => {
                for (word, other) in bits.words.iter_mut().zip(&dense.words) {
                    *word &= !other;
                }
            }
        }
    }
}

fn address(place: u32) -> (usize, u64) {
    let place = place as usize;
    (place / WORD, 1 << (place % WORD))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bits: &BitSet) -> Vec<u32> {
        let mut from = 0;
        std::iter::from_fn(|| {
            let place = bits.next_from(from)?;
            from = place + 1;
            Some(place)
        })
        .collect()
    }

    fn set(bound: usize, places: &[u32]) -> BitSet {
        let mut bits = BitSet::new(bound);
        places.iter().for_each(|&place| bits.insert(place));
        bits
    }

    #[test]
    fn walking_finds_every_member_in_order() {
        let cases: &[(usize, &[u32])] = &[
            (0, &[]),
            (1, &[]),
            (1, &[0]),
            (64, &[0, 63]),
            (65, &[63, 64]),
            (200, &[0, 1, 62, 63, 64, 127, 128, 199]),
        ];
        for (bound, places) in cases {
            let bits = set(*bound, places);
            assert_eq!(walk(&bits), *places);
            assert_eq!(bits.count(), places.len());
            assert_eq!(bits.next_from(*bound as u32 + 1_000), None);
            for place in 0..*bound as u32 {
                assert_eq!(bits.contains(place), places.contains(&place), "{place} of {bound}");
            }
        }
    }

    #[test]
    fn places_outside_the_bound_change_nothing() {
        let mut bits = set(10, &[3]);
        bits.insert(64);
        bits.remove(1_000_000);
        assert!(!bits.contains(64));
        assert_eq!(walk(&bits), [3]);
    }

    #[test]
    fn removing_during_a_walk_skips_what_was_removed() {
        let mut bits = set(130, &[5, 6, 70, 129]);
        assert_eq!(bits.next_from(0), Some(5));
        bits.remove(6);
        bits.remove(70);
        assert_eq!(bits.next_from(6), Some(129));
    }

    #[test]
    fn copy_and_intersect() {
        let mut bits = set(130, &[1]);
        bits.copy_from(&set(130, &[2, 64, 129]));
        bits.intersect(&set(130, &[1, 64, 129]));
        assert_eq!(walk(&bits), [64, 129]);
    }

    #[test]
    fn few_members_are_a_list_and_many_are_bits_with_the_same_meaning() {
        let bound = 640;
        let few: Vec<u32> = vec![0, 63, 64, 639];
        let many: Vec<u32> = (0..640).step_by(3).collect();
        assert!(matches!(PlaceSet::new(few.clone(), bound), PlaceSet::Sparse(_)));
        assert!(matches!(PlaceSet::new(many.clone(), bound), PlaceSet::Dense(_)));
        for places in [few, many] {
            let members = PlaceSet::new(places.clone(), bound);
            let mut bits = set(bound, &[7]);
            members.add_to(&mut bits);
            for place in 0..bound as u32 {
                assert_eq!(members.contains(place), places.contains(&place));
                assert_eq!(bits.contains(place), places.contains(&place) || place == 7);
            }
            members.remove_from(&mut bits);
            assert_eq!(walk(&bits), if places.contains(&7) { vec![] } else { vec![7] });
        }
    }
}
