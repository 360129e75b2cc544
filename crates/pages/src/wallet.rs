//! The wallet: what was paid, what is being checked, what did not count and why.

use askama::Template;

use crate::frame::Frame;
use crate::page::{CachePolicy, Page, Sample};
use crate::samples;
use crate::text::{Advice, Texts};
use crate::view::{EntryState, WalletEntry, WalletTab};

/// Most entries that one page shows. The caller pages by this.
pub const ENTRIES_MAX: usize = 30;

/// The page `/m/wallet`.
#[derive(Clone, Debug, Template)]
#[template(path = "wallet.html")]
pub struct Wallet {
    /// Frame.
    pub frame: Frame,
    /// Paid, less what was taken back.
    pub balance: i64,
    /// Noticed, being checked.
    pub pending: i64,
    /// The chosen tab.
    pub tab: WalletTab,
    /// Entries, the newest first; at most [`ENTRIES_MAX`].
    pub entries: Vec<WalletEntry>,
    /// Cursor of the next part.
    pub next: Option<String>,
}

impl Wallet {
    fn texts(&self) -> &'static Texts {
        self.frame.texts()
    }

    fn tab_text(&self, tab: &WalletTab) -> &'static str {
        (self.texts().wallet.tab)(*tab)
    }

    fn is_chosen(&self, tab: &WalletTab) -> bool {
        self.tab == *tab
    }

    fn older_href(&self, cursor: &str) -> String {
        self.frame.links.wallet_after(self.tab, cursor)
    }

    fn state_text(&self, state: &EntryState) -> &'static str {
        self.tab_text(&match state {
            EntryState::Paid => WalletTab::Paid,
            EntryState::Checking => WalletTab::Checking,
            EntryState::NotCounted(_) => WalletTab::NotCounted,
            EntryState::TakenBack(_) => WalletTab::TakenBack,
        })
    }

    fn why_text(&self, state: &EntryState) -> Option<&'static str> {
        match state {
            EntryState::NotCounted(why) | EntryState::TakenBack(why) => {
                Some((self.texts().step.why)(*why))
            }
            EntryState::Paid | EntryState::Checking => None,
        }
    }

    fn amount_text(&self, entry: &WalletEntry) -> String {
        match entry.state {
            EntryState::TakenBack(_) => self.frame.points(&entry.amount.saturating_neg()),
            _ => self.frame.gain(&entry.amount),
        }
    }

    fn advice(&self) -> Advice {
        (self.texts().wallet.empty)(self.tab, self.frame.currency.name.as_str())
    }
}

impl Page for Wallet {
    const NAME: &'static str = "wallet";

    fn cache(&self) -> CachePolicy {
        CachePolicy::Revalidate
    }

    fn samples() -> Vec<Sample<Self>> {
        samples::wallet::all()
    }
}
