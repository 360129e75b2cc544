//! What this node knows of budgets: good for deciding what to show, never for paying (S4).

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use domain::budget::Level;
use domain::decide::Levels;

/// Budgets as last seen. Every commit of this node brings them up to date at once; other nodes'
/// commits are seen at the next refresh.
pub(crate) struct Board {
    levels: RwLock<Levels>,
    epoch: AtomicU64,
}

impl Board {
    pub(crate) fn new() -> Self {
        // Another process begins elsewhere, so it never calls a list of this one's the newest.
        let begin = RandomState::new().build_hasher().finish();
        Self { levels: RwLock::new(Levels::default()), epoch: AtomicU64::new(begin) }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Levels> {
        self.levels.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes levels over. `changes` says whether one changes what can be shown; then lists that
    /// clients have kept, and assortments, are no longer the newest.
    pub(crate) fn update(&self, fresh: &[Level], changes: impl Fn(Option<&Level>, &Level) -> bool) {
        if fresh.is_empty() {
            return;
        }
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        for level in fresh {
            if changes(levels.get(level.line_item), level) {
                self.epoch.fetch_add(1, Ordering::Relaxed);
            }
            levels.set(*level);
        }
    }

    /// Grows whenever what can be shown has changed. It stands still while somebody reads.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }
}
