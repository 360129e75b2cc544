//! Lines of the wallet.

use crate::plain::Plain;
use crate::view::Why;

/// Which lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalletTab {
    /// Every line.
    All,
    /// Paid.
    Paid,
    /// Noticed, being checked.
    Checking,
    /// Did not count.
    NotCounted,
    /// Taken back.
    TakenBack,
}

impl WalletTab {
    /// All tabs, in their order.
    pub const ALL: [Self; 5] =
        [Self::All, Self::Paid, Self::Checking, Self::NotCounted, Self::TakenBack];

    /// Stable name, used in addresses.
    pub fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Paid => "paid",
            Self::Checking => "checking",
            Self::NotCounted => "not_counted",
            Self::TakenBack => "taken_back",
        }
    }

    /// The tab with this code; an unknown one shows everything.
    pub fn from_code(code: &str) -> Self {
        let known = Self::ALL.into_iter().find(|tab| tab.code() == code);
        known.unwrap_or(Self::All)
    }
}

/// State of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Paid.
    Paid,
    /// Noticed, being checked.
    Checking,
    /// Did not count.
    NotCounted(Why),
    /// Taken back.
    TakenBack(Why),
}

impl EntryState {
    /// Whether the amount was never paid.
    pub(crate) fn is_not_counted(&self) -> bool {
        matches!(self, Self::NotCounted(_))
    }

    /// Class and icon, the same as the step's.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Paid => "rewarded",
            Self::Checking => "pending",
            Self::NotCounted(_) => "rejected",
            Self::TakenBack(_) => "reversed",
        }
    }
}

/// One line of the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletEntry {
    /// Short number to quote when asking about it.
    pub reference: Plain,
    /// Mission id, for the link.
    pub mission_id: u64,
    /// Mission title.
    pub mission: Plain,
    /// Step title.
    pub step: Plain,
    /// When, unix milliseconds.
    pub at: i64,
    /// The amount that this line is about, always positive: a line that was taken back shows it
    /// with a minus, one that did not count shows it struck through.
    pub amount: i64,
    /// State.
    pub state: EntryState,
}
