//! The state of one user: one value, read with one keyed read and replaced by one conditional write.

use crate::ids::{
    AdGroupId, AppId, EnrollmentId, EventKey, LineItemId, MissionId, Mode, SegmentId, StepId,
    UnitId, UserKey,
};
use crate::money::{CurrencyCode, Micros, Points, Split};
use crate::targeting::Profile;
use crate::time::{Day, Timestamp};
use crate::verdict::{Reason, Verdict};

/// Most enrollments that one user may have.
///
/// At about 150 bytes each the value stays well below the 400 KB that the narrowest store allows.
pub const ENROLLMENTS_MAX: usize = 1_000;
/// Most events that one enrollment remembers; further ones are refused, not forgotten.
pub const EVENTS_MAX: usize = 1_000;
/// Most events beyond a limit that one enrollment remembers, in case one before them is taken back.
///
/// An app that reports every start sends many; a few are enough to fill the place of a reversal.
pub const SPARES_MAX: usize = 16;
/// Most events that wait in one enrollment.
pub const PARKED_MAX: usize = 64;

/// Everything that is known of one user of one app.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserState {
    /// The app whose points he gets.
    pub app: AppId,
    /// Whether the money is real.
    pub mode: Mode,
    /// The publisher's own id of him; empty if he was never seen.
    pub user_id: String,
    /// What the publisher says of him.
    pub profile: Profile,
    /// Audiences he is in, sorted.
    pub segments: Vec<SegmentId>,
    /// Whether new participations are refused.
    pub blocked: bool,
    /// The moment from which his sessions count; `None` if all do. A session keeps the moment that was
    /// in force when it was opened, and has ended once there is a later one.
    pub sessions_since: Option<Timestamp>,
    /// Points in his wallet.
    pub balance: Points,
    /// Points on hold.
    pub pending: Points,
    /// His runs, oldest first.
    pub enrollments: Vec<Enrollment>,
}

impl UserState {
    /// His key.
    #[must_use]
    pub fn key(&self) -> UserKey {
        UserKey::derive(self.app, self.mode, &self.user_id)
    }

    /// His run of that mission.
    #[must_use]
    pub fn run_of(&self, mission: MissionId) -> Option<&Enrollment> {
        self.enrollments.iter().find(|run| run.mission == mission)
    }

    /// His run of that id.
    #[must_use]
    pub fn run(&self, id: EnrollmentId) -> Option<&Enrollment> {
        self.enrollments.iter().find(|run| run.id == id)
    }

    /// Whether a session counts that was opened when his sessions counted from `since`.
    ///
    /// Whoever knows of an older state of him than the session does must not refuse it, so a later
    /// moment counts as well.
    #[must_use]
    pub fn has_session(&self, since: Option<Timestamp>) -> bool {
        since >= self.sessions_since
    }

    /// The moment from which his sessions count once those that are open are ended at `now`.
    ///
    /// It is later than the one before, whatever the clocks of the nodes say: two sessions are told
    /// apart even if one ends and the other opens within a millisecond.
    #[must_use]
    pub fn sessions_end(&self, now: Timestamp) -> Timestamp {
        let last = self.sessions_since.map_or(now, |last| Timestamp(last.0.saturating_add(1)));
        last.max(now)
    }

    /// When time alone will next change something: a hold ends, a pending reward is released, or
    /// something that is owed is tried again.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        self.enrollments.iter().filter_map(Enrollment::due_at).min()
    }
}

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Phase {
    /// Steps can be done.
    #[default]
    Open,
    /// Every required step is done; extra steps can still be done until the deadline.
    Completed,
    /// The deadline passed first.
    Expired,
    /// Nothing can be done any more: every step is paid or lost, or the deadline of a completed run
    /// passed.
    Closed,
    /// Taken out of play.
    Voided,
}

/// One user's run of one mission, with the terms locked at participation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrollment {
    /// Its id.
    pub id: EnrollmentId,
    /// The mission.
    pub mission: MissionId,
    /// The version whose steps and rules are locked.
    pub version: u32,
    /// Who pays.
    pub line_item: LineItemId,
    /// Through which ad group.
    pub ad_group: AdGroupId,
    /// In which placement.
    pub unit: UnitId,
    /// When it began.
    pub started_at: Timestamp,
    /// Until when steps can be done.
    pub deadline: Timestamp,
    /// Until when events about them are accepted; then the rest of the hold is released.
    pub late_until: Timestamp,
    /// The budget day that everything is charged to.
    pub day: Day,
    /// Currency of the payouts.
    pub currency: CurrencyCode,
    /// Where it stands.
    pub phase: Phase,
    /// What is still held of the budget.
    pub held: Micros,
    /// Its steps, in the mission's order.
    pub steps: Vec<StepProgress>,
    /// The events it has seen, in order of arrival.
    pub seen: Vec<Seen>,
    /// Events that wait.
    pub parked: Vec<Parked>,
    /// When what is owed is paid, or what is not earned any more is taken back, in a change of its
    /// own; `None` if there is nothing. At the latest right after [`Self::late_until`].
    pub retry_at: Option<Timestamp>,
    /// Whether the run ended before there was budget for what was owed; it is not paid any more.
    pub forfeited: bool,
}

impl Enrollment {
    /// Whether time alone still changes something, and when.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let release =
            self.steps.iter().flat_map(|step| &step.paid).filter_map(|one| match one.state {
                PaidState::Pending { release_at } => Some(release_at),
                PaidState::Rewarded | PaidState::Reversed => None,
            });
        let is_live = matches!(self.phase, Phase::Open | Phase::Completed);
        let end = is_live.then(|| self.ends_at());
        release.chain(end).chain(self.retry_at).min()
    }

    /// The first moment at which no event is accepted any more.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        Timestamp(self.late_until.0.saturating_add(1))
    }

    /// The progress of that step.
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&StepProgress> {
        self.steps.iter().find(|step| step.step == id)
    }

    /// Points of this run that have reached the wallet and were not taken back. Those on hold have
    /// not.
    #[must_use]
    pub fn earned(&self) -> Points {
        Points(self.steps.iter().map(|step| step.points.0 * i64::from(step.rewarded())).sum())
    }

    /// Whether nothing has counted yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.steps.iter().all(|step| step.paid.is_empty() && step.reached == 0)
    }
}

/// The progress of one step, with its locked price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepProgress {
    /// Which step.
    pub step: StepId,
    /// The price of one occurrence, as locked.
    pub split: Split,
    /// The points of one occurrence, as locked.
    pub points: Points,
    /// Units counted and not taken back; see [`crate::catalog::Rule::need`].
    pub progress: u64,
    /// Units ever counted. What a reversal takes back stays in here, so a step that is done stays
    /// done for the steps after it (S2).
    pub reached: u64,
    /// The latest moment of any of its events; the next step's window starts here.
    pub latest_at: Option<Timestamp>,
    /// Its occurrences, in the order in which they were booked.
    pub paid: Vec<Paid>,
    /// When the user's current visit began.
    pub visit_at: Option<Timestamp>,
    /// Wrong answers so far.
    pub misses: u8,
}

impl StepProgress {
    /// Occurrences that have not been taken back.
    #[must_use]
    pub fn live(&self) -> u32 {
        self.paid.iter().filter(|one| one.state != PaidState::Reversed).count() as u32
    }

    /// Occurrences whose reward is in the wallet.
    #[must_use]
    pub fn rewarded(&self) -> u32 {
        self.paid.iter().filter(|one| one.state == PaidState::Rewarded).count() as u32
    }
}

/// One booked occurrence of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paid {
    /// When it was booked.
    pub booked_at: Timestamp,
    /// When the event happened.
    pub occurred_at: Timestamp,
    /// Where it stands.
    pub state: PaidState,
}

/// Where a booked occurrence stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PaidState {
    /// On hold.
    Pending {
        /// When the hold ends.
        release_at: Timestamp,
    },
    /// In the wallet.
    Rewarded,
    /// Taken back.
    Reversed,
}

/// An event that was decided, so that the same event gets the same answer for ever (I2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Its key.
    pub key: EventKey,
    /// Hash of its content; another content under the key is a conflict.
    pub content: u64,
    /// What became of it. A reversal that came before its event is [`Reason::ReversalWaits`].
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The steps and occurrences that were booked when it was counted.
    pub earned: Vec<(StepId, u32)>,
    /// Where it was counted, also beyond a limit: it takes the place of an event that is taken back.
    pub counted: Vec<Counted>,
    /// Whether it was taken back, perhaps before it came.
    pub reversed: bool,
}

/// What an event counts for at one step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counted {
    /// Which step.
    pub step: StepId,
    /// On which day of the line item.
    pub day: Day,
    /// Units of progress.
    pub units: u64,
}

/// An event that waits for a step to open, for its window to grow, or for budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parked {
    /// The step it belongs to.
    pub step: StepId,
    /// The event's key.
    pub key: EventKey,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Units it counts for.
    pub units: u64,
    /// Why it waits.
    pub reason: Reason,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_tells_the_sessions_before_it_from_those_after_it() {
        let mut user = UserState::default();
        let (mut ended, mut open) = (Vec::new(), None);
        // Within a millisecond, later, and by a clock that is behind.
        for now in [5, 5, 5, 9, 2, 2].map(Timestamp) {
            assert!(user.has_session(open));
            ended.push(open);
            user.sessions_since = Some(user.sessions_end(now));
            assert!(ended.iter().all(|since| !user.has_session(*since)), "{ended:?}");
            open = user.sessions_since;
        }
        assert_eq!(open, Some(Timestamp(11)));
        // Whoever has not seen the end yet does not refuse who has come after it.
        assert!(UserState::default().has_session(open));
    }
}
