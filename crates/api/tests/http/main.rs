//! The API in this process, on memory stores: what is asked, what is answered, and that every answer
//! is described.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod server;

mod access;
mod allocations;
mod catalog;
mod deliveries;
mod document;
mod figures;
mod inquiries;
mod limits;
mod lists;
mod operations;
mod postbacks;
mod rows;
mod sessions;
