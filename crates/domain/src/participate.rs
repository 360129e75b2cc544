//! Participation: eligibility is checked once more, the terms are locked, the budget is held.

use crate::catalog::Mission;
use crate::change::{Change, Loaded};
use crate::decide::{self, Offer, Refused, Situation};
use crate::ids::{EnrollmentId, MissionId, Mode};
use crate::journal::{Cause, Record};
use crate::money::Micros;
use crate::time::{Day, Timestamp};
use crate::user::{Enrollment, Phase, StepProgress};

/// What becomes of a tap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Participation {
    /// The user has started before and can go on: the same run again.
    Again(EnrollmentId),
    /// A new run, once the change is committed.
    New(EnrollmentId, Box<Change>),
}

/// Decides a tap on a mission. The user's own open run is looked at first; then the very function
/// that made the list decides, so that no card is dead.
///
/// # Errors
/// The first rule that says no.
pub fn participate(
    loaded: &Loaded,
    situation: &Situation<'_>,
    mission: MissionId,
) -> Result<Participation, Refused> {
    if let Some(run) = loaded.state.run_of(mission)
        && is_alive(run, situation.now)
    {
        return Ok(Participation::Again(run.id));
    }
    let offer = decide::check(situation, mission)?;
    let run = enroll(situation, &offer);
    let id = run.id;
    let record = record(situation, &offer, &run);
    let mut state = loaded.state.clone();
    state.enrollments.push(run);
    Ok(Participation::New(id, Box::new(Change::new(loaded, state, Some(record)))))
}

/// Whether the user can still do something in the run.
#[must_use]
pub fn is_alive(run: &Enrollment, now: Timestamp) -> bool {
    matches!(run.phase, Phase::Open | Phase::Completed) && now <= run.deadline
}

fn enroll(situation: &Situation<'_>, offer: &Offer<'_>) -> Enrollment {
    let (mission, line_item, now) = (offer.mission, offer.line_item, situation.now);
    let deadline = now.plus_seconds(mission.window_seconds.into());
    // Test users move no budget, so nothing is held for them.
    let held = match situation.user.mode {
        Mode::Live => decide::hold_for(line_item, mission),
        Mode::Test => Micros(0),
    };
    Enrollment {
        id: EnrollmentId::derive(&situation.user.key(), mission.id),
        mission: mission.id,
        version: mission.version,
        line_item: line_item.id,
        ad_group: offer.ad_group,
        unit: situation.unit,
        started_at: now,
        deadline,
        late_until: deadline.plus_seconds(line_item.grace_seconds.into()),
        day: Day::of(now, line_item.utc_offset),
        currency: line_item.currency,
        phase: Phase::Open,
        held,
        steps: locked_steps(mission, offer),
        seen: Vec::new(),
        parked: Vec::new(),
        retry_at: None,
        forfeited: false,
    }
}

fn locked_steps(mission: &Mission, offer: &Offer<'_>) -> Vec<StepProgress> {
    let steps = mission.steps.iter().zip(offer.prices);
    steps
        .map(|(step, price)| StepProgress {
            step: step.id,
            split: price.split,
            points: price.points,
            progress: 0,
            reached: 0,
            latest_at: None,
            paid: Vec::new(),
            visit_at: None,
            misses: 0,
        })
        .collect()
}

fn record(situation: &Situation<'_>, offer: &Offer<'_>, run: &Enrollment) -> Record {
    let user = situation.user;
    let hold = decide::starting_move(offer.line_item, offer.mission, run.day, situation.now);
    Record {
        at: situation.now,
        user: Some(user.key()),
        app: Some(user.app),
        mode: user.mode,
        cause: Cause::Participation {
            enrollment: run.id,
            mission: run.mission,
            version: run.version,
            line_item: run.line_item,
            ad_group: run.ad_group,
            unit: run.unit,
        },
        transactions: Vec::new(),
        moves: if user.mode == Mode::Live { vec![hold] } else { Vec::new() },
        messages: Vec::new(),
    }
}
