//! A change drawn up step by step.

mod spend;

use domain::budget::BudgetMove;
use domain::change::{Change, Loaded};
use domain::ids::{
    Act, AdGroupId, DeliveryId, EnrollmentId, MissionId, PublisherId, StepId, UnitId, UserKey,
};
use domain::journal::{Cause, Message, MessageKind, Record};
use domain::ledger::{Posting, Transaction};
use domain::money::{CurrencyCode, Micros, Points};
use domain::time::{DAY_MS, Timestamp};
use domain::user::{Enrollment, Paid, PaidState, Phase, StepProgress, UserState};

pub use spend::Terms;

/// What the advertiser owes for each reward of the tests.
pub const PAYOUT: Micros = Micros(1_000_000);
/// What the user gets for it.
pub const POINTS: Points = Points(600);
/// The one step of the missions of the tests.
const STEP: StepId = StepId(1);
/// How long a run of the tests lasts.
const WINDOW_MS: i64 = 7 * DAY_MS;

/// A change in the making. The mission's number names the run; each has one repeatable step.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    loaded: &'a Loaded,
    state: UserState,
    record: Record,
    terms: Terms,
}

impl<'a> Draft<'a> {
    /// A change of the user at that moment that does nothing yet.
    #[must_use]
    pub fn of(loaded: &'a Loaded, at: Timestamp) -> Self {
        let state = loaded.state.clone();
        let record = Record {
            at,
            user: Some(state.key()),
            app: Some(state.app),
            mode: state.mode,
            cause: Cause::Sweep,
            transactions: Vec::new(),
            moves: Vec::new(),
            messages: Vec::new(),
        };
        Self { loaded, state, record, terms: Terms::default() }
    }

    /// Says why it is made; by default because time has passed.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.record.cause = cause;
        self
    }

    /// Moves a budget, and nothing else.
    #[must_use]
    pub fn moving(mut self, by: BudgetMove) -> Self {
        self.record.moves.push(by);
        self
    }

    /// Starts a mission with so much held, which is not moved in the budget.
    #[must_use]
    pub fn start(mut self, mission: u32, held: i64) -> Self {
        let run = self.new_run(MissionId(mission), Micros(held));
        self.record.cause = Cause::Participation {
            enrollment: run.id,
            mission: run.mission,
            version: run.version,
            line_item: run.line_item,
            ad_group: run.ad_group,
            unit: run.unit,
        };
        self.state.enrollments.push(run);
        self
    }

    /// Grants the next occurrence into the wallet and tells it; starts the mission if need be.
    #[must_use]
    pub fn grant(mut self, mission: u32) -> Self {
        let at = self.record.at;
        let place = self.place(mission);
        let posting = self.posting(place, self.occurrences(place));
        let state = PaidState::Rewarded;
        let paid = Paid { booked_at: at, occurred_at: at, state };
        self.state.enrollments[place].steps[0].paid.push(paid);
        self.tell(&posting, MessageKind::Granted);
        self.post(posting.grant(false));
        self
    }

    /// Takes the latest occurrence back out of the wallet and tells it.
    #[must_use]
    pub fn reverse(mut self, mission: u32) -> Self {
        let place = self.place(mission);
        let latest = self.occurrences(place).saturating_sub(1);
        let posting = self.posting(place, latest);
        if let Some(paid) = self.state.enrollments[place].steps[0].paid.last_mut() {
            paid.state = PaidState::Reversed;
        }
        self.tell(&posting, MessageKind::Reversed);
        self.post(posting.reversal(false));
        self
    }

    /// The change.
    #[must_use]
    pub fn change(self) -> Change {
        Change::new(self.loaded, self.state, Some(self.record))
    }

    /// The message of the first reward of the user's run of that mission.
    #[must_use]
    pub fn grant_message(user: &UserKey, mission: u32) -> DeliveryId {
        message_of(user, mission, Act::Grant)
    }

    /// The message of its reversal.
    #[must_use]
    pub fn reversal_message(user: &UserKey, mission: u32) -> DeliveryId {
        message_of(user, mission, Act::Reversal)
    }

    fn occurrences(&self, place: usize) -> u32 {
        self.state.enrollments[place].steps[0].paid.len() as u32
    }

    fn post(&mut self, transaction: Transaction) {
        self.state.balance.0 += transaction.wallet_change().0;
        self.record.transactions.push(transaction);
    }

    fn place(&mut self, mission: u32) -> usize {
        let mission = MissionId(mission);
        let found = self.state.enrollments.iter().position(|run| run.mission == mission);
        found.unwrap_or_else(|| {
            let run = self.new_run(mission, Micros(0));
            self.state.enrollments.push(run);
            self.state.enrollments.len() - 1
        })
    }

    fn new_run(&self, mission: MissionId, held: Micros) -> Enrollment {
        let at = self.record.at;
        let step = StepProgress {
            step: STEP,
            split: self.terms.split(),
            points: POINTS,
            progress: 0,
            latest_at: None,
            reached: 0,
            paid: Vec::new(),
            visit_at: None,
            misses: 0,
        };
        Enrollment {
            id: EnrollmentId::derive(&self.state.key(), mission),
            mission,
            version: 1,
            line_item: self.terms.line_item,
            ad_group: AdGroupId(1),
            unit: UnitId(1),
            started_at: at,
            deadline: Timestamp(at.0 + WINDOW_MS),
            late_until: Timestamp(at.0 + WINDOW_MS + DAY_MS),
            day: self.terms.day,
            currency: CurrencyCode::USD,
            phase: Phase::Open,
            held,
            steps: vec![step],
            seen: Vec::new(),
            parked: Vec::new(),
            retry_at: None,
            forfeited: false,
        }
    }

    fn posting(&self, place: usize, occurrence: u32) -> Posting {
        let run = &self.state.enrollments[place];
        Posting {
            user: self.state.key(),
            enrollment: run.id,
            step: STEP,
            occurrence,
            line_item: run.line_item,
            app: self.state.app,
            publisher: PublisherId(1),
            currency: run.currency,
            split: run.steps[0].split,
            points: run.steps[0].points,
        }
    }

    /// Both messages of a reward name the grant, by which the publisher knows it.
    fn tell(&mut self, posting: &Posting, kind: MessageKind) {
        let user = self.state.key();
        let granted = DeliveryId::derive(&user, posting.id(Act::Grant));
        let reversed = DeliveryId::derive(&user, posting.id(Act::Reversal));
        let (id, after) = match kind {
            MessageKind::Granted => (granted, None),
            MessageKind::Reversed => (reversed, Some(granted)),
        };
        let mission = self.state.enrollments.iter().find(|run| run.id == posting.enrollment);
        let mission = mission.map_or_else(MissionId::default, |run| run.mission);
        self.record.messages.push(Message {
            id,
            kind,
            transaction: posting.id(Act::Grant),
            after,
            app: self.state.app,
            app_name: "Coinpick".to_owned(),
            points_name: "P".to_owned(),
            unit: UnitId(1),
            user_id: self.state.user_id.clone(),
            amount: posting.points,
            payout: posting.split.payout,
            payout_currency: posting.currency,
            line_item: posting.line_item,
            mission,
            mission_title: "Reach level 10 🎮".to_owned(),
            step: posting.step,
            step_title: "레벨 10 달성".to_owned(),
            enrollment: posting.enrollment,
            occurred_at: self.record.at,
            booked_at: self.record.at,
            custom: Some("a=1&b=ü".to_owned()),
        });
    }
}

fn message_of(user: &UserKey, mission: u32, act: Act) -> DeliveryId {
    use domain::ids::TransactionId;
    let run = EnrollmentId::derive(user, MissionId(mission));
    DeliveryId::derive(user, TransactionId::derive(user, run, STEP, 0, act))
}
