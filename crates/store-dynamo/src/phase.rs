//! What the store may be used for, as every head and queue carries it.
//!
//! A change of users, budgets or journal names the head of its shard, and a change of deliveries the
//! queue, so a phase that is in all of them is seen by every change, however late it comes. What a
//! change that was refused is answered follows from the phase that it met ([`Phase::permit`]).

use store::Phase;

use crate::error::Failed;
use crate::keys::{PHASE, PHASE_WORDS};
use crate::value::{Item, Read as _, number, text};

/// The condition of every change but a replay. `:watched` is [`WATCHED`].
pub(crate) const ALLOWS_CHANGES: &str = "#phase <= :watched";
/// The number of `Live`, the only phase in which deliveries are replayed.
pub(crate) const LIVE: u8 = 0;
/// The number of `Watched`, the last phase in which changes are made.
pub(crate) const WATCHED: u8 = 1;
/// The number of `Moved`.
const MOVED: u8 = 2;
/// The number of `Filling`, the only phase in which rows are copied in.
pub(crate) const FILLING: u8 = 3;

/// The attributes of a phase.
pub(crate) fn to_attributes(phase: &Phase) -> Item {
    let (rank, words) = match phase {
        Phase::Live => (LIVE, None),
        Phase::Watched => (WATCHED, None),
        Phase::Moved(words) => (MOVED, Some(words)),
        Phase::Filling => (FILLING, None),
    };
    let rank = Some((PHASE.to_owned(), number(rank)));
    let words = words.map(|words| (PHASE_WORDS.to_owned(), text(words)));
    rank.into_iter().chain(words).collect()
}

/// Reads the phase of a head, a queue or the meta item.
pub(crate) fn from_item(item: &Item) -> Result<Phase, Failed> {
    match item.get_number::<u8>(PHASE)? {
        LIVE => Ok(Phase::Live),
        WATCHED => Ok(Phase::Watched),
        MOVED => Ok(Phase::Moved(item.get_text(PHASE_WORDS)?.to_owned())),
        FILLING => Ok(Phase::Filling),
        other => Err(Failed::corrupt(format!("phase {other}"))),
    }
}
