//! The journal: what was committed, in order. Every secondary view is derived from it (S1).

use crate::budget::{BudgetMove, Limits};
use crate::ids::{
    AdGroupId, AppId, DeliveryId, Derivation, EnrollmentId, LineItemId, MissionId, Mode, PartnerId,
    StepId, TransactionId, UnitId, UserKey,
};
use crate::ledger::{Account, Asset, Entry, Transaction};
use crate::money::{CurrencyCode, Micros, Points};
use crate::time::Timestamp;
use crate::verdict::{Finding, Reason, Refusal, Verdict};

/// Longest part of a raw postback that a trace keeps, in bytes.
pub const RAW_MAX: usize = 2_048;

/// One committed change, or the trace of a command that changed nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When it was decided.
    pub at: Timestamp,
    /// Whose change; `None` if no user could be found.
    pub user: Option<UserKey>,
    /// In which app.
    pub app: Option<AppId>,
    /// Whether the money is real.
    pub mode: Mode,
    /// Why.
    pub cause: Cause,
    /// What was booked.
    pub transactions: Vec<Transaction>,
    /// How budgets moved.
    pub moves: Vec<BudgetMove>,
    /// What must be told to the publisher (D1).
    pub messages: Vec<Message>,
}

impl Record {
    /// The record of new limits of a line item.
    #[must_use]
    pub fn of_limits(line_item: LineItemId, limits: Limits, at: Timestamp) -> Self {
        Self {
            at,
            user: None,
            app: None,
            mode: Mode::Live,
            cause: Cause::LimitsSet { line_item, limits },
            transactions: Vec::new(),
            moves: Vec::new(),
            messages: Vec::new(),
        }
    }
}

/// Why something was committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A user started a mission.
    Participation {
        /// The run.
        enrollment: EnrollmentId,
        /// The mission.
        mission: MissionId,
        /// The version whose terms are locked.
        version: u32,
        /// Who pays.
        line_item: LineItemId,
        /// Through which ad group.
        ad_group: AdGroupId,
        /// In which placement.
        unit: UnitId,
    },
    /// A user was refused a mission.
    Refused {
        /// The mission.
        mission: MissionId,
        /// Why.
        refusal: Refusal,
    },
    /// A partner reported an event.
    Event(EventTrace),
    /// A user completed, or tried to complete, a step that we verify.
    Completion {
        /// The run.
        enrollment: EnrollmentId,
        /// The step.
        step: StepId,
        /// What became of it.
        verdict: Verdict,
        /// Why.
        reason: Reason,
    },
    /// A user asked for the reward of a step and was answered.
    Inquiry {
        /// The run.
        enrollment: EnrollmentId,
        /// The step.
        step: StepId,
        /// What was found out.
        finding: Finding,
        /// Why something did not count, if that was it.
        reason: Option<Reason>,
        /// The user's own words.
        message: Option<String>,
    },
    /// Time passed: holds ended, windows closed, rewards that waited were released or paid.
    Sweep,
    /// An operator changed what a line item may spend.
    LimitsSet {
        /// Whose budget.
        line_item: LineItemId,
        /// What it may spend now.
        limits: Limits,
    },
}

/// An inbound event as it came and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventTrace {
    /// Who reported it.
    pub partner: PartnerId,
    /// The run it belongs to, if one was found.
    pub enrollment: Option<EnrollmentId>,
    /// Its name, after translation.
    pub event: String,
    /// The partner's own id of it.
    pub event_id: Option<String>,
    /// Whether it takes an earlier event back.
    pub reversal: bool,
    /// What became of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The first bytes of the postback, secrets removed.
    pub raw: String,
}

/// What a message tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MessageKind {
    /// A reward reached the user's wallet.
    Granted,
    /// A reward was taken out of it again.
    Reversed,
}

impl MessageKind {
    /// The type in answers and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "reward.granted",
            Self::Reversed => "reward.reversed",
        }
    }
}

/// A reward postback, complete: later edits of the catalogue do not change its words (D2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The same over all attempts.
    pub id: DeliveryId,
    /// What it tells.
    pub kind: MessageKind,
    /// The transaction it tells of.
    pub transaction: TransactionId,
    /// For a reversal, the message of the grant, which must be told first (D6).
    pub after: Option<DeliveryId>,
    /// Whose points.
    pub app: AppId,
    /// The app's name at the time.
    pub app_name: String,
    /// The name of its points at the time.
    pub points_name: String,
    /// In which placement the user started.
    pub unit: UnitId,
    /// The publisher's own id of the user.
    pub user_id: String,
    /// Points; positive also for a reversal.
    pub amount: Points,
    /// What the advertiser owes for it; positive also for a reversal.
    pub payout: Micros,
    /// In which currency.
    pub payout_currency: CurrencyCode,
    /// Who pays.
    pub line_item: LineItemId,
    /// The mission.
    pub mission: MissionId,
    /// Its name in the user's language at the time.
    pub mission_title: String,
    /// The step.
    pub step: StepId,
    /// Its name in the user's language at the time.
    pub step_title: String,
    /// The run.
    pub enrollment: EnrollmentId,
    /// When the event happened.
    pub occurred_at: Timestamp,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// The publisher's own text.
    pub custom: Option<String>,
}

impl Message {
    /// Whether it takes a reward back.
    #[must_use]
    pub fn is_reversal(&self) -> bool {
        self.kind == MessageKind::Reversed
    }
}

/// A hash over all records of a user so far; an edited or missing record breaks it (M8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Chain(pub [u8; 16]);

impl Chain {
    /// The chain with one more record on it.
    ///
    /// What is hashed is the money: time, transactions, entries, moves and messages, in a form of
    /// its own, so that a new storage format leaves old chains valid.
    #[must_use]
    pub fn with(self, record: &Record) -> Self {
        let mut hash = Derivation::new("guerdon chain 1");
        hash.bytes(&self.0).number(record.at.0 as u64);
        hash.bytes(record.user.as_ref().map_or(&[], |user| &user.0[..]));
        for transaction in &record.transactions {
            hash.bytes(&transaction.id.0).text(transaction.act.name());
            hash.bytes(transaction.of.as_ref().map_or(&[], |of| &of.0[..]));
            for entry in &transaction.entries {
                add_entry(&mut hash, entry);
            }
        }
        for by in &record.moves {
            hash.number(by.line_item.0.into()).number(by.day.0 as u64);
            hash.number(by.held.0 as u64).number(by.booked.0 as u64).number(by.starts.into());
        }
        for message in &record.messages {
            hash.bytes(&message.id.0).text(message.kind.name()).number(message.amount.0 as u64);
        }
        Self(hash.whole())
    }
}

fn add_entry(hash: &mut Derivation, entry: &Entry) {
    let (kind, number, key): (&str, u32, &[u8]) = match &entry.account {
        Account::LineItem(id) => ("line_item", id.0, &[]),
        Account::Publisher(id) => ("publisher", id.0, &[]),
        Account::Rewards(id) => ("rewards", id.0, &[]),
        Account::Margin => ("margin", 0, &[]),
        Account::Issued(id) => ("issued", id.0, &[]),
        Account::Wallet(user) => ("wallet", 0, &user.0),
        Account::Pending(user) => ("pending", 0, &user.0),
    };
    hash.text(kind).number(number.into()).bytes(key);
    match &entry.asset {
        Asset::Money(currency) => hash.text("money").text(currency.as_str()),
        Asset::Points(app) => hash.text("points").number(app.0.into()),
    };
    hash.number(entry.amount as u64);
}
