//! Steps that we verify ourselves: a visit, a quiz, a daily check-in.

use crate::catalog::Rule;
use crate::change::Loaded;
use crate::convert::{Decided, Funds, Write, trace_of};
use crate::desk::{Desk, Place};
use crate::ids::{EnrollmentId, EventKey, MissionId, StepId};
use crate::journal::Cause;
use crate::rules::{self, Offered};
use crate::snapshot::Snapshot;
use crate::time::{Day, SECOND_MS, Timestamp, UtcOffset};
use crate::user::{EVENTS_MAX, Enrollment, Phase, Seen, StepProgress};
use crate::verdict::{Reason, Verdict};

/// What the user shows for a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Evidence {
    /// He opened the page, or came back from it.
    Visit,
    /// He chose an answer, counted from 0.
    Quiz(u8),
    /// He is here today.
    CheckIn,
}

/// A user's wish to have a step counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Which mission.
    pub mission: MissionId,
    /// Which step.
    pub step: StepId,
    /// What he shows; it must fit the step.
    pub evidence: Evidence,
}

/// Decides a completion. `None` if the user has no run of the mission or the mission no such step.
#[must_use]
pub fn complete(
    loaded: &Loaded,
    snapshot: &Snapshot,
    wish: &Completion,
    funds: Funds,
    now: Timestamp,
) -> Option<Decided> {
    let run = loaded.state.enrollments.iter().position(|run| run.mission == wish.mission)?;
    let enrollment = &loaded.state.enrollments[run];
    let mission = snapshot.mission_version(enrollment.mission, enrollment.version)?;
    let step = mission.steps.iter().position(|step| step.id == wish.step)?;
    let line_item = snapshot.catalog().any_line_item(enrollment.line_item);
    let offset = line_item.map_or_else(UtcOffset::default, |one| one.utc_offset);
    let at = Place { run, step, mission };
    let trial = Trial { enrollment, at, offset, now };
    Some(match trial.judge(wish.evidence) {
        Judged::Refused(verdict, reason) => {
            let cause = cause(enrollment.id, at, verdict, reason);
            let write = Write::Trace(Box::new(trace_of(loaded, cause, now)));
            Decided { verdict, reason, transaction: None, write }
        }
        judged => apply(Desk::open(loaded, snapshot, funds, now), &trial, judged),
    })
}

/// How many seconds a started visit still has to last; `None` if none was started.
#[must_use]
pub fn visit_left(progress: &StepProgress, dwell_seconds: u32, now: Timestamp) -> Option<u32> {
    let ready_at = progress.visit_at?.plus_seconds(dwell_seconds.into());
    let left_ms = ready_at.since(now).max(0);
    u32::try_from((left_ms + SECOND_MS - 1) / SECOND_MS).ok()
}

/// What the evidence is worth.
enum Judged {
    Refused(Verdict, Reason),
    VisitStarts,
    Miss,
    Counts(EventKey),
}

struct Trial<'a> {
    enrollment: &'a Enrollment,
    at: Place<'a>,
    offset: UtcOffset,
    now: Timestamp,
}

impl Trial<'_> {
    fn judge(&self, evidence: Evidence) -> Judged {
        let (run, at) = (self.enrollment, self.at);
        let refused = Judged::Refused;
        if run.phase == Phase::Voided {
            return refused(Verdict::Rejected, Reason::Voided);
        }
        if rules::is_full(run, at.mission, at.step) {
            return refused(Verdict::Duplicate, Reason::LimitReached);
        }
        if run.phase == Phase::Expired || self.now > run.late_until {
            return refused(Verdict::Ignored, Reason::Late);
        }
        if rules::lost(run, at.mission).contains(&at.step) {
            return refused(Verdict::Rejected, Reason::NoAttempts);
        }
        if !rules::is_open(run, at.mission, at.step) {
            return refused(Verdict::Ignored, Reason::Locked);
        }
        // A second check-in of a day is the same one again; see `once`.
        let is_spent = evidence != Evidence::CheckIn
            && rules::is_day_full(run, at.rule(), Day::of(self.now, self.offset));
        if is_spent {
            return refused(Verdict::Ignored, Reason::DailyLimit);
        }
        if run.seen.len() >= EVENTS_MAX {
            return refused(Verdict::Rejected, Reason::TooMany);
        }
        match (evidence, &at.rule().rule) {
            (Evidence::Visit, Rule::Visit { dwell_seconds, .. }) => self.visit(*dwell_seconds),
            (Evidence::Quiz(choice), Rule::Quiz { answer, .. }) if choice == *answer => {
                self.once(&format!("quiz {}", self.progress().reached))
            }
            (Evidence::Quiz(_), Rule::Quiz { .. }) => Judged::Miss,
            (Evidence::CheckIn, Rule::CheckIn) => {
                let today = Day::of(self.now, self.offset);
                self.once(&format!("day {}", today.0))
            }
            _ => refused(Verdict::Rejected, Reason::NotOurs),
        }
    }

    fn progress(&self) -> &StepProgress {
        &self.enrollment.steps[self.at.step]
    }

    fn visit(&self, dwell_seconds: u32) -> Judged {
        match visit_left(self.progress(), dwell_seconds, self.now) {
            None => Judged::VisitStarts,
            Some(0) => self.once(&format!("visit {}", self.progress().reached)),
            Some(_) => Judged::Refused(Verdict::Parked, Reason::TooSoon),
        }
    }

    fn once(&self, occasion: &str) -> Judged {
        let key = EventKey::own(self.enrollment.id, self.at.rule().id, occasion);
        if self.enrollment.seen.iter().any(|seen| seen.key == key) {
            return Judged::Refused(Verdict::Duplicate, Reason::SeenBefore);
        }
        Judged::Counts(key)
    }
}

fn apply(mut desk: Desk<'_>, trial: &Trial<'_>, judged: Judged) -> Decided {
    let at = trial.at;
    let (verdict, reason, key) = match judged {
        Judged::Refused(verdict, reason) => (verdict, reason, None),
        Judged::VisitStarts => {
            desk.run_mut(at.run).steps[at.step].visit_at = Some(desk.now);
            (Verdict::Parked, Reason::VisitStarted, None)
        }
        Judged::Miss => {
            desk.run_mut(at.run).steps[at.step].misses += 1;
            rules::settle(&mut desk, at.run, at.mission, trial.offset);
            (Verdict::Rejected, Reason::WrongAnswer, None)
        }
        Judged::Counts(key) => {
            let (verdict, reason) = count(&mut desk, trial, key);
            (verdict, reason, Some(key))
        }
    };
    let occurrence = key.and_then(|key| earned_by(&desk, at, key));
    let transaction = occurrence.map(|occurrence| desk.grant_id(at, occurrence));
    let write = match desk.close(cause(trial.enrollment.id, at, verdict, reason)) {
        Some(change) => Write::Change(Box::new(change)),
        None => Write::Nothing,
    };
    Decided { verdict, reason, transaction, write }
}

fn count(desk: &mut Desk<'_>, trial: &Trial<'_>, key: EventKey) -> (Verdict, Reason) {
    let at = trial.at;
    let answer = (Verdict::Ignored, Reason::Locked);
    let run = desk.run_mut(at.run);
    run.seen.push(Seen {
        key,
        content: 0,
        verdict: answer.0,
        reason: answer.1,
        earned: Vec::new(),
        counted: Vec::new(),
        reversed: false,
    });
    run.steps[at.step].visit_at = None;
    let offered = Offered { key, occurred_at: trial.now, units: 1 };
    let answer = rules::offer(desk, at, trial.offset, offered);
    rules::settle(desk, at.run, at.mission, trial.offset);
    if let Some(seen) = desk.run_mut(at.run).seen.iter_mut().find(|seen| seen.key == key) {
        (seen.verdict, seen.reason) = answer;
    }
    answer
}

fn earned_by(desk: &Desk<'_>, at: Place<'_>, key: EventKey) -> Option<u32> {
    let seen = desk.run(at.run).seen.iter().find(|seen| seen.key == key)?;
    seen.earned.first().map(|&(_, occurrence)| occurrence)
}

fn cause(enrollment: EnrollmentId, at: Place<'_>, verdict: Verdict, reason: Reason) -> Cause {
    Cause::Completion { enrollment, step: at.rule().id, verdict, reason }
}
