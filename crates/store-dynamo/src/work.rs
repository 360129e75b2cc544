//! What a lane is asked to write, and the writes of one unit.

use domain::budget::{BudgetMove, Limits};
use domain::change::Change;
use domain::ids::{ChangeId, LineItemId, UserKey};
use domain::journal::{Chain, Record};
use domain::time::Timestamp;
use store::{LimitsOutcome, Outcome, StoreError};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::Failed;
use crate::group::record_item;
use crate::keys::{self, INDEX_PK, INDEX_SK, Spot};
use crate::outbox::births;
use crate::state::{Cut, Hot, Part};
use crate::value::{Item, item, number, text};
use crate::write::Write;

/// One unit of work: all of it is written, or nothing.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) work: Work,
    /// `None` once it is answered.
    pub(crate) reply: Option<oneshot::Sender<Result<Answer, StoreError>>>,
    /// When a group with it was first begun.
    pub(crate) since: Option<Instant>,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Work {
    /// A change of a user.
    Commit(Box<Commit>),
    /// A trace.
    Append(Box<Record>),
    /// New limits.
    SetLimits(LineItemId, Limits, Timestamp),
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Outcome(Outcome),
    Appended,
    Limits(LimitsOutcome),
}

/// A change, cut for writing on the caller's task.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) user: UserKey,
    pub(crate) id: ChangeId,
    pub(crate) base: u64,
    chain: Chain,
    due_at: Option<Timestamp>,
    pub(crate) cut: Cut,
    pub(crate) record: Option<Record>,
    /// Bytes that it writes, roughly.
    pub(crate) size: usize,
}

impl Commit {
    /// A change of a user whose parts stand in the table like this, as far as is known.
    pub(crate) fn new(change: Change, known: &[Part]) -> Result<Self, Failed> {
        let mut cut = Cut::of(&change.state)?;
        cut.leave_out(known);
        let record =
            change.record.as_ref().map(|record| format::journal::encode_record(record).len());
        // The messages of a record are written twice: in it, and as deliveries.
        let size = cut.size() + 2 * record.unwrap_or_default();
        Ok(Self {
            user: change.state.key(),
            id: change.id,
            base: change.base,
            chain: change.chain,
            due_at: change.state.due_at(),
            cut,
            record: change.record,
            size,
        })
    }

    pub(crate) fn moves(&self) -> &[BudgetMove] {
        self.record.as_ref().map_or(&[], |record| &record.moves)
    }

    /// What the hot item says afterwards.
    pub(crate) fn hot(&self) -> Hot {
        let parts = self.cut.parts.clone();
        Hot { version: self.base + 1, change: self.id, chain: self.chain, parts }
    }

    /// The write that is refused unless the user is at the version that the change was decided on.
    pub(crate) fn hot_write(&self, shard: u32) -> Write {
        let item = hot_item(&self.user, shard, &self.hot(), (self.cut.first(), self.due_at));
        let write = match self.base {
            0 => Write::put_new(item),
            base => Write::put(item).when("#v = :v").with(":v", number(base)),
        };
        write.showing()
    }

    /// Everything else of it, and how many deliveries it queues; its record gets that position.
    pub(crate) fn other_writes(&self, shard: u32, position: u64) -> (Vec<Write>, u64) {
        let mut writes = self.cut.other_writes(&self.user);
        let mut queued = 0;
        if self.base == 0 {
            writes.push(Write::put(item(&keys::known_user(&self.user), [])));
        }
        if let Some(record) = &self.record {
            let spot = Spot::At(position);
            writes.push(Write::put(record_item(&self.user, spot, self.chain, record)));
            let births = births(record, self.user, shard, spot);
            writes.extend(births.writes);
            queued = births.queued;
        }
        (writes, queued)
    }

    /// What is answered if the user is at another version, which is that of this item.
    pub(crate) fn refusal(&self, hot: Option<&Hot>) -> Option<Outcome> {
        let standing = hot.map_or((0, None), |hot| (hot.version, Some(hot.change)));
        Outcome::refusal(standing, self.base, self.id)
    }
}

/// A user's hot item, with its first chunk, and in the index if he is due some time.
pub(crate) fn hot_item(
    user: &UserKey,
    shard: u32,
    hot: &Hot,
    (first, due_at): (&[u8], Option<Timestamp>),
) -> Item {
    let mut item = hot.to_item(&keys::state(user, 0), first);
    if let Some(at) = due_at {
        let due = keys::due_user(user, shard, at);
        item.insert(INDEX_PK.to_owned(), text(due.pk));
        item.insert(INDEX_SK.to_owned(), text(due.sk));
    }
    item
}

impl Unit {
    /// Tells whoever waits, once; one who has gone away needs no answer.
    pub(crate) fn answer(&mut self, answer: Result<Answer, StoreError>) {
        if let Some(reply) = self.reply.take() {
            drop(reply.send(answer));
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.reply.is_none()
    }
}
