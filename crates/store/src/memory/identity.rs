//! `Identity` in memory.

use async_trait::async_trait;

use super::MemoryState;
use crate::{Identity, RunNumber, StateId, StoreError, Writing};

#[async_trait]
impl Identity for MemoryState {
    async fn get(&self) -> Result<Option<StateId>, StoreError> {
        Ok(self.lock().identity)
    }

    async fn keep(&self, fresh: StateId) -> Result<StateId, StoreError> {
        let mut inner = self.lock();
        if let Some(known) = inner.identity {
            return Ok(known);
        }
        inner.phase.permit(Writing::Change)?;
        Ok(*inner.identity.insert(fresh))
    }

    async fn put(&self, run: RunNumber, id: StateId) -> Result<(), StoreError> {
        self.fill(run, |inner| inner.identity = Some(id))
    }
}
