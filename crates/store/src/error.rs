//! What can go wrong in a store.

/// A store's failure. A refusal is not one: conditional writes answer with an outcome.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot answer now, and nothing was changed. Try again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store may or may not have made the change. Ask again with the same change id.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
    /// The state has been moved to another store and is not written here any more; nothing was
    /// changed. Ask the store that it names, or try again once this node uses it.
    #[error("the state has moved: {0}")]
    Moved(String),
    /// What was read does not decode or contradicts itself. A person has to look at it.
    #[error("stored data is corrupt: {0}")]
    Corrupt(String),
}
