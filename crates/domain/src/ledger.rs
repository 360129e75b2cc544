//! The double-entry books: accounts, entries, transactions that sum to zero (M1), append-only (M4).

use crate::ids::{
    Act, AppId, EnrollmentId, LineItemId, PublisherId, StepId, TransactionId, UserKey,
};
use crate::money::{CurrencyCode, Points, Split};

/// Who owns or owes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Account {
    /// The advertiser's budget of a line item; falls when a step is paid.
    LineItem(LineItemId),
    /// The publisher's share.
    Publisher(PublisherId),
    /// Worth of the points that an app has given out.
    Rewards(AppId),
    /// The platform's margin, and what rounding leaves.
    Margin,
    /// Points that an app has issued; falls when a user gets some.
    Issued(AppId),
    /// A user's points.
    Wallet(UserKey),
    /// A user's points on hold.
    Pending(UserKey),
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Asset {
    /// Micro-units of a currency.
    Money(CurrencyCode),
    /// Points of an app, in its minor unit.
    Points(AppId),
}

/// One line of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// Whose.
    pub account: Account,
    /// Of what.
    pub asset: Asset,
    /// How much; positive is in the account's favour.
    pub amount: i64,
}

/// Lines that are booked together and sum to zero for each asset.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// Derived from what it does, so it has no twin (M3).
    pub id: TransactionId,
    /// What it does.
    pub act: Act,
    /// For which run.
    pub enrollment: EnrollmentId,
    /// For which step.
    pub step: StepId,
    /// For which occurrence of the step, from 0.
    pub occurrence: u32,
    /// The transaction that it corrects or captures.
    pub of: Option<TransactionId>,
    /// Its lines.
    pub entries: Vec<Entry>,
}

/// Everything that fixes the books of one occurrence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Who is paid.
    pub user: UserKey,
    /// For which run.
    pub enrollment: EnrollmentId,
    /// For which step.
    pub step: StepId,
    /// For which occurrence.
    pub occurrence: u32,
    /// Whose budget pays.
    pub line_item: LineItemId,
    /// Whose points.
    pub app: AppId,
    /// Who keeps the publisher's share.
    pub publisher: PublisherId,
    /// Of which currency the money is.
    pub currency: CurrencyCode,
    /// How the payout is divided.
    pub split: Split,
    /// The user's points.
    pub points: Points,
}

impl Posting {
    /// The id of an act on this occurrence.
    #[must_use]
    pub fn id(&self, act: Act) -> TransactionId {
        TransactionId::derive(&self.user, self.enrollment, self.step, self.occurrence, act)
    }

    /// Books the reward: into the wallet, or into pending.
    #[must_use]
    pub fn grant(&self, pending: bool) -> Transaction {
        let account = self.holder(pending);
        self.transaction(Act::Grant, None, [self.money(1), self.points_to(account, 1)].concat())
    }

    /// Moves a pending reward into the wallet.
    #[must_use]
    pub fn capture(&self) -> Transaction {
        let asset = Asset::Points(self.app);
        let entries = vec![
            Entry { account: Account::Pending(self.user), asset, amount: -self.points.0 },
            Entry { account: Account::Wallet(self.user), asset, amount: self.points.0 },
        ];
        self.transaction(Act::Capture, Some(self.id(Act::Grant)), entries)
    }

    /// Takes the reward back, from where it is now.
    #[must_use]
    pub fn reversal(&self, pending: bool) -> Transaction {
        let account = self.holder(pending);
        let entries = [self.money(-1), self.points_to(account, -1)].concat();
        self.transaction(Act::Reversal, Some(self.id(Act::Grant)), entries)
    }

    fn holder(&self, pending: bool) -> Account {
        if pending { Account::Pending(self.user) } else { Account::Wallet(self.user) }
    }

    fn money(&self, sign: i64) -> Vec<Entry> {
        let asset = Asset::Money(self.currency);
        [
            (Account::LineItem(self.line_item), -self.split.payout.0),
            (Account::Rewards(self.app), self.split.user.0),
            (Account::Publisher(self.publisher), self.split.publisher.0),
            (Account::Margin, self.split.margin.0),
        ]
        .into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|(account, amount)| Entry { account, asset, amount: amount * sign })
        .collect()
    }

    fn points_to(&self, account: Account, sign: i64) -> Vec<Entry> {
        let asset = Asset::Points(self.app);
        [(Account::Issued(self.app), -self.points.0), (account, self.points.0)]
            .into_iter()
            .filter(|(_, amount)| *amount != 0)
            .map(|(account, amount)| Entry { account, asset, amount: amount * sign })
            .collect()
    }

    fn transaction(&self, act: Act, of: Option<TransactionId>, entries: Vec<Entry>) -> Transaction {
        Transaction {
            id: self.id(act),
            act,
            enrollment: self.enrollment,
            step: self.step,
            occurrence: self.occurrence,
            of,
            entries,
        }
    }
}

impl Transaction {
    /// What the transaction adds to a user's wallet.
    #[must_use]
    pub fn wallet_change(&self) -> Points {
        self.change(|account| matches!(account, Account::Wallet(_)))
    }

    /// What the transaction adds to a user's pending points.
    #[must_use]
    pub fn pending_change(&self) -> Points {
        self.change(|account| matches!(account, Account::Pending(_)))
    }

    fn change(&self, of: impl Fn(&Account) -> bool) -> Points {
        Points(self.entries.iter().filter(|entry| of(&entry.account)).map(|e| e.amount).sum())
    }

    /// Whether the lines sum to zero for each asset, without overflow.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.entries.iter().all(|one| {
            let same = self.entries.iter().filter(|other| other.asset == one.asset);
            same.map(|entry| i128::from(entry.amount)).sum::<i128>() == 0
        })
    }
}
