//! `move_state`: the whole state goes from one store to another while nodes use it.
//!
//! | step | the old store | the new store |
//! |---|---|---|
//! | take over | gives the run a number, second | gives the run a number, first |
//! | begin | becomes `Watched` | becomes `Filling` |
//! | copy: journal, users, budgets, deliveries | a read a page | a read and a write a page |
//! | rest, until it is small | touched users, new records | the same, written |
//! | compare everything | a read a page | a read a page |
//! | rest, until it is small again | as above | as above |
//! | **pause** | becomes `Moved`; the last rest, budgets, open deliveries, identity | the same, written and compared |
//! | end | | becomes `Live` |
//!
//! Copying is comparing: a page is read at both ends, and what differs is written. So a run that was
//! killed is repeated by running it again; what the new store holds is its progress. A run that finds
//! the old store `Moved` finishes the move, and compares everything before the end.
//!
//! Whatever fails in the pause is undone: the new store has taken no change yet, so the old one is
//! made `Live` again. Only when the new one is told to be `Live` there is no way back.
//!
//! Of several runs the latest has the move: it has taken both stores over, and each store refuses what
//! an earlier run changes (`store::Transfer`). Such a run ends where it is and touches neither store
//! again; it takes nothing back, because the other run has seen how the stores stand and acts on that.
//! The new store is taken over first by everybody. So whoever has found it `Filling`, and then makes the
//! old one `Live`, knows that nobody makes the new one `Live` behind him.

mod compare;
mod cut_over;
mod deliveries;
mod end;
mod identity;
mod lane;
mod rest;
mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use domain::ids::{DeliveryId, UserKey};
use domain::user::UserState;
use store::{DeliveryState, Endpoint, Movable, Phase, Seq, StoreError};

pub use end::Side;
pub use survey::{Survey, abort_move, survey_move};

use compare::Prints;
use deliveries::Held;
use end::End;

/// A move from one store to another.
pub struct Move {
    /// The store that has the state.
    pub from: Movable,
    /// The store that gets it.
    pub to: Movable,
    /// What people call that one. Stands in the old store, and has to be the same in every run.
    pub to_name: String,
    /// Writes a user's state down, so that a digest of it means the same in every run.
    pub encode: fn(&UserState) -> Vec<u8>,
}

/// What a run is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Copying records.
    CopyRecords,
    /// Copying users.
    CopyUsers,
    /// Copying how far deliveries have come.
    CopyDeliveries,
    /// Copying what was changed meanwhile.
    Rest,
    /// Comparing records.
    CompareRecords,
    /// Comparing users.
    CompareUsers,
    /// Comparing how far deliveries have come.
    CompareDeliveries,
    /// The pause.
    CutOver,
}

/// How far a run is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MoveProgress {
    /// What it is doing.
    pub step: Step,
    /// How many it has done of them.
    pub done: u64,
    /// How much of the step that is, from 0 to 1; 0 where nobody knows.
    pub part: f64,
}

/// A move that is done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MoveReport {
    /// Whether an earlier run had done it, and this one has found both ends so.
    pub was_done: bool,
    /// Whether an earlier run had begun it.
    pub was_begun: bool,
    /// Records in the journal.
    pub records: u64,
    /// Users.
    pub users: u64,
    /// Users whose states were written, of which some more than once.
    pub users_written: u64,
    /// Budgets.
    pub budgets: u64,
    /// Deliveries by state.
    pub deliveries: Vec<(DeliveryState, u64)>,
    /// The digests of all users, one on the other, the same at both ends.
    pub fingerprint: [u8; 32],
    /// How often the rest was copied before the pause.
    pub rounds: u32,
    /// For how long no store took changes.
    pub pause: Duration,
    /// How long it all took.
    pub took: Duration,
}

/// Why a state was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A store failed again and again.
    #[error("{side} failed: {error}")]
    Store {
        /// Which end.
        side: Side,
        /// How.
        error: StoreError,
    },
    /// The two stores are not as a move needs them; the sentence says what to do.
    #[error("{0}")]
    Refused(String),
    /// The ends differ although everything was copied.
    #[error("the stores differ: {}", .0.join("; "))]
    Differs(Vec<String>),
    /// The old store is changed faster than the new one takes it.
    #[error(
        "the new store does not keep up: the rest was copied {0} times and did not get small; \
         try again when there is less to do, or with a faster store"
    )]
    TooSlow(u32),
    /// Looking at the deliveries that wait takes too long for a pause.
    #[error(
        "{count} deliveries wait, and looking whether the old store has tried one of them takes \
         {seconds} s, for which no store would take changes; let them be delivered first, or try \
         again when the old store is faster"
    )]
    TooManyWait {
        /// How many wait.
        count: usize,
        /// How long looking at them took.
        seconds: u64,
    },
    /// Another run has the move.
    #[error(
        "another run of `guerdon migrate-state` has taken this move over, or has ended it; this run \
         has stopped and changes nothing any more, and how the stores stand is for the other one to \
         say"
    )]
    TakenOver,
    /// The pause ended in a failure and the old store has the state again.
    #[error("the move was taken back, and the old store has the state as before: {0}")]
    TakenBack(Box<MoveError>),
    /// Neither store takes changes.
    #[error("the state is between the stores; run the same command again to finish the move: {0}")]
    Between(Box<MoveError>),
}

/// Most differences that are listed.
const DIFFERENCES_MAX: usize = 20;

/// Hears of progress.
type Told<'a> = &'a mut (dyn FnMut(MoveProgress) + Send);

/// A run under way.
struct Run<'a> {
    from: End<'a>,
    to: End<'a>,
    to_name: &'a str,
    encode: fn(&UserState) -> Vec<u8>,
    told: Told<'a>,
    report: MoveReport,
    /// How far the old store's notes of touched users were followed.
    noted: Seq,
    /// The newest record that was copied.
    head: Seq,
    /// What was found equal, by users; `None` before everything is compared.
    prints: Option<Prints>,
    /// Where deliveries go.
    endpoints: BTreeSet<Endpoint>,
    /// Deliveries that the new store holds as open, and as what; `None` before everything is
    /// compared.
    open: Option<BTreeMap<(Seq, DeliveryId), Held>>,
    /// Deliveries that were written after the comparison had begun.
    rewritten: BTreeSet<(Seq, DeliveryId)>,
}

/// How the stores stand.
enum Standing {
    /// Nothing has begun, or it was taken back.
    Fresh,
    /// An earlier run was stopped while it copied.
    Begun,
    /// An earlier run was stopped in the pause.
    Paused,
    /// It is done.
    Done,
}

/// Moves the state, or goes on with what an earlier run has begun.
///
/// # Errors
/// [`MoveError`]; each says how the stores stand.
pub async fn move_state(moved: &Move, told: Told<'_>) -> Result<MoveReport, MoveError> {
    let begun = std::time::Instant::now();
    let mut run = Run::new(moved, told);
    // A run that is refused, or has nothing to do, disturbs no other one.
    if matches!(run.standing(&run.phases().await?).await?, Standing::Done) {
        run.report.was_done = true;
    } else {
        let phases = run.take_over().await?;
        if let Err(error) = run.go_on(&phases, begun).await {
            return Err(run.or_taken_over(error).await);
        }
    }
    run.report.took = begun.elapsed();
    Ok(run.report)
}

impl<'a> Run<'a> {
    fn new(moved: &'a Move, told: Told<'a>) -> Self {
        Self {
            from: End::new(Side::Old, &moved.from),
            to: End::new(Side::New, &moved.to),
            to_name: &moved.to_name,
            encode: moved.encode,
            told,
            report: MoveReport::default(),
            noted: 0,
            head: 0,
            prints: None,
            endpoints: BTreeSet::new(),
            open: None,
            rewritten: BTreeSet::new(),
        }
    }

    /// Moves the state between stores that were so when this run has taken them over.
    async fn go_on(
        &mut self,
        phases: &(Phase, Phase),
        begun: std::time::Instant,
    ) -> Result<(), MoveError> {
        let standing = self.standing(phases).await?;
        self.report.was_begun = matches!(standing, Standing::Begun | Standing::Paused);
        match standing {
            Standing::Done => {
                self.report.was_done = true;
                Ok(())
            }
            Standing::Paused => self.finish_pause(begun).await,
            Standing::Fresh | Standing::Begun => {
                self.begin().await?;
                self.copy().await?;
                self.catch_up().await?;
                self.compare().await?;
                self.catch_up().await?;
                self.cut_over().await
            }
        }
    }

    /// What a run that was taken over finds wrong is the other one's doing.
    async fn or_taken_over(&self, error: MoveError) -> MoveError {
        for end in [self.from, self.to] {
            if let Err(MoveError::TakenOver) = end.touched(self.noted, 1).await {
                return MoveError::TakenOver;
            }
        }
        error
    }

    /// What the stores may be used for, the old one and the new one.
    async fn phases(&self) -> Result<(Phase, Phase), MoveError> {
        Ok((self.from.phase().await?, self.to.phase().await?))
    }

    /// Takes both stores over, the new one first, and says what they may be used for from then on.
    async fn take_over(&mut self) -> Result<(Phase, Phase), MoveError> {
        let to = self.to.take_over().await?;
        Ok((self.from.take_over().await?, to))
    }

    /// How far an earlier run has come, and whether this one may go on.
    async fn standing(&self, phases: &(Phase, Phase)) -> Result<Standing, MoveError> {
        let refused = |why: &str| Err(MoveError::Refused(why.to_owned()));
        match phases {
            (Phase::Filling, _) => refused(
                "the old store is itself being filled by another move; finish that one first",
            ),
            (Phase::Moved(to), _) if *to != self.to_name => Err(MoveError::Refused(format!(
                "the state has been moved to {to}, so it cannot be moved to {}; \
                 move it on from where it is",
                self.to_name
            ))),
            (Phase::Moved(_), Phase::Filling) => Ok(Standing::Paused),
            (Phase::Moved(_), _) if self.has_newest().await? => Ok(Standing::Done),
            (Phase::Moved(_), _) => refused(
                "the state has moved, but the new store does not hold it; \
                 check that it is the store that it was moved to",
            ),
            (Phase::Live, Phase::Live) if self.to.is_empty().await? => Ok(Standing::Fresh),
            (Phase::Live | Phase::Watched, Phase::Filling) => Ok(Standing::Begun),
            (Phase::Watched, Phase::Live) => refused(
                "the state is on its way to another store; \
                 finish that move, or end it with --abort",
            ),
            (_, Phase::Live) => refused("the new store is not empty; move into an empty one"),
            (_, Phase::Watched | Phase::Moved(_)) => {
                refused("the new store is the old store of another move; move into an empty one")
            }
        }
    }

    /// Whether the new store has the old one's newest record.
    async fn has_newest(&self) -> Result<bool, MoveError> {
        let before = self.from.head().await?.saturating_sub(1);
        Ok(self.from.read(before, 1).await? == self.to.read(before, 1).await?)
    }

    /// The new store first: if it cannot be filled, nothing has happened.
    async fn begin(&mut self) -> Result<(), MoveError> {
        self.to.set_phase(Phase::Filling).await?;
        self.from.set_phase(Phase::Watched).await
    }

    fn tell(&mut self, step: Step, done: u64, part: f64) {
        (self.told)(MoveProgress { step, done, part });
    }
}

/// How far a key is in the order of keys, which are drawn evenly.
fn part_of(key: &UserKey) -> f64 {
    u64::from_be_bytes(key.prefix()) as f64 / u64::MAX as f64
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CopyRecords => "copying the journal",
            Self::CopyUsers => "copying users",
            Self::CopyDeliveries => "copying deliveries",
            Self::Rest => "copying what has changed meanwhile",
            Self::CompareRecords => "comparing the journal",
            Self::CompareUsers => "comparing users",
            Self::CompareDeliveries => "comparing deliveries",
            Self::CutOver => "cutting over",
        })
    }
}
