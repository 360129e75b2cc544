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
    /// The state is being moved to another store at this moment, and nothing was changed. Try again in
    /// a moment.
    #[error("the state is on its way to {0}")]
    Moving(String),
    /// The state has been moved to another store and is not written here any more; nothing was
    /// changed. Ask the store that it names, or try again once this node uses it.
    #[error("the state has moved: {0}")]
    Moved(String),
    /// Another run moves the state now, and this one changes nothing any more. Trying again is of no
    /// use.
    #[error("another run of `guerdon migrate-state` has taken this move over")]
    TakenOver,
    /// What was read does not decode or contradicts itself. A person has to look at it.
    #[error("stored data is corrupt: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// What has happened, without what that means for the caller: to be put into another error.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Unavailable(why)
            | Self::Unknown(why)
            | Self::Moving(why)
            | Self::Moved(why)
            | Self::Corrupt(why) => why,
            Self::TakenOver => "another run has taken the move over",
        }
    }
}
