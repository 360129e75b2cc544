//! A user's state as items: a hot one, and cold ones that are nearly never written.
//!
//! A small state is one item. Once it is larger than [`HOT_MAX`], runs that are over leave the hot
//! item, in groups by their place among all runs, so that a group changes only when one of its own
//! runs does; a change then writes the hot item and hardly ever another. What does not fit one item
//! even so is cut into chunks. All of it is written in one transaction and read by one query.
//!
//! The query is no snapshot of several items, so the hot item carries the digests of all the others,
//! and whoever finds that they do not fit reads again.

use domain::change::Loaded;
use domain::ids::{ChangeId, UserKey};
use domain::journal::Chain;
use domain::user::{Enrollment, Phase, UserState};
use format::state::{decode_state, encode_state};

use crate::error::Failed;
use crate::keys::{self, BODY, CHAIN, Key, VERSION};
use crate::value::{Item, Read as _, bytes, item, list, number, number_of};
use crate::write::Write;

/// A state of at most so many bytes is one item; a write unit is a KB, so this is what a change of a
/// user with very many runs costs at most, bar his open ones.
const HOT_MAX: usize = 16 * 1024;
/// Most bytes of one chunk: an item may have 400 KB.
const CHUNK_MAX: usize = 350 * 1024;
/// Runs whose places begin with the same group share chunks.
const RUNS_OF_GROUP: usize = 64;
/// Groups; the last takes all the rest, of which the domain's limit leaves none.
const GROUPS: usize = 16;
/// Chunks that the hot part may have.
const HOT_CHUNKS: usize = 4;
/// Chunks that a group may have. With the hot ones these are 100 numbers of two digits.
const GROUP_CHUNKS: usize = 6;
/// Chunks that belong together, as the hot item remembers them.
const PARTS: &str = "parts";
/// The change that led to the version.
pub(crate) const CHANGE: &str = "change";

/// One item's worth of a state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Chunk {
    pub(crate) number: u32,
    pub(crate) bytes: Vec<u8>,
}

/// The chunks of one part of a state, by their first number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    first: u32,
    chunks: u32,
    digest: u64,
}

/// A state, cut for writing. Chunk 0 is there always.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cut {
    pub(crate) chunks: Vec<Chunk>,
    /// What the hot item has to remember; empty if it is the only one.
    pub(crate) parts: Vec<Part>,
}

impl Cut {
    /// Cuts a state; an error says that it is larger than any store of this kind can hold.
    pub(crate) fn of(state: &UserState) -> Result<Self, Failed> {
        let whole = encode_state(state);
        if whole.len() <= HOT_MAX {
            return Ok(Self { chunks: vec![Chunk { number: 0, bytes: whole }], parts: Vec::new() });
        }
        let groups = state.enrollments.chunks(RUNS_OF_GROUP);
        let mut cut = Self { chunks: Vec::new(), parts: Vec::new() };
        let mut hot = state.clone();
        hot.enrollments.retain(|run| !is_over(run));
        cut.add(0, HOT_CHUNKS, encode_state(&hot))?;
        for (group, runs) in groups.enumerate() {
            if runs.iter().any(is_over) {
                let first = HOT_CHUNKS + group.min(GROUPS) * GROUP_CHUNKS;
                cut.add(first, GROUP_CHUNKS, cold(group, runs))?;
            }
        }
        Ok(cut)
    }

    fn add(&mut self, first: usize, most: usize, part: Vec<u8>) -> Result<(), Failed> {
        let count = part.len().div_ceil(CHUNK_MAX).max(1);
        if count > most || first >= HOT_CHUNKS + GROUPS * GROUP_CHUNKS {
            return Err(too_large(part.len()));
        }
        let first = first as u32;
        self.parts.push(Part { first, chunks: count as u32, digest: digest(&part) });
        let pieces = part.chunks(CHUNK_MAX).map(<[u8]>::to_vec);
        let chunks = (first..).zip(pieces).map(|(number, bytes)| Chunk { number, bytes });
        self.chunks.extend(chunks);
        Ok(())
    }

    /// Leaves out what stands in the table already, as long as `known` is of the version before.
    pub(crate) fn leave_out(&mut self, known: &[Part]) {
        let same: Vec<Part> = self
            .parts
            .iter()
            .filter(|part| part.first > 0 && known.contains(part))
            .copied()
            .collect();
        self.chunks.retain(|chunk| !same.iter().any(|part| part.has(chunk.number)));
    }

    /// The first chunk, which is written into the hot item.
    pub(crate) fn first(&self) -> &[u8] {
        self.chunks.first().map_or(&[], |chunk| &chunk.bytes)
    }

    /// The writes of all chunks but the first.
    pub(crate) fn other_writes(&self, user: &UserKey) -> Vec<Write> {
        let others = self.chunks.iter().skip(1);
        let put = |chunk: &Chunk| {
            let key = keys::state(user, chunk.number);
            Write::put(item(&key, [(BODY, bytes(chunk.bytes.clone()))]))
        };
        others.map(put).collect()
    }

    /// Bytes of all chunks.
    pub(crate) fn size(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes.len()).sum()
    }
}

impl Part {
    fn has(self, number: u32) -> bool {
        (self.first..self.first + self.chunks).contains(&number)
    }
}

/// Nothing that time does changes it, so hardly anything does.
fn is_over(run: &Enrollment) -> bool {
    let is_ended = matches!(run.phase, Phase::Expired | Phase::Closed | Phase::Voided);
    is_ended && run.due_at().is_none()
}

/// The runs of a group that are over, with their places.
fn cold(group: usize, runs: &[Enrollment]) -> Vec<u8> {
    let base = group * RUNS_OF_GROUP;
    let over: Vec<_> = runs.iter().enumerate().filter(|(_, run)| is_over(run)).collect();
    let mut bytes = (over.len() as u32).to_le_bytes().to_vec();
    for (place, _) in &over {
        bytes.extend(((base + place) as u32).to_le_bytes());
    }
    let enrollments = over.into_iter().map(|(_, run)| run.clone()).collect();
    bytes.extend(encode_state(&UserState { enrollments, ..UserState::default() }));
    bytes
}

fn thaw(part: &[u8]) -> Result<Vec<(usize, Enrollment)>, Failed> {
    let short = || Failed::corrupt("a cold part of a user's state is too short");
    let (count, rest) = part.split_first_chunk().ok_or_else(short)?;
    let count = u32::from_le_bytes(*count) as usize;
    let (places, state) = rest.split_at_checked(count * 4).ok_or_else(short)?;
    let places = places.chunks_exact(4).map(|four| {
        let mut number = [0; 4];
        number.copy_from_slice(four);
        u32::from_le_bytes(number) as usize
    });
    Ok(places.zip(decoded(state)?.enrollments).collect())
}

fn decoded(bytes: &[u8]) -> Result<UserState, Failed> {
    decode_state(bytes).map_err(|why| Failed::corrupt(format!("user state: {why}")))
}

fn digest(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

fn too_large(size: usize) -> Failed {
    let words = format!("a user's state has a part of {size} bytes, more than items can hold");
    Failed::Store(store::StoreError::Unavailable(words))
}

/// What the hot item says of a user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Hot {
    pub(crate) version: u64,
    pub(crate) change: ChangeId,
    pub(crate) chain: Chain,
    pub(crate) parts: Vec<Part>,
}

impl Hot {
    /// The hot item with the first chunk.
    pub(crate) fn to_item(&self, key: &Key, first: &[u8]) -> Item {
        let mut hot = item(
            key,
            [
                (VERSION, number(self.version)),
                (CHANGE, bytes(self.change.0)),
                (CHAIN, bytes(self.chain.0)),
                (BODY, bytes(first)),
            ],
        );
        if !self.parts.is_empty() {
            let parts = self
                .parts
                .iter()
                .map(|part| list([number(part.first), number(part.chunks), number(part.digest)]));
            hot.insert(PARTS.to_owned(), list(parts));
        }
        hot
    }

    pub(crate) fn from_item(hot: &Item) -> Result<Self, Failed> {
        let parts = match hot.contains_key(PARTS) {
            true => hot.get_list(PARTS)?.iter().map(part_of).collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        Ok(Self {
            version: hot.get_number(VERSION)?,
            change: ChangeId(sixteen(hot, CHANGE)?),
            chain: Chain(sixteen(hot, CHAIN)?),
            parts,
        })
    }
}

fn part_of(value: &aws_sdk_dynamodb::types::AttributeValue) -> Result<Part, Failed> {
    match value.as_l().map(Vec::as_slice) {
        Ok([first, chunks, digest]) => Ok(Part {
            first: number_of(first, PARTS)?,
            chunks: number_of(chunks, PARTS)?,
            digest: number_of(digest, PARTS)?,
        }),
        _ => Err(Failed::corrupt("the parts of a user's state")),
    }
}

/// An attribute of 16 bytes.
pub(crate) fn sixteen(from: &Item, name: &str) -> Result<[u8; 16], Failed> {
    from.get_bytes(name)?.try_into().map_err(|_| Failed::corrupt(format!("the bytes of {name}")))
}

/// Puts a user's items together; `None` if they were read while they changed.
pub(crate) fn assemble(items: &[Item], prefix: &str) -> Result<Option<(Hot, Loaded)>, Failed> {
    let mut chunks = Vec::with_capacity(items.len());
    for item in items {
        let sk = item.get_text(crate::keys::SK)?;
        let number = sk.strip_prefix(prefix).and_then(|number| number.parse::<u32>().ok());
        let number = number.ok_or_else(|| Failed::corrupt(format!("the key {sk}")))?;
        chunks.push((number, item));
    }
    let Some((0, first)) = chunks.first() else {
        return Err(Failed::corrupt("a user's state without its first item"));
    };
    let hot = Hot::from_item(first)?;
    let mut parts = Vec::new();
    for part in &hot.parts {
        let of_part = chunks.iter().filter(|(number, _)| part.has(*number));
        let pieces =
            of_part.map(|(_, item)| item.get_bytes(BODY)).collect::<Result<Vec<_>, _>>()?;
        let whole = pieces.concat();
        if digest(&whole) != part.digest {
            return Ok(None);
        }
        parts.push((part.first, whole));
    }
    let state = joined(first, parts)?;
    let loaded = Loaded { version: hot.version, chain: hot.chain, state };
    Ok(Some((hot, loaded)))
}

/// The hot runs fill the places that the cold ones leave.
fn joined(first: &Item, parts: Vec<(u32, Vec<u8>)>) -> Result<UserState, Failed> {
    let mut parts = parts.into_iter();
    let mut state = match parts.next() {
        Some((0, hot)) => decoded(&hot)?,
        Some(_) => return Err(Failed::corrupt("the order of the parts of a user's state")),
        None => return decoded(first.get_bytes(BODY)?),
    };
    let mut cold = Vec::new();
    for (_, part) in parts {
        cold.extend(thaw(&part)?);
    }
    let mut hot = std::mem::take(&mut state.enrollments).into_iter();
    for (place, run) in cold {
        let missing = place.saturating_sub(state.enrollments.len());
        state.enrollments.extend(hot.by_ref().take(missing));
        state.enrollments.push(run);
    }
    state.enrollments.extend(hot);
    Ok(state)
}

#[cfg(test)]
mod tests {
    use domain::ids::UserKey;
    use domain::user::Seen;
    use store::contract::sample::{full_state, largest_state};

    use super::*;

    const USER: UserKey = UserKey([7; 16]);

    /// What a table holds of a user, by chunk.
    type Table = std::collections::BTreeMap<u32, Item>;

    fn hot_of(cut: &Cut) -> Hot {
        let parts = cut.parts.clone();
        Hot { version: 3, change: ChangeId([1; 16]), chain: Chain([2; 16]), parts }
    }

    fn write(table: &mut Table, cut: &Cut) {
        for chunk in cut.chunks.iter().skip(1) {
            let key = keys::state(&USER, chunk.number);
            table.insert(chunk.number, item(&key, [(BODY, bytes(chunk.bytes.clone()))]));
        }
        table.insert(0, hot_of(cut).to_item(&keys::state(&USER, 0), cut.first()));
    }

    fn read(table: &Table) -> Option<UserState> {
        let items: Vec<Item> = table.values().cloned().collect();
        let found = assemble(&items, &keys::states_of(&USER)).unwrap();
        found.map(|(_, loaded)| loaded.state)
    }

    /// Very many runs, all of them over.
    fn large_state() -> UserState {
        let mut state = largest_state("ann");
        state.enrollments.iter_mut().for_each(|run| run.retry_at = None);
        state
    }

    /// Runs of which every third goes on, and the last have seen very much.
    fn huge_state() -> UserState {
        let mut state = large_state();
        for (place, run) in state.enrollments.iter_mut().enumerate().step_by(3) {
            run.phase = Phase::Open;
            run.version = place as u32;
        }
        let seen = full_state(state.app, state.mode, "ann").enrollments.remove(0).seen;
        let many: Vec<Seen> = seen.iter().cycle().take(1_000).cloned().collect();
        for run in state.enrollments.iter_mut().rev().take(9) {
            run.seen.clone_from(&many);
        }
        state
    }

    #[test]
    fn a_state_of_any_size_comes_back() {
        let small = full_state(large_state().app, domain::ids::Mode::Live, "ann");
        for state in
            [UserState::default(), small, largest_state("ann"), large_state(), huge_state()]
        {
            let (mut table, cut) = (Table::new(), Cut::of(&state).unwrap());
            assert!(cut.chunks.iter().all(|chunk| chunk.bytes.len() <= CHUNK_MAX));
            write(&mut table, &cut);
            assert!(read(&table) == Some(state), "{} chunks", cut.chunks.len());
        }
        let items = Cut::of(&huge_state()).unwrap().chunks.len();
        assert!(items > GROUPS, "the hot part and a group have several chunks each: {items}");
    }

    #[test]
    fn a_change_writes_only_what_it_changes() {
        let mut state = large_state();
        let before = Cut::of(&state).unwrap();
        let mut table = Table::new();
        write(&mut table, &before);
        assert!(before.size() > 50_000 && before.first().len() < HOT_MAX / 2);
        state.enrollments[70].phase = Phase::Open;
        state.balance.0 = 1;
        let mut next = Cut::of(&state).unwrap();
        next.leave_out(&before.parts);
        let numbers: Vec<u32> = next.chunks.iter().map(|chunk| chunk.number).collect();
        assert_eq!(numbers, [0, (HOT_CHUNKS + GROUP_CHUNKS) as u32], "the hot part and one group");
        write(&mut table, &next);
        assert!(read(&table) == Some(state.clone()));
        state.enrollments.truncate(3);
        write(&mut table, &Cut::of(&state).unwrap());
        assert!(
            read(&table) == Some(state),
            "what is left behind of a larger state is passed over"
        );
    }

    #[test]
    fn a_state_that_was_read_in_part_is_noticed() {
        let state = large_state();
        let mut table = Table::new();
        write(&mut table, &Cut::of(&state).unwrap());
        let old = table.clone();
        let mut next = state;
        next.enrollments[70].version = 1;
        write(&mut table, &Cut::of(&next).unwrap());
        let mut torn = table.clone();
        torn.insert(0, old[&0].clone());
        assert_eq!(read(&torn), None);
        let number = (HOT_CHUNKS + GROUP_CHUNKS) as u32;
        torn.clone_from(&table);
        torn.insert(number, old[&number].clone());
        assert_eq!(read(&torn), None);
        torn.remove(&number);
        assert_eq!(read(&torn), None);
    }

    #[test]
    fn a_state_that_no_item_can_hold_is_refused() {
        let mut state = huge_state();
        let much = state.enrollments.last().unwrap().seen.clone();
        for run in &mut state.enrollments {
            (run.phase, run.seen) = (Phase::Open, much.clone());
        }
        assert!(matches!(Cut::of(&state), Err(Failed::Store(_))));
    }
}
