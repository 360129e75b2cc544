//! What a group of units of work has read under the lock, and what it leaves behind.
//!
//! A unit says first what it will look at ([`Wants`]); all of a group's wishes are read in one round
//! trip; then the units run one after the other on these books, in memory, and later ones see what
//! earlier ones wrote. Guards are checked with the domain's own rule. What was touched is written
//! once per group ([`Books::packets`]), and if the group fails the books are thrown away: nothing is
//! remembered between groups, because other nodes write as well.

mod budgets;
mod flush;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{ChangeId, LineItemId, UserKey};
use domain::journal::Chain;
use domain::time::Timestamp;
use store::{Phase, RunNumber, Seq};

pub(crate) use budgets::Budget;
pub(crate) use read::{Wants, limits_of, order_of, phase_of, run_of, used_of};

use crate::outbox::Desk;

/// The row that every writer locks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct HeadRow {
    /// What the store may be used for.
    pub(crate) phase: Phase,
    /// The place of the newest record.
    pub(crate) head: Seq,
    /// The place of the newest note of a touched user.
    pub(crate) touched: Seq,
    /// Whether the order of the journal is that of the commits.
    pub(crate) is_total: bool,
    /// The latest run of a mover.
    pub(crate) run: RunNumber,
}

/// The books of one group.
#[derive(Debug, Default)]
pub(crate) struct Books {
    was: HeadRow,
    head: HeadRow,
    users: BTreeMap<UserKey, User>,
    budgets: BTreeMap<LineItemId, Budget>,
    records: Vec<Entry>,
    touched: Vec<UserKey>,
    /// Up to which note the notes of touched users are forgotten.
    forgotten: Option<Seq>,
    /// The deliveries.
    pub(crate) desk: Desk,
}

/// A user as far as a commit cares.
#[derive(Clone, Debug, Default)]
struct User {
    version: u64,
    latest: Option<ChangeId>,
    written: Option<UserWrite>,
}

/// A user's next row.
#[derive(Clone, Debug)]
pub(crate) struct UserWrite {
    /// The version it leads to.
    pub(crate) version: u64,
    /// The change that led to it.
    pub(crate) change: ChangeId,
    /// His chain.
    pub(crate) chain: Chain,
    /// When time alone changes something.
    pub(crate) due_at: Option<Timestamp>,
    /// His state in its stored form.
    pub(crate) state: Arc<[u8]>,
}

/// A record that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its place; given by [`Books::append`].
    pub(crate) seq: Seq,
    /// Whose.
    pub(crate) user: Option<UserKey>,
    /// His chain with this record on it.
    pub(crate) chain: Chain,
    /// The record in its stored form.
    pub(crate) body: Arc<[u8]>,
}

impl Books {
    /// What the store may be used for.
    pub(crate) fn phase(&self) -> &Phase {
        &self.head.phase
    }

    /// The latest run of a mover.
    pub(crate) fn run(&self) -> RunNumber {
        self.head.run
    }

    /// Gives the store to the next run, and says which that is.
    pub(crate) fn take_over(&mut self) -> RunNumber {
        self.head.run.0 += 1;
        self.head.run
    }

    /// Changes what the store may be used for. Watching begins with nothing noted.
    pub(crate) fn set_phase(&mut self, phase: Phase) {
        if phase == Phase::Watched {
            self.forgotten = Some(Seq::MAX);
            self.touched.clear();
        }
        self.head.phase = phase;
    }

    /// Says whether the order of the journal is total.
    pub(crate) fn put_order(&mut self, is_total: bool) {
        self.head.is_total = is_total;
    }

    /// Forgets the older notes of touched users.
    pub(crate) fn forget_touched(&mut self, up_to: Seq) {
        self.forgotten = self.forgotten.max(Some(up_to));
    }

    /// The version of a user and the change that led to it.
    pub(crate) fn user(&self, key: &UserKey) -> (u64, Option<ChangeId>) {
        self.users.get(key).map_or((0, None), |user| (user.version, user.latest))
    }

    /// Writes a user; one who is watched is noted.
    pub(crate) fn put_user(&mut self, key: UserKey, write: UserWrite) {
        if self.head.phase == Phase::Watched {
            self.touched.push(key);
        }
        let user = self.users.entry(key).or_default();
        (user.version, user.latest) = (write.version, Some(write.change));
        user.written = Some(write);
    }

    /// Appends a record at the next place, and says which that is.
    pub(crate) fn append(&mut self, user: Option<UserKey>, chain: Chain, body: Arc<[u8]>) -> Seq {
        self.head.head += 1;
        self.records.push(Entry { seq: self.head.head, user, chain, body });
        self.head.head
    }

    /// Writes a record at its place, which is behind all others. One whose place is taken is passed
    /// over; whether it was new.
    pub(crate) fn put_record(&mut self, entry: Entry) -> bool {
        let is_new = entry.seq > self.head.head;
        if is_new {
            self.head.head = entry.seq;
            self.records.push(entry);
        }
        is_new
    }
}
