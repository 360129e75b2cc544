//! One reward message and one endpoint become one guarded HTTP attempt with a verdict.
//!
//! ```text
//! RewardMessage + Dialect + endpoint URL + Secrets --render--> Prepared --Sender::attempt--> Attempt
//! ```
//!
//! [`render`] is pure: the same message gives the same body bytes at every attempt (D2), and only
//! signature and time are fresh. [`Sender`] is the only place that opens connections to addresses a
//! publisher may choose: the [`guard`] checks scheme, port and every address, redirects are never
//! followed, and no more than 64 KiB of an answer are read (X2).
//!
//! What this module does not do: claim deliveries, keep leases, limit concurrency, read a clock.

mod body;
pub mod crypto;
pub mod guard;
pub mod message;
pub mod ranges;
pub mod render;
pub mod resolve;
pub mod send;
pub mod sign;
mod values;
pub mod verdict;

pub use crypto::CipherKey;
pub use guard::{EgressPolicy, Refused};
pub use message::RewardMessage;
pub use render::{Prepared, RenderError, Secrets, render};
pub use resolve::{Resolve, SystemResolver};
pub use send::{Sender, SenderConfig, SenderError};
pub use verdict::{Attempt, Next, Outcome, Why, after_attempt};
