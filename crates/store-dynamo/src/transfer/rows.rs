//! Users and records as a move carries them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::WriteRequest;
use domain::change::Loaded;
use domain::ids::UserKey;
use store::{RunNumber, Seq, StoreError, Stored, UserRow};

use super::run::{IS_LATEST, Puts, is_filled_by};
use crate::base::Base;
use crate::client::Pauses;
use crate::error::Failed;
use crate::group::{Owned, record_item};
use crate::keys::{self, QUEUED, Spot, VERSION};
use crate::merge::MergeHead;
use crate::outbox::births;
use crate::requests::Request;
use crate::state::{Cut, Hot};
use crate::value::{item, number};
use crate::work::hot_item;
use crate::write::{Write, put_request};

/// More than a delivery or what leads to it takes: a message is limited to a few KB.
const BIRTH_BYTES: usize = 16_000;

/// The deliveries that records give a shard.
#[derive(Default)]
struct Born {
    puts: Puts,
    queued: u64,
}

pub(super) fn user_row((key, hot, loaded): (UserKey, Hot, Loaded)) -> UserRow {
    UserRow { key, loaded, latest: hot.change }
}

impl Base {
    /// Writes users as they are. The hot items come last, because they say what else there is.
    pub(super) async fn put_users(&self, run: RunNumber, rows: Vec<UserRow>) -> Result<(), Failed> {
        // Of a user who comes twice the later row holds, and a batch names an item once.
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key, row)).collect();
        let (mut known, mut hots) = (Vec::new(), Vec::new());
        let mut puts: BTreeMap<u32, Puts> = BTreeMap::new();
        for row in rows.into_values() {
            let UserRow { key, loaded, latest } = row;
            let cut = Cut::of(&loaded.state)?;
            let shard = self.shard_of(&key);
            let own = puts.entry(shard).or_default();
            for (write, chunk) in cut.other_writes(&key).into_iter().zip(&cut.chunks[1..]) {
                own.add(write, chunk.bytes.len());
            }
            known.push(put_request(item(&keys::known_user(&key), []))?);
            let due_at = loaded.state.due_at();
            let (version, chain, parts) = (loaded.version, loaded.chain, cut.parts.clone());
            let hot = Hot { version, change: latest, chain, parts };
            let hot = hot_item(&key, shard, &hot, (cut.first(), due_at));
            hots.push((shard, Write::put(hot), cut.first().len()));
        }
        for (shard, hot, bytes) in hots {
            puts.entry(shard).or_default().add(hot, bytes);
        }
        self.db.batch_write(Request::Import, known).await?;
        self.put_by_shard(run, puts).await
    }

    /// Writes records at their places. What is written cannot be seen before the last step, one
    /// transaction, says how far imported places go; until then writing it again changes nothing.
    pub(super) async fn put_records(
        &self,
        run: RunNumber,
        records: Vec<Stored>,
    ) -> Result<(), Failed> {
        let mut pauses = Pauses::begin();
        loop {
            self.must_be_filling(run).await?;
            let (head, _) = self.read_heads().await?;
            let new: Vec<_> = records.iter().filter(|stored| stored.seq > head.seq).collect();
            let Some(last) = new.last().map(|stored| stored.seq) else { return Ok(()) };
            check_places(&head, &new)?;
            let (mut puts, mut born) = (Vec::new(), BTreeMap::new());
            for stored in new {
                self.add_puts(stored, &mut puts, &mut born)?;
            }
            let queued = born.iter().map(|(shard, born)| (*shard, born.queued)).collect();
            self.db.batch_write(Request::Import, puts).await?;
            let born = born.into_iter().map(|(shard, born)| (shard, born.puts));
            self.put_by_shard(run, born).await?;
            match self.write_import(run, &head, (last, queued)).await {
                Ok(()) => return Ok(()),
                // Reading anew shows what became of it.
                Err(failed @ (Failed::Refused(_) | Failed::Unknown(_))) => {
                    pauses.pause_or(|| failed).await?;
                }
                Err(failed) => return Err(failed),
            }
        }
    }

    fn add_puts(
        &self,
        stored: &Stored,
        puts: &mut Vec<WriteRequest>,
        born: &mut BTreeMap<u32, Born>,
    ) -> Result<(), Failed> {
        let Stored { seq, chain, record } = stored;
        let Some(user) = record.user else {
            let owner = Owned::ByNobody(format::journal::encode_record(record));
            puts.push(put_request(owner.to_imported(*seq))?);
            return Ok(());
        };
        let (shard, spot) = (self.shard_of(&user), Spot::Imported(*seq));
        puts.push(put_request(Owned::By(user).to_imported(*seq))?);
        puts.push(put_request(record_item(&user, spot, *chain, record))?);
        let births = births(record, user, shard, spot);
        let born = born.entry(shard).or_default();
        born.queued += births.queued;
        births.writes.into_iter().for_each(|write| born.puts.add(write, BIRTH_BYTES));
        Ok(())
    }

    /// Makes imported records readable, up to that place, and counts their deliveries.
    async fn write_import(
        &self,
        run: RunNumber,
        before: &MergeHead,
        (last, queued): (Seq, Vec<(u32, u64)>),
    ) -> Result<(), Failed> {
        let version = before.version + 1;
        let after = MergeHead { version, seq: last, imported: last, ..before.clone() };
        let head = Write::put(after.to_item());
        let head = head.when(format!("#{VERSION} = :v")).with(":v", number(before.version));
        let mut writes = vec![head, is_filled_by(Write::check(keys::meta(), IS_LATEST), run)];
        for (shard, count) in queued.into_iter().filter(|(_, count)| *count > 0) {
            let add = Write::update(keys::head(shard), format!("ADD #{QUEUED} :count"));
            writes.push(add.with(":count", number(count)));
        }
        self.db.transact(Request::WriteImport, writes).await
    }
}

/// Imported places follow each other, and come before all others.
fn check_places(head: &MergeHead, records: &[&Stored]) -> Result<(), Failed> {
    if head.seq > head.imported {
        let words = "this store has records of its own, so none are copied into it";
        return Err(StoreError::Unavailable(words.to_owned()).into());
    }
    for (stored, place) in records.iter().zip(head.seq + 1..) {
        if stored.seq != place {
            let words = format!("record {} was put where {place} is next", stored.seq);
            return Err(StoreError::Corrupt(words).into());
        }
    }
    Ok(())
}
