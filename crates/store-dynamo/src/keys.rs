//! Keys and attribute names: which items there are, and where.
//!
//! | `pk` | `sk` | item |
//! |---|---|---|
//! | `META` | `META` | version of the layout, number of shards, phase, run, identity |
//! | `H#shard` | `H` | head of a journal shard: group, position, phase, run, deliveries born, changed budgets |
//! | `Q#shard` | `Q` | state of a shard's outbox: phase, run, how counts have moved |
//! | `J#shard#group/1000` | `group` | one group: whose records are in it ([`crate::group`]) |
//! | `JI#place/1000` | `place` | one imported record: whose it is |
//! | `M` | `H` | how far the shards are merged ([`crate::merge`]) |
//! | `M` | `E#place` | one merge: the runs that begin at that place |
//! | `M#shard` | `position` | the place of a run of a shard |
//! | `U#prefix` | `S#suffix#chunk` | a user's state |
//! | `U#prefix` | `R#suffix#spot` | a record of his |
//! | `U#prefix` | `D#id` | a delivery of his: the words and how far it has come |
//! | `A#app#mode#shard` | `spot` | the deliveries that one record gave an endpoint |
//! | `K#digit` | `key` | that there is such a user |
//! | `B#line item` | `L`, `S#slot`, `D#day` | a budget: limits, slots, old days |
//! | `B` | `line item` | that there is such a budget |
//!
//! A user's partition is named by the first half of his key, which every id of his begins with, so a
//! delivery is found by its id alone. Numbers in keys are hexadecimal and as long as they can be, so
//! that the order of the text is theirs.
//!
//! The one index ([`INDEX`]) is sparse and holds keys only: when a user is due (`U#shard`), when a
//! delivery can be tried (`D#shard`), and which deliveries ended badly (`P#shard`).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ids::{DeliveryId, LineItemId, Mode, UserKey, UserPrefix};
use domain::time::{Day, Timestamp};
use store::{Endpoint, Seq};

/// Partition key of the table.
pub(crate) const PK: &str = "pk";
/// Sort key of the table.
pub(crate) const SK: &str = "sk";
/// Partition key of the index.
pub(crate) const INDEX_PK: &str = "gpk";
/// Sort key of the index.
pub(crate) const INDEX_SK: &str = "gsk";
/// The index of what is due.
pub(crate) const INDEX: &str = "due";

/// Phase of the store in heads and queues: the number of a phase, see [`crate::phase`].
pub(crate) const PHASE: &str = "phase";
/// The latest run of a mover, in the meta item and in heads and queues: see [`crate::transfer`].
pub(crate) const RUN: &str = "run";
/// The words of a store that has moved.
pub(crate) const PHASE_WORDS: &str = "words";
/// The identity of the state, in the meta item.
pub(crate) const IDENTITY: &str = "identity";
/// The version of an item that is written only if nobody else has written it since.
pub(crate) const VERSION: &str = "v";
/// The newest group of a shard, in its head; the first group is 1.
pub(crate) const GROUP: &str = "g";
/// Records of a shard so far, in its head; the position of the newest, since the first is 1.
pub(crate) const POSITION: &str = "pos";
/// Which budgets were changed lately, in a shard's head: see [`crate::head`].
pub(crate) const CHANGES: &str = "changes";
/// Deliveries that commits have queued so far, in a shard's head.
pub(crate) const QUEUED: &str = "queued";
/// The stored form of a record or message.
pub(crate) const BODY: &str = "body";
/// The chain of a record.
pub(crate) const CHAIN: &str = "chain";

/// Groups, and imported records, that share a partition.
const BUCKET: u64 = 1_000;
/// Comes before every sort key.
pub(crate) const FIRST: &str = " ";
/// Comes after every sort key.
pub(crate) const LAST: &str = "~";

/// The key of an item.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// The key as attributes: of a request, or to begin an item with.
    pub(crate) fn attributes(&self) -> HashMap<String, AttributeValue> {
        let text = |text: &String| AttributeValue::S(text.clone());
        HashMap::from([(PK.to_owned(), text(&self.pk)), (SK.to_owned(), text(&self.sk))])
    }
}

/// Where a record stands within its shard: imported with its place, or at a position of its own.
/// Imported ones come first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Spot {
    /// At a place that another store gave.
    Imported(Seq),
    /// At a position of the shard; the place is given by a merge.
    At(u64),
}

impl Spot {
    /// The form in keys.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Imported(seq) => format!("0{seq:016x}"),
            Self::At(position) => format!("1{position:016x}"),
        }
    }

    /// Reads the form in keys.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = |digits| u64::from_str_radix(digits, 16).ok();
        match text.split_at_checked(1)? {
            ("0", digits) => number(digits).map(Self::Imported),
            ("1", digits) => number(digits).map(Self::At),
            _ => None,
        }
    }
}

/// A moment in keys.
pub(crate) fn moment(at: Timestamp) -> String {
    format!("{:016x}", at.0.cast_unsigned() ^ (1 << 63))
}

/// Reads a moment in keys.
pub(crate) fn parse_moment(text: &str) -> Option<Timestamp> {
    let number = u64::from_str_radix(text, 16).ok()?;
    Some(Timestamp((number ^ (1 << 63)).cast_signed()))
}

/// Bytes in keys.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads the 32 digits of a user's key or a delivery's id.
pub(crate) fn parse_hex(text: &str) -> Option<[u8; 16]> {
    // A sign would be read as part of a number.
    let is_whole = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_whole.then(|| u128::from_str_radix(text, 16).ok())??;
    Some(number.to_be_bytes())
}

/// The shard of a user, for ever. It follows from the part of his key that every id of his begins
/// with, and from the end of that: the beginning orders users in scans.
pub(crate) fn shard_of(prefix: UserPrefix, shards: u32) -> u32 {
    let [.., a, b, c, d] = prefix;
    u32::from_be_bytes([a, b, c, d]) % shards
}

pub(crate) fn meta() -> Key {
    Key::new("META", "META")
}

pub(crate) fn head(shard: u32) -> Key {
    Key::new(format!("H#{shard:02}"), "H")
}

pub(crate) fn queue(shard: u32) -> Key {
    Key::new(format!("Q#{shard:02}"), "Q")
}

pub(crate) fn group(shard: u32, group: u64) -> Key {
    Key::new(format!("J#{shard:02}#{}", group / BUCKET), format!("{group:016x}"))
}

/// The last group that shares a partition with this one.
pub(crate) fn last_of_bucket(group: u64) -> u64 {
    (group / BUCKET) * BUCKET + (BUCKET - 1)
}

pub(crate) fn imported(seq: Seq) -> Key {
    Key::new(format!("JI#{}", seq / BUCKET), format!("{seq:016x}"))
}

pub(crate) fn merge_head() -> Key {
    Key::new("M", "H")
}

pub(crate) fn merge_entry(from: Seq) -> Key {
    Key::new("M", format!("E#{from:016x}"))
}

pub(crate) fn run(shard: u32, from: u64) -> Key {
    Key::new(format!("M#{shard:02}"), format!("{from:016x}"))
}

/// The partition of the users of a prefix, nearly always one.
pub(crate) fn user_partition(prefix: UserPrefix) -> String {
    format!("U#{}", hex(&prefix))
}

fn suffix(user: &UserKey) -> String {
    hex(&user.0[8..])
}

/// One chunk of a user's state; chunk 0 is the hot one.
pub(crate) fn state(user: &UserKey, chunk: u32) -> Key {
    Key::new(user_partition(user.prefix()), format!("{}{chunk:02}", states_of(user)))
}

/// What the sort keys of a user's state begin with.
pub(crate) fn states_of(user: &UserKey) -> String {
    format!("S#{}#", suffix(user))
}

pub(crate) fn record(user: &UserKey, spot: Spot) -> Key {
    Key::new(user_partition(user.prefix()), format!("{}{}", records_of(user), spot.text()))
}

/// What the sort keys of a user's records begin with; the rest is a [`Spot`].
pub(crate) fn records_of(user: &UserKey) -> String {
    format!("R#{}#", suffix(user))
}

/// A delivery; its id begins with its user's prefix.
pub(crate) fn delivery(id: DeliveryId) -> Key {
    Key::new(user_partition(id.prefix()), format!("D#{}", hex(&id.0)))
}

/// The partition of an endpoint's list in one shard.
pub(crate) fn list(endpoint: Endpoint, shard: u32) -> String {
    let Endpoint { app, mode } = endpoint;
    format!("A#{app}#{}#{shard:02}", mode.name())
}

/// The directory of users, one partition for each first digit of their keys.
pub(crate) fn known_user(user: &UserKey) -> Key {
    Key::new(known_users(user.0[0] >> 4), hex(&user.0))
}

/// A partition of the directory; digits are 0 to 15.
pub(crate) fn known_users(digit: u8) -> String {
    format!("K#{digit:x}")
}

pub(crate) fn budget(line_item: LineItemId) -> Key {
    Key::new(budget_partition(line_item), "L")
}

pub(crate) fn budget_partition(line_item: LineItemId) -> String {
    format!("B#{:08x}", line_item.0)
}

pub(crate) fn slot(line_item: LineItemId, slot: u32) -> Key {
    Key::new(budget_partition(line_item), format!("S#{slot:02}"))
}

pub(crate) fn old_day(line_item: LineItemId, day: Day) -> Key {
    let day = i64::from(day.0) - i64::from(i32::MIN);
    Key::new(budget_partition(line_item), format!("D#{day:08x}"))
}

/// The directory of budgets.
pub(crate) fn known_budget(line_item: LineItemId) -> Key {
    Key::new("B", format!("{:08x}", line_item.0))
}

/// When a user is due, in the index.
pub(crate) fn due_user(user: &UserKey, shard: u32, at: Timestamp) -> Key {
    Key::new(due_users(shard), format!("{}#{}", moment(at), hex(&user.0)))
}

/// The index partition of a shard's users who are due some time.
pub(crate) fn due_users(shard: u32) -> String {
    format!("U#{shard:02}")
}

/// The index partition of a shard's deliveries that are tried some time.
pub(crate) fn due_deliveries(shard: u32) -> String {
    format!("D#{shard:02}")
}

/// The index partition of a shard's deliveries that ended badly.
pub(crate) fn bad_deliveries(shard: u32) -> String {
    format!("P#{shard:02}")
}

/// What the sort keys of an endpoint's deliveries begin with in the index.
pub(crate) fn endpoint(endpoint: Endpoint) -> String {
    let mode = match endpoint.mode {
        Mode::Live => 'l',
        Mode::Test => 't',
    };
    format!("{:08x}{mode}#", endpoint.app.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_what_they_name() {
        let moments = [i64::MIN, -1, 0, 1, 1_790_000_000_000, i64::MAX].map(Timestamp);
        assert!(moments.map(moment).is_sorted());
        assert_eq!(moments.map(|at| parse_moment(&moment(at))), moments.map(Some));
        let spots = [Spot::Imported(1), Spot::Imported(u64::MAX), Spot::At(0), Spot::At(17)];
        assert!(spots.map(Spot::text).is_sorted() && spots.is_sorted());
        assert_eq!(spots.map(|spot| Spot::parse(&spot.text())), spots.map(Some));
        for day in [i32::MIN, -1, 0, 1, i32::MAX].map(Day).windows(2) {
            let [first, second] = [0, 1].map(|place: usize| old_day(LineItemId(1), day[place]));
            assert!(first < second, "{first:?} {second:?}");
        }
    }

    #[test]
    fn bytes_come_back_from_keys() {
        let id = [0, 1, 15, 16, 255, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        assert_eq!(parse_hex(&hex(&id)), Some(id));
        assert_eq!(parse_hex("+0000000000000000000000000000001"), None);
        assert_eq!(parse_hex("0"), None);
    }

    #[test]
    fn the_groups_of_a_partition_end_where_the_next_begins() {
        let last = last_of_bucket(17);
        assert_eq!(group(0, 17).pk, group(0, last).pk);
        assert_ne!(group(0, 17).pk, group(0, last + 1).pk);
    }
}
