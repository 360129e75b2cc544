//! What time alone does: what is owed is paid, pending rewards are released, deadlines pass, holds
//! end (M5).

use crate::catalog::Mission;
use crate::change::{Change, Loaded, MOVES_MAX};
use crate::desk::{Desk, Funds, Place};
use crate::journal::Cause;
use crate::rules;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::user::{Enrollment, PaidState, Phase};

/// How long a reward that the budget had nothing left for waits until it is tried again, in seconds:
/// short beside the days of a run, and long beside the cost of a try.
pub const RETRY_SECONDS: i64 = 600;

/// What is due for the user at `now`, as one change; `None` if nothing is. A user with much due is
/// brought up to date in several changes, each within the limits of one commit.
///
/// A change pays what is owed in one run only, so that the refusal of a budget is about that run;
/// decide again with what [`Funds::after_refusal`] says. A try in vain leaves no record.
#[must_use]
pub fn sweep(loaded: &Loaded, snapshot: &Snapshot, funds: Funds, now: Timestamp) -> Option<Change> {
    let mut desk = Desk::open(loaded, snapshot, funds, now);
    let (mut has_tried, mut is_told) = (false, false);
    for (run, before) in loaded.state.enrollments.iter().enumerate() {
        if desk.moves.len() >= MOVES_MAX || !desk.has_room() {
            break;
        }
        let is_owing = before.retry_at.is_some_and(|at| at <= now);
        if before.due_at().is_none_or(|due| due > now) || (is_owing && has_tried) {
            continue;
        }
        has_tried |= is_owing;
        if let Some(mission) = snapshot.mission_version(before.mission, before.version) {
            if is_owing {
                rules::catch_up(&mut desk, run, mission);
            }
            release_pending(&mut desk, run, mission);
        }
        end(&mut desk, run);
        is_told |= !is_only_later(before, desk.run(run));
    }
    if is_told { desk.close(Cause::Sweep) } else { desk.close_silently() }
}

fn release_pending(desk: &mut Desk<'_>, run: usize, mission: &Mission) {
    for step in 0..mission.steps.len() {
        for occurrence in 0..desk.run(run).steps[step].paid.len() {
            let state = desk.run(run).steps[step].paid[occurrence].state;
            let is_due =
                matches!(state, PaidState::Pending { release_at } if release_at <= desk.now);
            if is_due && desk.has_room() {
                desk.capture(Place { run, step, mission }, occurrence);
            }
        }
    }
}

/// Ends a run whose time is over, once the change had room for everything that is owed. What the
/// budget has nothing left for even now is given up.
fn end(desk: &mut Desk<'_>, run: usize) {
    let one = desk.run(run);
    if desk.now < one.ends_at() || (one.retry_at.is_some() && !desk.has_room()) {
        return;
    }
    if one.retry_at.is_some() {
        let one = desk.run_mut(run);
        (one.retry_at, one.forfeited) = (None, true);
    }
    let phase = match desk.run(run).phase {
        Phase::Open => Phase::Expired,
        Phase::Completed => Phase::Closed,
        Phase::Expired | Phase::Closed | Phase::Voided => return,
    };
    desk.run_mut(run).phase = phase;
    desk.run_mut(run).parked.clear();
    desk.release_hold(run);
}

/// Whether nothing differs but when the next try is.
fn is_only_later(before: &Enrollment, after: &Enrollment) -> bool {
    *after == Enrollment { retry_at: after.retry_at, ..before.clone() }
}
