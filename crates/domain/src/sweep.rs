//! What time alone does: pending rewards are released, deadlines pass, holds end (M5).

use crate::change::{Change, Loaded, MESSAGES_MAX, MOVES_MAX};
use crate::desk::{Desk, Funds, Place};
use crate::journal::Cause;
use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::user::{PaidState, Phase};

/// Everything that is due for the user at `now`, as one change; `None` if nothing is. A user with
/// very much due is brought up to date in several changes, each within the limits of one commit.
#[must_use]
pub fn sweep(loaded: &Loaded, snapshot: &Snapshot, now: Timestamp) -> Option<Change> {
    let mut desk = Desk::open(loaded, snapshot, Funds::HeldOnly, now);
    for run in 0..loaded.state.enrollments.len() {
        let is_roomy = desk.moves.len() < MOVES_MAX && desk.messages.len() < MESSAGES_MAX;
        if is_roomy && desk.run(run).due_at().is_some_and(|due| due <= now) {
            release_pending(&mut desk, snapshot, run);
            end(&mut desk, run);
        }
    }
    desk.close(Cause::Sweep)
}

fn release_pending(desk: &mut Desk<'_>, snapshot: &Snapshot, run: usize) {
    let (id, version) = (desk.run(run).mission, desk.run(run).version);
    let Some(mission) = snapshot.mission_version(id, version) else {
        return;
    };
    for step in 0..mission.steps.len() {
        for occurrence in 0..desk.run(run).steps[step].paid.len() {
            let state = desk.run(run).steps[step].paid[occurrence].state;
            let is_due =
                matches!(state, PaidState::Pending { release_at } if release_at <= desk.now);
            if is_due && desk.messages.len() < MESSAGES_MAX {
                desk.capture(Place { run, step, mission }, occurrence);
            }
        }
    }
}

fn end(desk: &mut Desk<'_>, run: usize) {
    let phase = match desk.run(run).phase {
        Phase::Open => Phase::Expired,
        Phase::Completed => Phase::Closed,
        Phase::Expired | Phase::Closed | Phase::Voided => return,
    };
    if desk.now > desk.run(run).late_until {
        desk.run_mut(run).phase = phase;
        desk.run_mut(run).parked.clear();
        desk.release_hold(run);
    }
}
