//! One line item on which everybody books at once: each start holds of its budget, each conversion
//! books.

use anyhow::Result;

use super::Shape;
use super::loads::{Level, Loads, REPORTERS};
use crate::client::Answer;
use crate::conversions::pays;
use crate::feed::Requests;
use crate::plays;
use crate::report::Aim;

/// The line item and its mission, as a catalogue file.
pub(super) const CATALOG: &str = include_str!("hot.toml");
/// The mission's number in it.
const MISSION: u64 = 900_001;
/// Bookings a second that are aimed at where a budget is a row of MariaDB.
const AIM_PER_SECOND: f64 = 2_000.0;

/// Starts the mission for many users, and converts them.
pub(super) async fn run(loads: &mut Loads<'_>) -> Result<()> {
    let callers = loads.options.callers(&REPORTERS).into_iter().max().unwrap_or(1);
    // Everybody can start once.
    let batch = loads.batch(callers).min(loads.world.contents.users as usize / loads.runs());
    let users = (batch * loads.runs()) as u32;
    let (world, address) = (loads.world, loads.node.address());
    let starts: Requests =
        (0..users).map(|user| world.participate(address, user, MISSION)).collect();
    let what = "start on the hot line item";
    loads.level(&Level { what, callers, batch, is_wanted: is_started }, &starts, 0).await?;
    let clicks = plays::clicks(world, address, MISSION, users).await?;
    let clicks = clicks.iter().enumerate();
    let events: Requests = clicks
        .map(|(user, click)| {
            world.postback(address, click, &world.events[0], &format!("hot-{user}"))
        })
        .collect();
    let what = "conversion on the hot line item";
    loads.level(&Level { what, callers, batch, is_wanted: pays }, &events, 0).await?;
    if loads.shape == Shape::Compact {
        let row = loads.report.find(&format!("{}: {what}", loads.shape.name()), callers)?;
        let rate = row.per_second.median;
        let what = "bookings on one line item of MariaDB";
        loads.report.aim(Aim::at_least(what, rate, AIM_PER_SECOND, "a second"));
    }
    Ok(())
}

fn is_started(answer: &Answer<'_>) -> bool {
    answer.status == 201
}
