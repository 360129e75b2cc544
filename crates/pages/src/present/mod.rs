//! From what the engine shows to what a page shows.
//!
//! Nothing here decides anything: states, prices and deadlines come from the domain, and this
//! chooses the language, the order and the link. What a page would have to guess is left out.

mod scene;

mod card;
mod detail;
mod empty;
mod list;
mod refusal;
mod step;
mod wallet;

pub(crate) use card::similar_to;
pub(crate) use detail::{Around, begins_with_check_in, mission_detail};
pub(crate) use list::{ListWish, mission_list};
pub(crate) use refusal::refusal;
pub(crate) use scene::{Scene, frame};
pub(crate) use wallet::{entries, not_counted};
