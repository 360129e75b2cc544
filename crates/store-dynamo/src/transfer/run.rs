//! Which run moves the state, and writing what only that run may write.
//!
//! The number of the run stands in the meta item and in each head and queue, beside the phase. Taking a
//! store over begins with the meta item, which gives the number, and ends when every head and queue has
//! it. Whatever a run writes that could do harm later names one of these items and asks for its number
//! in the same transaction; so once the store is taken over, nothing of an earlier run comes through.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use store::{Phase, RunNumber, StoreError, Writing};

use crate::base::Base;
use crate::client::{BATCHES_MAX, Pauses};
use crate::error::Failed;
use crate::keys::{self, Key, PHASE, RUN};
use crate::phase::{self, FILLING};
use crate::requests::Request;
use crate::value::{Read as _, number};
use crate::write::Write;

/// Items of one transaction of a run; one more is what it asks for its number.
const ITEMS_MAX: usize = 60;
/// Bytes of one, of which DynamoDB takes 4 MB: small enough to be answered in time.
const BYTES_MAX: usize = 1_000_000;

/// The condition of whatever a run writes; give it [`number_of`] the run as `:run`.
pub(crate) const IS_LATEST: &str = "#run = :run";

pub(crate) fn number_of(run: RunNumber) -> AttributeValue {
    number(run.0)
}

/// Puts that belong together, with their size in bytes.
#[derive(Debug, Default)]
pub(super) struct Puts {
    writes: Vec<(Write, usize)>,
}

impl Puts {
    pub(super) fn add(&mut self, write: Write, bytes: usize) {
        self.writes.push((write.whatever_is_there(), bytes));
    }

    /// In order, as many at a time as go into one transaction.
    fn parts(self) -> Vec<Vec<Write>> {
        let (mut parts, mut room): (Vec<Vec<Write>>, usize) = (Vec::new(), 0);
        for (write, bytes) in self.writes {
            match parts.last_mut() {
                Some(part) if part.len() < ITEMS_MAX && bytes <= room => {
                    part.push(write);
                    room -= bytes;
                }
                _ => {
                    parts.push(vec![write]);
                    room = BYTES_MAX.saturating_sub(bytes);
                }
            }
        }
        parts
    }
}

impl Base {
    /// What the store may be used for, and which run was the latest to take it over.
    pub(crate) async fn read_standing(&self) -> Result<(Phase, RunNumber), Failed> {
        let meta = self.db.get(Request::ReadMeta, &keys::meta()).await?;
        let meta = meta.ok_or_else(|| Failed::corrupt("the meta item is gone"))?;
        Ok((phase::from_item(&meta)?, RunNumber(meta.get_number(RUN)?)))
    }

    /// Every head and queue.
    pub(super) fn fences(&self) -> impl Iterator<Item = Key> {
        (0..self.shards).flat_map(|shard| [keys::head(shard), keys::queue(shard)])
    }

    /// Gives the store to the next run.
    pub(super) async fn next_run(&self) -> Result<(RunNumber, Phase), Failed> {
        let run = self.next_number().await?;
        let one = |key| {
            let write = Write::update(key, "SET #run = :run").when("#run <= :run");
            self.write_as(Request::TakeOver, vec![write.with(":run", number_of(run))])
        };
        try_join_all(self.fences().map(one)).await?;
        // Nobody but this run, or one that takes it over, changes the phase from here on.
        let (phase, latest) = self.read_standing().await?;
        run.check(latest)?;
        Ok((run, phase))
    }

    /// A number that no other run is given, since it has it only who is told that he wrote it.
    async fn next_number(&self) -> Result<RunNumber, Failed> {
        let mut pauses = Pauses::begin();
        loop {
            let (_, latest) = self.read_standing().await?;
            let run = RunNumber(latest.0 + 1);
            let write = Write::update(keys::meta(), "SET #run = :run").when("#run = :latest");
            let write = write.with(":run", number_of(run)).with(":latest", number_of(latest));
            match self.db.transact(Request::TakeOver, vec![write]).await {
                Ok(()) => return Ok(run),
                Err(failed @ (Failed::Refused(_) | Failed::Unknown(_))) => {
                    pauses.pause_or(|| failed).await?;
                }
                Err(failed) => return Err(failed),
            }
        }
    }

    /// Writes what has no condition but that of the run, again if the answer is lost.
    pub(super) async fn write_as(
        &self,
        request: Request,
        writes: Vec<Write>,
    ) -> Result<(), Failed> {
        match self.write_again(request, writes).await {
            Err(Failed::Refused(_)) => Err(StoreError::TakenOver.into()),
            wrote => wrote,
        }
    }

    /// Fails unless the store is this run's, and being filled.
    pub(crate) async fn must_be_filling(&self, run: RunNumber) -> Result<(), Failed> {
        let (phase, latest) = self.read_standing().await?;
        run.check(latest)?;
        Ok(phase.permit(Writing::Copy)?)
    }

    /// Writes items that the service changes later, so that none of them may come late: those of each
    /// shard in order, while its head says that the store is this run's, and being filled.
    pub(super) async fn put_by_shard(
        &self,
        run: RunNumber,
        shards: impl IntoIterator<Item = (u32, Puts)>,
    ) -> Result<(), Failed> {
        let put = |(shard, puts)| self.put_fenced(run, keys::head(shard), puts);
        stream::iter(shards).map(put).buffer_unordered(BATCHES_MAX).try_collect().await
    }

    /// The same while that item says so.
    pub(super) async fn put_fenced(
        &self,
        run: RunNumber,
        fence: Key,
        puts: Puts,
    ) -> Result<(), Failed> {
        for part in puts.parts() {
            let check = is_filled_by(Write::check(fence.clone(), IS_LATEST), run);
            let writes = [check].into_iter().chain(part).collect();
            match self.write_again(Request::ImportFenced, writes).await {
                Err(refused @ Failed::Refused(_)) => {
                    self.must_be_filling(run).await?;
                    return Err(refused);
                }
                wrote => wrote?,
            }
        }
        Ok(())
    }
}

/// Only while the store is being filled, by this run; the write asks [`IS_LATEST`] already.
pub(super) fn is_filled_by(write: Write, run: RunNumber) -> Write {
    let write = write.when(format!("#{PHASE} = :filling")).with(":filling", number(FILLING));
    write.with(":run", number_of(run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::item;

    #[test]
    fn puts_are_parted_by_number_and_size() {
        let cases: [(&[usize], &[usize]); 5] = [
            (&[], &[]),
            (&[1; 61], &[60, 1]),
            (&[500_000, 500_000, 1], &[2, 1]),
            (&[2_000_000, 1, 2_000_000], &[1, 1, 1]),
            (&[999_999, 1, 1], &[2, 1]),
        ];
        for (sizes, wanted) in cases {
            let mut puts = Puts::default();
            for size in sizes {
                puts.add(Write::put_new(item(&keys::meta(), [])), *size);
            }
            let parts: Vec<usize> = puts.parts().iter().map(Vec::len).collect();
            assert_eq!(parts, wanted, "{sizes:?}");
        }
    }
}
