//! Sessions that a publisher ends: nothing more is done or shown by them, and whoever comes anew is
//! welcome at once.

use std::sync::Arc;

use domain::change::Loaded;
use domain::complete::{Completion, Evidence};
use domain::ids::{AppId, EnrollmentId, Mode, StepId, UnitId};
use domain::targeting::Profile;
use domain::time::Timestamp;
use engine::{Ctx, EngineError, Inquiry, SessionRequest};
use futures_util::FutureExt;
use store::counting::Method;
use store::fault::{Fault, FaultyStore};

use crate::node::{MISSION, NOW, Node, at};

/// Every verb that acts for a viewer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    ListMissions,
    ShowMission,
    ExplainMission,
    Participate,
    CompleteStep,
    ListEnrollments,
    ShowEnrollment,
    ReadWallet,
    Inquire,
}

pub(crate) const VERBS: [Verb; 9] = [
    Verb::ListMissions,
    Verb::ShowMission,
    Verb::ExplainMission,
    Verb::Participate,
    Verb::CompleteStep,
    Verb::ListEnrollments,
    Verb::ShowEnrollment,
    Verb::ReadWallet,
    Verb::Inquire,
];

impl Verb {
    /// Asks for the node's viewer, who has that run of the sample mission.
    pub(crate) async fn ask(
        self,
        node: &Node,
        ctx: &Ctx,
        run: EnrollmentId,
    ) -> Result<(), EngineError> {
        let (engine, viewer) = (&node.engine, &node.viewer);
        match self {
            Self::ListMissions => engine.list_missions(ctx, viewer, |_| ()).await,
            Self::ShowMission => engine.show_mission(ctx, viewer, MISSION, |_, _| ()).await,
            Self::ExplainMission => engine.explain_mission(ctx, viewer, MISSION).await.map(drop),
            Self::Participate => engine.participate(ctx, viewer, MISSION).await.map(drop),
            Self::CompleteStep => {
                let (mission, step) = (MISSION, StepId(4));
                let wish = Completion { mission, step, evidence: Evidence::CheckIn };
                engine.complete_step(ctx, viewer, wish).await.map(drop)
            }
            Self::ListEnrollments => engine.list_enrollments(ctx, viewer, 0, 10).await.map(drop),
            Self::ShowEnrollment => engine.show_enrollment(ctx, viewer, run).await.map(drop),
            Self::ReadWallet => engine.read_wallet(ctx, viewer, None, 10).await.map(drop),
            Self::Inquire => {
                let inquiry = Inquiry { enrollment: run, step: StepId(1), message: None };
                engine.inquire(ctx, viewer, inquiry).await.map(drop)
            }
        }
    }
}

async fn user(node: &Node) -> Loaded {
    node.state.load(node.viewer.user).await.expect("a user")
}

fn is_ended<T>(answer: &Result<T, EngineError>) -> bool {
    matches!(answer, Err(EngineError::SessionEnded))
}

#[tokio::test]
async fn an_ended_session_does_and_shows_nothing_and_a_key_still_does() {
    let mut node = Node::new().await;
    let run = node.participate(&at(0)).await.expect("an answer").expect("a start").run.id;
    for verb in VERBS {
        verb.ask(&node, &at(0), run).await.unwrap_or_else(|error| panic!("{verb:?}: {error}"));
    }
    node.revoke(&at(0)).await;
    let before = user(&node).await;
    for verb in VERBS {
        let answer = verb.ask(&node, &at(0), run).await;
        assert!(is_ended(&answer), "{verb:?}: {answer:?}");
    }
    assert_eq!(user(&node).await, before);
    let viewer = node.engine.viewer(AppId(1), Mode::Live, UnitId(1), "ann");
    node.viewer = viewer.expect("a viewer");
    for verb in VERBS {
        verb.ask(&node, &at(0), run).await.unwrap_or_else(|error| panic!("{verb:?}: {error}"));
    }
    node.assert_clean().await;
}

/// All of it within one millisecond, and again and again.
#[tokio::test]
async fn who_comes_right_after_the_end_is_welcome() {
    let mut node = Node::new().await;
    let mut ended = Vec::new();
    for _ in 0..5 {
        node.participate(&at(0)).await.expect("an answer").expect("a run");
        node.revoke(&at(0)).await;
        ended.push(node.viewer);
        for viewer in &ended {
            node.viewer = *viewer;
            assert!(is_ended(&node.participate(&at(0)).await));
        }
        node.viewer = node.open(&at(0)).await;
    }
    // Two who open one after the other have equal sessions, and each end ends both.
    assert_eq!(node.open(&at(0)).await, node.viewer);
}

/// A clock that goes ahead or behind changes nothing.
#[tokio::test]
async fn nodes_whose_clocks_differ_agree_on_what_has_ended() {
    let mut node = Node::new().await;
    for (opened, revoked, reopened) in [(3, 0, -3), (0, 3, -3), (-3, 3, 0), (3, -3, 0)] {
        node.viewer = node.open(&at(opened)).await;
        node.revoke(&at(revoked)).await;
        let answer = node.participate(&at(reopened)).await;
        assert!(is_ended(&answer), "{opened} {revoked} {reopened}: {answer:?}");
        node.viewer = node.open(&at(reopened)).await;
        node.participate(&at(reopened)).await.expect("an answer").expect("a run");
    }
}

/// The tap is decided, then the session is ended on another node, then the tap is committed.
#[tokio::test]
async fn what_is_under_way_when_a_session_ends_is_not_done() {
    let one = Arc::new(Node::new().await);
    let other = Arc::clone(&one);
    let plan = move |method, nth| {
        if (method, nth) == (Method::Commit, 1) {
            // The memory store never waits.
            other.revoke(&at(0)).now_or_never().expect("no waiting");
        }
        None
    };
    let (node, store) = one.through(|inner| FaultyStore::planned(inner, plan)).await;
    assert!(is_ended(&node.participate(&at(0)).await));
    assert_eq!((store.calls().of(Method::Load), store.calls().of(Method::Commit)), (2, 1));
    assert!(user(&one).await.state.enrollments.is_empty());
    node.assert_clean().await;
}

#[tokio::test]
async fn an_end_whose_commit_is_lost_or_late_is_made_once() {
    for fault in [Fault::UnknownApplied, Fault::UnknownNotApplied, Fault::Stale] {
        let one = Node::new().await;
        let version = user(&one).await.version;
        let script = [(Method::Commit, 1, fault)];
        let (node, _) = one.through(|inner| FaultyStore::scripted(inner, &script)).await;
        node.revoke(&at(0)).await;
        let after = user(&one).await;
        assert_eq!((after.version, after.state.sessions_since), (version + 1, Some(NOW)));
        assert!(is_ended(&one.participate(&at(0)).await), "{fault:?}");
    }
    let one = Node::new().await;
    let down = |method, _| (method == Method::Commit).then_some(Fault::Unavailable);
    let (node, _) = one.through(|inner| FaultyStore::planned(inner, down)).await;
    let refused = node.engine.revoke_sessions(&at(0), (AppId(1), Mode::Live), "ann").await;
    assert!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    one.participate(&at(0)).await.expect("an answer").expect("a start");
}

/// Nothing else about the user changes, and another change keeps what was ended.
#[tokio::test]
async fn the_end_stays_through_other_changes_and_changes_nothing_else() {
    let mut node = Node::new().await;
    node.start().await;
    let before = user(&node).await;
    node.revoke(&at(1)).await;
    let mut after = user(&node).await;
    let since = after.state.sessions_since.take();
    assert_eq!((since, after.state), (Some(at(1).now), before.state));
    let ended = node.viewer;
    let (unit, user_id) = (UnitId(1), "ann".to_owned());
    let profile = Profile { age: Some(30), ..Profile::default() };
    let request = SessionRequest { unit, user_id, profile };
    let opened = node.engine.open_session(&at(1), (AppId(1), Mode::Live), request).await;
    let opened = opened.expect("a session");
    assert_eq!(node.engine.session(&at(1), &opened.token).expect("ours").since, since);
    assert!(is_ended(&node.check_in(&at(1)).await));
    node.viewer = node.open(&at(1)).await;
    node.check_in(&at(1)).await.expect("an answer");
    node.viewer = ended;
    assert!(is_ended(&node.check_in(&at(1)).await));
    assert_eq!(user(&node).await.state.sessions_since, since);
}

#[tokio::test]
async fn only_the_user_who_is_named_is_concerned() {
    let node = Node::new().await;
    let revoke = async |mode, user_id| {
        node.engine.revoke_sessions(&Ctx::at(Timestamp(NOW.0)), (AppId(1), mode), user_id).await
    };
    for (mode, user_id) in [(Mode::Test, "ann"), (Mode::Live, "bob"), (Mode::Live, "Ann")] {
        let unknown = revoke(mode, user_id).await;
        assert!(matches!(unknown, Err(EngineError::NotFound("user"))), "{unknown:?}");
    }
    for user_id in ["", "a\nb", &"x".repeat(256)] {
        let refused = revoke(Mode::Live, user_id).await;
        assert!(matches!(refused, Err(EngineError::Invalid { code: "bad_user_id", .. })));
    }
    node.participate(&at(0)).await.expect("an answer").expect("a start");
}
