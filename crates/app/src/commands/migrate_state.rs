//! `guerdon migrate-state`: users, budgets, outbox and journal go to another store while nodes use
//! them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use engine::{
    Move, MoveError, MoveProgress, MoveReport, Step, Survey, abort_move, move_state, survey_move,
};
use serde::Serialize;
use store::memory::MemoryState;
use store::{Movable, Phase};
use store_sqlite::OpenError;

use crate::cli::MigrateStateArgs;
use crate::config::{Loaded, State};
use crate::output::{Finding, Output, Progress, counted};
use crate::wiring::{self, Access, Described};

/// Moves the state, ends a move, or says what one would do.
pub(crate) async fn run(path: &Path, args: &MigrateStateArgs, out: Output) -> anyhow::Result<()> {
    let from = Place::find(path, &args.from)?;
    let to = Place::find(path, &args.to)?;
    let names = Names { from: from.state.name(), to: to.state.name() };
    // A move of a store into itself that was begun can still be ended.
    if !args.abort && wiring::are_one(from.described(), to.described()).await? {
        bail!("{} and {} are one store; move into another one", names.from, names.to);
    }
    let old = from.open(Access::Beside).await?;
    if !args.abort {
        wiring::check_of(&from.loaded, &old).await?;
    }
    let moved = Move {
        from: old,
        to: if args.dry_run || args.abort { to.look().await? } else { to.take().await? },
        to_name: names.to.clone(),
        encode: format::state::encode_state,
    };
    match (args.abort, args.dry_run) {
        (true, _) => abort(&moved, names, out).await,
        (false, true) => survey(&moved, names, out).await,
        (false, false) => carry_out(moved, names, out).await,
    }
}

/// What people call the two stores.
#[derive(Serialize)]
struct Names {
    from: String,
    to: String,
}

/// A section of a configuration that describes a state store.
struct Place {
    loaded: Loaded,
    section: &'static str,
    state: State,
}

impl Place {
    /// The section of that name, or the state of another configuration file.
    fn find(path: &Path, wanted: &str) -> anyhow::Result<Self> {
        let loaded = match wanted {
            "state" | "next_state" => Loaded::read(path)?,
            other => Loaded::read(Path::new(other))?,
        };
        let (section, state) = match (wanted, &loaded.config.next_state, &loaded.config.state) {
            ("next_state", Some(next), _) => ("next_state", next.clone()),
            ("next_state", None, _) => bail!(
                "{} has no [next_state]; describe the store there that the state is to go to, and \
                 restart every node with it, before the state is moved",
                path.display()
            ),
            (_, _, Some(state)) => ("state", state.clone()),
            (_, _, None) => ("store", loaded.state()),
        };
        Ok(Self { loaded, section, state })
    }

    fn described(&self) -> Described<'_> {
        Described { loaded: &self.loaded, section: self.section, state: &self.state }
    }

    /// Opens it to be filled. A file that a node has open already is only looked at: the node has it
    /// because the move is done.
    async fn take(&self) -> anyhow::Result<Movable> {
        match self.open(Access::Work).await {
            Err(error) if wiring::is_in_use(&error) => {
                let there = self.open(Access::Beside).await?;
                let is_done = there.transfer.phase().await? == Phase::Live;
                if is_done && there.state.head().await? > 0 { Ok(there) } else { Err(error) }
            }
            opened => opened,
        }
    }

    /// Opens it without making anything: a file that is not there is as good as an empty store.
    async fn look(&self) -> anyhow::Result<Movable> {
        match self.open(Access::Beside).await {
            Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => {
                Ok(Movable::of(&Arc::new(MemoryState::new())))
            }
            opened => opened,
        }
    }

    async fn open(&self, access: Access) -> anyhow::Result<Movable> {
        let opened = wiring::open_state(&self.loaded, self.section, &self.state, access).await;
        opened.with_context(|| format!("cannot open {}", self.state.name()))
    }
}

/// A move that is done.
#[derive(Serialize)]
struct Moved {
    #[serde(flatten)]
    names: Names,
    was_done: bool,
    was_begun: bool,
    users: u64,
    users_written: u64,
    records: u64,
    budgets: u64,
    deliveries: Vec<Count>,
    fingerprint: String,
    rounds: u32,
    pause_ms: u64,
    seconds: f64,
}

/// Deliveries in one state.
#[derive(Serialize)]
struct Count {
    state: &'static str,
    count: u64,
}

async fn carry_out(moved: Move, names: Names, out: Output) -> anyhow::Result<()> {
    let mut bar = Bar::new();
    let mut report = move_state(&moved, &mut |at| bar.show(at)).await.map_err(told)?;
    drop(bar);
    // A file can be opened by a node only when it is closed here.
    let closing = Instant::now();
    drop(moved);
    if !report.was_done {
        report.pause += closing.elapsed();
    }
    out.answer(&Moved::of(names, &report), Moved::text)
}

/// What was found wrong ends the command as a finding.
fn told(error: MoveError) -> anyhow::Error {
    match &error {
        MoveError::Differs(_) => Finding(error.to_string()).into(),
        MoveError::TakenBack(why) if matches!(**why, MoveError::Differs(_)) => {
            Finding(error.to_string()).into()
        }
        _ => error.into(),
    }
}

impl Moved {
    fn of(names: Names, report: &MoveReport) -> Self {
        let deliveries = report.deliveries.iter();
        Self {
            names,
            was_done: report.was_done,
            was_begun: report.was_begun,
            users: report.users,
            users_written: report.users_written,
            records: report.records,
            budgets: report.budgets,
            deliveries: deliveries
                .map(|(state, count)| Count { state: state.name(), count: *count })
                .collect(),
            fingerprint: HEXLOWER.encode(&report.fingerprint),
            rounds: report.rounds,
            pause_ms: millis(report.pause),
            seconds: report.took.as_secs_f64(),
        }
    }

    fn text(&self) -> String {
        let Names { from, to } = &self.names;
        let next = "Every node that has [next_state] uses it by now. In your own time let [state] \
                    describe it, take [next_state] out, and restart the nodes one by one.";
        if self.was_done {
            return format!("The state has moved from {from} to {to} before.\n{next}");
        }
        let deliveries = self.deliveries.iter().filter(|one| one.count > 0);
        let deliveries: Vec<_> =
            deliveries.map(|one| format!("{} {}", one.count, one.state)).collect();
        format!(
            "The state has moved from {from} to {to}.\n\
             users        {}\n\
             records      {}\n\
             budgets      {}\n\
             deliveries   {}\n\
             fingerprint  {}, the same at both ends\n\
             pause        {} ms without changes, of {:.1} s in all\n{next}",
            self.users,
            self.records,
            self.budgets,
            if deliveries.is_empty() { "0".to_owned() } else { deliveries.join(", ") },
            self.fingerprint,
            self.pause_ms,
            self.seconds,
        )
    }
}

/// What a move would do.
#[derive(Serialize)]
struct Surveyed {
    #[serde(flatten)]
    names: Names,
    is_begun: bool,
    is_done: bool,
    users: u64,
    records: u64,
    records_there: u64,
    budgets: u64,
    deliveries: u64,
    /// For reading all of the old store once.
    reading_seconds: f64,
}

async fn survey(moved: &Move, names: Names, out: Output) -> anyhow::Result<()> {
    let found = survey_move(moved).await.map_err(told)?;
    out.answer(&Surveyed::of(names, &found), Surveyed::text)
}

impl Surveyed {
    fn of(names: Names, found: &Survey) -> Self {
        Self {
            names,
            is_begun: found.is_begun,
            is_done: found.is_done,
            users: found.users,
            records: found.records,
            records_there: found.records_there,
            budgets: found.budgets,
            deliveries: found.deliveries,
            reading_seconds: found.reading.as_secs_f64(),
        }
    }

    fn text(&self) -> String {
        let Names { from, to } = &self.names;
        let standing = match (self.is_done, self.is_begun) {
            (true, _) => "The state has moved already.".to_owned(),
            (false, true) => format!(
                "A move has begun; {} of {} records are there.",
                self.records_there, self.records
            ),
            (false, false) => "The move can begin.".to_owned(),
        };
        format!(
            "From {from} to {to}. {standing} Nothing was changed.\n\
             users       about {}\n\
             records     {}\n\
             budgets     {}\n\
             deliveries  {}\n\
             time        reading all of it takes about {:.0} s; a move reads both stores twice and \
             writes one",
            self.users, self.records, self.budgets, self.deliveries, self.reading_seconds
        )
    }
}

/// What became of a move.
#[derive(Serialize)]
struct Ended {
    #[serde(flatten)]
    names: Names,
    was_under_way: bool,
}

async fn abort(moved: &Move, names: Names, out: Output) -> anyhow::Result<()> {
    let was_under_way = abort_move(moved).await.map_err(told)?;
    out.answer(&Ended { names, was_under_way }, |ended| {
        let Names { from, to } = &ended.names;
        match ended.was_under_way {
            true => format!(
                "The move has ended, and {from} has the state as before. What was copied stays in \
                 {to}, and another move goes on with it."
            ),
            false => format!("No move was under way; {from} has the state."),
        }
    })
}

/// Shows each step with a bar, a rate, and how long it still takes.
struct Bar {
    progress: Progress,
    step: Option<(Step, Instant, u64)>,
}

/// Characters of the bar.
const BAR_WIDTH: usize = 24;

impl Bar {
    fn new() -> Self {
        Self { progress: Progress::new("migrate-state"), step: None }
    }

    fn show(&mut self, at: MoveProgress) {
        let (step, begun, from) = match self.step {
            Some(known) if known.0 == at.step => known,
            _ => {
                self.progress.turn();
                (at.step, Instant::now(), at.done)
            }
        };
        self.step = Some((step, begun, from));
        let elapsed = begun.elapsed();
        self.progress.at(|| line(at, from, elapsed));
    }
}

fn line(at: MoveProgress, from: u64, elapsed: Duration) -> String {
    let MoveProgress { step, done, part } = at;
    // The end was counted before the step, and the service goes on.
    let part = part.min(1.0);
    let filled = (part * BAR_WIDTH as f64) as usize;
    let bar = format!("[{}{}]", "=".repeat(filled), " ".repeat(BAR_WIDTH.saturating_sub(filled)));
    let rate = done.saturating_sub(from) as f64 / elapsed.as_secs_f64().max(0.001);
    let left = match part {
        part if part > 0.01 => elapsed.mul_f64((1.0 - part).max(0.0) / part).as_secs(),
        _ => return format!("{bar} {step}, {done}"),
    };
    let left = counted(left, "second", "seconds");
    format!("{bar} {:3.0} % {step}, {done}, {rate:.0}/s, {left} left", part * 100.0)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let at = |done, part| MoveProgress { step: Step::CopyUsers, done, part };
        let cases = [
            (at(0, 0.0), "[                        ] copying users, 0"),
            (
                at(30_000, 0.25),
                "[======                  ]  25 % copying users, 30000, 3000/s, 30 seconds left",
            ),
            (
                at(120_000, 1.0),
                "[========================] 100 % copying users, 120000, 12000/s, 0 seconds left",
            ),
            (
                at(121_000, 1.01),
                "[========================] 100 % copying users, 121000, 12100/s, 0 seconds left",
            ),
        ];
        for (at, wanted) in cases {
            assert_eq!(line(at, 0, Duration::from_secs(10)), wanted);
        }
    }
}
