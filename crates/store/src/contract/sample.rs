//! Users, changes and records to test with: small ones by [`Draft`], and ones that fill every field.

mod draft;
mod full;

use domain::budget::{BudgetMove, Guard, Limits};
use domain::change::{Change, Loaded};
use domain::ids::{AppId, LineItemId, Mode, PartnerId, UserKey};
use domain::journal::{Cause, EventTrace, Record};
use domain::money::Micros;
use domain::time::{DAY_MS, Day, Timestamp};
use domain::user::UserState;
use domain::verdict::{Reason, Verdict};

pub use draft::{Draft, PAYOUT, POINTS, Terms};
pub use full::{full_records, full_state, largest_state};

/// The moment of the tests: 2026-09-21T14:13:20Z.
pub const NOW: Timestamp = Timestamp(1_790_000_000_000);
/// Its day in UTC.
pub const TODAY: Day = Day((NOW.0 / DAY_MS) as i32);
/// The app of the tests.
pub const APP: AppId = AppId(1);
/// The line item of the tests.
pub const LINE_ITEM: LineItemId = LineItemId(1);

/// A user as a store gives him who was never seen, but who knows his name.
#[must_use]
pub fn stranger(app: AppId, mode: Mode, user_id: &str) -> Loaded {
    let user_id = user_id.to_owned();
    Loaded { state: UserState { app, mode, user_id, ..UserState::default() }, ..Loaded::default() }
}

/// A live user of [`APP`] who was never seen.
#[must_use]
pub fn user(user_id: &str) -> Loaded {
    stranger(APP, Mode::Live, user_id)
}

/// What a store holds of the user once it has applied the change.
#[must_use]
pub fn after(loaded: &Loaded, change: &Change) -> Loaded {
    Loaded { version: loaded.version + 1, chain: change.chain, state: change.state.clone() }
}

/// A change that has no record: a new profile with that age.
#[must_use]
pub fn profile(loaded: &Loaded, age: u8) -> Change {
    let mut state = loaded.state.clone();
    state.profile.age = Some(age);
    Change::new(loaded, state, None)
}

/// Limits on the total, and nothing else.
#[must_use]
pub fn limits(total: i64) -> Limits {
    Limits { total: Micros(total), ..Limits::default() }
}

/// A new hold of [`LINE_ITEM`] for one participation on [`TODAY`].
#[must_use]
pub fn hold(amount: i64) -> BudgetMove {
    BudgetMove {
        line_item: LINE_ITEM,
        day: TODAY,
        held: Micros(amount),
        booked: Micros(0),
        starts: 1,
        guard: Guard::Start { paced: None },
    }
}

/// A booking of [`LINE_ITEM`] on [`TODAY`], `held` of which was held before.
#[must_use]
pub fn booking(amount: i64, held: i64, guard: Guard) -> BudgetMove {
    BudgetMove {
        line_item: LINE_ITEM,
        day: TODAY,
        held: Micros(-held),
        booked: Micros(amount),
        starts: 0,
        guard,
    }
}

/// The trace of an event that was refused.
#[must_use]
pub fn trace(user: Option<UserKey>, event: &str) -> Record {
    Record {
        at: NOW,
        user,
        app: user.map(|_| APP),
        mode: Mode::Live,
        cause: Cause::Event(EventTrace {
            partner: PartnerId(1),
            enrollment: None,
            event: event.to_owned(),
            event_id: None,
            reversal: false,
            verdict: Verdict::Rejected,
            reason: Reason::NoClick,
            raw: String::new(),
        }),
        transactions: Vec::new(),
        moves: Vec::new(),
        messages: Vec::new(),
    }
}
