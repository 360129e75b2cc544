//! Inquiries, "I did not get my reward": the answer that the evidence gives by itself.
//!
//! The evidence is the run as it stands, and the user's latest records, which also hold what changed
//! nothing: events that were organic, refused by their sender, too late or beyond a limit. What is
//! booked comes before what waits, and what waits before what was reported. Only where nothing was
//! reported does it matter how long that may still take. A fault that is not the user's, such as
//! an event of another advertiser's connection, is for somebody to look at.

use crate::catalog::{Mission, Rule, Step};
use crate::ids::StepId;
use crate::journal::{Cause, Record};
use crate::money::Points;
use crate::rules;
use crate::time::Timestamp;
use crate::user::{Enrollment, PaidState, Phase, StepProgress};
use crate::verdict::{Finding, Reason, Verdict};
use crate::view::{StepView, step_view};

/// Longest message of an inquiry, in characters: a few sentences. It stays in the journal for ever.
pub const MESSAGE_CHARS_MAX: usize = 500;

/// How long a partner may take to report an event, counted from the first inquiry, in seconds.
///
/// A day: the slowest of those whose plans are public sends again for as long. After that, what has
/// not come will not come by itself.
pub const REPORT_SECONDS_MAX: i64 = 24 * 3_600;

/// The answer to an inquiry. What a field means depends on the finding; the others are `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// What was found out.
    pub finding: Finding,
    /// Why something did not count, or what somebody has to look at.
    pub reason: Option<Reason>,
    /// The points of the occurrence that is paid, on hold, owed or taken back.
    pub points: Option<Points>,
    /// When that was booked, or when the time for the step ended.
    pub at: Option<Timestamp>,
    /// When the hold ends, until when a report may still come, or until when the step can be done.
    pub until: Option<Timestamp>,
    /// Units counted towards the next occurrence, and what it needs.
    pub progress: Option<(u64, u64)>,
    /// The step that has to be done first.
    pub needs: Option<StepId>,
}

impl Answer {
    /// The answer in plain words.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(self.finding, self.reason)
    }

    fn of(finding: Finding) -> Self {
        Self {
            finding,
            reason: None,
            points: None,
            at: None,
            until: None,
            progress: None,
            needs: None,
        }
    }
}

/// What was found out and why, in plain words.
#[must_use]
pub fn sentence(finding: Finding, reason: Option<Reason>) -> String {
    let why = reason.map_or(String::new(), |reason| format!(" {}", reason.sentence()));
    format!("{}{why}", finding.sentence())
}

/// Why a message cannot be kept, if so. Line ends are the only control characters that it may hold.
#[must_use]
pub fn message_problem(message: &str) -> Option<String> {
    if message.chars().count() > MESSAGE_CHARS_MAX {
        return Some(format!("message has more than {MESSAGE_CHARS_MAX} characters"));
    }
    let is_control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r');
    message.contains(is_control).then(|| "message holds control characters".to_owned())
}

/// Answers an inquiry about the step at `place`; `records` are the user's latest, newest first.
#[must_use]
pub fn inquire(
    run: &Enrollment,
    mission: &Mission,
    place: usize,
    records: &[&Record],
    now: Timestamp,
) -> Answer {
    let view = step_view(run, mission, place, now);
    let inquiry = Inquiry { run, mission, place, view, records, now };
    let evidence = inquiry.booked().or_else(|| inquiry.lost()).or_else(|| inquiry.waiting());
    let evidence = evidence.or_else(|| inquiry.reported());
    evidence.or_else(|| inquiry.paid()).unwrap_or_else(|| inquiry.unseen())
}

struct Inquiry<'a> {
    run: &'a Enrollment,
    mission: &'a Mission,
    place: usize,
    view: StepView,
    records: &'a [&'a Record],
    now: Timestamp,
}

impl Inquiry<'_> {
    fn rule(&self) -> &Step {
        &self.mission.steps[self.place]
    }

    fn progress(&self) -> &StepProgress {
        &self.run.steps[self.place]
    }

    /// What is booked or earned, where no more of it can be expected.
    fn booked(&self) -> Option<Answer> {
        let points = Some(self.progress().points);
        if let Some(release_at) = self.view.release_at {
            let until = Some(release_at);
            return Some(Answer { points, until, ..Answer::of(Finding::OnHold) });
        }
        if rules::owed(self.run, self.mission, self.place) > 0 {
            let answer = match self.view.reason {
                Some(Reason::BudgetSpent) => self.needs_support(Some(Reason::BudgetSpent)),
                _ => Answer::of(Finding::WaitingForBudget),
            };
            return Some(Answer { points, ..answer });
        }
        let last = self.progress().paid.last()?;
        if last.state == PaidState::Reversed {
            let at = Some(last.booked_at);
            return Some(Answer { points, at, ..Answer::of(Finding::TakenBack) });
        }
        let is_sated = rules::is_sated(self.run, self.mission, self.place);
        is_sated.then(|| self.paid()).flatten()
    }

    /// The latest reward that is in the wallet.
    fn paid(&self) -> Option<Answer> {
        let mut paid = self.progress().paid.iter().rev();
        let last = paid.find(|one| one.state == PaidState::Rewarded)?;
        let (points, at) = (Some(self.progress().points), Some(last.booked_at));
        Some(Answer { points, at, ..Answer::of(Finding::Paid) })
    }

    /// What can never be done any more, whatever was noticed.
    fn lost(&self) -> Option<Answer> {
        let is_lost = rules::lost(self.run, self.mission).contains(&self.place);
        is_lost.then(|| self.did_not_count(Reason::NoAttempts))
    }

    /// What was noticed and needs something else: more of it, or another step.
    fn waiting(&self) -> Option<Answer> {
        let (done, need) = self.view.progress;
        let is_counting = done > 0 && done < need;
        let waits_for = match self.view.reason {
            Some(Reason::Early) => self.view.needs,
            // The window begins with the step before, which has not begun.
            Some(Reason::OutsideWindow) if self.view.deadline.is_none() => self.step_before(),
            Some(Reason::OutsideWindow) if !is_counting => {
                return Some(self.did_not_count(Reason::OutsideWindow));
            }
            _ => None,
        };
        if !is_counting && waits_for.is_none() {
            None
        } else if self.is_over() {
            Some(self.too_late())
        } else if is_counting {
            let (progress, until) = (Some((done, need)), self.view.deadline);
            Some(Answer { progress, until, ..Answer::of(Finding::Counting) })
        } else {
            Some(self.waits_for(waits_for))
        }
    }

    /// What the newest report says that came after the latest reward.
    fn reported(&self) -> Option<Answer> {
        let is_new = |at| self.view.rewarded_at.is_none_or(|rewarded_at| at > rewarded_at);
        let newer = self.records.iter().filter(|record| is_new(record.at));
        let (verdict, reason) = newer.filter_map(|record| self.report(record)).next()?;
        Some(match (verdict, reason) {
            (_, Reason::Late) => self.too_late(),
            (
                _,
                Reason::EventConflict
                | Reason::OtherAdvertiser
                | Reason::TooMany
                | Reason::AmountMissing
                | Reason::CurrencyMismatch,
            ) => self.needs_support(Some(reason)),
            (Verdict::Rejected | Verdict::Ignored, _) => self.did_not_count(reason),
            _ if self.is_over() => self.too_late(),
            (_, Reason::VisitStarted | Reason::TooSoon) => self.did_not_count(reason),
            // It was taken for another step, or what it left behind is gone.
            _ => self.needs_support(None),
        })
    }

    /// What a record says of the step. A copy says nothing: the first answer stands. Nor does a
    /// reversal that took nothing back, or a try at a step that was locked or is not the user's.
    fn report(&self, record: &Record) -> Option<(Verdict, Reason)> {
        let (verdict, reason) = match &record.cause {
            Cause::Event(trace) => {
                let is_told = !trace.reversal || trace.reason == Reason::Reversed;
                let is_own = trace.enrollment == Some(self.run.id);
                (is_own && is_told && self.asks_for(&trace.event))
                    .then_some((trace.verdict, trace.reason))?
            }
            Cause::Completion { enrollment, step, verdict, reason } => {
                let is_own = *enrollment == self.run.id && *step == self.rule().id;
                is_own.then_some((*verdict, *reason))?
            }
            Cause::Participation { .. }
            | Cause::Refused { .. }
            | Cause::Inquiry { .. }
            | Cause::Sweep
            | Cause::LimitsSet { .. } => return None,
        };
        let is_told = verdict != Verdict::Duplicate
            && !matches!(reason, Reason::Locked | Reason::NotOurs | Reason::NothingToReverse);
        is_told.then_some((verdict, reason))
    }

    fn asks_for(&self, event: &str) -> bool {
        matches!(&self.rule().rule, Rule::Event { name, .. } if **name == *event)
    }

    /// The answer where nothing at all speaks of the step.
    fn unseen(&self) -> Answer {
        let is_reported = matches!(self.rule().rule, Rule::Event { .. });
        if self.is_over() {
            let may_be_lost = is_reported && !self.is_tracked();
            return if may_be_lost { self.needs_support(None) } else { self.too_late() };
        }
        if self.view.needs.is_some() {
            return self.waits_for(self.view.needs);
        }
        if !is_reported {
            return Answer { until: self.view.deadline, ..Answer::of(Finding::NotDone) };
        }
        let until = self.asked_at().plus_seconds(REPORT_SECONDS_MAX).min(self.run.late_until);
        if until <= self.now {
            return self.needs_support(None);
        }
        Answer { until: Some(until), ..Answer::of(Finding::NotSeenYet) }
    }

    /// Whether the partner has reported anything of the run: then its reports do come through.
    fn is_tracked(&self) -> bool {
        let mut steps = self.run.steps.iter().zip(&self.mission.steps);
        steps.any(|(progress, step)| {
            matches!(step.rule, Rule::Event { .. }) && progress.latest_at.is_some()
        })
    }

    /// When the user first asked for what has not been seen.
    fn asked_at(&self) -> Timestamp {
        let is_same = |cause: &Cause| match cause {
            Cause::Inquiry { enrollment, step, finding: Finding::NotSeenYet, .. } => {
                *enrollment == self.run.id && *step == self.rule().id
            }
            _ => false,
        };
        let mut oldest_first = self.records.iter().rev();
        oldest_first.find(|record| is_same(&record.cause)).map_or(self.now, |record| record.at)
    }

    /// Whether nothing more can count, the grace for late reports included.
    fn is_over(&self) -> bool {
        let grace_ms = self.run.late_until.since(self.run.deadline);
        let deadline = self.view.deadline.unwrap_or(self.run.deadline);
        let is_ended = !matches!(self.run.phase, Phase::Open | Phase::Completed);
        is_ended || self.now.0 > deadline.0.saturating_add(grace_ms)
    }

    fn too_late(&self) -> Answer {
        if self.run.phase == Phase::Voided {
            return self.did_not_count(Reason::Voided);
        }
        let at = Some(self.view.deadline.unwrap_or(self.run.deadline));
        Answer { at, ..Answer::of(Finding::TooLate) }
    }

    fn waits_for(&self, needs: Option<StepId>) -> Answer {
        let until = Some(self.view.deadline.unwrap_or(self.run.deadline));
        Answer { needs, until, ..Answer::of(Finding::WaitingForStep) }
    }

    fn did_not_count(&self, reason: Reason) -> Answer {
        Answer { reason: Some(reason), ..Answer::of(Finding::DidNotCount) }
    }

    fn needs_support(&self, reason: Option<Reason>) -> Answer {
        Answer { reason, ..Answer::of(Finding::NeedsSupport) }
    }

    fn step_before(&self) -> Option<StepId> {
        self.mission.steps[..self.place].last().map(|step| step.id)
    }
}
