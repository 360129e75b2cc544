//! The pages as a browser without scripts sees them: the router on memory stores.

mod browser;
mod world;

mod acts;
mod answers;
mod refusals;
mod samples;
mod sessions;
mod walk;
