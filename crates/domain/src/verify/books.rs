//! One user's books, as his records make them, and the comparison with his stored state.

use super::Report;
use super::postings::Shape;
use crate::change::Loaded;
use crate::ids::{Act, DeliveryId, Derivation, LineItemId, TransactionId, UserKey};
use crate::journal::{Cause, Chain, MessageKind, Record};
use crate::ledger::{Account, Transaction};
use crate::time::{Day, Timestamp};
use crate::user::{Enrollment, PaidState, StepProgress, UserState};
use crate::verdict::{Reason, Verdict};
use crate::words::counted;

/// The size of a set and the sum of its members' hashes. Sets with the same members are equal in
/// whatever order they were gathered; a member that is there twice shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sum {
    count: i64,
    hash: u64,
}

impl Sum {
    fn add(&mut self, member: u64) {
        self.count += 1;
        self.hash = self.hash.wrapping_add(member);
    }

    fn remove(&mut self, member: u64) {
        self.count -= 1;
        self.hash = self.hash.wrapping_sub(member);
    }
}

/// Rewards by what became of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Rewards {
    /// Booked, ever.
    granted: Sum,
    /// Taken back.
    reversed: Sum,
    /// On hold now.
    pending: Sum,
}

/// What the records so far leave of a user.
#[derive(Debug, Default)]
pub(super) struct Books {
    chain: Chain,
    balance: i64,
    pending: i64,
    rewards: Rewards,
    /// Messages that no delivery has been seen of.
    untold: Sum,
    /// Events and completions that changed him, by verdict.
    events: [u32; Verdict::ALL.len()],
    /// What he holds of which line item and day; nothing that is 0.
    holds: Vec<(LineItemId, Day, i64)>,
    is_stored: bool,
}

impl Books {
    /// Adds a record that changed the user.
    pub(super) fn add(
        &mut self,
        chain: Chain,
        record: &Record,
        subject: &str,
        report: &mut Report,
    ) {
        if self.chain.with(record) != chain {
            report.add("M8", subject, "it does not continue its user's chain");
        }
        // A broken link is told once, and not again by every record after it.
        self.chain = chain;
        for transaction in &record.transactions {
            self.post(transaction, subject, report);
        }
        for by in &record.moves {
            self.hold(by.line_item, by.day, by.held.0);
        }
        for message in &record.messages {
            self.untold.add(told(message.id, message.transaction, message.kind));
        }
        if let Some(verdict) = remembered(&record.cause) {
            self.events[verdict as usize] += 1;
        }
    }

    /// Takes note of the delivery of a message.
    pub(super) fn untell(&mut self, id: DeliveryId, of: TransactionId, kind: MessageKind) {
        self.untold.remove(told(id, of, kind));
    }

    /// Compares with the stored state.
    pub(super) fn compare(&mut self, key: &UserKey, loaded: &Loaded, report: &mut Report) {
        self.is_stored = true;
        let (subject, state) = (subject(key), &loaded.state);
        let mut expect = |invariant, same: bool, what: &str, journal: String, stored: String| {
            if !same {
                let detail = format!("{what}: stored is {stored}, the journal makes {journal}");
                report.add(invariant, &subject, detail);
            }
        };
        let text = |chain: &Chain| chain.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let is_same = loaded.chain == self.chain && state.key() == *key;
        expect("M8", is_same, "chain", text(&self.chain), text(&loaded.chain));
        let sums =
            [("balance", self.balance, state.balance), ("pending", self.pending, state.pending)];
        for (what, journal, stored) in sums {
            let (journal, stored) = (journal.to_string(), stored.0.to_string());
            expect("M6", journal == stored, what, journal, stored);
        }
        let stored = rewards_of(key, state);
        let pairs = [
            ("M3", "rewards", self.rewards.granted, stored.granted),
            ("M4", "reversals", self.rewards.reversed, stored.reversed),
            ("M5", "rewards on hold", self.rewards.pending, stored.pending),
        ];
        for (invariant, what, journal, stored) in pairs {
            // Where there are as many, they are others, or their amounts are.
            let others = if journal.count == stored.count { " others" } else { "" };
            let texts = (format!("{}{others}", journal.count), stored.count.to_string());
            expect(invariant, journal == stored, what, texts.0, texts.1);
        }
        self.holds.sort_unstable();
        let held = holds_of(state);
        let texts = (holds_beside(&self.holds, &held), holds_beside(&held, &self.holds));
        expect("M5", self.holds == held, "holds", texts.0, texts.1);
        let events = events_of(state);
        let texts = (events_beside(&self.events, &events), events_beside(&events, &self.events));
        expect("I7", self.events == events, "events by verdict", texts.0, texts.1);
    }

    /// What must be so when nothing more comes.
    pub(super) fn finish(&self, key: &UserKey, report: &mut Report) {
        if !self.is_stored {
            report.add("M8", subject(key), "the journal has records of him, and he is not stored");
        }
        if self.untold != Sum::default() {
            let detail = match self.untold.count {
                0 => "the outbox has other messages than the journal".to_owned(),
                missing @ 1.. => format!("the outbox lacks {}", counted(missing, "message")),
                surplus => format!("the outbox has {} too many", counted(-surplus, "message")),
            };
            report.add("D1", subject(key), detail);
        }
    }

    fn post(&mut self, transaction: &Transaction, subject: &str, report: &mut Report) {
        let changes = transaction.entries.iter().map(|entry| match entry.account {
            Account::Wallet(_) => (entry.amount, 0),
            Account::Pending(_) => (0, entry.amount),
            _ => (0, 0),
        });
        for (wallet, pending) in changes {
            let balance = self.balance.checked_add(wallet);
            let Some((balance, pending)) = balance.zip(self.pending.checked_add(pending)) else {
                report.add("M7", subject, "the user's points overflow");
                return;
            };
            (self.balance, self.pending) = (balance, pending);
        }
        let is_pending =
            transaction.entries.iter().any(|entry| matches!(entry.account, Account::Pending(_)));
        let origin = transaction.of.unwrap_or(transaction.id);
        let member = booked(origin, &Shape::of(transaction));
        match transaction.act {
            Act::Grant => self.rewards.granted.add(member),
            Act::Reversal => self.rewards.reversed.add(member),
            Act::Capture => {}
        }
        match transaction.act {
            Act::Grant if is_pending => self.rewards.pending.add(name(origin)),
            Act::Capture | Act::Reversal if is_pending => self.rewards.pending.remove(name(origin)),
            Act::Grant | Act::Capture | Act::Reversal => {}
        }
    }

    fn hold(&mut self, line_item: LineItemId, day: Day, amount: i64) {
        let place = self.holds.iter().position(|one| (one.0, one.1) == (line_item, day));
        let place = place.unwrap_or_else(|| {
            self.holds.push((line_item, day, 0));
            self.holds.len() - 1
        });
        let held = &mut self.holds[place].2;
        *held = held.saturating_add(amount);
        if *held == 0 {
            self.holds.swap_remove(place);
        }
    }
}

fn subject(key: &UserKey) -> String {
    format!("user {key}")
}

/// The verdict of what a change remembers in the state: a visit that begins and a wrong answer are
/// no events.
fn remembered(cause: &Cause) -> Option<Verdict> {
    let (verdict, reason) = match cause {
        Cause::Event(trace) => (trace.verdict, trace.reason),
        Cause::Completion { verdict, reason, .. } => (*verdict, *reason),
        Cause::Participation { .. }
        | Cause::Refused { .. }
        | Cause::Inquiry { .. }
        | Cause::Sweep
        | Cause::LimitsSet { .. } => return None,
    };
    (!matches!(reason, Reason::VisitStarted | Reason::WrongAnswer)).then_some(verdict)
}

fn events_of(state: &UserState) -> [u32; Verdict::ALL.len()] {
    let mut events = [0; Verdict::ALL.len()];
    for seen in state.enrollments.iter().flat_map(|run| &run.seen) {
        events[seen.verdict as usize] += 1;
    }
    events
}

fn holds_of(state: &UserState) -> Vec<(LineItemId, Day, i64)> {
    let mut books = Books::default();
    for run in &state.enrollments {
        books.hold(run.line_item, run.day, run.held.0);
    }
    books.holds.sort_unstable();
    books.holds
}

/// The holds of `these` that are not the same in the others, in words.
fn holds_beside(these: &[(LineItemId, Day, i64)], others: &[(LineItemId, Day, i64)]) -> String {
    let texts = these.iter().filter(|hold| !others.contains(hold)).map(|(line_item, day, held)| {
        let held = counted(*held, "micro-unit");
        format!("{held} of line item {line_item} for {day}")
    });
    listed(texts.collect())
}

/// The numbers of `these` events that differ from the others', by verdict.
fn events_beside(these: &[u32], others: &[u32]) -> String {
    let all = Verdict::ALL.iter().zip(these.iter().zip(others));
    let differing = all.filter(|(_, (this, other))| this != other);
    listed(differing.map(|(verdict, (this, _))| format!("{this} {}", verdict.name())).collect())
}

fn listed(texts: Vec<String>) -> String {
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// Until when something of the run may wait: budget on hold, a reward on hold, or one that is owed.
pub(super) fn holds_until(run: &Enrollment) -> Option<Timestamp> {
    let paid = run.steps.iter().flat_map(|step| &step.paid);
    let releases = paid.filter_map(|one| match one.state {
        PaidState::Pending { release_at } => Some(release_at),
        PaidState::Rewarded | PaidState::Reversed => None,
    });
    let held = (run.held.0 != 0).then_some(run.late_until);
    releases.chain(held).chain(run.retry_at).min()
}

/// The rewards that the user's state knows.
fn rewards_of(key: &UserKey, state: &UserState) -> Rewards {
    let mut rewards = Rewards::default();
    for run in &state.enrollments {
        for step in run.steps.iter().filter(|step| step.split.payout.0 != 0 || step.points.0 != 0) {
            for (occurrence, paid) in (0..).zip(&step.paid) {
                let id = TransactionId::derive(key, run.id, step.step, occurrence, Act::Grant);
                let member = booked(id, &shape_of(run, step));
                rewards.granted.add(member);
                match paid.state {
                    PaidState::Reversed => rewards.reversed.add(member),
                    PaidState::Pending { .. } if step.points.0 != 0 => {
                        rewards.pending.add(name(id));
                    }
                    PaidState::Pending { .. } | PaidState::Rewarded => {}
                }
            }
        }
    }
    rewards
}

fn shape_of(run: &Enrollment, step: &StepProgress) -> Shape {
    let split = &step.split;
    let moves_money = split.payout.0 != 0;
    Shape {
        currency: moves_money.then_some(run.currency),
        line_item: if moves_money { run.line_item } else { LineItemId::default() },
        payout: split.payout.0,
        user: split.user.0,
        publisher: split.publisher.0,
        margin: split.margin.0,
        points: step.points.0,
    }
}

fn booked(id: TransactionId, shape: &Shape) -> u64 {
    let mut hash = Derivation::new("guerdon verify booked 1");
    hash.bytes(&id.0).text(shape.currency.as_ref().map_or("", |one| one.as_str()));
    hash.number(shape.line_item.0.into());
    for amount in [shape.payout, shape.user, shape.publisher, shape.margin, shape.points] {
        hash.number(amount as u64);
    }
    short(&hash)
}

fn name(id: TransactionId) -> u64 {
    short(Derivation::new("guerdon verify pending 1").bytes(&id.0))
}

fn told(id: DeliveryId, of: TransactionId, kind: MessageKind) -> u64 {
    let mut hash = Derivation::new("guerdon verify told 1");
    short(hash.bytes(&id.0).bytes(&of.0).text(kind.name()))
}

fn short(hash: &Derivation) -> u64 {
    let whole = hash.whole();
    u64::from_le_bytes([
        whole[0], whole[1], whole[2], whole[3], whole[4], whole[5], whole[6], whole[7],
    ])
}
