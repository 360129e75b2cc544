//! The pages as a browser without scripts sees them: the router on memory stores.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what helps the tests fails as loudly as they do"
)]

mod browser;
mod world;

mod acts;
mod answers;
mod refusals;
mod samples;
mod sessions;
mod walk;
