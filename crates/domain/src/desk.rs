//! The desk at which a change is drawn up: it books, captures and takes back on a copy of the state,
//! and collects what has to be committed with it.

use crate::budget::{BudgetMove, Guard, Level};
use crate::catalog::{App, Creative, Mission, Step, text_for};
use crate::change::{Change, Loaded, MESSAGES_MAX};
use crate::ids::{Act, DeliveryId, Mode, PublisherId, TransactionId, UserKey};
use crate::journal::{Cause, Message, MessageKind, Record};
use crate::ledger::{Posting, Transaction};
use crate::money::Micros;
use crate::snapshot::Snapshot;
use crate::time::{HOUR_MS, Timestamp};
use crate::user::{Enrollment, Paid, PaidState, Phase, UserState};

/// Whether bookings may go beyond what was held for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Funds {
    /// They may ask the budget and its grace for more; the commit decides.
    HeldAndMore,
    /// They may ask for what this budget leaves: the commit has just said that it is not more.
    HeldAndLeft(Level),
    /// They may not: the commit has said no twice.
    HeldOnly,
}

impl Funds {
    /// What to decide with after the commit has refused a change because of this budget. The second
    /// refusal ends it, so that a race for a budget does not go on for ever.
    #[must_use]
    pub fn after_refusal(self, level: &Level) -> Self {
        match self {
            Self::HeldAndMore => Self::HeldAndLeft(*level),
            Self::HeldAndLeft(_) | Self::HeldOnly => Self::HeldOnly,
        }
    }
}

/// A change in the making.
pub(crate) struct Desk<'a> {
    loaded: &'a Loaded,
    pub(crate) state: UserState,
    pub(crate) now: Timestamp,
    user: UserKey,
    app: Option<&'a App>,
    funds: Funds,
    transactions: Vec<Transaction>,
    pub(crate) moves: Vec<BudgetMove>,
    pub(crate) messages: Vec<Message>,
    touched: bool,
}

impl<'a> Desk<'a> {
    /// Opens the desk on a copy of the state.
    ///
    /// A deleted app still has its publisher; one that never was has publisher 0, so that money never
    /// disappears.
    pub(crate) fn open(
        loaded: &'a Loaded,
        snapshot: &'a Snapshot,
        funds: Funds,
        now: Timestamp,
    ) -> Self {
        let state = loaded.state.clone();
        Self {
            loaded,
            user: state.key(),
            app: snapshot.catalog().any_app(state.app),
            state,
            now,
            funds,
            transactions: Vec::new(),
            moves: Vec::new(),
            messages: Vec::new(),
            touched: false,
        }
    }

    /// The run at `place`, to be read.
    pub(crate) fn run(&self, place: usize) -> &Enrollment {
        &self.state.enrollments[place]
    }

    /// The run at `place`, to be changed.
    pub(crate) fn run_mut(&mut self, place: usize) -> &mut Enrollment {
        self.touched = true;
        &mut self.state.enrollments[place]
    }

    /// Whether one more booking fits into the change. Each may need a message, and those that need
    /// none are counted too, because the record grows with them. A reversal that is told counts twice:
    /// the narrowest store leads from its grant to it by a row of its own.
    pub(crate) fn has_room(&self) -> bool {
        let is_reversal = |message: &&Message| message.kind == MessageKind::Reversed;
        let reversals = self.messages.iter().filter(is_reversal).count();
        self.transactions.len() + reversals < MESSAGES_MAX
    }

    /// Closes the desk on a change that nobody needs to know of; `None` if nothing differs.
    pub(crate) fn close_silently(self) -> Option<Change> {
        self.touched.then(|| Change::new(self.loaded, self.state, None))
    }

    /// Closes the desk; `None` if nothing differs.
    pub(crate) fn close(self, cause: Cause) -> Option<Change> {
        if !self.touched {
            return None;
        }
        let record = Record {
            at: self.now,
            user: Some(self.user),
            app: Some(self.state.app),
            mode: self.state.mode,
            cause,
            transactions: self.transactions,
            moves: self.moves,
            messages: self.messages,
        };
        Some(Change::new(self.loaded, self.state, Some(record)))
    }

    /// Adds to the move of the run's line item and day. Test users move no budget (X6).
    pub(crate) fn move_budget(&mut self, by: BudgetMove) {
        if self.state.mode == Mode::Test {
            return;
        }
        match self.moves.iter_mut().find(|one| is_same_budget(one, &by)) {
            Some(sum) => *sum = added(sum, &by),
            None => self.moves.push(by),
        }
    }

    /// Whether a booking that goes beyond what is held may be tried, with what this change asks for
    /// already. Where the level tells nothing of the day's limit one such booking may be.
    fn may_ask(&self, by: &BudgetMove) -> bool {
        let level = match &self.funds {
            Funds::HeldAndMore => return true,
            Funds::HeldOnly => return false,
            Funds::HeldAndLeft(level) => level,
        };
        let so_far = self.moves.iter().find(|one| is_same_budget(one, by));
        let is_known = level.line_item == by.line_item
            && (level.limits.daily.is_none() || level.day == by.day);
        if !is_known {
            return so_far.is_none_or(|so_far| so_far.guard == Guard::Free);
        }
        let sum = so_far.map_or(*by, |so_far| added(so_far, by));
        level.limits.check(&level.total, &level.on(by.day), &sum).is_ok()
    }

    /// Books the next occurrence of a step. `false` if the change is full, or if it needs more than
    /// is held and may not ask.
    pub(crate) fn grant(&mut self, at: Place<'_>, occurred_at: Timestamp) -> bool {
        let posting = self.posting(at);
        let payout = posting.split.payout;
        let from_hold = Micros(self.run(at.run).held.0.min(payout.0));
        let is_test = self.state.mode == Mode::Test;
        let beyond = payout.0 > from_hold.0 && !is_test;
        let by = BudgetMove {
            line_item: self.run(at.run).line_item,
            day: self.run(at.run).day,
            held: Micros(-from_hold.0),
            booked: payout,
            starts: 0,
            guard: if beyond { Guard::Extra } else { Guard::Free },
        };
        if !self.has_room() || (beyond && !self.may_ask(&by)) {
            return false;
        }
        let hold_ms = i64::from(at.rule().hold_hours) * HOUR_MS;
        let is_pending = hold_ms > 0;
        let release_at = Timestamp(self.now.0 + hold_ms);
        let state =
            if is_pending { PaidState::Pending { release_at } } else { PaidState::Rewarded };
        let paid = Paid { booked_at: self.now, occurred_at, state };
        let run = self.run_mut(at.run);
        run.held.0 -= from_hold.0;
        run.steps[at.step].paid.push(paid);
        if payout.0 == 0 && posting.points.0 == 0 {
            return true;
        }
        self.move_budget(by);
        self.post(posting.grant(is_pending));
        if !is_pending {
            self.tell(at, &posting, MessageKind::Granted, paid);
        }
        true
    }

    /// Moves a pending occurrence into the wallet and tells it.
    pub(crate) fn capture(&mut self, at: Place<'_>, occurrence: usize) {
        let posting = Posting { occurrence: occurrence as u32, ..self.posting(at) };
        let one = &mut self.run_mut(at.run).steps[at.step].paid[occurrence];
        one.state = PaidState::Rewarded;
        let paid = *one;
        if posting.points.0 != 0 {
            self.post(posting.capture());
            self.tell(at, &posting, MessageKind::Granted, paid);
        }
    }

    /// Takes an occurrence back, from pending or from the wallet; nothing if it was already. While
    /// the run goes on its budget is held again, because another event may earn it.
    pub(crate) fn reverse(&mut self, at: Place<'_>, occurrence: usize) {
        let posting = Posting { occurrence: occurrence as u32, ..self.posting(at) };
        let Some(paid) = self.run(at.run).steps[at.step].paid.get(occurrence).copied() else {
            return;
        };
        let is_pending = match paid.state {
            PaidState::Reversed => return,
            PaidState::Pending { .. } => true,
            PaidState::Rewarded => false,
        };
        let is_live = self.state.mode == Mode::Live;
        let run = self.run_mut(at.run);
        run.steps[at.step].paid[occurrence].state = PaidState::Reversed;
        let (line_item, day) = (run.line_item, run.day);
        let goes_on = is_live && matches!(run.phase, Phase::Open | Phase::Completed);
        let held = if goes_on { posting.split.payout } else { Micros(0) };
        run.held.0 += held.0;
        if posting.split.payout.0 == 0 && posting.points.0 == 0 {
            return;
        }
        let booked = Micros(-posting.split.payout.0);
        self.move_budget(BudgetMove {
            line_item,
            day,
            held,
            booked,
            starts: 0,
            guard: Guard::Free,
        });
        self.post(posting.reversal(is_pending));
        if !is_pending {
            self.tell(at, &posting, MessageKind::Reversed, paid);
        }
    }

    /// Gives what a run still holds back to the budget.
    pub(crate) fn release_hold(&mut self, run: usize) {
        self.release_beyond(run, Micros(0));
    }

    /// Gives what a run holds beyond `most` back to the budget.
    pub(crate) fn release_beyond(&mut self, run: usize, most: Micros) {
        let run = self.run_mut(run);
        let held = Micros(-(run.held.0 - most.0).max(0));
        run.held.0 += held.0;
        let (line_item, day) = (run.line_item, run.day);
        if held.0 != 0 {
            let booked = Micros(0);
            self.move_budget(BudgetMove {
                line_item,
                day,
                held,
                booked,
                starts: 0,
                guard: Guard::Free,
            });
        }
    }

    /// The id under which the grant of an occurrence is told and answered.
    pub(crate) fn grant_id(&self, at: Place<'_>, occurrence: u32) -> TransactionId {
        let run = self.run(at.run).id;
        TransactionId::derive(&self.user, run, at.rule().id, occurrence, Act::Grant)
    }

    fn posting(&self, at: Place<'_>) -> Posting {
        let run = self.run(at.run);
        let progress = &run.steps[at.step];
        Posting {
            user: self.user,
            enrollment: run.id,
            step: progress.step,
            occurrence: progress.paid.len() as u32,
            line_item: run.line_item,
            app: self.state.app,
            publisher: self.app.map_or_else(PublisherId::default, |app| app.publisher_id),
            currency: run.currency,
            split: progress.split,
            points: progress.points,
        }
    }

    fn post(&mut self, transaction: Transaction) {
        self.state.balance.0 += transaction.wallet_change().0;
        self.state.pending.0 += transaction.pending_change().0;
        self.transactions.push(transaction);
    }

    /// Adds the message of a reward. Both messages of a reward name the grant's transaction: that
    /// is the id by which the publisher knows the reward.
    fn tell(&mut self, at: Place<'_>, posting: &Posting, kind: MessageKind, paid: Paid) {
        if posting.points.0 == 0 {
            return;
        }
        let run = self.run(at.run);
        let language = self.state.profile.language.as_str();
        let creative = text_for(&at.mission.creatives, language, Creative::language);
        let text = text_for(&at.rule().texts, language, |text| &text.language);
        let transaction = posting.id(Act::Grant);
        let granted = DeliveryId::derive(&self.user, transaction);
        let (id, after) = match kind {
            MessageKind::Granted => (granted, None),
            MessageKind::Reversed => {
                (DeliveryId::derive(&self.user, posting.id(Act::Reversal)), Some(granted))
            }
        };
        let message = Message {
            id,
            kind,
            transaction,
            after,
            app: self.state.app,
            app_name: self.app.map(|app| app.name.clone()).unwrap_or_default(),
            points_name: self.app.map(|app| app.currency.name.clone()).unwrap_or_default(),
            unit: run.unit,
            user_id: self.state.user_id.clone(),
            amount: posting.points,
            payout: posting.split.payout,
            payout_currency: run.currency,
            line_item: run.line_item,
            mission: run.mission,
            mission_title: creative.map(|one| one.wording().title.to_owned()).unwrap_or_default(),
            step: posting.step,
            step_title: text.map(|text| text.title.clone()).unwrap_or_default(),
            enrollment: run.id,
            occurred_at: paid.occurred_at,
            booked_at: self.now,
            custom: self.state.profile.custom.clone(),
        };
        self.messages.push(message);
    }
}

fn is_same_budget(one: &BudgetMove, other: &BudgetMove) -> bool {
    one.line_item == other.line_item && one.day == other.day
}

/// Two moves of one budget in one.
fn added(one: &BudgetMove, other: &BudgetMove) -> BudgetMove {
    BudgetMove {
        held: Micros(one.held.0 + other.held.0),
        booked: Micros(one.booked.0 + other.booked.0),
        starts: one.starts + other.starts,
        guard: if one.guard == Guard::Free { other.guard } else { one.guard },
        ..*one
    }
}

/// One step of one run of the user at the desk.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Place of the run among the user's.
    pub(crate) run: usize,
    /// Place of the step among the mission's.
    pub(crate) step: usize,
    /// The version of the mission whose terms are locked.
    pub(crate) mission: &'a Mission,
}

impl<'a> Place<'a> {
    /// The step's locked rules.
    pub(crate) fn rule(&self) -> &'a Step {
        &self.mission.steps[self.step]
    }
}
