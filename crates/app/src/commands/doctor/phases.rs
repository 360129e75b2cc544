//! Where the state is: what the store that is configured for it says, and the one that it is to go to.

use std::time::Duration;

use store::{Movable, Phase, StoreError};
use store_sqlite::OpenError;
use tokio::time::timeout;

use super::Line;
use crate::config::{Loaded, State};
use crate::wiring::{self, Access, Described};

const CHECK: &str = "phase";
/// How long the next store may take to tell.
const NEXT_WITHIN: Duration = Duration::from_secs(5);

/// The store of `[next_state]`, as far as it tells.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Next {
    /// There is no such section.
    Nobody,
    /// It does not answer; its own checks say why.
    Silent,
    /// It is the store that is used.
    Same,
    /// It answers.
    Found(Phase, Holds),
}

/// What the next store holds, beside the one that is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Holds {
    /// No record.
    is_empty: bool,
    /// The newest record of the store that is used, if that has any.
    has_newest: bool,
}

/// Examines the store that is configured for the state, beside the next one.
pub(super) async fn examine(loaded: &Loaded, section: &str, state: &State) -> Vec<Line> {
    let current = match wiring::open_state(loaded, section, state, Access::Beside).await {
        Ok(opened) => opened,
        // The first start makes the file.
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => return vec![],
        Err(error) => {
            let remedy = "run the release that has made it, or put a backup in its place";
            return vec![Line::wrong("opens", format!("{error:#}"), remedy)];
        }
    };
    let phase = match current.transfer.phase().await {
        Ok(phase) => phase,
        Err(error) => return vec![silent(&error)],
    };
    // A next store that hangs must not be the fault of this one.
    let beside = timeout(NEXT_WITHIN, beside(loaded, section, state, &current)).await;
    let next = beside.ok().and_then(Result::ok).unwrap_or(Next::Silent);
    vec![judge(&phase, &next)]
}

fn silent(error: &StoreError) -> Line {
    Line::wrong(CHECK, error.to_string(), "see what the store's log says")
}

async fn beside(
    loaded: &Loaded,
    section: &str,
    state: &State,
    current: &Movable,
) -> anyhow::Result<Next> {
    let Some(next) = &loaded.config.next_state else { return Ok(Next::Nobody) };
    let described = Described { loaded, section: "next_state", state: next };
    if wiring::are_one(Described { loaded, section, state }, described).await? {
        return Ok(Next::Same);
    }
    let next = match wiring::open_state(loaded, "next_state", next, Access::Beside).await {
        Ok(opened) => opened,
        // A move makes the file.
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => {
            let has_newest = current.state.head().await? == 0;
            return Ok(Next::Found(Phase::Live, Holds { is_empty: true, has_newest }));
        }
        Err(error) => return Err(error),
    };
    let is_empty = next.state.head().await? == 0;
    let holds = Holds { is_empty, has_newest: wiring::has_newest_of(&next, current).await? };
    Ok(Next::Found(next.transfer.phase().await?, holds))
}

/// What both say together.
fn judge(current: &Phase, next: &Next) -> Line {
    if *next == Next::Same {
        let told = "[next_state] describes this store, in other words";
        return Line::wrong(CHECK, told, "let it describe another one, or leave it out");
    }
    match current {
        Phase::Live => in_use(next),
        Phase::Watched => under_way(next),
        Phase::Moved(to) => gone(to, next),
        Phase::Filling => Line::wrong(
            CHECK,
            "the state is being moved into it and is not whole yet",
            "let [state] describe the store that it comes from, or finish the move",
        ),
    }
}

const EMPTY: &str = "let [next_state] describe an empty store, or leave it out";

fn in_use(next: &Next) -> Line {
    match next {
        Next::Nobody
        | Next::Silent
        | Next::Same
        | Next::Found(Phase::Live, Holds { is_empty: true, .. }) => Line::well(CHECK, "in use"),
        Next::Found(Phase::Filling, _) => {
            Line::well(CHECK, "in use; a move into [next_state] was begun, and can go on")
        }
        Next::Found(Phase::Live, _) => {
            Line::wrong(CHECK, "in use, but [next_state] has a state of its own", EMPTY)
        }
        Next::Found(Phase::Watched | Phase::Moved(_), _) => {
            Line::wrong(CHECK, "in use, but [next_state] is the old store of another move", EMPTY)
        }
    }
}

fn under_way(next: &Next) -> Line {
    let told = "in use, and a move out of it is under way";
    match next {
        Next::Silent | Next::Found(Phase::Filling, _) => Line::well(CHECK, told),
        Next::Nobody | Next::Same | Next::Found(..) => Line::wrong(
            CHECK,
            format!("{told}, but not into a store that [next_state] describes"),
            "let [next_state] describe the store that the move fills and restart the nodes, or end \
             it with `guerdon migrate-state --abort`",
        ),
    }
}

fn gone(to: &str, next: &Next) -> Line {
    let told = format!("the state has moved to {to}");
    match next {
        Next::Found(Phase::Live | Phase::Watched, Holds { has_newest: true, .. }) => {
            Line::well(CHECK, format!("{told}; let [state] describe it when there is time"))
        }
        Next::Nobody | Next::Same => Line::wrong(CHECK, told, "let [state] describe it"),
        Next::Silent => Line::wrong(
            CHECK,
            format!("{told}, and [next_state] does not answer"),
            "mend what is said of [next_state], or let [state] describe that store",
        ),
        Next::Found(Phase::Filling, _) => Line::wrong(
            CHECK,
            format!("the state is on its way to {to}, and neither store takes changes"),
            "if nobody is moving it any more, run `guerdon migrate-state` again to finish it",
        ),
        Next::Found(Phase::Moved(further), _) => Line::wrong(
            CHECK,
            format!("{told}, and from there to {further}"),
            "let [state] describe the last of them, and leave [next_state] out",
        ),
        Next::Found(Phase::Live | Phase::Watched, _) => Line::wrong(
            CHECK,
            format!("{told}, but the store of [next_state] lacks its newest record"),
            "let [next_state] describe the store that the state has moved to",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every phase of the old store beside every one of the next, with whatever that holds.
    #[test]
    fn two_stores_are_judged_together() {
        let away = |name: &str| Phase::Moved(name.to_owned());
        let found = |phase: Phase| {
            let holds = [(true, false), (true, true), (false, true), (false, false)];
            holds.map(|(is_empty, has_newest)| {
                Next::Found(phase.clone(), Holds { is_empty, has_newest })
            })
        };
        let (well, in_use) = (None, "in use");
        let own = "[next_state] has a state of its own";
        let older = "[next_state] is the old store of another move";
        let (under_way, elsewhere) = ("is under way", "but not into a store that [next_state]");
        let (lacks, later) = ("lacks its newest record", "when there is time");
        let (begun, between) =
            ("a move into [next_state] was begun", "neither store takes changes");
        let empty = Some("an empty store");
        let (again, abort) = (Some("run `guerdon migrate-state` again"), Some("--abort"));
        let (describe, last) = (Some("let [state] describe it"), Some("the last of them"));
        let (right, mend) =
            (Some("let [next_state] describe the store"), Some("mend what is said"));
        let same = |what: (&'static str, Option<&'static str>)| [what; 4];
        let rows = [
            (
                Phase::Live,
                (in_use, well),
                (in_use, well),
                [
                    [(in_use, well), (in_use, well), (own, empty), (own, empty)],
                    same((older, empty)),
                    same((older, empty)),
                    same((begun, well)),
                ],
            ),
            (
                Phase::Watched,
                (elsewhere, abort),
                (under_way, well),
                [
                    same((elsewhere, abort)),
                    same((elsewhere, abort)),
                    same((elsewhere, abort)),
                    same((under_way, well)),
                ],
            ),
            (
                away("x"),
                ("has moved to x", describe),
                ("does not answer", mend),
                [
                    [(lacks, right), (later, well), (later, well), (lacks, right)],
                    [(lacks, right), (later, well), (later, well), (lacks, right)],
                    same(("to x, and from there to y", last)),
                    same((between, again)),
                ],
            ),
        ];
        for (current, nobody, silent, by_phase) in rows {
            let nexts = [Phase::Live, Phase::Watched, away("y"), Phase::Filling].map(found);
            let nexts = nexts.into_iter().flatten().zip(by_phase.into_iter().flatten());
            let cases = [(Next::Nobody, nobody), (Next::Silent, silent)].into_iter().chain(nexts);
            for (next, (detail, remedy)) in cases {
                let line = judge(&current, &next);
                assert_eq!(line.passed, remedy.is_none(), "{current:?} {next:?}: {line:?}");
                assert!(line.detail.contains(detail), "{current:?} {next:?}: {line:?}");
                let told = line.remedy.unwrap_or_default();
                assert!(told.contains(remedy.unwrap_or_default()), "{current:?} {next:?}: {told}");
            }
        }
        for current in [Phase::Live, Phase::Watched, away("x"), Phase::Filling] {
            let line = judge(&current, &Next::Same);
            assert!(!line.passed && line.detail.contains("describes this store"), "{line:?}");
        }
        for next in [Next::Nobody, Next::Silent].into_iter().chain(found(Phase::Live)) {
            let line = judge(&Phase::Filling, &next);
            assert!(!line.passed && line.detail.contains("not whole yet"), "{next:?}: {line:?}");
        }
    }
}
