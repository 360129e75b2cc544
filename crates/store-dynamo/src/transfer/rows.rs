//! Users and records as a move carries them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::WriteRequest;
use domain::change::Loaded;
use domain::ids::UserKey;
use store::{Seq, StoreError, Stored, UserRow};

use crate::base::Base;
use crate::client::Pauses;
use crate::error::Failed;
use crate::group::{Owned, record_item};
use crate::keys::{self, PHASE, QUEUED, Spot, VERSION};
use crate::merge::MergeHead;
use crate::outbox::births;
use crate::phase::FILLING;
use crate::requests::Request;
use crate::state::{Cut, Hot};
use crate::value::{item, number};
use crate::work::hot_item;
use crate::write::{Write, put_request};

pub(super) fn user_row((key, hot, loaded): (UserKey, Hot, Loaded)) -> UserRow {
    UserRow { key, loaded, latest: hot.change }
}

impl Base {
    /// Writes users as they are. The hot items come last, because they say what else there is.
    pub(super) async fn put_users(&self, rows: Vec<UserRow>) -> Result<(), Failed> {
        // Of a user who comes twice the later row holds, and a batch names an item once.
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.key, row)).collect();
        let (mut others, mut hots) = (Vec::new(), Vec::new());
        for row in rows.into_values() {
            let UserRow { key, loaded, latest } = row;
            let cut = Cut::of(&loaded.state)?;
            for write in cut.other_writes(&key) {
                others.push(write.into_put()?);
            }
            others.push(put_request(item(&keys::known_user(&key), []))?);
            let due_at = loaded.state.due_at();
            let (version, chain, parts) = (loaded.version, loaded.chain, cut.parts.clone());
            let hot = Hot { version, change: latest, chain, parts };
            let hot = hot_item(&key, self.shard_of(&key), &hot, (cut.first(), due_at));
            hots.push(put_request(hot)?);
        }
        self.db.batch_write(Request::Import, others).await?;
        self.db.batch_write(Request::Import, hots).await
    }

    /// Writes records at their places. What is written cannot be seen before the last step, one
    /// transaction, says how far imported places go; until then writing it again changes nothing.
    pub(super) async fn put_records(&self, records: Vec<Stored>) -> Result<(), Failed> {
        let mut pauses = Pauses::begin();
        loop {
            let (head, _) = self.read_heads().await?;
            let new: Vec<_> = records.iter().filter(|stored| stored.seq > head.seq).collect();
            let Some(last) = new.last().map(|stored| stored.seq) else { return Ok(()) };
            check_places(&head, &new)?;
            let mut queued: BTreeMap<u32, u64> = BTreeMap::new();
            let mut puts = Vec::new();
            for stored in new {
                self.add_puts(stored, &mut puts, &mut queued)?;
            }
            self.db.batch_write(Request::Import, puts).await?;
            match self.write_import(&head, last, &queued).await {
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
        queued: &mut BTreeMap<u32, u64>,
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
        for write in births.writes {
            puts.push(write.into_put()?);
        }
        *queued.entry(shard).or_default() += births.queued;
        Ok(())
    }

    /// Makes imported records readable, up to that place, and counts their deliveries.
    async fn write_import(
        &self,
        before: &MergeHead,
        last: Seq,
        queued: &BTreeMap<u32, u64>,
    ) -> Result<(), Failed> {
        let version = before.version + 1;
        let after = MergeHead { version, seq: last, imported: last, ..before.clone() };
        let head = Write::put(after.to_item());
        let head = head.when(format!("#{VERSION} = :v")).with(":v", number(before.version));
        let phase = Write::check(keys::meta(), format!("#{PHASE} = :filling"));
        let mut writes = vec![head, phase.with(":filling", number(FILLING))];
        for (shard, count) in queued.iter().filter(|(_, count)| **count > 0) {
            let add = Write::update(keys::head(*shard), format!("ADD #{QUEUED} :count"));
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
