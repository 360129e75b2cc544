//! Commands on one user take turns within a node, so they do not waste each other's decisions.
//!
//! This is for speed only. What is right is decided by the version check in the commit, which also
//! holds between nodes.

use domain::ids::UserKey;
use tokio::sync::{Mutex, MutexGuard};

/// Users that share a stripe wait for each other; with this many they seldom meet.
const STRIPES: usize = 1_024;

pub(crate) struct Stripes(Vec<Mutex<()>>);

impl Stripes {
    pub(crate) fn new() -> Self {
        Self((0..STRIPES).map(|_| Mutex::new(())).collect())
    }

    pub(crate) async fn turn(&self, user: &UserKey) -> MutexGuard<'_, ()> {
        let place = usize::from(u16::from_le_bytes([user.0[14], user.0[15]])) % STRIPES;
        self.0[place].lock().await
    }
}
