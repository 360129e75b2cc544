//! Steps of a change that move the budget as the product moves it, so that the books verify.

use domain::budget::{BudgetMove, Guard};
use domain::ids::{LineItemId, MissionId};
use domain::money::{Micros, Split};
use domain::time::Day;
use domain::user::Phase;

use super::super::{LINE_ITEM, TODAY};
use super::{Draft, PAYOUT};

/// Who pays how much for each reward of a run, and the day to which that is charged.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Who pays.
    pub line_item: LineItemId,
    /// Day of the participation.
    pub day: Day,
    /// For each reward.
    pub payout: Micros,
}

/// [`PAYOUT`] out of [`LINE_ITEM`] on [`TODAY`].
impl Default for Terms {
    fn default() -> Self {
        Self { line_item: LINE_ITEM, day: TODAY, payout: PAYOUT }
    }
}

impl Terms {
    /// Six tenths for the user, three for the publisher, and the rest.
    pub(super) fn split(&self) -> Split {
        let payout = self.payout;
        let (user, publisher) = (payout.0 * 6 / 10, payout.0 * 3 / 10);
        let margin = Micros(payout.0 - user - publisher);
        Split { payout, user: Micros(user), publisher: Micros(publisher), margin }
    }
}

impl Draft<'_> {
    /// Locks these terms in what is started after this.
    #[must_use]
    pub fn on(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }

    /// Starts a mission and holds so much for it, within the paced part of the day if there is one.
    #[must_use]
    pub fn join(self, mission: u32, held: i64, paced: Option<Micros>) -> Self {
        let by = BudgetMove {
            starts: 1,
            guard: Guard::Start { paced },
            ..free_move(self.terms.line_item, self.terms.day, held, 0)
        };
        self.start(mission, held).moving(by)
    }

    /// Grants the next occurrence out of what is held, and asks the budget for what is missing.
    #[must_use]
    pub fn pay(mut self, mission: u32) -> Self {
        let place = self.place(mission);
        let run = &mut self.state.enrollments[place];
        let payout = run.steps[0].split.payout.0;
        let from_hold = run.held.0.min(payout);
        run.held.0 -= from_hold;
        let guard = if from_hold < payout { Guard::Extra } else { Guard::Free };
        let by = BudgetMove { guard, ..free_move(run.line_item, run.day, -from_hold, payout) };
        self.grant(mission).moving(by)
    }

    /// Takes the latest occurrence back. While the run is open its budget is held again.
    #[must_use]
    pub fn take_back(mut self, mission: u32) -> Self {
        let place = self.place(mission);
        let run = &mut self.state.enrollments[place];
        let payout = run.steps[0].split.payout.0;
        let again = if run.phase == Phase::Open { payout } else { 0 };
        run.held.0 += again;
        let by = free_move(run.line_item, run.day, again, -payout);
        self.reverse(mission).moving(by)
    }

    /// Ends the run and releases what it holds.
    #[must_use]
    pub fn expire(mut self, mission: u32) -> Self {
        let mission = MissionId(mission);
        let run = self.state.enrollments.iter_mut().find(|run| run.mission == mission);
        let Some(run) = run else { return self };
        let by = free_move(run.line_item, run.day, -run.held.0, 0);
        (run.phase, run.held) = (Phase::Expired, Micros(0));
        self.moving(by)
    }
}

fn free_move(line_item: LineItemId, day: Day, held: i64, booked: i64) -> BudgetMove {
    let (held, booked) = (Micros(held), Micros(booked));
    BudgetMove { line_item, day, held, booked, starts: 0, guard: Guard::Free }
}
