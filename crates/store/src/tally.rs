//! What one record adds to the reports, so that every store adds the same.

use std::collections::BTreeMap;

use domain::ids::{Act, AppId, LineItemId, Mode};
use domain::journal::{Cause, Record};
use domain::ledger::{Account, Transaction};
use domain::time::{Day, UtcOffset};

use crate::{DayFigures, ReportKey};

/// The figures of a record by key; empty for a test record and for one that books nothing.
///
/// A transaction without a payout names its line item nowhere, so it is counted for the line item
/// of its message or of the record's budget moves, and passed over where there is neither.
#[must_use]
pub fn figures_of(record: &Record) -> BTreeMap<ReportKey, DayFigures> {
    let mut figures = BTreeMap::new();
    let Some(app) = record.app.filter(|_| record.mode == Mode::Live) else {
        return figures;
    };
    let day = Day::of(record.at, UtcOffset::default());
    let key = |line_item, app| ReportKey { day, line_item, app };
    if let Cause::Participation { line_item, .. } = record.cause {
        let one = DayFigures { participations: 1, ..DayFigures::default() };
        add_figures(figures.entry(key(line_item, app)).or_default(), &one);
    }
    for transaction in &record.transactions {
        if let Some(line_item) = payer(record, transaction) {
            let app = app_of(transaction).unwrap_or(app);
            add_figures(figures.entry(key(line_item, app)).or_default(), &booked(transaction));
        }
    }
    figures
}

/// Adds figures to figures. A sum that no longer fits stays at its limit, which `guerdon verify`
/// reports, instead of wrapping round to a plausible one.
pub fn add_figures(sum: &mut DayFigures, more: &DayFigures) {
    sum.participations = sum.participations.saturating_add(more.participations);
    sum.rewards = sum.rewards.saturating_add(more.rewards);
    sum.reversals = sum.reversals.saturating_add(more.reversals);
    sum.payout = sum.payout.saturating_add(more.payout);
    sum.reward_value = sum.reward_value.saturating_add(more.reward_value);
    sum.publisher_share = sum.publisher_share.saturating_add(more.publisher_share);
    sum.margin = sum.margin.saturating_add(more.margin);
    sum.points = sum.points.saturating_add(more.points);
}

fn payer(record: &Record, transaction: &Transaction) -> Option<LineItemId> {
    let entries = transaction.entries.iter();
    let by_entry = entries.filter_map(|entry| match entry.account {
        Account::LineItem(line_item) => Some(line_item),
        _ => None,
    });
    let grant = transaction.of.unwrap_or(transaction.id);
    let messages = record.messages.iter().filter(|message| message.transaction == grant);
    let by_message = messages.map(|message| message.line_item);
    by_entry.chain(by_message).chain(record.moves.iter().map(|by| by.line_item)).next()
}

fn app_of(transaction: &Transaction) -> Option<AppId> {
    transaction.entries.iter().find_map(|entry| match entry.account {
        Account::Rewards(app) | Account::Issued(app) => Some(app),
        _ => None,
    })
}

/// What a transaction books. A capture moves points within the user's own accounts and books nothing.
fn booked(transaction: &Transaction) -> DayFigures {
    let mut figures = DayFigures::default();
    match transaction.act {
        Act::Grant => figures.rewards = 1,
        Act::Reversal => figures.reversals = 1,
        Act::Capture => {}
    }
    for entry in &transaction.entries {
        match entry.account {
            Account::LineItem(_) => figures.payout -= entry.amount,
            Account::Rewards(_) => figures.reward_value += entry.amount,
            Account::Publisher(_) => figures.publisher_share += entry.amount,
            Account::Margin => figures.margin += entry.amount,
            Account::Issued(_) => figures.points -= entry.amount,
            Account::Wallet(_) | Account::Pending(_) => {}
        }
    }
    figures
}
