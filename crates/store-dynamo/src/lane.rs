//! One node's writer of one shard: whatever waits is written as one transaction, a group.
//!
//! Every group replaces the shard's head, on the condition that nobody else has since, so the groups
//! of a shard are in one order whoever writes them, and its records have positions without gaps. A
//! lane that finds the head changed takes over where it stands, after a pause of random length, and
//! tries again. A unit that is refused (its user is at another version) is answered and left out, and
//! the rest of the group is tried again; a slot of a budget that another lane has written is read
//! anew. If a group can never be written, each of its units is tried by itself, so one that cannot be
//! fails alone.
//!
//! A lost answer is resolved by the group's item, which carries a random name: if it is ours the group
//! was applied; if it is another's ours never can be, because its head is gone; if there is none it is
//! sent again, the same as before. Only if that fails for [`crate::client::Pauses`]' time are its
//! callers told that the outcome is unknown.
//!
//! A table that could not be reached is asked once before the next group. Until it answers, whoever
//! comes is told so at once instead of waiting in vain behind others.
//!
//! | moment | requests |
//! |---|---|
//! | a group | 1 transaction |
//! | a budget that the lane does not know, or somebody is to be refused for | 1 read of it |
//! | a user who is to be refused | 1 read of him |
//! | a lost answer | 1 read and 1 transaction, until it is resolved |

mod heeded;

use std::sync::Arc;
use std::time::Duration;

use domain::ids::LineItemId;
use futures_util::future::{join_all, try_join_all};
use store::{Outcome, StoreError, Writing};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use crate::base::Base;
use crate::budgets::{Books, Budget, Fresh, Needs, ask_for_quiet};
use crate::client::{Pauses, random, random_share};
use crate::draft::{Draft, Fate, Known, Tag};
use crate::error::{Failed, Reason};
use crate::group::Group;
use crate::head::Head;
use crate::keys;
use crate::requests::Request;
use crate::state::Hot;
use crate::value::Item;
use crate::work::{Answer, Unit, Work};

use heeded::Heeded;

/// Units that wait for a lane. When so many wait, callers wait to be let in.
const QUEUE_MAX: usize = 1_024;
/// Units that are looked at for one group; a transaction has no room for more.
const UNITS_MAX: usize = 100;
/// How long a unit is tried again after others were faster. A caller waits no longer.
const UNIT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest first pause after somebody else was faster, and the longest ever.
const PAUSE_FIRST: Duration = Duration::from_millis(4);
const PAUSE_MAX: Duration = Duration::from_millis(128);
/// How long a lane does not write when somebody asks for quiet: he reads and writes the budget in it.
const QUIET: Duration = Duration::from_millis(300);
/// How often a lane is quiet while it reads what a group needs: it would never come to its own turn if
/// others went on asking.
const QUIETS_MAX: u32 = 3;
/// How often a group is decided anew because it needs to know more. Each of its budgets, and each of
/// their days, is read once.
const READS_MAX: usize = 32;

/// The lanes of a store, by shard.
#[derive(Debug)]
pub(crate) struct Lanes(Vec<mpsc::Sender<Unit>>);

impl Lanes {
    /// Starts a task for each shard. It ends when the lanes are dropped and nothing waits.
    pub(crate) fn start(base: &Arc<Base>) -> Self {
        let start = |shard| {
            let (sender, queue) = mpsc::channel(QUEUE_MAX);
            let lane = Lane {
                base: Arc::clone(base),
                shard,
                head: None,
                books: Books::new(shard, base.shards),
                crowd: 0,
                heeded: Heeded::default(),
                alone: 0,
                trouble: None,
            };
            tokio::spawn(lane.serve(queue));
            sender
        };
        Self((0..base.shards).map(start).collect())
    }

    /// Waits for a place in the lane, and then until the work is durable or refused.
    pub(crate) async fn ask(&self, shard: u32, work: Work) -> Result<Answer, StoreError> {
        let gone = || StoreError::Unavailable("the store is shutting down".to_owned());
        let (reply, answer) = oneshot::channel();
        let lane = self.0.get(shard as usize).ok_or_else(gone)?;
        lane.send(Unit { work, reply: Some(reply), since: None }).await.map_err(|_| gone())?;
        let lost = || StoreError::Unknown("the lane ended before it answered".to_owned());
        answer.await.map_err(|_| lost())?
    }
}

struct Lane {
    base: Arc<Base>,
    shard: u32,
    /// Where the shard stands, as far as this lane knows.
    head: Option<Head>,
    books: Books,
    /// How often in a row somebody else was faster.
    crowd: u32,
    /// Who asked for quiet and got it; itself, if it asked.
    heeded: Heeded,
    /// How many units are still tried each by itself.
    alone: usize,
    /// Why the table could not be reached, until it is seen to answer.
    trouble: Option<String>,
}

/// What became of a group that was sent.
enum Sent {
    Applied,
    /// It was not, and never will be.
    Refused(Vec<Reason>),
    /// It was not. The head may be another.
    Lost,
    /// Nobody knows.
    Unknown(String),
    /// It was not, because the table cannot be written now.
    Busy(String),
    /// It was not, because it never can be.
    Failed(StoreError),
}

impl Lane {
    async fn serve(mut self, mut queue: mpsc::Receiver<Unit>) {
        let mut waiting = Vec::new();
        loop {
            let room = UNITS_MAX - waiting.len();
            if waiting.is_empty() && queue.recv_many(&mut waiting, room).await == 0 {
                return;
            }
            while waiting.len() < UNITS_MAX
                && let Ok(unit) = queue.try_recv()
            {
                waiting.push(unit);
            }
            self.write(&mut waiting).await;
            if let Some(words) = &self.trouble {
                // Whoever came meanwhile would only wait for the same in vain.
                while let Ok(unit) = queue.try_recv() {
                    waiting.push(unit);
                }
                fail(&mut waiting, &StoreError::Unavailable(words.clone()));
            }
            waiting.retain(|unit| !unit.is_answered());
        }
    }

    /// Writes one group, or finds out why it cannot be. Answers some of what waits, or pauses.
    async fn write(&mut self, waiting: &mut Vec<Unit>) {
        expire(waiting);
        if self.trouble.is_some() && !self.is_back().await {
            return;
        }
        let count = if self.alone > 0 { waiting.len().min(1) } else { waiting.len() };
        self.alone = self.alone.saturating_sub(1);
        let waiting = &mut waiting[..count];
        let (head, draft, fates) = match self.draft(waiting).await {
            Ok(drafted) => drafted,
            Err(error) => {
                if let StoreError::Unavailable(words) | StoreError::Unknown(words) = &error {
                    self.trouble = Some(words.clone());
                }
                return fail(waiting, &error);
            }
        };
        settle_done(waiting, &fates);
        if draft.is_empty() {
            return settle(waiting, &fates);
        }
        match self.send(&draft, &head).await {
            Sent::Applied => {
                self.head = Some(draft.head_after(&head));
                self.crowd = 0;
                self.books.keep(draft.trial);
                settle(waiting, &fates);
            }
            Sent::Refused(reasons) => self.refused(&draft, reasons, waiting).await,
            Sent::Lost => {
                self.head = None;
                self.pause().await;
            }
            Sent::Unknown(words) => {
                (self.head, self.books) = (None, Books::new(self.shard, self.base.shards));
                fail_written(waiting, &fates, &StoreError::Unknown(words.clone()));
                self.trouble = Some(words);
            }
            Sent::Busy(words) => {
                fail_written(waiting, &fates, &StoreError::Unavailable(words.clone()));
                self.trouble = Some(words);
            }
            Sent::Failed(error) if count == 1 => fail_written(waiting, &fates, &error),
            // One unit that cannot be written fails alone.
            Sent::Failed(_) => self.alone = count,
        }
    }

    /// Whether the table answers again, asked once.
    async fn is_back(&mut self) -> bool {
        let head = self.base.db.get_once(Request::ReadHead, &keys::head(self.shard)).await;
        self.trouble = head.err().map(Failed::words);
        self.trouble.is_none()
    }

    async fn head(&mut self) -> Result<Head, Failed> {
        if let Some(head) = &self.head {
            return Ok(head.clone());
        }
        let found = self.base.db.get(Request::ReadHead, &keys::head(self.shard)).await?;
        let found = found.ok_or_else(|| Failed::corrupt("the head of a shard is gone"))?;
        let head = Head::from_item(&found)?;
        self.head = Some(head.clone());
        Ok(head)
    }

    /// Decides what goes into the next group, reading what it needs to know for that.
    async fn draft(&mut self, waiting: &[Unit]) -> Result<(Head, Draft, Vec<Fate>), StoreError> {
        let head = self.head().await?;
        if let Err(error) = head.phase.permit(Writing::Change) {
            self.head = None;
            return Err(error);
        }
        let (mut fresh, mut needs) = (Fresh::new(), Needs::new());
        for _ in 0..READS_MAX {
            let mut draft = Draft::new(self.shard, &head);
            let fates = draft.fill(waiting, Known { books: &self.books, fresh: &fresh });
            if draft.needs.is_empty() {
                let fates = self.look_at_users(waiting, fates).await?;
                return Ok((head, draft, fates));
            }
            for (line_item, days) in std::mem::take(&mut draft.needs) {
                needs.entry(line_item).or_default().extend(days);
            }
            fresh = self.read_budgets(&needs).await?;
            self.books.remember(&fresh);
        }
        Err(StoreError::Unavailable("a group needs to know too much".to_owned()))
    }

    /// Reads budgets, anew after a moment of quiet if somebody asks for it.
    async fn read_budgets(&mut self, needs: &Needs) -> Result<Fresh, Failed> {
        let mut fresh = self.read_budgets_now(needs).await?;
        for _ in 0..QUIETS_MAX {
            if !self.heeded.take_in(fresh.values().flat_map(Budget::askers)) {
                break;
            }
            sleep(QUIET).await;
            fresh = self.read_budgets_now(needs).await?;
        }
        Ok(fresh)
    }

    async fn read_budgets_now(&self, needs: &Needs) -> Result<Fresh, Failed> {
        let read = needs.iter().map(|(line_item, days)| async {
            let slots = self.books.slots(*line_item);
            let budget = Budget::read(&self.base.db, *line_item, days, slots).await?;
            Ok::<_, Failed>((*line_item, budget))
        });
        Ok(try_join_all(read).await?.into_iter().collect())
    }

    /// Nobody is told of a budget who has been applied already, or is at another version.
    async fn look_at_users(&self, waiting: &[Unit], fates: Vec<Fate>) -> Result<Vec<Fate>, Failed> {
        let look = fates.into_iter().zip(waiting).map(|(fate, unit)| async {
            let (Fate::Over(answer), Work::Commit(commit)) = (&fate, &unit.work) else {
                return Ok(fate);
            };
            let key = keys::state(&commit.user, 0);
            let found = self.base.db.get(Request::ReadVersion, &key).await?;
            let hot = found.as_ref().map(Hot::from_item).transpose()?;
            let refusal = commit.refusal(hot.as_ref()).map(Answer::Outcome);
            Ok(Fate::Over(refusal.unwrap_or_else(|| answer.clone())))
        });
        try_join_all(look).await
    }

    /// Sends a group until it is known what became of it, or the time is up.
    async fn send(&self, draft: &Draft, head: &Head) -> Sent {
        let mut pauses = Pauses::begin();
        let mut is_lost = false;
        loop {
            let sent = self.base.db.transact_once(Request::WriteGroup, draft.writes(head)).await;
            let failed = match sent {
                Ok(()) => return Sent::Applied,
                Err(failed) => failed,
            };
            is_lost |= matches!(failed, Failed::Unknown(_));
            if is_lost {
                match self.is_there(draft, head).await {
                    Ok(Some(true)) => return Sent::Applied,
                    Ok(Some(false)) => return Sent::Lost,
                    Ok(None) | Err(_) => {}
                }
            }
            let words = match failed {
                // The head was as expected, and will not be for what is still on its way.
                Failed::Refused(reasons) if !is_lost || reasons.first() == Some(&Reason::Fine) => {
                    return Sent::Refused(reasons);
                }
                Failed::Store(error) if !is_lost => return Sent::Failed(error),
                Failed::Busy(words) | Failed::Unknown(words) => words,
                failed => failed.words(),
            };
            if let Err(words) = pauses.pause_or(|| words).await {
                return if is_lost { Sent::Unknown(words) } else { Sent::Busy(words) };
            }
        }
    }

    /// Whether the group of that number is this one; `None` if there is none.
    async fn is_there(&self, draft: &Draft, head: &Head) -> Result<Option<bool>, Failed> {
        let key = keys::group(self.shard, head.group + 1);
        let found = self.base.db.get_once(Request::ReadGroup, &key).await?;
        let group = found.as_ref().map(Group::from_item).transpose()?;
        Ok(group.map(|group| group.id == draft.group.id))
    }

    /// Takes in why a group was refused: somebody is answered, or what was known is forgotten.
    async fn refused(&mut self, draft: &Draft, reasons: Vec<Reason>, waiting: &mut [Unit]) {
        let (mut is_crowded, mut is_head_lost) = (false, false);
        let (mut lost, mut askers): (Vec<LineItemId>, Vec<u64>) = (Vec::new(), Vec::new());
        for (tag, reason) in draft.tags().zip(reasons) {
            let found = match reason {
                Reason::Condition(found) => found,
                Reason::Fine => continue,
                Reason::Conflict | Reason::Throttled => {
                    is_crowded = true;
                    continue;
                }
            };
            match tag {
                Tag::Head => {
                    self.head = found.as_ref().and_then(|head| Head::from_item(head).ok());
                    (is_crowded, is_head_lost) = (true, true);
                }
                Tag::Budget(line_item) => {
                    askers.extend(self.books.meet(line_item, found.as_ref(), !is_head_lost));
                    lost.push(line_item);
                    is_crowded = true;
                }
                Tag::Hot(place) => {
                    let answer = version_answer(&waiting[place].work, found.as_ref());
                    waiting[place].answer(answer);
                }
                Tag::Other(place) => {
                    let words = "an item of this change is there already";
                    waiting[place].answer(Err(StoreError::Corrupt(words.to_owned())));
                }
            }
        }
        let wholes = draft.trial.wholes().filter(|(line_item, _)| lost.contains(line_item));
        let mut asked_for: Vec<(LineItemId, usize)> = wholes.collect();
        asked_for.retain(|(line_item, _)| self.books.lose_whole(*line_item));
        if self.heeded.take_in(askers) {
            // Whoever asked now would disturb the one who has his quiet.
            sleep(QUIET).await;
        } else if let Some((line_item, slots)) = asked_for.pop() {
            self.ask_for_quiet(line_item, slots).await;
        } else if is_crowded {
            self.pause().await;
        }
    }

    /// Asks everybody else not to write a budget for a moment. It is only a request: whoever does not
    /// hear of it makes the next attempt fail like the ones before.
    async fn ask_for_quiet(&mut self, line_item: LineItemId, slots: usize) {
        let who = random();
        self.heeded.take_in([who]);
        let ask = |slot| {
            let write = ask_for_quiet(line_item, slot, who);
            self.base.db.transact(Request::AskForQuiet, vec![write])
        };
        let asked = join_all((0..slots as u32).map(ask)).await;
        let failed = asked.iter().filter(|asked| asked.is_err()).count();
        tracing::debug!(%line_item, slots, failed, "asked for quiet on a budget");
    }

    /// Waits for a time of random length, longer the more often somebody else was faster.
    async fn pause(&mut self) {
        let most = (PAUSE_FIRST * 2_u32.saturating_pow(self.crowd.min(8))).min(PAUSE_MAX);
        self.crowd += 1;
        sleep(most.mul_f64(random_share())).await;
    }
}

/// What is answered to a change whose user is at another version.
fn version_answer(work: &Work, found: Option<&Item>) -> Result<Answer, StoreError> {
    let Work::Commit(commit) = work else {
        return Err(StoreError::Corrupt("a refusal of another unit".to_owned()));
    };
    let hot = found.map(Hot::from_item).transpose()?;
    // That the versions agree would mean that this one went back, which nothing does.
    let refusal = commit.refusal(hot.as_ref()).unwrap_or(Outcome::Stale);
    Ok(Answer::Outcome(refusal))
}

/// Answers what does not depend on the group.
fn settle_done(waiting: &mut [Unit], fates: &[Fate]) {
    for (unit, fate) in waiting.iter_mut().zip(fates) {
        if let Fate::Done(answer) = fate {
            unit.answer(answer.clone());
        }
    }
}

/// Answers what is decided, once that is durable.
fn settle(waiting: &mut [Unit], fates: &[Fate]) {
    for (unit, fate) in waiting.iter_mut().zip(fates) {
        match fate {
            Fate::In(answer) | Fate::Over(answer) => unit.answer(Ok(answer.clone())),
            Fate::Later | Fate::Done(_) => {}
        }
    }
}

/// Tells those whose units were in a group that it was not written, or that nobody knows.
fn fail_written(waiting: &mut [Unit], fates: &[Fate], error: &StoreError) {
    tracing::warn!(%error, "a group was not written");
    let units = waiting.iter_mut().zip(fates).filter(|(_, fate)| matches!(fate, Fate::In(_)));
    units.for_each(|(unit, _)| unit.answer(Err(error.clone())));
}

fn fail(waiting: &mut [Unit], error: &StoreError) {
    waiting.iter_mut().for_each(|unit| unit.answer(Err(error.clone())));
}

/// Gives up on units that others have kept out for too long. Nothing of them was written.
fn expire(waiting: &mut Vec<Unit>) {
    let now = Instant::now();
    for unit in waiting.iter_mut() {
        if now - *unit.since.get_or_insert(now) > UNIT_TIMEOUT {
            let words = "others were faster again and again";
            unit.answer(Err(StoreError::Unavailable(words.to_owned())));
        }
    }
    waiting.retain(|unit| !unit.is_answered());
}

#[cfg(test)]
mod tests;
