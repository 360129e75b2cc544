//! One user, one line item and their books: the least of a store that the rules need to be run.

use std::collections::BTreeMap;

use domain::budget::{Breach, Level, Limits, Used};
use domain::change::{Change, Loaded, MESSAGES_MAX, MOVES_MAX};
use domain::complete::{Completion, complete};
use domain::convert::{Decided, Event, Funds, Write, convert, trace_of};
use domain::decide::{Levels, Situation};
use domain::ids::{AppId, LineItemId, MissionId, Mode, StepId, UnitId};
use domain::inquire::{Answer, inquire};
use domain::journal::{Cause, Chain, Record};
use domain::participate::{Participation, participate};
use domain::snapshot::Snapshot;
use domain::sweep::sweep;
use domain::time::{DAY_MS, Day, HOUR_MS, Timestamp};
use domain::user::Enrollment;
use domain::verify::{Order, Report, Verifier};

use crate::terms::Terms;

/// Ten in the morning of some day, at which every run begins.
pub(crate) const START: Timestamp = Timestamp(20_000 * DAY_MS + 10 * HOUR_MS);

/// More changes than any sweep of a test needs.
const CHANGES_MAX: u32 = 1_000;

/// Everything that is committed, in memory.
#[derive(Clone)]
pub(crate) struct Book {
    snapshot: std::sync::Arc<Snapshot>,
    limits: Limits,
    total: Used,
    days: BTreeMap<Day, Used>,
    pub(crate) loaded: Loaded,
    pub(crate) journal: Vec<(Chain, Record)>,
}

impl Book {
    /// A user who has just started the mission of these terms.
    pub(crate) fn started(terms: &Terms) -> Self {
        let mut loaded = Loaded { version: 1, ..Loaded::default() };
        loaded.state.app = AppId(1);
        loaded.state.user_id = "ann".to_owned();
        loaded.state.mode = if terms.is_test { Mode::Test } else { Mode::Live };
        let mut book = Self {
            snapshot: std::sync::Arc::new(Snapshot::compile(terms.catalog())),
            limits: terms.limits(),
            total: Used::default(),
            days: BTreeMap::new(),
            loaded,
            journal: Vec::new(),
        };
        book.note_limits();
        book.participate();
        book
    }

    /// An operator changes the total.
    pub(crate) fn set_total(&mut self, total: domain::money::Micros) {
        self.limits.total = total;
        self.note_limits();
    }

    pub(crate) fn run(&self) -> &Enrollment {
        &self.loaded.state.enrollments[0]
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn used(&self) -> Used {
        self.total
    }

    /// Decides an event and commits what it leaves; over budget, decides it again as the engine does.
    pub(crate) fn send(&mut self, event: &Event, now: Timestamp) -> Decided {
        self.settle(|book, funds| convert(&book.loaded, &book.snapshot, event, funds, now))
    }

    /// Decides a completion and commits what it leaves.
    pub(crate) fn complete(&mut self, wish: &Completion, now: Timestamp) -> Decided {
        self.settle(|book, funds| {
            complete(&book.loaded, &book.snapshot, wish, funds, now).expect("a run and a step")
        })
    }

    /// Answers an inquiry and keeps its trace.
    pub(crate) fn ask(&mut self, step: StepId, now: Timestamp) -> Answer {
        let run = self.run();
        let mission = self.snapshot.mission_version(run.mission, run.version).expect("the terms");
        let place = mission.steps.iter().position(|one| one.id == step).expect("a step");
        let newest_first: Vec<&Record> = self.journal.iter().rev().map(|(_, one)| one).collect();
        let answer = inquire(run, mission, place, &newest_first, now);
        let Answer { finding, reason, .. } = answer;
        let enrollment = run.id;
        let cause = Cause::Inquiry { enrollment, step, finding, reason, message: None };
        let trace = trace_of(&self.loaded, cause, now);
        self.journal.push((Chain::default(), trace));
        answer
    }

    /// Sweeps until nothing is due; says how many changes that took.
    pub(crate) fn sweep(&mut self, now: Timestamp) -> u32 {
        let (mut changes, mut funds) = (0, Funds::HeldAndMore);
        while let Some(change) = sweep(&self.loaded, &self.snapshot, funds, now) {
            if self.commit(change).is_ok() {
                (changes, funds) = (changes + 1, Funds::HeldAndMore);
            } else {
                funds = self.refused(funds);
            }
            assert!(changes <= CHANGES_MAX, "a sweep comes to an end");
        }
        assert!(self.loaded.state.due_at().is_none_or(|due| due > now));
        changes
    }

    /// The verifier's report on these books, as `change` alters what it is told.
    pub(crate) fn report(&self, change: impl FnOnce(&mut Stored)) -> Report {
        let mut stored = Stored::of(self);
        change(&mut stored);
        stored.report()
    }

    pub(crate) fn level(&self) -> Level {
        let latest = self.days.iter().next_back();
        let (day, today) = latest.map_or_else(Default::default, |(day, used)| (*day, *used));
        Level { line_item: LineItemId(1), limits: self.limits, total: self.total, day, today }
    }

    fn settle(&mut self, decide: impl Fn(&Self, Funds) -> Decided) -> Decided {
        let mut funds = Funds::HeldAndMore;
        loop {
            let decided = decide(self, funds);
            if self.write(&decided) {
                return decided;
            }
            funds = self.refused(funds);
        }
    }

    fn refused(&self, funds: Funds) -> Funds {
        assert_ne!(funds, Funds::HeldOnly, "what is held is never over budget");
        funds.after_refusal(&self.level())
    }

    fn write(&mut self, decided: &Decided) -> bool {
        match &decided.write {
            Write::Change(change) => self.commit(change.as_ref().clone()).is_ok(),
            Write::Trace(record) => {
                self.journal.push((Chain::default(), record.as_ref().clone()));
                true
            }
            Write::Nothing => true,
        }
    }

    fn commit(&mut self, change: Change) -> Result<(), Breach> {
        assert_eq!(change.base, self.loaded.version);
        let Some(record) = change.record.clone() else {
            self.loaded = change.after();
            return Ok(());
        };
        assert!(record.moves.len() <= MOVES_MAX && record.messages.len() <= MESSAGES_MAX);
        assert!(record.transactions.len() <= MESSAGES_MAX);
        let told = record.messages.iter().map(|message| 1 + usize::from(message.after.is_some()));
        assert!(told.sum::<usize>() <= MESSAGES_MAX + 1, "the rows of its messages");
        let (mut total, mut days) = (self.total, self.days.clone());
        for by in &record.moves {
            let day = days.entry(by.day).or_default();
            self.limits.check(&total, day, by)?;
            total = total.moved(by);
            *day = day.moved(by);
        }
        (self.total, self.days) = (total, days);
        self.journal.push((change.chain, record));
        self.loaded = change.after();
        Ok(())
    }

    fn participate(&mut self) {
        let levels: Levels = [self.level()].into_iter().collect();
        let situation = Situation {
            snapshot: &self.snapshot,
            user: &self.loaded.state,
            unit: UnitId(1),
            now: START,
            levels: &levels,
        };
        let started = participate(&self.loaded, &situation, MissionId(1));
        let Ok(Participation::New(_, change)) = started else { panic!("{started:?}") };
        self.commit(*change).expect("the first participation fits");
    }

    fn note_limits(&mut self) {
        let record = Record {
            at: START,
            user: None,
            app: None,
            mode: Mode::Live,
            cause: Cause::LimitsSet { line_item: LineItemId(1), limits: self.limits },
            transactions: Vec::new(),
            moves: Vec::new(),
            messages: Vec::new(),
        };
        self.journal.push((Chain::default(), record));
    }
}

/// What the verifier is told, for a test to plant a fault in.
pub(crate) struct Stored {
    pub(crate) records: Vec<(u64, Chain, Record)>,
    pub(crate) users: Vec<Loaded>,
    pub(crate) levels: Vec<Level>,
    pub(crate) deliveries: Vec<domain::journal::Message>,
    pub(crate) head: u64,
    pub(crate) now: Timestamp,
    pub(crate) order: Order,
}

impl Stored {
    fn of(book: &Book) -> Self {
        let records = book.journal.iter().cloned();
        let messages = book.journal.iter().flat_map(|(_, record)| record.messages.clone());
        Self {
            records: (1..)
                .zip(records)
                .map(|(seq, (chain, record))| (seq, chain, record))
                .collect(),
            users: vec![book.loaded.clone()],
            levels: vec![book.level()],
            deliveries: messages.collect(),
            head: book.journal.len() as u64,
            now: Timestamp(i64::MAX),
            order: Order::Total,
        }
    }

    /// The place of the first record with a transaction that passes.
    pub(crate) fn find(&self, wanted: impl Fn(&domain::ledger::Transaction) -> bool) -> usize {
        let has = |(_, _, record): &(u64, Chain, Record)| record.transactions.iter().any(&wanted);
        self.records.iter().position(has).expect("such a transaction")
    }

    /// Chains the records anew, as a forger with access to the store would.
    pub(crate) fn forge_chain(&mut self) {
        let mut chain = Chain::default();
        for (_, stored, record) in &mut self.records {
            if *stored != Chain::default() {
                chain = chain.with(record);
                *stored = chain;
            }
        }
        self.users[0].chain = chain;
    }

    fn report(&self) -> Report {
        let mut verifier = Verifier::new(self.order);
        for (seq, chain, record) in &self.records {
            verifier.record(*seq, *chain, record);
        }
        for loaded in &self.users {
            verifier.user(&loaded.state.key(), loaded);
        }
        self.levels.iter().for_each(|level| verifier.level(level));
        for message in &self.deliveries {
            verifier.delivery(message.id, message.transaction, message.kind);
        }
        verifier.finish(self.head, self.now)
    }
}
