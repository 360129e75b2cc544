//! Copying: first everything, then what has changed meanwhile, until that is little.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::ids::UserKey;
use store::{Endpoint, Stored};
use tokio::time::Instant;

use super::lane::{PAGE, Records, Users, Walk};
use super::{MoveError, Run, Step, part_of};

/// Users that a store is asked for by name at once.
pub(super) const NAMED_MAX: usize = 100;
/// A round that took no longer leaves a rest that the pause has room for.
const ROUND_SMALL: Duration = Duration::from_millis(200);
/// Rounds without a shorter one after which they are as short as they get.
const STEADY_ROUNDS: u32 = 3;
/// Longest time that copying may take in the pause, if it does not get shorter.
const COPYING_MAX: Duration = Duration::from_secs(2);
/// Longest time that looking at the deliveries that wait may take in the pause.
const LOOKING_MAX: Duration = Duration::from_secs(10);
/// Rounds after which the rest is not going to get small.
const ROUNDS_MAX: u32 = 200;

/// How long a round took.
#[derive(Clone, Copy)]
struct Round {
    /// Copying what was changed, and comparing it.
    copying: Duration,
    /// Looking at the deliveries that wait, which takes as long every time.
    looking: Duration,
}

/// What a round says of the pause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outlook {
    /// It has room for one more such round.
    Short,
    /// The next round may be shorter.
    Unknown,
    /// Too many deliveries wait.
    TooManyWait,
}

/// Whether rounds still get shorter.
struct Pace {
    shortest: Duration,
    steady: u32,
}

impl Pace {
    fn new() -> Self {
        Self { shortest: Duration::MAX, steady: 0 }
    }

    fn after(&mut self, round: Round) -> Outlook {
        let took = round.copying + round.looking;
        if took <= ROUND_SMALL {
            return Outlook::Short;
        }
        // A tenth is chance.
        if took < self.shortest - self.shortest / 10 {
            *self = Self { shortest: took, steady: 0 };
            return Outlook::Unknown;
        }
        self.steady += 1;
        match self.steady < STEADY_ROUNDS {
            true => Outlook::Unknown,
            false if round.looking > LOOKING_MAX => Outlook::TooManyWait,
            false if round.copying <= COPYING_MAX => Outlook::Short,
            false => Outlook::Unknown,
        }
    }
}

impl Run<'_> {
    /// Copies everything that the new store lacks or has otherwise.
    pub(super) async fn copy(&mut self) -> Result<(), MoveError> {
        self.to.put_order(self.from.is_total_order()).await?;
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

    /// Copies what has changed meanwhile until a round of it takes no time, or as little as it gets.
    pub(super) async fn catch_up(&mut self) -> Result<(), MoveError> {
        let mut pace = Pace::new();
        for _ in 0..ROUNDS_MAX {
            let round = self.round().await?;
            self.report.rounds += 1;
            match pace.after(round) {
                Outlook::Short => return Ok(()),
                Outlook::Unknown => {}
                Outlook::TooManyWait => {
                    let (count, seconds) = (self.waiting(), round.looking.as_secs());
                    return Err(MoveError::TooManyWait { count, seconds });
                }
            }
        }
        Err(MoveError::TooSlow(ROUNDS_MAX))
    }

    async fn round(&mut self) -> Result<Round, MoveError> {
        let begun = Instant::now();
        self.copy_rest().await?;
        self.compare_open_users().await?;
        let copying = begun.elapsed();
        if self.prints.is_some() {
            self.settle_deliveries().await?;
        }
        Ok(Round { copying, looking: begun.elapsed().saturating_sub(copying) })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catching_up_ends_when_rounds_are_small_or_do_not_get_shorter() {
        let cases: [(&[(u64, u64)], Outlook); 7] = [
            (&[(200, 0)], Outlook::Short),
            (&[(30_000, 0), (3_000, 0), (100, 90)], Outlook::Short),
            // Shorter every time.
            (&[(1_900, 0), (1_700, 0), (1_500, 0), (1_300, 0), (1_100, 0)], Outlook::Unknown),
            (&[(10, 500), (20, 500), (10, 500)], Outlook::Unknown),
            (&[(10, 500), (20, 500), (10, 500), (10, 480)], Outlook::Short),
            (&[(9, 10_500), (9, 10_500), (9, 10_500), (9, 10_500)], Outlook::TooManyWait),
            // The new store does not keep up.
            (&[(2_100, 0), (2_100, 0), (2_900, 0), (2_500, 0)], Outlook::Unknown),
        ];
        for (rounds, wanted) in cases {
            let mut pace = Pace::new();
            let mut outlook = Outlook::Unknown;
            for (copying, looking) in rounds {
                assert_eq!(outlook, Outlook::Unknown, "{rounds:?}");
                let [copying, looking] = [*copying, *looking].map(Duration::from_millis);
                outlook = pace.after(Round { copying, looking });
            }
            assert_eq!(outlook, wanted, "{rounds:?}");
        }
    }
}
