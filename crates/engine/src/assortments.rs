//! Assortments that are kept between requests: what is offered to everybody of a class alike.
//!
//! One is used as long as it would come out the same: under the same snapshot, while no budget has
//! come to allow more or less, and until the clock changes an answer.

use std::sync::{Arc, PoisonError, RwLock};

use domain::decide::{Assortment, Class, Listing};
use domain::snapshot::Snapshot;
use domain::time::Timestamp;
use foldhash::HashMap;

use crate::sheets::{SheetRoom, Sheets};

/// Most classes of which an assortment is kept, at about three kilobytes each without its sheets; when
/// there are more, all are forgotten and begun anew.
const CLASSES_MAX: usize = 16_384;

/// The assortments of the newest snapshot.
pub(crate) struct Assortments(RwLock<Shelf>);

#[derive(Default)]
struct Shelf {
    /// What they were made from; it keeps alive what a [`Class`] is told apart by.
    snapshot: Option<Arc<Snapshot>>,
    /// [`crate::board::Board::epoch`] of the budgets that they were made from.
    epoch: u64,
    kept: HashMap<Class, Arc<Shared>>,
    /// What all sheets of these may still take.
    room: SheetRoom,
}

/// An assortment, and what was written of it.
pub(crate) struct Shared {
    pub(crate) assortment: Assortment,
    pub(crate) sheets: Sheets,
}

impl Assortments {
    pub(crate) fn new() -> Self {
        Self(RwLock::default())
    }

    /// The assortment of the class of `listing`, which is under `snapshot` and the budgets of `epoch`.
    pub(crate) fn of(
        &self,
        snapshot: &Arc<Snapshot>,
        epoch: u64,
        listing: &Listing<'_>,
        now: Timestamp,
    ) -> Arc<Shared> {
        let class = listing.class();
        {
            let shelf = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let kept = shelf.kept.get(&class).filter(|kept| kept.assortment.holds_at(now));
            if let Some(kept) = kept.filter(|_| shelf.is_of(snapshot, epoch)) {
                return Arc::clone(kept);
            }
        }
        let assortment = listing.assortment();
        let mut shelf = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let newest = shelf.snapshot.as_ref().map_or(0, |newest| newest.revision());
        if newest > snapshot.revision() {
            // A request that still holds the older snapshot does not take away what is kept.
            return Arc::new(Shared { assortment, sheets: Sheets::new(SheetRoom::none()) });
        }
        if !shelf.is_of(snapshot, epoch) || shelf.kept.len() >= CLASSES_MAX {
            *shelf = Shelf { snapshot: Some(Arc::clone(snapshot)), epoch, ..Shelf::default() };
        }
        let made = Arc::new(Shared { assortment, sheets: Sheets::new(shelf.room.clone()) });
        shelf.kept.insert(class, Arc::clone(&made));
        made
    }
}

impl Shelf {
    fn is_of(&self, snapshot: &Arc<Snapshot>, epoch: u64) -> bool {
        self.epoch == epoch && self.snapshot.as_ref().is_some_and(|own| Arc::ptr_eq(own, snapshot))
    }
}

#[cfg(test)]
mod tests {
    use domain::catalog::sample;
    use domain::decide::{Levels, Situation};
    use domain::ids::{AppId, UnitId};
    use domain::user::UserState;

    use super::*;

    const NOW: Timestamp = Timestamp(1_768_046_400_007);

    #[test]
    fn one_is_shared_until_the_catalogue_the_budgets_or_the_clock_move() {
        let assortments = Assortments::new();
        let levels = Levels::default();
        let snapshots = [(); 2].map(|()| Arc::new(Snapshot::compile(sample::catalog())));
        let of = |user_id: &str, snapshot: &Arc<Snapshot>, epoch, now| {
            let user_id = user_id.to_owned();
            let user = UserState { app: AppId(1), user_id, ..UserState::default() };
            let unit = UnitId(1);
            let situation = Situation { snapshot, user: &user, unit, now, levels: &levels };
            assortments.of(snapshot, epoch, &Listing::of(situation), now)
        };
        let [first, second] = &snapshots;
        let kept = of("ann", first, 1, NOW);
        let is_kept = |other: Arc<Shared>| Arc::ptr_eq(&kept, &other);
        assert!(is_kept(of("ben", first, 1, NOW)));
        // A clock that goes back is not one that the assortment is known to hold for.
        assert!(!is_kept(of("ann", first, 1, Timestamp(NOW.0 - 1))));
        let kept = of("ann", first, 1, NOW);
        let is_kept = |other: Arc<Shared>| Arc::ptr_eq(&kept, &other);
        assert!(is_kept(of("ann", first, 1, NOW)));
        assert!(!is_kept(of("ann", first, 2, NOW)));
        assert!(!is_kept(of("ann", second, 2, NOW)));
    }
}
