//! The proof that the books are right: everything that can be derived from the journal is derived
//! again and compared with what is stored.
//!
//! Feed a [`Verifier`] every record in order, then every user, budget and delivery, and let it
//! [`Verifier::finish`]. What it looks for, by the names of the invariants:
//!
//! | | |
//! |---|---|
//! | M1 | the lines of each transaction sum to zero for each asset |
//! | M2 | no budget move went beyond the limits of its moment ([`Order`]), and the stored level is what the moves add up to |
//! | M3 | each reward is booked once, under the id that is derived from what it is for, and the user's state knows it |
//! | M4 | the journal has no gap; a reversal or capture names its grant and takes no more than it gave |
//! | M5 | what is held is what participations took and nothing gave back, and nothing is held or owed for too long |
//! | M6 | a user's balance and pending points are the sums of his entries |
//! | M7 | one currency and one app a transaction, and no sum leaves the range of the integers |
//! | M8 | each record continues its user's chain, which ends where the stored one does |
//! | M9 | payout = reward + publisher's share + margin, none of them negative |
//! | I7 | each event that was decided is in the user's state with that verdict, and no other |
//! | D1 | each reward that reached or left a wallet has one message, and the outbox holds exactly those |
//!
//! The journal is read once and not kept. What stays in memory is about 200 bytes for each user, 16
//! for each line item and day on which he holds budget, and 32 for each line item and day at all: a
//! million users take about 250 MB, however long the journal is. Sets are compared by their size and
//! the sum of 64-bit hashes of their members, so a finding about a set names the user and not the
//! member; his trail does.

mod books;
mod budgets;
mod postings;

use std::collections::{BTreeMap, BTreeSet};

use crate::budget::Level;
use crate::change::Loaded;
use crate::ids::{AppId, DeliveryId, LineItemId, Mode, TransactionId, UserKey};
use crate::journal::{Cause, Chain, MessageKind, Record};
use crate::time::{HOUR_MS, Timestamp};
use crate::verdict::Verdict;

use books::Books;
use budgets::Budget;

/// How long after its time a hold may still be there: several sweeps, and the start of a node that
/// has much to catch up with.
pub const SWEEP_SLACK_MS: i64 = HOUR_MS;

/// Most findings that a report lists; where there are more, one cause has many effects.
pub const FINDINGS_MAX: usize = 1_000;

/// Something that is not as it must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The invariant that is broken, such as `M1`.
    pub invariant: &'static str,
    /// What it was found at, such as `user 0123…` or `record 17`.
    pub subject: String,
    /// What was found and what should be.
    pub detail: String,
}

/// What was looked at and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Records of the journal.
    pub records: u64,
    /// Lines of transactions.
    pub entries_checked: u64,
    /// Stored users.
    pub users: u64,
    /// Deliveries in the outbox.
    pub deliveries: u64,
    /// Events and completions that were received, traces included, by verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// What is wrong, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// Findings beyond that.
    pub unlisted: u64,
}

impl Report {
    fn add(&mut self, invariant: &'static str, subject: impl ToString, detail: impl Into<String>) {
        if self.findings.len() < FINDINGS_MAX {
            let (subject, detail) = (subject.to_string(), detail.into());
            self.findings.push(Finding { invariant, subject, detail });
        } else {
            self.unlisted += 1;
        }
    }
}

/// What the order of the records says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// It is the order of the commits, over all users: each budget move can be judged by what was
    /// used and allowed at its moment.
    #[default]
    Total,
    /// It is that of each user's commits, and of each line item's limits. A budget is judged by where
    /// it ends: against the total that it has now, and against the widest limits that it ever had in
    /// all that may be narrowed below what is used.
    ByUser,
}

/// Derives the books from the journal and compares them with what is stored.
#[derive(Debug, Default)]
pub struct Verifier {
    order: Order,
    report: Report,
    users: BTreeMap<UserKey, Books>,
    budgets: BTreeMap<LineItemId, Budget>,
    endpoints: BTreeSet<(AppId, Mode)>,
    /// The place of the latest record.
    last: u64,
    /// The latest moment of any record: the books' own clock.
    newest: Timestamp,
    /// Runs that hold or owe something after its time by that clock, with the time.
    overdue: Vec<(Timestamp, String)>,
}

impl Verifier {
    /// A verifier that has seen nothing.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self { order, ..Self::default() }
    }

    /// Takes the next record of the journal, with its place and the chain that is stored with it.
    pub fn record(&mut self, seq: u64, chain: Chain, record: &Record) {
        if seq != self.last + 1 {
            let detail = format!("the record before it has the place {}", self.last);
            self.report.add("M4", format!("record {seq}"), detail);
        }
        self.last = seq;
        self.newest = self.newest.max(record.at);
        self.report.records += 1;
        let verdict = verdict_of(&record.cause);
        if let Some(verdict) = verdict {
            *self.report.verdicts.entry(verdict).or_default() += 1;
        }
        if let Cause::LimitsSet { line_item, limits } = record.cause {
            self.budgets.entry(line_item).or_default().set(limits);
        }
        match record.user {
            Some(user) if chain != Chain::default() => self.change(seq, user, chain, record),
            _ => self.trace(seq, record),
        }
    }

    /// Takes a stored user; all records come before.
    pub fn user(&mut self, key: &UserKey, loaded: &Loaded) {
        self.report.users += 1;
        let books = self.users.entry(*key).or_default();
        books.compare(key, loaded, &mut self.report);
        let latest = Timestamp(self.newest.0.saturating_sub(SWEEP_SLACK_MS));
        for run in &loaded.state.enrollments {
            if let Some(end) = books::holds_until(run).filter(|end| *end < latest) {
                self.overdue.push((end, format!("enrollment {}", run.id)));
            }
        }
    }

    /// Takes a stored budget; all records come before.
    pub fn level(&mut self, level: &Level) {
        let budget = self.budgets.entry(level.line_item).or_default();
        budget.compare(level, &mut self.report);
    }

    /// Where messages of the journal went, so that the outbox is asked for all of them.
    #[must_use]
    pub fn endpoints(&self) -> Vec<(AppId, Mode)> {
        self.endpoints.iter().copied().collect()
    }

    /// Takes a delivery of the outbox; all records come before.
    pub fn delivery(&mut self, id: DeliveryId, transaction: TransactionId, kind: MessageKind) {
        self.report.deliveries += 1;
        let mut first = [0; 16];
        first[..8].copy_from_slice(&id.prefix());
        let owner = self.users.range_mut(UserKey(first)..).next();
        match owner.filter(|(user, _)| user.prefix() == id.prefix()) {
            Some((_, books)) => books.untell(id, transaction, kind),
            None => {
                let detail = "the journal has nothing of its user";
                self.report.add("D1", format!("delivery {id}"), detail);
            }
        }
    }

    /// What was found. `head` is the place of the journal's newest record.
    ///
    /// Whether a hold is there for too long is judged by the latest record, or by `now` if that is
    /// earlier: a backup is not wrong because nobody swept it on the shelf.
    #[must_use]
    pub fn finish(mut self, head: u64, now: Timestamp) -> Report {
        if self.last < head {
            let detail = format!("the journal's newest record is {head}");
            self.report.add("M4", format!("record {}", self.last), detail);
        }
        for (user, books) in &self.users {
            books.finish(user, &mut self.report);
        }
        for (line_item, budget) in &self.budgets {
            budget.finish(*line_item, self.order, &mut self.report);
        }
        for (end, subject) in self.overdue {
            if end.0.saturating_add(SWEEP_SLACK_MS) < now.0 {
                let detail = format!("what it holds or owes was due at {end}");
                self.report.add("M5", subject, detail);
            }
        }
        self.report
    }

    /// A record that changed a user: it continues his chain, and its money is his.
    fn change(&mut self, seq: u64, user: UserKey, chain: Chain, record: &Record) {
        let subject = format!("record {seq}");
        for transaction in &record.transactions {
            self.report.entries_checked += transaction.entries.len() as u64;
            postings::check(&user, record, transaction, &subject, &mut self.report);
        }
        postings::check_messages(&user, record, &subject, &mut self.report);
        postings::check_moves(record, &subject, &mut self.report);
        let books = self.users.entry(user).or_default();
        books.add(chain, record, &subject, &mut self.report);
        for by in &record.moves {
            let budget = self.budgets.entry(by.line_item).or_default();
            budget.add(by, self.order, &subject, &mut self.report);
        }
        self.endpoints.extend(record.messages.iter().map(|message| (message.app, record.mode)));
    }

    /// A record that changed nobody moves no money: no chain would protect it.
    fn trace(&mut self, seq: u64, record: &Record) {
        let is_bare =
            record.transactions.is_empty() && record.moves.is_empty() && record.messages.is_empty();
        if !is_bare {
            self.report.add("M8", format!("record {seq}"), "it moves money outside of any chain");
        }
    }
}

fn verdict_of(cause: &Cause) -> Option<Verdict> {
    match cause {
        Cause::Event(trace) => Some(trace.verdict),
        Cause::Completion { verdict, .. } => Some(*verdict),
        Cause::Participation { .. }
        | Cause::Refused { .. }
        | Cause::Inquiry { .. }
        | Cause::Sweep
        | Cause::LimitsSet { .. } => None,
    }
}
