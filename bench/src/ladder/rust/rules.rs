//! What a run looks like to its user: the rules of the Django application's `rules.py`.

use serde::Deserialize;

use super::answer::Shown;
use super::rows::Step;

/// One user's run of one mission. What he has done is in the order in which it was booked.
#[derive(Deserialize)]
pub(super) struct Run {
    pub(super) mission: i64,
    pub(super) code: String,
    pub(super) status: RunStatus,
    pub(super) deadline_ms: i64,
    pub(super) done: Vec<Done>,
}

/// How far it is.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum RunStatus {
    Open,
    Completed,
    Expired,
    Closed,
    Voided,
}

/// One occurrence of a step.
#[derive(Deserialize)]
pub(super) struct Done {
    pub(super) step: u32,
    pub(super) status: DoneStatus,
    pub(super) points: i64,
    pub(super) booked_ms: i64,
}

/// What became of its reward.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum DoneStatus {
    Pending,
    Rewarded,
    Reversed,
}

impl Run {
    /// What was done of a step.
    pub(super) fn done_of(&self, step: &Step) -> impl Iterator<Item = &Done> {
        let number = step.number;
        self.done.iter().filter(move |one| one.step == number)
    }

    /// Whether a step has been done as often as it can be, taken back or not.
    pub(super) fn is_full(&self, step: &Step) -> bool {
        self.done_of(step).count() >= step.repeat_limit as usize
    }

    /// Whether the run is still shown: it is open, or completed with extra steps left.
    pub(super) fn can_earn(&self, steps: &[Step], now: i64) -> bool {
        now <= self.deadline_ms
            && match self.status {
                RunStatus::Open => true,
                RunStatus::Completed => steps.iter().any(|step| !self.is_full(step)),
                RunStatus::Expired | RunStatus::Closed | RunStatus::Voided => false,
            }
    }

    /// The state of a run that can still earn.
    pub(super) fn state(&self) -> &'static str {
        match (self.status, self.done.is_empty()) {
            (RunStatus::Completed, _) => "completed",
            (_, false) => "in_progress",
            (_, true) => "started",
        }
    }

    /// The state of a step of a run that can still earn.
    pub(super) fn state_of(&self, step: &Step, is_locked: bool) -> &'static str {
        let has = |status| self.done_of(step).any(|one| one.status == status);
        if has(DoneStatus::Pending) {
            "pending"
        } else if self.is_full(step) {
            if has(DoneStatus::Rewarded) { "rewarded" } else { "reversed" }
        } else if is_locked {
            "locked"
        } else {
            "available"
        }
    }

    /// Points that it can still pay.
    pub(super) fn remaining(&self, steps: &[Step]) -> i64 {
        let left = |step: &Step| {
            i64::from(step.repeat_limit).saturating_sub(self.done_of(step).count() as i64).max(0)
        };
        steps.iter().map(|step| step.points * left(step)).sum()
    }
}

/// Whether a step waits for another: the order binds required steps only.
pub(super) fn is_locked(shown: &Shown, place: usize, is_full: impl Fn(&Step) -> bool) -> bool {
    let step = &shown.steps[place];
    shown.mission.is_ordered
        && step.is_required
        && shown.steps[..place].iter().any(|earlier| earlier.is_required && !is_full(earlier))
}

/// Points in the wallet: those that are neither pending nor taken back.
pub(super) fn earned<'a>(runs: impl IntoIterator<Item = &'a Run>) -> i64 {
    let done = runs.into_iter().flat_map(|run| &run.done);
    done.filter(|one| one.status == DoneStatus::Rewarded).map(|one| one.points).sum()
}

/// The language and its primary part (`pt` for `pt-br`), in the order of preference.
pub(super) fn language_choices(language: &str) -> impl Iterator<Item = &str> {
    let primary = language.split('-').next().filter(|primary| *primary != language);
    std::iter::once(language).chain(primary)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u32, repeat_limit: u32) -> Step {
        Step {
            id: i64::from(number),
            mission_id: 1,
            number,
            position: number as u16,
            kind: "event".to_owned(),
            is_required: true,
            is_bonus: false,
            repeat_limit,
            points: 100,
        }
    }

    fn run(status: RunStatus, done: &[(u32, DoneStatus)]) -> Run {
        let done = done.iter();
        let done = done.map(|&(step, status)| Done { step, status, points: 100, booked_ms: 1 });
        Run { mission: 1, code: "c".to_owned(), status, deadline_ms: 10, done: done.collect() }
    }

    #[test]
    fn a_run_earns_until_its_deadline_and_its_last_step() {
        let steps = [step(1, 1), step(2, 2)];
        let open = run(RunStatus::Open, &[(1, DoneStatus::Rewarded), (2, DoneStatus::Pending)]);
        assert!(open.can_earn(&steps, 10) && !open.can_earn(&steps, 11));
        assert_eq!(
            (open.state(), open.remaining(&steps), earned([&open])),
            ("in_progress", 100, 100)
        );
        assert_eq!(open.state_of(&steps[0], false), "rewarded");
        assert_eq!(open.state_of(&steps[1], false), "pending");
        let full =
            [(1, DoneStatus::Reversed), (2, DoneStatus::Rewarded), (2, DoneStatus::Rewarded)];
        let completed = run(RunStatus::Completed, &full);
        assert!(!completed.can_earn(&steps, 1) && completed.can_earn(&[step(3, 1)], 1));
        assert_eq!(completed.state_of(&steps[0], false), "reversed");
        assert!(!run(RunStatus::Voided, &[]).can_earn(&steps, 1));
    }

    #[test]
    fn a_language_leads_to_its_primary_part() {
        assert_eq!(language_choices("pt-br").collect::<Vec<_>>(), ["pt-br", "pt"]);
        assert_eq!(language_choices("en").collect::<Vec<_>>(), ["en"]);
    }
}
