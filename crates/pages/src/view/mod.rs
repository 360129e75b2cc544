//! View models: plain values, ready to be shown. They hold no sentence of ours; those come from
//! the catalogue in [`crate::text`], so that a page and its language stay independent.

mod mission;
mod outcome;
mod step;
mod wallet;

pub use mission::{Boost, Kind, OfferCard, Platform, ProgressCard, Requirement, UpNext};
pub use outcome::{Empty, Flash, Ineligible, Nudge, Refusal};
pub use step::{
    Answer, CheckIn, Deadline, Quiz, Repeat, StepAction, StepState, StepView, Visit, Why,
};
pub use wallet::{EntryState, WalletEntry, WalletTab};
