//! What a merge leaves: the head, its entry, and a run for each shard with news.

use aws_sdk_dynamodb::types::AttributeValue;
use store::Seq;

use crate::error::Failed;
use crate::keys::{self, VERSION};
use crate::value::{Item, Read as _, item, list, number, number_of};

/// The newest place of all, in the head; the first of a run or an entry.
const SEQ: &str = "seq";
/// The newest imported place.
const IMPORTED: &str = "imported";
/// Positions by shard.
const POSITIONS: &str = "positions";
/// Groups by shard.
const GROUPS: &str = "groups";
/// The runs of an entry, flat.
const RUNS: &str = "runs";
/// How many records a run has.
const LEN: &str = "len";
/// The groups of a run.
const FROM_GROUP: &str = "from_group";
const TO_GROUP: &str = "to_group";

/// How far a shard goes, or is merged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mark {
    /// The position of its newest record; 0 if there is none.
    pub(crate) position: u64,
    /// Its newest group; 0 if there is none.
    pub(crate) group: u64,
}

/// How far everything is merged.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct MergeHead {
    /// Grows with each merge.
    pub(crate) version: u64,
    /// The newest place; 0 if there is none.
    pub(crate) seq: Seq,
    /// The newest place that came with an import; runs come after it.
    pub(crate) imported: Seq,
    /// By shard.
    pub(crate) marks: Vec<Mark>,
}

/// Consecutive records of one shard at consecutive places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub(crate) shard: u32,
    /// Position of the first.
    pub(crate) from: u64,
    /// How many.
    pub(crate) len: u64,
    /// Place of the first.
    pub(crate) seq: Seq,
    /// The groups that they are in, whole ones.
    pub(crate) from_group: u64,
    pub(crate) to_group: u64,
}

/// What one merge gave places to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// The first place.
    pub(crate) seq: Seq,
    /// How far each shard was merged before.
    pub(crate) before: Vec<u64>,
    /// In the order of their places.
    pub(crate) runs: Vec<Run>,
}

impl MergeHead {
    /// Nothing is merged.
    pub(crate) fn empty(shards: u32) -> Self {
        Self { marks: (0..shards).map(|_| Mark::default()).collect(), ..Self::default() }
    }

    /// What is to be merged if the shards go so far; `None` if there is nothing.
    pub(super) fn next(&self, marks: &[Mark]) -> Option<Entry> {
        let mut seq = self.seq + 1;
        let mut runs = Vec::new();
        for ((mark, now), shard) in self.marks.iter().zip(marks).zip(0..) {
            let Some(len) = now.position.checked_sub(mark.position).filter(|len| *len > 0) else {
                continue;
            };
            let groups = (mark.group + 1, now.group);
            let (from_group, to_group) = groups;
            runs.push(Run { shard, from: mark.position + 1, len, seq, from_group, to_group });
            seq += len;
        }
        let before = self.marks.iter().map(|mark| mark.position).collect();
        (!runs.is_empty()).then(|| Entry { seq: self.seq + 1, before, runs })
    }

    /// The head once that is merged.
    pub(super) fn after(&self, entry: &Entry) -> Self {
        let mut after = self.clone();
        after.version += 1;
        for run in &entry.runs {
            after.seq += run.len;
            if let Some(mark) = after.marks.get_mut(run.shard as usize) {
                *mark = Mark { position: run.from + run.len - 1, group: run.to_group };
            }
        }
        after
    }

    pub(crate) fn to_item(&self) -> Item {
        let with = [
            (VERSION, number(self.version)),
            (SEQ, number(self.seq)),
            (IMPORTED, number(self.imported)),
            (POSITIONS, numbers(self.marks.iter().map(|mark| mark.position))),
            (GROUPS, numbers(self.marks.iter().map(|mark| mark.group))),
        ];
        item(&keys::merge_head(), with)
    }

    pub(crate) fn from_item(item: &Item) -> Result<Self, Failed> {
        let positions = numbers_of(item, POSITIONS)?.into_iter();
        let marks = positions.zip(numbers_of(item, GROUPS)?);
        Ok(Self {
            version: item.get_number(VERSION)?,
            seq: item.get_number(SEQ)?,
            imported: item.get_number(IMPORTED)?,
            marks: marks.map(|(position, group)| Mark { position, group }).collect(),
        })
    }
}

impl Run {
    /// The place after its last.
    pub(crate) fn end(&self) -> Seq {
        self.seq + self.len
    }

    /// Whether one of its records has that position.
    pub(crate) fn holds(&self, position: u64) -> bool {
        position >= self.from && position - self.from < self.len
    }

    pub(super) fn to_item(self) -> Item {
        let with = [
            (LEN, number(self.len)),
            (SEQ, number(self.seq)),
            (FROM_GROUP, number(self.from_group)),
            (TO_GROUP, number(self.to_group)),
        ];
        item(&keys::run(self.shard, self.from), with)
    }

    pub(super) fn from_item(shard: u32, item: &Item) -> Result<Self, Failed> {
        let from = u64::from_str_radix(&item.key()?.sk, 16);
        Ok(Self {
            shard,
            from: from.map_err(|_| Failed::corrupt("the key of a run"))?,
            len: item.get_number(LEN)?,
            seq: item.get_number(SEQ)?,
            from_group: item.get_number(FROM_GROUP)?,
            to_group: item.get_number(TO_GROUP)?,
        })
    }
}

impl Entry {
    pub(crate) fn holds(&self, seq: Seq) -> bool {
        seq >= self.seq && seq < self.end()
    }

    /// The place after its last.
    pub(crate) fn end(&self) -> Seq {
        self.runs.last().map_or(self.seq, Run::end)
    }

    /// The last position of each shard whose place is not after `seq`.
    pub(super) fn positions_at(&self, seq: Seq) -> Vec<u64> {
        let mut positions = self.before.clone();
        for run in &self.runs {
            if let Some(position) = positions.get_mut(run.shard as usize) {
                *position += (seq + 1).saturating_sub(run.seq).min(run.len);
            }
        }
        positions
    }

    pub(super) fn to_item(&self) -> Item {
        let flat = self
            .runs
            .iter()
            .flat_map(|run| [run.shard.into(), run.from, run.len, run.from_group, run.to_group]);
        let with = [(POSITIONS, numbers(self.before.iter().copied())), (RUNS, numbers(flat))];
        item(&keys::merge_entry(self.seq), with)
    }

    pub(super) fn from_item(item: &Item) -> Result<Self, Failed> {
        let key = item.key()?.sk;
        let first = key.strip_prefix("E#").and_then(|seq| Seq::from_str_radix(seq, 16).ok());
        let first = first.ok_or_else(|| Failed::corrupt("the key of a merge"))?;
        let mut seq = first;
        let mut runs = Vec::new();
        for run in numbers_of(item, RUNS)?.chunks(5) {
            let &[shard, from, len, from_group, to_group] = run else {
                return Err(Failed::corrupt("the runs of a merge"));
            };
            let shard = u32::try_from(shard).map_err(|_| Failed::corrupt("the shard of a run"))?;
            runs.push(Run { shard, from, len, seq, from_group, to_group });
            seq += len;
        }
        Ok(Self { seq: first, before: numbers_of(item, POSITIONS)?, runs })
    }
}

fn numbers(of: impl IntoIterator<Item = u64>) -> AttributeValue {
    list(of.into_iter().map(number))
}

fn numbers_of(item: &Item, name: &str) -> Result<Vec<u64>, Failed> {
    item.get_list(name)?.iter().map(|value| number_of(value, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(of: [(u64, u64); 3]) -> Vec<Mark> {
        of.map(|(position, group)| Mark { position, group }).to_vec()
    }

    #[test]
    fn a_merge_gives_the_next_places_to_what_is_new() {
        let head = MergeHead { seq: 10, imported: 10, ..MergeHead::empty(3) };
        assert_eq!(head.next(&marks([(0, 4), (0, 0), (0, 0)])), None, "groups without records");
        let first = head.next(&marks([(3, 5), (0, 0), (2, 1)])).unwrap();
        assert_eq!(first.seq, 11);
        let run = |shard, from, len, seq, from_group, to_group| Run {
            shard,
            from,
            len,
            seq,
            from_group,
            to_group,
        };
        assert_eq!(first.runs, [run(0, 1, 3, 11, 1, 5), run(2, 1, 2, 14, 1, 1)]);
        let head = head.after(&first);
        assert_eq!((head.version, head.seq), (1, 15));
        let second = head.next(&marks([(3, 9), (1, 1), (3, 2)])).unwrap();
        assert_eq!(second.runs, [run(1, 1, 1, 16, 1, 1), run(2, 3, 1, 17, 2, 2)]);
        let head = head.after(&second);
        assert_eq!(head.marks, marks([(3, 5), (1, 1), (3, 2)]));
        for (seq, wanted) in [(11, [1, 0, 0]), (13, [3, 0, 0]), (14, [3, 0, 1]), (15, [3, 0, 2])] {
            assert!(first.holds(seq) && !second.holds(seq));
            assert_eq!(first.positions_at(seq), wanted, "at the place {seq}");
        }
        assert_eq!(second.positions_at(16), [3, 1, 2]);
        assert_eq!(Entry::from_item(&second.to_item()).unwrap(), second);
        assert_eq!(MergeHead::from_item(&head.to_item()).unwrap(), head);
        for run in second.runs {
            assert_eq!(Run::from_item(run.shard, &run.to_item()).unwrap(), run);
        }
    }
}
