//! Circles: things that wait for each other.

use std::collections::{BTreeMap, BTreeSet};

/// The nodes that can never be reached because they wait, over others or directly, for themselves.
///
/// `needs` names what each node waits for; what it does not name waits for nothing. Nodes that only
/// wait for a circle are not part of the answer: the circle is what has to be cut.
pub(super) fn circular(needs: &BTreeMap<u32, BTreeSet<u32>>) -> BTreeSet<u32> {
    let mut forward = needs.clone();
    strip(&mut forward);
    // What is left waits for a circle. The same from the other end leaves what a circle waits for;
    // in both is what stands in a circle, or between two.
    let mut backward = BTreeMap::<u32, BTreeSet<u32>>::new();
    for (&node, list) in &forward {
        backward.entry(node).or_default();
        for &need in list {
            backward.entry(need).or_default().insert(node);
        }
    }
    strip(&mut backward);
    backward.into_keys().collect()
}

/// Takes away what waits for nothing, again and again, until nothing more goes.
fn strip(needs: &mut BTreeMap<u32, BTreeSet<u32>>) {
    loop {
        let waiting: BTreeSet<u32> = needs.keys().copied().collect();
        let before = needs.len();
        needs.retain(|_, list| {
            list.retain(|need| waiting.contains(need));
            !list.is_empty()
        });
        if needs.len() == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who waits for whom, and the circle in it.
    type Case = (&'static [(u32, u32)], &'static [u32]);

    #[test]
    fn only_the_circle_is_named() {
        let cases: [Case; 6] = [
            (&[], &[]),
            (&[(2, 1), (3, 2)], &[]),
            (&[(1, 1)], &[1]),
            (&[(1, 2), (2, 1), (3, 1)], &[1, 2]),
            (&[(1, 2), (2, 1), (1, 9)], &[1, 2]),
            (&[(1, 2), (2, 3), (3, 1), (4, 5)], &[1, 2, 3]),
        ];
        for (edges, circle) in cases {
            let mut needs = BTreeMap::<u32, BTreeSet<u32>>::new();
            for (node, need) in edges {
                needs.entry(*node).or_default().insert(*need);
            }
            assert_eq!(circular(&needs).into_iter().collect::<Vec<_>>(), circle, "{edges:?}");
        }
    }
}
