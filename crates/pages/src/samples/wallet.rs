//! Samples of the wallet.

use super::{DAY_MS, HOSTILE, HOUR_MS, MINUTE_MS, NOW, frame, hostile_frame, longer, words};
use crate::frame::Frame;
use crate::page::Sample;
use crate::plain::Plain;
use crate::text::Lang;
use crate::view::{EntryState, WalletEntry, WalletTab, Why};
use crate::wallet::{ENTRIES_MAX, Wallet};

pub(crate) fn all() -> Vec<Sample<Wallet>> {
    let sample = |name, page| Sample { name, page };
    vec![
        sample("en", usual(Lang::En)),
        sample("ko", usual(Lang::Ko)),
        sample("ja", usual(Lang::Ja)),
        sample("full-and-long", full_and_long()),
        sample("empty", empty(Lang::Ko, WalletTab::All)),
        sample("empty-paid", empty(Lang::Ja, WalletTab::Paid)),
        sample("empty-tab", empty(Lang::En, WalletTab::TakenBack)),
        sample("below-zero", below_zero()),
        sample("hostile", hostile()),
    ]
}

fn wallet(frame: Frame, entries: Vec<WalletEntry>) -> Wallet {
    Wallet {
        frame,
        balance: 3_240,
        pending: 800,
        tab: WalletTab::All,
        entries,
        next: Some("c29tZQ".to_owned()),
    }
}

fn entries(lang: Lang) -> Vec<WalletEntry> {
    let w = words(lang);
    let entry = |at, step: usize, amount, state| WalletEntry {
        reference: Plain::new("7QX2-91M"),
        mission_id: 11,
        mission: Plain::new(w.offers[0].0),
        step: Plain::new(w.steps[step].0),
        at,
        amount,
        state,
    };
    vec![
        entry(NOW - 4 * MINUTE_MS, 3, 800, EntryState::Checking),
        entry(NOW - 3 * HOUR_MS, 2, 250, EntryState::Paid),
        entry(NOW - 2 * DAY_MS, 1, 100, EntryState::NotCounted(Why::TooLate)),
        entry(NOW - 9 * DAY_MS, 4, 500, EntryState::TakenBack(Why::Cancelled)),
        entry(NOW - 40 * DAY_MS, 0, 50, EntryState::Paid),
    ]
}

fn usual(lang: Lang) -> Wallet {
    wallet(frame(lang), entries(lang))
}

fn full_and_long() -> Wallet {
    let long = |mut entry: WalletEntry| {
        entry.mission = longer(&longer(&entry.mission));
        entry.step = longer(&longer(&entry.step));
        entry.amount = 123_456_789;
        entry.state = EntryState::NotCounted(Why::NotByThisLink);
        entry
    };
    let all = entries(Lang::Ko).into_iter().cycle().take(ENTRIES_MAX);
    let mut page = wallet(frame(Lang::Ko), all.map(long).collect());
    page.tab = WalletTab::NotCounted;
    page.balance = 9_876_543_210;
    page
}

fn empty(lang: Lang, tab: WalletTab) -> Wallet {
    Wallet { balance: 0, pending: 0, tab, next: None, ..wallet(frame(lang), Vec::new()) }
}

/// What was taken back can be more than what is left.
fn below_zero() -> Wallet {
    Wallet { balance: -450, ..usual(Lang::En) }
}

fn hostile() -> Wallet {
    let mut page = wallet(hostile_frame(), entries(Lang::En));
    for (entry, text) in page.entries.iter_mut().zip(HOSTILE) {
        entry.mission = Plain::new(text);
        entry.step = Plain::new(text);
        entry.reference = Plain::new(text);
        entry.at = i64::MAX;
    }
    page.next = Some("\"><breakout>".to_owned());
    page
}
