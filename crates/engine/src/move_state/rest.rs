//! Copying: first everything, then what has changed meanwhile, until that is little.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::ids::UserKey;
use store::{Endpoint, Stored};

use super::lane::{PAGE, Records, Users, Walk};
use super::{MoveError, Run, Step, part_of};

/// Users that a store is asked for by name at once.
pub(super) const NAMED_MAX: usize = 100;
/// A round that took no longer leaves a rest that the pause has room for.
const ROUND_SMALL: Duration = Duration::from_millis(200);
/// Rounds after which the rest is not going to get small.
const ROUNDS_MAX: u32 = 200;

impl Run<'_> {
    /// Copies everything that the new store lacks or has otherwise.
    pub(super) async fn copy(&mut self) -> Result<(), MoveError> {
        self.copy_records().await?;
        self.walk_users(Step::CopyUsers).await?;
        self.to.put_budgets(self.from.budget_rows().await?).await?;
        self.walk_deliveries(Step::CopyDeliveries).await
    }

    /// Copies records from the new store's newest on, and a page before it, of which a part may be
    /// lacking if a run was killed.
    pub(super) async fn copy_records(&mut self) -> Result<(), MoveError> {
        let (end, known) = (self.from.head().await?, self.to.head().await?);
        if known > end {
            let why = "the new store has more records than the old one; move into an empty store";
            return Err(MoveError::Refused(why.to_owned()));
        }
        let after = known.saturating_sub(PAGE as u64);
        self.head = after;
        let mut walk = Walk::<Records>::new(self.from, self.to, Some(after));
        while let Some(pair) = walk.next().await? {
            self.head = pair.last().unwrap_or(self.head);
            if !pair.missing.is_empty() {
                self.to.put_records(pair.missing).await?;
            }
            self.tell(Step::CopyRecords, self.head, self.head as f64 / end.max(1) as f64);
            if self.head >= end {
                break;
            }
        }
        Ok(())
    }

    /// Walks along all users and writes those that differ.
    pub(super) async fn walk_users(&mut self, step: Step) -> Result<(), MoveError> {
        let mut walk = Walk::<Users>::new(self.from, self.to, None);
        let mut users = 0;
        while let Some(pair) = walk.next().await? {
            if let Some(extra) = pair.extra.first() {
                return Err(MoveError::Refused(format!(
                    "the new store holds the user {}, whom the old one does not know; \
                     move into an empty store",
                    extra.key
                )));
            }
            users += pair.len();
            let part = pair.last().map_or(1.0, |key| part_of(&key));
            let differing = self.differing_users(&pair);
            self.report.users_written += differing.len() as u64;
            if !differing.is_empty() {
                self.to.put_users(differing).await?;
            }
            self.tell(step, users, part);
        }
        Ok(())
    }

    /// Copies what has changed meanwhile until a round of it takes no time.
    pub(super) async fn catch_up(&mut self) -> Result<(), MoveError> {
        for _ in 0..ROUNDS_MAX {
            let begun = Instant::now();
            self.copy_rest().await?;
            if self.prints.is_some() {
                self.compare_open_users().await?;
                self.settle_deliveries().await?;
            }
            self.report.rounds += 1;
            if begun.elapsed() <= ROUND_SMALL {
                return Ok(());
            }
        }
        Err(MoveError::TooSlow(ROUNDS_MAX))
    }

    /// Copies users who were touched and records that were added since the last time.
    pub(super) async fn copy_rest(&mut self) -> Result<(), MoveError> {
        let end = self.from.head().await?;
        let touched = self.touched_since().await?;
        self.copy_named(&touched).await?;
        while self.head < end {
            let page = self.from.read(self.head, PAGE).await?;
            let Some(last) = page.last() else { break };
            self.head = last.seq;
            self.note_endpoints(&page);
            self.note_open(&page);
            self.to.put_records(page).await?;
            self.tell(Step::Rest, self.head, self.head as f64 / end.max(1) as f64);
        }
        Ok(())
    }

    /// Who was touched since the last time, in order. Notes come first: what is read of a user after
    /// his note is at least as new.
    async fn touched_since(&mut self) -> Result<Vec<UserKey>, MoveError> {
        let mut keys = BTreeSet::new();
        loop {
            let (page, place) = self.from.touched(self.noted, PAGE).await?;
            if page.is_empty() {
                return Ok(keys.into_iter().collect());
            }
            self.noted = place;
            keys.extend(page);
        }
    }

    async fn copy_named(&mut self, keys: &[UserKey]) -> Result<(), MoveError> {
        for keys in keys.chunks(NAMED_MAX) {
            self.take_out(keys).await?;
            let rows = self.from.users_of(keys).await?;
            self.report.users_written += rows.len() as u64;
            self.to.put_users(rows).await?;
        }
        Ok(())
    }

    /// Remembers where the messages of these records go.
    pub(super) fn note_endpoints(&mut self, records: &[Stored]) {
        for Stored { record, .. } in records {
            let messages = record.messages.iter();
            self.endpoints.extend(messages.map(|one| Endpoint { app: one.app, mode: record.mode }));
        }
    }
}
