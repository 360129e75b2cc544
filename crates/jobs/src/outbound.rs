//! One reward message and one endpoint become one guarded HTTP attempt with a verdict.
//!
//! ```text
//! Message + Endpoint + Secrets --render--> Prepared --Sender::attempt--> Attempt
//! ```
//!
//! [`render()`] is pure: the same message gives the same body bytes at every attempt (D2), and only
//! signature and time are fresh. [`Sender`] is the only place that opens connections to addresses a
//! publisher may choose: the [`guard`] checks scheme, port and every address, redirects are never
//! followed, and no more than 64 KiB of an answer are read (X2).
//!
//! What this module does not do: claim deliveries, keep leases, limit concurrency, read a clock.

mod body;
mod crypto;
mod guard;
mod ranges;
mod render;
mod resolve;
mod send;
mod sign;
mod values;
mod verdict;

pub(crate) use guard::EgressPolicy;
pub(crate) use render::{Prepared, RenderError, Secrets, render};
pub(crate) use send::Sender;
pub(crate) use verdict::{Attempt, Outcome, Why};
