//! What one record must satisfy by itself: its transactions, its messages and its budget moves.

use std::collections::BTreeMap;

use super::Report;
use crate::ids::{Act, DeliveryId, LineItemId, Mode, TransactionId, UserKey};
use crate::journal::{Message, MessageKind, Record};
use crate::ledger::{Account, Asset, Transaction};
use crate::money::{CurrencyCode, Points};
use crate::words::counted;

/// The amounts of a grant, however it was booked: of a reversal, with the sign turned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Shape {
    pub(super) currency: Option<CurrencyCode>,
    pub(super) line_item: LineItemId,
    pub(super) payout: i64,
    pub(super) user: i64,
    pub(super) publisher: i64,
    pub(super) margin: i64,
    pub(super) points: i64,
}

impl Shape {
    /// Of a transaction of the journal; sums that overflow are wrong in M1 already.
    pub(super) fn of(transaction: &Transaction) -> Self {
        let mut shape = Self::default();
        let sign = if transaction.act == Act::Reversal { -1 } else { 1 };
        for entry in &transaction.entries {
            let amount = entry.amount.wrapping_mul(sign);
            if let Asset::Money(currency) = entry.asset {
                shape.currency = Some(currency);
            }
            let (part, amount) = match entry.account {
                Account::LineItem(id) => {
                    shape.line_item = id;
                    (&mut shape.payout, amount.wrapping_neg())
                }
                Account::Publisher(_) => (&mut shape.publisher, amount),
                Account::Rewards(_) => (&mut shape.user, amount),
                Account::Margin => (&mut shape.margin, amount),
                Account::Issued(_) => (&mut shape.points, amount.wrapping_neg()),
                Account::Wallet(_) | Account::Pending(_) => continue,
            };
            *part = part.wrapping_add(amount);
        }
        shape
    }

    fn adds_up(&self) -> bool {
        let parts = [self.user, self.publisher, self.margin];
        let sum: i128 = parts.iter().map(|part| i128::from(*part)).sum();
        parts.iter().all(|part| *part >= 0) && sum == i128::from(self.payout)
    }
}

/// M1, M3, M4, M7 and M9 of one transaction.
pub(super) fn check(
    user: &UserKey,
    record: &Record,
    transaction: &Transaction,
    subject: &str,
    report: &mut Report,
) {
    let Transaction { id, act, enrollment, step, occurrence, of, .. } = transaction;
    let derive = |act| TransactionId::derive(user, *enrollment, *step, *occurrence, act);
    if !transaction.is_balanced() {
        report.add("M1", subject, format!("transaction {id} does not sum to zero"));
    }
    if *id != derive(*act) {
        report.add("M3", subject, format!("transaction {id} is not named by what it is for"));
    }
    let origin = (*act != Act::Grant).then(|| derive(Act::Grant));
    if *of != origin {
        report.add("M4", subject, format!("transaction {id} does not name its grant"));
    }
    if let Some(detail) = mixture(user, record, transaction) {
        report.add("M7", subject, format!("transaction {id} {detail}"));
    }
    let shape = Shape::of(transaction);
    let moves_money = transaction.entries.iter().any(|one| matches!(one.asset, Asset::Money(_)));
    if *act == Act::Capture && (moves_money || shape.points != 0) {
        report.add("M4", subject, format!("capture {id} does more than move pending points"));
    } else if !shape.adds_up() {
        report.add("M9", subject, format!("the parts of {id} do not add up to its payout"));
    }
}

/// What is mixed in a transaction that must not be.
fn mixture(user: &UserKey, record: &Record, transaction: &Transaction) -> Option<&'static str> {
    let currency = Shape::of(transaction).currency;
    transaction.entries.iter().find_map(|entry| match (entry.account, entry.asset) {
        (Account::Wallet(owner) | Account::Pending(owner), _) if owner != *user => {
            Some("touches another user's points")
        }
        (
            Account::LineItem(_) | Account::Publisher(_) | Account::Rewards(_) | Account::Margin,
            Asset::Money(one),
        ) => (Some(one) != currency).then_some("mixes currencies"),
        (Account::Issued(_) | Account::Wallet(_) | Account::Pending(_), Asset::Points(app)) => {
            (Some(app) != record.app).then_some("touches another app's points")
        }
        _ => Some("keeps money where points belong, or points where money belongs"),
    })
}

/// D1 inside the commit: a message for each change of the wallet, and no other.
pub(super) fn check_messages(user: &UserKey, record: &Record, subject: &str, report: &mut Report) {
    let changes = record.transactions.iter().filter(|one| one.wallet_change() != Points(0));
    let mut due: Vec<_> = changes.map(|one| told_of(user, one)).collect();
    let mut told: Vec<_> = record.messages.iter().map(told_by).collect();
    due.sort_unstable();
    told.sort_unstable();
    if due != told {
        let (messages, changes) = (counted(told.len(), "message"), counted(due.len(), "change"));
        let detail = format!("{messages} tell of {changes} of the wallet");
        report.add("D1", subject, detail);
    }
}

type Told = (DeliveryId, MessageKind, TransactionId, i64);

fn told_of(user: &UserKey, transaction: &Transaction) -> Told {
    let Transaction { enrollment, step, occurrence, .. } = *transaction;
    let grant = TransactionId::derive(user, enrollment, step, occurrence, Act::Grant);
    let amount = transaction.wallet_change().0;
    match transaction.act {
        Act::Reversal => {
            let id = DeliveryId::derive(user, transaction.id);
            (id, MessageKind::Reversed, grant, amount.wrapping_neg())
        }
        Act::Grant | Act::Capture => {
            (DeliveryId::derive(user, grant), MessageKind::Granted, grant, amount)
        }
    }
}

fn told_by(message: &Message) -> Told {
    (message.id, message.kind, message.transaction, message.amount.0)
}

/// M2 inside the commit: a budget is booked by what the transactions take from it. Test users move
/// none.
pub(super) fn check_moves(record: &Record, subject: &str, report: &mut Report) {
    if record.mode == Mode::Test {
        if !record.moves.is_empty() {
            report.add("M2", subject, "a test user moves a budget");
        }
        return;
    }
    let mut booked: BTreeMap<LineItemId, i128> = BTreeMap::new();
    for by in &record.moves {
        *booked.entry(by.line_item).or_default() += i128::from(by.booked.0);
    }
    for entry in record.transactions.iter().flat_map(|one| &one.entries) {
        if let Account::LineItem(line_item) = entry.account {
            *booked.entry(line_item).or_default() += i128::from(entry.amount);
        }
    }
    for (line_item, difference) in booked.into_iter().filter(|(_, rest)| *rest != 0) {
        let detail = format!(
            "line item {line_item}: the moves book {difference} micro-units more than is posted"
        );
        report.add("M2", subject, detail);
    }
}
