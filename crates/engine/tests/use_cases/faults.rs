//! Store calls that fail: nothing is booked twice, and whoever tries again gets the same answer.

use domain::change::Loaded;
use domain::ids::TransactionId;
use domain::verdict::Verdict;
use engine::{ConversionError, EngineError, StoreError};
use store::counting::Method;
use store::fault::{Fault, FaultyStore};

use crate::node::{Node, at};

const FAULTS: [Fault; 4] =
    [Fault::Unavailable, Fault::UnknownApplied, Fault::UnknownNotApplied, Fault::Stale];

/// A command that is tried until it is answered: a participation, a conversion, a check-in.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Command {
    Participate,
    Convert,
    CheckIn,
}

/// What a command answers, in one word and one id.
type Answer = (&'static str, Option<TransactionId>);

impl Command {
    /// Whether it comes after a start.
    fn follows(self) -> bool {
        self != Self::Participate
    }

    async fn once(self, node: &Node, click_id: &str) -> Result<Answer, EngineError> {
        match self {
            Self::Participate => {
                let started = node.participate(&at(0)).await?.expect("a start");
                Ok((if started.is_new { "new" } else { "again" }, None))
            }
            Self::Convert => match node.post(&at(1), click_id, "install", &[]).await {
                Ok(answer) => Ok((answer.verdict.name(), answer.transaction)),
                Err(ConversionError::Engine(error)) => Err(error),
                Err(other) => unreachable!("{other}"),
            },
            Self::CheckIn => {
                let answer = node.check_in(&at(1)).await?;
                Ok((answer.verdict.name(), answer.transaction))
            }
        }
    }
}

/// The fault-free outcome.
async fn expected(command: Command) -> (Answer, Loaded) {
    let node = Node::new().await;
    let click_id = if command.follows() { node.start().await } else { String::new() };
    let answer = command.once(&node, &click_id).await.expect("an answer");
    (answer, node.state.load(node.viewer.user).await.expect("a user"))
}

/// Plays the command through the faults until it is answered; says the answer and the failed tries.
async fn play(command: Command, script: &[(Method, u64, Fault)]) -> (Answer, Loaded, u32) {
    let node = Node::new().await;
    let click_id = if command.follows() { node.start().await } else { String::new() };
    let (faulty, _) = node.through(|inner| FaultyStore::scripted(inner, script)).await;
    let mut failures = 0;
    let answer = loop {
        match command.once(&faulty, &click_id).await {
            Ok(answer) => break answer,
            Err(EngineError::Store(StoreError::Unavailable(_) | StoreError::Unknown(_))) => {
                failures += 1;
            }
            Err(other) => unreachable!("{other}"),
        }
        assert!(failures <= script.len() as u32, "{script:?}");
    };
    node.assert_clean().await;
    (answer, node.state.load(node.viewer.user).await.expect("a user"), failures)
}

#[tokio::test]
async fn one_fault_anywhere_changes_no_outcome() {
    for command in [Command::Participate, Command::Convert, Command::CheckIn] {
        let (answer, state) = expected(command).await;
        for fault in FAULTS {
            for method in [Method::Load, Method::Commit] {
                let script = [(method, 1, fault)];
                let (played, left, failures) = play(command, &script).await;
                assert_eq!((played, &left), (answer, &state), "{command:?} {script:?}");
                // A commit whose outcome is unknown is asked for again inside the command.
                let is_seen = match method {
                    Method::Load => fault != Fault::Stale,
                    _ => fault == Fault::Unavailable,
                };
                assert_eq!(failures, u32::from(is_seen), "{command:?} {script:?}");
            }
        }
    }
}

#[tokio::test]
async fn two_faults_on_the_commit_still_book_once() {
    for command in [Command::Participate, Command::Convert, Command::CheckIn] {
        let (answer, state) = expected(command).await;
        for first in FAULTS {
            for second in FAULTS {
                let script = [(Method::Commit, 1, first), (Method::Commit, 2, second)];
                let (played, left, _) = play(command, &script).await;
                assert_eq!(left, state, "{command:?} {script:?}");
                assert_eq!(played.1.or(answer.1), answer.1, "{command:?} {script:?}");
                let repeated = ["again", Verdict::Duplicate.name()];
                assert!(played.0 == answer.0 || repeated.contains(&played.0), "{played:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_change_that_is_always_stale_is_given_up_and_leaves_nothing() {
    let node = Node::new().await;
    let plan = |method, _| (method == Method::Commit).then_some(Fault::Stale);
    let (faulty, store) = node.through(|inner| FaultyStore::planned(inner, plan)).await;
    let answer = faulty.participate(&at(0)).await;
    assert!(matches!(answer, Err(EngineError::Contended)));
    assert_eq!(store.calls().of(Method::Commit), store.calls().of(Method::Load));
    let left = node.state.load(node.viewer.user).await.expect("a user");
    assert_eq!(left.state.enrollments, []);
    node.assert_clean().await;
}

#[tokio::test]
async fn a_trace_that_cannot_be_kept_is_not_acknowledged() {
    let node = Node::new().await;
    let click_id = node.start().await;
    let script = [(Method::Append, 1, Fault::Unavailable)];
    let (faulty, _) = node.through(|inner| FaultyStore::scripted(inner, &script)).await;
    let first = faulty.post(&at(1), &click_id, "dance", &[]).await;
    assert!(matches!(first, Err(ConversionError::Engine(EngineError::Store(_)))));
    let second = faulty.post(&at(1), &click_id, "dance", &[]).await.expect("an answer");
    assert_eq!(second.verdict, Verdict::Ignored);
    assert_eq!(node.report(&at(2)).await.verdicts[&Verdict::Ignored], 1);
}

#[tokio::test]
async fn an_interrupted_sweep_is_made_up_for() {
    for fault in FAULTS {
        for method in [Method::Due, Method::Load, Method::Commit] {
            let node = Node::new().await;
            node.start().await;
            let script = [(method, 1, fault)];
            let (faulty, _) = node.through(|inner| FaultyStore::scripted(inner, &script)).await;
            // Whether the first one fails or not, the second leaves nothing to do.
            let _ = faulty.engine.sweep(&at(24 * 30), 10).await;
            faulty.engine.sweep(&at(24 * 30), 10).await.expect("a sweep");
            assert_eq!(faulty.engine.sweep(&at(24 * 30), 10).await.expect("a sweep"), 0);
            let level = node.engine.read_budget(&at(24 * 30), domain::ids::LineItemId(1)).await;
            assert_eq!(level.expect("a level").total.held.0, 0, "{script:?}");
            node.assert_clean().await;
        }
    }
}
