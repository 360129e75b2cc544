//! Which ad groups have a range that holds a given value.
//!
//! The bounds of all ranges cut the line into stretches within which nothing changes. Over the
//! stretches stands a binary tree; a range is noted at the few nodes that make it up, and a value
//! lies in what is noted at its stretch and the nodes above it. So `n` ranges need `n log n` notes,
//! however they overlap, and a value is answered by `log n` sets.

use crate::bits::PlaceSet;

/// A place and its range, both bounds included; `None` is unbounded.
pub(super) type Ranged<K> = (u32, Option<K>, Option<K>);

/// Places by range.
#[derive(Debug)]
pub(super) struct Ranges<K> {
    /// Where stretches begin, ascending: at a value, or (`true`) just after it.
    cuts: Vec<(K, bool)>,
    /// The tree: node `n` is above `2n` and `2n + 1`, and the leaves are the last half.
    nodes: Vec<Option<PlaceSet>>,
}

impl<K: Copy + Ord> Ranges<K> {
    /// Notes `ranged`, whose places ascend and lie below `bound`. An empty range holds nothing.
    pub(super) fn new(ranged: &[Ranged<K>], bound: usize) -> Self {
        let starts = ranged.iter().filter_map(|(_, min, _)| min.map(|min| (min, false)));
        let ends = ranged.iter().filter_map(|(_, _, max)| max.map(|max| (max, true)));
        let mut cuts: Vec<(K, bool)> = starts.chain(ends).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let leaves = cuts.len() + 1;
        let stretch = |cut: (K, bool)| cuts.partition_point(|&one| one <= cut);
        let mut notes: Vec<Vec<u32>> = vec![Vec::new(); 2 * leaves];
        for &(place, min, max) in ranged {
            let from = min.map_or(0, |min| stretch((min, false)));
            let to = max.map_or(leaves, |max| stretch((max, true)));
            cover(from + leaves, to + leaves, |node| notes[node].push(place));
        }
        let keep = |places: Vec<u32>| (!places.is_empty()).then(|| PlaceSet::new(places, bound));
        Self { nodes: notes.into_iter().map(keep).collect(), cuts }
    }

    /// Sets that together are the places whose range holds `value`.
    pub(super) fn holding(&self, value: K) -> impl Iterator<Item = &PlaceSet> {
        let stretch = self.cuts.partition_point(|&cut| cut <= (value, false));
        let leaf = stretch + self.cuts.len() + 1;
        let path = std::iter::successors(Some(leaf), |&node| (node > 1).then_some(node / 2));
        path.filter_map(|node| self.nodes.get(node)?.as_ref())
    }
}

/// Calls `note` for the fewest nodes that make up the leaves from `from` to before `to`.
fn cover(mut from: usize, mut to: usize, mut note: impl FnMut(usize)) {
    while from < to {
        if from % 2 == 1 {
            note(from);
            from += 1;
        }
        if to % 2 == 1 {
            to -= 1;
            note(to);
        }
        from /= 2;
        to /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_exactly_the_ranges_that_hold_it() {
        let bounds = [None, Some(0), Some(3), Some(4), Some(9), Some(255)];
        let mut ranged: Vec<Ranged<u8>> = Vec::new();
        for min in bounds {
            for max in bounds {
                ranged.push((ranged.len() as u32, min, max));
            }
        }
        for (count, bound) in [(0, 0), (1, 1), (7, 64), (ranged.len(), ranged.len())] {
            let ranges = Ranges::new(&ranged[..count], bound);
            for value in [0, 1, 2, 3, 4, 5, 8, 9, 10, 254, 255] {
                for &(place, min, max) in &ranged[..count] {
                    let expected =
                        min.is_none_or(|min| min <= value) && max.is_none_or(|max| value <= max);
                    let found = ranges.holding(value).any(|set| set.contains(place));
                    assert_eq!(found, expected, "{value} in {min:?}..={max:?} of {count}");
                }
            }
        }
    }
}
