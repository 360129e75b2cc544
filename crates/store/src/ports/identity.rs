//! Which state a store has.
//!
//! A catalogue is served with one state, wherever that is moved: with another one, users would be paid
//! once more, out of budgets that know nothing of each other. So a state has an identity, which the
//! catalogue's store remembers (`CatalogStore::adopt`) and which a move takes along.

use async_trait::async_trait;

use super::transfer::RunNumber;
use crate::StoreError;

/// The identity of a state: random bytes, so that no two states have the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateId(pub [u8; 16]);

/// The identity of the state in a store.
#[async_trait]
pub trait Identity: Send + Sync {
    /// The identity; `None` if nobody has given one yet.
    async fn get(&self) -> Result<Option<StateId>, StoreError>;

    /// Gives it this identity unless it has one, and says which it has. A store that takes no changes
    /// is given none, and answers as it answers a change.
    async fn keep(&self, fresh: StateId) -> Result<StateId, StoreError>;

    /// Gives a store that is being filled by this run the identity of the state that it is filled with,
    /// in the place of its own if it has one. Any other store refuses.
    async fn put(&self, run: RunNumber, id: StateId) -> Result<(), StoreError>;
}
