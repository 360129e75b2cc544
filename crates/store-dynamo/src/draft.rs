//! A group in the making: which units go into it, and the items that it writes.

use std::collections::HashSet;

use domain::budget::Limits;
use domain::ids::{LineItemId, UserKey};
use domain::journal::{Chain, Record};
use domain::time::{Day, Timestamp};
use store::{Committed, LimitsOutcome, Outcome, StoreError};

use crate::budgets::{Books, Fresh, Needs, Stop, Trial};
use crate::client::{TRANSACTION_MAX, random};
use crate::group::{Group, Owned, record_item};
use crate::head::Head;
use crate::keys::{self, CHANGES, GROUP, POSITION, QUEUED, Spot};
use crate::phase::{ALLOWS_CHANGES, WATCHED};
use crate::value::number;
use crate::work::{Answer, Commit, Unit, Work};
use crate::write::Write;

/// Most bytes of one transaction; DynamoDB allows 4 MB, and counts names and numbers as well.
const BYTES_MAX: usize = 3_000_000;
/// Most bytes of records of nobody, which share the group's item of at most 400 KB.
const BODIES_MAX: usize = 300_000;
/// The head and the group's own item.
const OWN_ITEMS: usize = 2;

/// What becomes of a unit if the group is applied.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It has no place in this group.
    Later,
    /// It is in it.
    In(Answer),
    /// It is refused because of a budget, as the group leaves it.
    Over(Answer),
    /// It is answered so, whatever becomes of the group.
    Done(Result<Answer, StoreError>),
}

/// What an item of the transaction is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tag {
    /// The head, or the group's own item.
    Head,
    /// The user's version, of the unit at that place.
    Hot(usize),
    /// Anything else of that unit.
    Other(usize),
    /// A budget.
    Budget(LineItemId),
}

/// A group so far.
#[derive(Debug)]
pub(crate) struct Draft {
    shard: u32,
    pub(crate) group: Group,
    /// The budgets as it leaves them.
    pub(crate) trial: Trial,
    /// What has to be read before it can be decided.
    pub(crate) needs: Needs,
    items: Vec<(Tag, Write)>,
    users: HashSet<UserKey>,
    queued: u64,
    bytes: usize,
    bodies: usize,
}

/// What one unit adds to a group.
#[derive(Default)]
struct Part {
    items: Vec<(Tag, Write)>,
    record: Option<Owned>,
    touched: Option<UserKey>,
    queued: u64,
    bytes: usize,
    bodies: usize,
}

/// What is known of budgets: by the lane, and read for this very group.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) books: &'a Books,
    pub(crate) fresh: &'a Fresh,
}

impl Draft {
    /// An empty group after that head.
    pub(crate) fn new(shard: u32, head: &Head) -> Self {
        let id = (u128::from(random()) << 64 | u128::from(random())).to_le_bytes();
        let first = head.position + 1;
        Self {
            shard,
            group: Group { id, first, records: Vec::new(), touched: Vec::new() },
            trial: Trial::default(),
            needs: Needs::new(),
            items: Vec::new(),
            users: HashSet::new(),
            queued: 0,
            bytes: 0,
            bodies: 0,
        }
    }

    /// Takes in what fits, in order, and says what becomes of each unit.
    pub(crate) fn fill(&mut self, waiting: &[Unit], known: Known<'_>) -> Vec<Fate> {
        let fate = |(place, unit): (usize, &Unit)| match &unit.work {
            Work::Commit(commit) => self.commit(place, commit, known),
            Work::Append(record) => self.append(place, record),
            Work::SetLimits(line_item, limits, now) => {
                self.set_limits((*line_item, *limits), *now, known)
            }
        };
        let fates = waiting.iter().enumerate().map(fate).collect();
        let budgets = known.books.writes(&self.trial).into_iter();
        self.items.extend(budgets.map(|(line_item, write)| (Tag::Budget(line_item), write)));
        fates
    }

    /// Whether it writes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.group.records.is_empty()
    }

    /// What each item of [`Self::writes`] is of.
    pub(crate) fn tags(&self) -> impl Iterator<Item = Tag> {
        let items = self.items.iter().map(|(tag, _)| *tag);
        [Tag::Head; OWN_ITEMS].into_iter().chain(items)
    }

    /// The head once the group is applied.
    pub(crate) fn head_after(&self, head: &Head) -> Head {
        head.clone().after(&self.group, self.trial.line_items())
    }

    /// The transaction. The budgets come last.
    pub(crate) fn writes(&self, head: &Head) -> Vec<Write> {
        let next = self.head_after(head);
        let set = format!(
            "SET #{GROUP} = :next, #{POSITION} = :position, #{CHANGES} = :changes \
             ADD #{QUEUED} :queued"
        );
        let new_head = Write::update(keys::head(self.shard), set)
            .when(format!("#{GROUP} = :group"))
            .when(ALLOWS_CHANGES)
            .with(":group", number(head.group))
            .with(":next", number(next.group))
            .with(":position", number(next.position))
            .with(":changes", next.changes.to_value())
            .with(":queued", number(self.queued))
            .with(":watched", number(WATCHED))
            .showing();
        let group = Write::put_new(self.group.to_item(self.shard, next.group));
        let items = self.items.iter().map(|(_, write)| write.clone());
        [new_head, group].into_iter().chain(items).collect()
    }

    fn commit(&mut self, place: usize, commit: &Commit, known: Known<'_>) -> Fate {
        if self.users.contains(&commit.user) {
            return Fate::Later;
        }
        let (part, trial) = match self.draw_up(place, commit, known) {
            Ok(drawn_up) => drawn_up,
            Err(Stop::Read(line_item, day)) => return self.need(line_item, day),
            Err(Stop::Over(outcome)) => return Fate::Over(Answer::Outcome(outcome)),
        };
        let levels = trial.levels(commit.moves());
        let answer = Answer::Outcome(Outcome::Applied(Committed { levels }));
        let fate = self.add(part, trial, answer);
        if matches!(fate, Fate::In(_)) {
            self.users.insert(commit.user);
        }
        fate
    }

    /// What a change adds, and the budgets after it. Where that leaves room for it, budgets that lanes
    /// meet at are split as well; otherwise another time.
    fn draw_up(
        &self,
        place: usize,
        commit: &Commit,
        known: Known<'_>,
    ) -> Result<(Part, Trial), Stop> {
        let spend = |may_split| {
            let mut trial = self.trial.clone();
            known.books.spend(&mut trial, known.fresh, commit.moves(), may_split)?;
            Ok(trial)
        };
        let trial = spend(true)?;
        let part = self.part_of(place, commit);
        let trial = if self.size(&part, &trial).fits() { trial } else { spend(false)? };
        Ok((part, trial))
    }

    fn part_of(&self, place: usize, commit: &Commit) -> Part {
        let (others, queued) = commit.other_writes(self.shard, self.next_position());
        let others = others.into_iter().map(|write| (Tag::Other(place), write));
        let hot = (Tag::Hot(place), commit.hot_write(self.shard));
        let has_record = commit.record.is_some();
        Part {
            items: [hot].into_iter().chain(others).collect(),
            record: has_record.then_some(Owned::By(commit.user)),
            touched: (!has_record).then_some(commit.user),
            queued,
            bytes: commit.size,
            bodies: 0,
        }
    }

    fn append(&mut self, place: usize, record: &Record) -> Fate {
        let body = format::journal::encode_record(record);
        let bytes = body.len();
        let part = match record.user {
            Some(user) => {
                let spot = Spot::At(self.next_position());
                let item = record_item(&user, spot, Chain::default(), record);
                let items = vec![(Tag::Other(place), Write::put(item))];
                Part { items, record: Some(Owned::By(user)), bytes, ..Part::default() }
            }
            None => {
                let record = Some(Owned::ByNobody(body));
                Part { record, bytes, bodies: bytes, ..Part::default() }
            }
        };
        self.add(part, self.trial.clone(), Answer::Appended)
    }

    fn set_limits(
        &mut self,
        (line_item, limits): (LineItemId, Limits),
        now: Timestamp,
        known: Known<'_>,
    ) -> Fate {
        let Some(budget) = known.books.look(&self.trial, known.fresh, line_item) else {
            return self.need(line_item, None);
        };
        let level = budget.level(line_item);
        if budget.limits == Some(limits) {
            return Fate::Over(Answer::Limits(LimitsOutcome::Set(level)));
        }
        if !limits.may_follow(budget.limits.as_ref(), &budget.total()) {
            return Fate::Over(Answer::Limits(LimitsOutcome::BelowCommitted(level)));
        }
        let mut trial = self.trial.clone();
        let level = match known.books.set_limits(&mut trial, budget, (line_item, limits)) {
            Ok(level) => level,
            Err(day) => return self.need(line_item, Some(day)),
        };
        let body = format::journal::encode_record(&Record::of_limits(line_item, limits, now));
        let bytes = body.len();
        let record = Some(Owned::ByNobody(body));
        let part = Part { record, bytes, bodies: bytes, ..Part::default() };
        self.add(part, trial, Answer::Limits(LimitsOutcome::Set(level)))
    }

    fn need(&mut self, line_item: LineItemId, day: Option<Day>) -> Fate {
        self.needs.entry(line_item).or_default().extend(day);
        Fate::Later
    }

    /// The position of the next record.
    fn next_position(&self) -> u64 {
        self.group.first + self.group.records.len() as u64
    }

    /// Adds a unit, if there is room for it.
    fn add(&mut self, part: Part, trial: Trial, answer: Answer) -> Fate {
        let size = self.size(&part, &trial);
        if !size.fits() {
            return if self.is_empty() { Fate::Done(Err(size.refusal())) } else { Fate::Later };
        }
        self.trial = trial;
        self.items.extend(part.items);
        self.group.records.extend(part.record);
        self.group.touched.extend(part.touched);
        self.queued += part.queued;
        (self.bytes, self.bodies) = (size.bytes, size.bodies);
        Fate::In(answer)
    }

    /// Its size with one more unit.
    fn size(&self, part: &Part, trial: &Trial) -> Size {
        Size {
            items: OWN_ITEMS + self.items.len() + part.items.len() + trial.items(),
            bytes: self.bytes + part.bytes,
            bodies: self.bodies + part.bodies,
        }
    }
}

/// What a transaction has only so much room for.
#[derive(Clone, Copy)]
struct Size {
    items: usize,
    bytes: usize,
    bodies: usize,
}

impl Size {
    fn fits(self) -> bool {
        self.items <= TRANSACTION_MAX && self.bytes <= BYTES_MAX && self.bodies <= BODIES_MAX
    }

    /// What is answered to a unit that is too large by itself. It would be tomorrow as well, so this
    /// is nothing to try again.
    fn refusal(self) -> StoreError {
        let Self { items, bytes, .. } = self;
        StoreError::Corrupt(format!(
            "a change of {items} items and {bytes} bytes can never be written: a transaction has at \
             most {TRANSACTION_MAX} items and {BYTES_MAX} bytes"
        ))
    }
}

#[cfg(test)]
mod tests;
