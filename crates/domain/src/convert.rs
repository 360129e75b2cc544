//! Conversions: an event that a partner reports, and what becomes of it.

use crate::catalog::{Aim, Mission, Rule};
use crate::change::{Change, Loaded};
use crate::desk::{Desk, Place};
use crate::ids::{Act, Derivation, EnrollmentId, EventKey, PartnerId, TransactionId};
use crate::journal::{Cause, EventTrace, Record};
use crate::money::{CurrencyCode, Micros};
use crate::rules::{self, Offered};
use crate::snapshot::Snapshot;
use crate::time::{SECOND_MS, Timestamp, UtcOffset};
use crate::user::{EVENTS_MAX, Enrollment, PARKED_MAX, Phase, SPARES_MAX, Seen};
use crate::verdict::{Reason, Verdict};

pub use crate::desk::Funds;

/// How far a partner's clock may be off before an event's time is not believed, in milliseconds.
pub const CLOCK_SKEW_MS: i64 = 600 * SECOND_MS;

/// What the sender says of an event's standing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Standing {
    /// It happened.
    #[default]
    Good,
    /// It is taken back.
    Reversal,
    /// The sender itself refused it, such as for fraud.
    Rejected,
    /// No click led to it.
    Organic,
}

/// An event as a partner's recipe reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Who reports it.
    pub partner: PartnerId,
    /// The run that its click id opened.
    pub enrollment: EnrollmentId,
    /// Its name, after translation.
    pub name: String,
    /// The partner's own id of it.
    pub id: Option<String>,
    /// When it happened, if the partner says so.
    pub occurred_at: Option<Timestamp>,
    /// Its revenue.
    pub amount: Option<Micros>,
    /// Currency of the revenue.
    pub currency: Option<CurrencyCode>,
    /// What the sender says of its standing.
    pub standing: Standing,
    /// The first bytes of the postback, secrets removed.
    pub raw: String,
}

impl Event {
    /// The key of its idempotency. Without an id of the partner's, events of one name, moment and
    /// amount are one event; whoever repeats a step should send ids.
    #[must_use]
    pub fn key(&self) -> EventKey {
        let own = self.id.clone().unwrap_or_else(|| {
            let moment = self.occurred_at.map(|at| at.0);
            format!("{moment:?} {:?}", self.amount.map(|amount| amount.0))
        });
        EventKey::partner(self.partner, self.enrollment, &self.name, &own)
    }

    /// Hash of what must not differ under one key.
    #[must_use]
    pub fn content(&self) -> u64 {
        let mut hash = Derivation::new("guerdon event content 1");
        hash.text(&self.name).number(self.occurred_at.map_or(u64::MAX, |at| at.0 as u64));
        hash.number(self.amount.map_or(u64::MAX, |amount| amount.0 as u64));
        hash.text(self.currency.as_ref().map_or("", CurrencyCode::as_str));
        let whole = hash.whole();
        u64::from_le_bytes([
            whole[0], whole[1], whole[2], whole[3], whole[4], whole[5], whole[6], whole[7],
        ])
    }

    fn trace(&self, verdict: Verdict, reason: Reason) -> Cause {
        Cause::Event(EventTrace {
            partner: self.partner,
            enrollment: Some(self.enrollment),
            event: self.name.clone(),
            event_id: self.id.clone(),
            reversal: self.standing == Standing::Reversal,
            verdict,
            reason,
            raw: self.raw.clone(),
        })
    }
}

/// What becomes of a command on a run, and what has to be committed for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// The answer.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The reward that was booked, or that the first arrival of the event booked.
    pub transaction: Option<TransactionId>,
    /// What to write.
    pub write: Write,
}

/// What a decision leaves behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// A new state with its record.
    Change(Box<Change>),
    /// Only a trace: nobody's state differs.
    Trace(Box<Record>),
    /// Nothing.
    Nothing,
}

/// Decides an event. `funds` is [`Funds::HeldAndMore`], and what [`Funds::after_refusal`] makes of it
/// each time that the change is refused for lack of budget.
#[must_use]
pub fn convert(
    loaded: &Loaded,
    snapshot: &Snapshot,
    event: &Event,
    funds: Funds,
    now: Timestamp,
) -> Decided {
    let trace = |verdict, reason, transaction| Decided {
        verdict,
        reason,
        transaction,
        write: Write::Trace(Box::new(trace_of(loaded, event.trace(verdict, reason), now))),
    };
    let Some(place) = loaded.state.enrollments.iter().position(|run| run.id == event.enrollment)
    else {
        return trace(Verdict::Rejected, Reason::NoEnrollment, None);
    };
    let run = &loaded.state.enrollments[place];
    let Some(mission) = snapshot.mission_version(run.mission, run.version) else {
        return trace(Verdict::Rejected, Reason::NoEnrollment, None);
    };
    let file = File { loaded, snapshot, mission, place, funds, now };
    match file.refusal(run, event) {
        Some((verdict, reason, transaction)) => trace(verdict, reason, transaction),
        None if event.standing == Standing::Reversal => file.reverse(event),
        None => file.accept(event),
    }
}

/// A record that only tells.
#[must_use]
pub fn trace_of(loaded: &Loaded, cause: Cause, now: Timestamp) -> Record {
    let state = &loaded.state;
    Record {
        at: now,
        user: (loaded.version > 0).then(|| state.key()),
        app: (loaded.version > 0).then_some(state.app),
        mode: state.mode,
        cause,
        transactions: Vec::new(),
        moves: Vec::new(),
        messages: Vec::new(),
    }
}

/// Everything that is on the table when an event of a known run is decided.
struct File<'a> {
    loaded: &'a Loaded,
    snapshot: &'a Snapshot,
    mission: &'a Mission,
    place: usize,
    funds: Funds,
    now: Timestamp,
}

type Refused = (Verdict, Reason, Option<TransactionId>);

impl File<'_> {
    /// Why an event is answered without touching the state; idempotency is looked at first.
    fn refusal(&self, run: &Enrollment, event: &Event) -> Option<Refused> {
        let key = event.key();
        let own_key =
            if event.standing == Standing::Reversal { EventKey::reversal_of(key) } else { key };
        if let Some(seen) = run.seen.iter().find(|seen| seen.key == own_key) {
            return Some(self.seen_before(run, seen, event));
        }
        let refuse = |verdict, reason| Some((verdict, reason, None));
        match event.standing {
            Standing::Rejected => return refuse(Verdict::Rejected, Reason::PartnerRejected),
            Standing::Organic => return refuse(Verdict::Ignored, Reason::Organic),
            Standing::Good | Standing::Reversal => {}
        }
        if !self.is_partners_own(run, event.partner) {
            return refuse(Verdict::Rejected, Reason::OtherAdvertiser);
        }
        let is_known = run.seen.iter().any(|seen| seen.key == key);
        if run.seen.len() >= EVENTS_MAX && !is_known {
            return refuse(Verdict::Rejected, Reason::TooMany);
        }
        if event.standing == Standing::Reversal {
            return None;
        }
        let is_early = |at: Timestamp| at.0 < run.started_at.0 - CLOCK_SKEW_MS;
        if event.occurred_at.is_some_and(is_early) {
            return refuse(Verdict::Ignored, Reason::BeforeParticipation);
        }
        match run.phase {
            Phase::Voided => return refuse(Verdict::Rejected, Reason::Voided),
            Phase::Expired => return refuse(Verdict::Ignored, Reason::Late),
            Phase::Open | Phase::Completed | Phase::Closed => {}
        }
        let matched = self.steps(&event.name);
        if matched.is_empty() {
            return refuse(Verdict::Ignored, Reason::NoSuchStep);
        }
        let spares = run.seen.iter().filter(|seen| seen.reason == Reason::LimitReached).count();
        let is_sated = |&step: &usize| rules::is_sated(run, self.mission, step);
        if spares >= SPARES_MAX && matched.iter().all(is_sated) {
            return refuse(Verdict::Ignored, Reason::LimitReached);
        }
        if self.now > run.late_until {
            return refuse(Verdict::Ignored, Reason::Late);
        }
        let would_wait = |&step: &usize| !rules::is_open(run, self.mission, step);
        if run.parked.len() >= PARKED_MAX && matched.iter().all(would_wait) {
            // It is not remembered, so it counts if it comes again when there is room.
            return refuse(Verdict::Rejected, Reason::TooMany);
        }
        None
    }

    /// The answer to another copy. A reversal names the reward of its event.
    fn seen_before(&self, run: &Enrollment, seen: &Seen, event: &Event) -> Refused {
        if seen.content == event.content() {
            (Verdict::Duplicate, Reason::SeenBefore, self.first_grant(run, event.key()))
        } else {
            (Verdict::Rejected, Reason::EventConflict, None)
        }
    }

    fn is_partners_own(&self, run: &Enrollment, partner: PartnerId) -> bool {
        let catalog = self.snapshot.catalog();
        let payer = catalog.any_line_item(run.line_item).map(|one| one.advertiser_id);
        catalog.partners.get(&partner).map(|one| one.advertiser_id) == payer
    }

    /// Places of the steps that ask for events of that name.
    fn steps(&self, name: &str) -> Vec<usize> {
        let asks =
            |rule: &Rule| matches!(rule, Rule::Event { name: asked, .. } if **asked == *name);
        let steps = self.mission.steps.iter().enumerate();
        steps.filter(|(_, step)| asks(&step.rule)).map(|(place, _)| place).collect()
    }

    fn offset(&self) -> UtcOffset {
        let run = &self.loaded.state.enrollments[self.place];
        let line_item = self.snapshot.catalog().any_line_item(run.line_item);
        line_item.map_or_else(UtcOffset::default, |one| one.utc_offset)
    }

    /// Applies a good event to every step that asks for it, then whatever that sets free. If its
    /// reversal has come before it, it opens what it opens, and earns nothing.
    fn accept(&self, event: &Event) -> Decided {
        let mut desk = Desk::open(self.loaded, self.snapshot, self.funds, self.now);
        let (key, offset) = (event.key(), self.offset());
        let occurred_at = event.occurred_at.unwrap_or(self.now).min(self.now);
        let reversal = EventKey::reversal_of(key);
        let run = desk.run_mut(self.place);
        let reversed = run.seen.iter().any(|seen| seen.key == reversal);
        run.seen.push(Seen {
            key,
            content: event.content(),
            verdict: Verdict::Ignored,
            reason: Reason::NoSuchStep,
            earned: Vec::new(),
            counted: Vec::new(),
            reversed,
        });
        let answers = self.steps(&event.name).into_iter().map(|step| {
            let at = Place { run: self.place, step, mission: self.mission };
            match self.units(at, event) {
                Ok(units) => {
                    rules::offer(&mut desk, at, offset, Offered { key, occurred_at, units })
                }
                Err(reason) => (Verdict::Ignored, reason),
            }
        });
        let best = answers.reduce(|best, one| if one.0 > best.0 { one } else { best });
        let answer = match best {
            Some(best) if !reversed => best,
            _ => (Verdict::Rejected, Reason::Reversed),
        };
        rules::settle(&mut desk, self.place, self.mission, offset);
        let run = desk.run_mut(self.place);
        if let Some(seen) = run.seen.iter_mut().find(|seen| seen.key == key) {
            (seen.verdict, seen.reason) = answer;
        }
        let transaction = self.first_grant(desk.run(self.place), key);
        decided(desk, event, answer, transaction)
    }

    /// What the event counts for at the step.
    fn units(&self, at: Place<'_>, event: &Event) -> Result<u64, Reason> {
        let Rule::Event { aim: Aim::Sum(_), .. } = at.rule().rule else {
            return Ok(1);
        };
        let amount = event.amount.filter(|amount| amount.0 > 0).ok_or(Reason::AmountMissing)?;
        let run = &self.loaded.state.enrollments[self.place];
        if event.currency.is_some_and(|currency| currency != run.currency) {
            return Err(Reason::CurrencyMismatch);
        }
        Ok(amount.0.unsigned_abs())
    }

    /// The first reward that an event has booked.
    fn first_grant(&self, run: &Enrollment, key: EventKey) -> Option<TransactionId> {
        let seen = run.seen.iter().find(|seen| seen.key == key)?;
        let &(step, occurrence) = seen.earned.first()?;
        let user = self.loaded.state.key();
        Some(TransactionId::derive(&user, run.id, step, occurrence, Act::Grant))
    }

    /// A reversal: takes back what only its event has earned, or waits for it.
    fn reverse(&self, event: &Event) -> Decided {
        let mut desk = Desk::open(self.loaded, self.snapshot, self.funds, self.now);
        let key = event.key();
        let is_known = desk.run(self.place).seen.iter().any(|seen| seen.key == key);
        let answer = if !is_known {
            (Verdict::Parked, Reason::ReversalWaits)
        } else if self.take_back(&mut desk, key) {
            (Verdict::Rejected, Reason::Reversed)
        } else {
            (Verdict::Ignored, Reason::NothingToReverse)
        };
        let transaction = self.first_grant(desk.run(self.place), key);
        desk.run_mut(self.place).seen.push(Seen {
            key: EventKey::reversal_of(key),
            content: event.content(),
            verdict: answer.0,
            reason: answer.1,
            earned: Vec::new(),
            counted: Vec::new(),
            reversed: false,
        });
        rules::settle(&mut desk, self.place, self.mission, self.offset());
        decided(desk, event, answer, transaction)
    }

    /// Takes an event back wherever it counts, and from what it waits for. It stays parked, because
    /// what it opens does not depend on whether its reversal comes before or after. `false` if
    /// there was nothing.
    fn take_back(&self, desk: &mut Desk<'_>, key: EventKey) -> bool {
        let run = desk.run_mut(self.place);
        let is_waiting = run.parked.iter().any(|parked| parked.key == key);
        let Some(seen) = run.seen.iter_mut().find(|seen| seen.key == key) else { return false };
        seen.reversed = true;
        let (earned, counted) = (seen.earned.clone(), seen.counted.clone());
        counted.iter().fold(is_waiting, |has_effect, one| {
            let step = self.mission.steps.iter().position(|step| step.id == one.step);
            let place = step.map(|step| Place { run: self.place, step, mission: self.mission });
            place.is_some_and(|at| rules::withdraw(desk, at, &earned)) || has_effect
        })
    }
}

fn decided(
    desk: Desk<'_>,
    event: &Event,
    (verdict, reason): (Verdict, Reason),
    transaction: Option<TransactionId>,
) -> Decided {
    let write = match desk.close(event.trace(verdict, reason)) {
        Some(change) => Write::Change(Box::new(change)),
        None => Write::Nothing,
    };
    Decided { verdict, reason, transaction, write }
}
