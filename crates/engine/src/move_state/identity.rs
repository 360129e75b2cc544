//! The new store gets the identity of the state, so that the catalogue knows it there.

use super::{MoveError, Run};

impl Run<'_> {
    /// Late, because a node that starts while the state is copied may be the first to give it one.
    pub(super) async fn copy_identity(&self) -> Result<(), MoveError> {
        match self.from.identity().await? {
            Some(id) if self.to.identity().await? != Some(id) => self.to.put_identity(id).await,
            _ => Ok(()),
        }
    }
}
