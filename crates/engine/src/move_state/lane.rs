//! Walking along two stores side by side, in the order that both have.

use domain::ids::{DeliveryId, UserKey};
use store::{Claimed, Seq, Stored, UserRow};

use super::MoveError;
use super::end::End;

/// Rows of one page.
pub(super) const PAGE: usize = 1_000;

/// Something that stores hold in an order.
pub(super) trait Lane {
    /// One of them.
    type Row: Clone + PartialEq + Send;
    /// Its place in the order.
    type Key: Copy + Ord + Send;

    fn key(row: &Self::Row) -> Self::Key;

    fn page(
        end: End<'_>,
        after: Option<Self::Key>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, MoveError>> + Send;
}

pub(super) struct Users;
pub(super) struct Records;
pub(super) struct Deliveries;

impl Lane for Users {
    type Row = UserRow;
    type Key = UserKey;

    fn key(row: &UserRow) -> UserKey {
        row.key
    }

    async fn page(end: End<'_>, after: Option<UserKey>) -> Result<Vec<UserRow>, MoveError> {
        end.users(after, PAGE).await
    }
}

impl Lane for Records {
    type Row = Stored;
    type Key = Seq;

    fn key(row: &Stored) -> Seq {
        row.seq
    }

    async fn page(end: End<'_>, after: Option<Seq>) -> Result<Vec<Stored>, MoveError> {
        end.read(after.unwrap_or_default(), PAGE).await
    }
}

impl Lane for Deliveries {
    type Row = Claimed;
    type Key = (Seq, DeliveryId);

    fn key(row: &Claimed) -> (Seq, DeliveryId) {
        (row.delivery.seq, row.delivery.message.id)
    }

    async fn page(
        end: End<'_>,
        after: Option<(Seq, DeliveryId)>,
    ) -> Result<Vec<Claimed>, MoveError> {
        end.delivery_rows(after, PAGE).await
    }
}

/// A page of the old store beside what the new store holds there.
pub(super) struct Pair<L: Lane> {
    /// Rows that both have, as both have them.
    pub(super) both: Vec<(L::Row, L::Row)>,
    /// Rows that only the old store has.
    pub(super) missing: Vec<L::Row>,
    /// Rows that only the new store has.
    pub(super) extra: Vec<L::Row>,
}

/// Two stores, walked along page by page of the old one.
pub(super) struct Walk<'a, L: Lane> {
    from: End<'a>,
    to: End<'a>,
    after: Option<L::Key>,
    /// What was read of the new store and not yet met, in order, last first.
    ahead: Vec<L::Row>,
    /// How far the new store was read; `None` once it is at its end.
    read_to: Option<Option<L::Key>>,
    is_done: bool,
}

impl<'a, L: Lane> Walk<'a, L> {
    pub(super) fn new(from: End<'a>, to: End<'a>, after: Option<L::Key>) -> Self {
        Self { from, to, after, ahead: Vec::new(), read_to: Some(after), is_done: false }
    }

    /// The next page; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Pair<L>>, MoveError> {
        if self.is_done {
            return Ok(None);
        }
        let page = L::page(self.from, self.after).await?;
        let last = page.last().map(L::key);
        // A store may give less than it could; only an empty page is the end. What the new store has
        // behind it is too much.
        self.is_done = page.is_empty();
        self.after = last.or(self.after);
        self.read_ahead(last).await?;
        Ok(Some(self.pair(page, last)))
    }

    /// Reads the new store until it is past `end`, or at its own.
    async fn read_ahead(&mut self, end: Option<L::Key>) -> Result<(), MoveError> {
        while let Some(after) = self.read_to {
            if end.is_some_and(|end| after.is_some_and(|after| after >= end)) {
                return Ok(());
            }
            let mut page = L::page(self.to, after).await?;
            self.read_to = page.last().map(|row| Some(L::key(row)));
            page.reverse();
            page.append(&mut self.ahead);
            self.ahead = page;
        }
        Ok(())
    }

    fn pair(&mut self, page: Vec<L::Row>, end: Option<L::Key>) -> Pair<L> {
        let mut pair = Pair { both: Vec::new(), missing: Vec::new(), extra: Vec::new() };
        for row in page {
            let key = L::key(&row);
            pair.extra.extend(self.take_while(|other| other < key));
            match self.take_while(|other| other == key).pop() {
                Some(other) => pair.both.push((row, other)),
                None => pair.missing.push(row),
            }
        }
        if end.is_none() {
            pair.extra.extend(self.take_while(|_| true));
        }
        pair
    }

    fn take_while(&mut self, is_meant: impl Fn(L::Key) -> bool) -> Vec<L::Row> {
        let mut taken = Vec::new();
        while let Some(row) = self.ahead.pop_if(|row| is_meant(L::key(row))) {
            taken.push(row);
        }
        taken
    }
}

impl<L: Lane> Pair<L> {
    /// What the old store has and the new one lacks or has otherwise.
    pub(super) fn differing(&self) -> Vec<L::Row> {
        let other = self.both.iter().filter(|(row, other)| row != other).map(|(row, _)| row);
        other.chain(&self.missing).cloned().collect()
    }

    /// How many rows the old store has there.
    pub(super) fn len(&self) -> u64 {
        (self.both.len() + self.missing.len()) as u64
    }

    /// The last of them.
    pub(super) fn last(&self) -> Option<L::Key> {
        let both = self.both.last().map(|(row, _)| L::key(row));
        both.max(self.missing.last().map(L::key))
    }
}
