//! `Identity`: the state's stands in the meta item, beside the phase that lets it be written.
//!
//! | verb | requests |
//! |---|---|
//! | `get` | 1 read |
//! | `keep` | 1 read if it has one; 1 read and 1 transaction otherwise |
//! | `put` | 1 transaction |

use async_trait::async_trait;
use store::{Identity, RunNumber, StateId, StoreError, Writing};

use crate::DynamoStore;
use crate::base::Base;
use crate::error::Failed;
use crate::keys::{self, IDENTITY};
use crate::phase::{ALLOWS_CHANGES, FILLING, WATCHED};
use crate::requests::Request;
use crate::state::sixteen;
use crate::transfer::{IS_LATEST, number_of};
use crate::value::{bytes, number};
use crate::write::Write;

impl Base {
    async fn read_identity(&self) -> Result<Option<StateId>, Failed> {
        let meta = self.db.get(Request::ReadMeta, &keys::meta()).await?;
        let meta = meta.ok_or_else(|| Failed::corrupt("the meta item is gone"))?;
        let has_one = meta.contains_key(IDENTITY);
        has_one.then(|| sixteen(&meta, IDENTITY).map(StateId)).transpose()
    }

    async fn keep_identity(&self, fresh: StateId) -> Result<StateId, Failed> {
        if let Some(known) = self.read_identity().await? {
            return Ok(known);
        }
        let write = identity_write(fresh)
            .when("attribute_not_exists(#identity)")
            .when(ALLOWS_CHANGES)
            .with(":watched", number(WATCHED));
        match self.write_again(Request::WriteIdentity, vec![write]).await {
            Ok(()) => Ok(fresh),
            Err(refused @ Failed::Refused(_)) => {
                // By this very write, if its first answer was lost, by another node, or by the phase.
                if let Some(known) = self.read_identity().await? {
                    return Ok(known);
                }
                self.read_phase().await?.permit(Writing::Change)?;
                Err(refused)
            }
            Err(failed) => Err(failed),
        }
    }

    async fn put_identity(&self, run: RunNumber, id: StateId) -> Result<(), Failed> {
        let write = identity_write(id)
            .when(IS_LATEST)
            .when("#phase = :filling")
            .with(":run", number_of(run))
            .with(":filling", number(FILLING));
        match self.write_again(Request::WriteIdentity, vec![write]).await {
            Err(refused @ Failed::Refused(_)) => {
                self.must_be_filling(run).await?;
                Err(refused)
            }
            done => done,
        }
    }
}

fn identity_write(id: StateId) -> Write {
    Write::update(keys::meta(), "SET #identity = :identity").with(":identity", bytes(id.0))
}

#[async_trait]
impl Identity for DynamoStore {
    async fn get(&self) -> Result<Option<StateId>, StoreError> {
        Ok(self.base.read_identity().await?)
    }

    async fn keep(&self, fresh: StateId) -> Result<StateId, StoreError> {
        Ok(self.base.keep_identity(fresh).await?)
    }

    async fn put(&self, run: RunNumber, id: StateId) -> Result<(), StoreError> {
        Ok(self.base.put_identity(run, id).await?)
    }
}
