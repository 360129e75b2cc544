//! Tickets that no other node gives.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use store::Ticket;

/// Counts tickets from a beginning that differs for every process.
pub(crate) struct Tickets(AtomicU64);

impl Tickets {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(RandomState::new().build_hasher().finish()))
    }

    pub(crate) fn next(&self) -> Ticket {
        Ticket(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
