//! `Identity`: a state has one for ever, and takes it along.

use super::check::all;
use super::transfer::turn;
use super::{Checked, MoveFixture};
use crate::{Phase, StateId, StoreError};

const OWN: StateId = StateId([7; 16]);
const OTHER: StateId = StateId([255; 16]);
const ZERO: StateId = StateId([0; 16]);

/// Nobody has said yet which state a new store has.
pub async fn identity_get_of_a_new_store_is_none(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    ensure_eq!(store.identity.get().await?, None, "the identity of a new store");
    Ok(())
}

/// The first identity stays, whoever comes with another one, in whatever phase; also after a restart.
pub async fn identity_keep_gives_one_for_ever(fixture: &dyn MoveFixture) -> Checked {
    for own in [OWN, OTHER, ZERO] {
        let store = fixture.fresh().await?;
        ensure_eq!(store.identity.keep(own).await?, own, "the first identity");
        let other = StateId([8; 16]);
        for phase in [Phase::Watched, Phase::Moved("away".to_owned()), Phase::Filling, Phase::Live]
        {
            turn(&store, phase.clone()).await?;
            ensure_eq!(store.identity.keep(other).await?, own, "what it keeps, {phase:?}");
            ensure_eq!(store.identity.get().await?, Some(own), "its identity, {phase:?}");
        }
        let Some(store) = fixture.reopen(store).await? else { continue };
        ensure_eq!(store.identity.get().await?, Some(own), "its identity after reopening");
        ensure_eq!(store.identity.keep(other).await?, own, "what it keeps after reopening");
    }
    Ok(())
}

/// Nodes that start at once for the first time agree.
pub async fn identity_keep_race_has_one_winner(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    let found = all((1..=8).map(|number| store.identity.keep(StateId([number; 16])))).await;
    let found = found.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    let kept = store.identity.get().await?;
    ensure!(kept.is_some_and(|kept| (1..=8).contains(&kept.0[0])), "nobody won: {kept:?}");
    ensure!(found.iter().all(|one| Some(*one) == kept), "{found:?}, but it keeps {kept:?}");
    Ok(())
}

/// A state that is on its way is given none where it was or will be, as it takes no change there.
pub async fn identity_keep_gives_none_between_the_stores(fixture: &dyn MoveFixture) -> Checked {
    let store = fixture.fresh().await?;
    turn(&store, Phase::Moved("away".to_owned())).await?;
    let refused = store.identity.keep(OWN).await;
    ensure!(matches!(&refused, Err(StoreError::Moved(to)) if to == "away"), "moved: {refused:?}");
    turn(&store, Phase::Filling).await?;
    let refused = store.identity.keep(OWN).await;
    ensure!(matches!(refused, Err(StoreError::Unavailable(_))), "filling: {refused:?}");
    ensure_eq!(store.identity.get().await?, None, "the identity after refusals");
    turn(&store, Phase::Watched).await?;
    ensure_eq!(store.identity.keep(OWN).await?, OWN, "an identity while the store is watched");
    Ok(())
}

/// A store that is filled gets the identity of what it is filled with, also if it was used by mistake
/// before; no other store does.
pub async fn identity_put_replaces_while_it_is_filled(fixture: &dyn MoveFixture) -> Checked {
    for mistaken in [None, Some(OTHER)] {
        let store = fixture.fresh().await?;
        if let Some(mistaken) = mistaken {
            store.identity.keep(mistaken).await?;
        }
        for phase in [Phase::Live, Phase::Watched, Phase::Moved("away".to_owned())] {
            let run = turn(&store, phase.clone()).await?;
            let refused = store.identity.put(run, OWN).await;
            ensure!(refused.is_err(), "{phase:?} was given another identity");
            ensure_eq!(store.identity.get().await?, mistaken, "its identity, {phase:?}");
        }
        let late = turn(&store, Phase::Filling).await?;
        let run = turn(&store, Phase::Filling).await?;
        for id in [ZERO, OWN, OWN] {
            store.identity.put(run, id).await?;
            ensure_eq!(store.identity.get().await?, Some(id), "the identity that was put");
        }
        let refused = store.identity.put(late, OTHER).await;
        ensure!(matches!(refused, Err(StoreError::TakenOver)), "a run that is over: {refused:?}");
        turn(&store, Phase::Live).await?;
        ensure_eq!(store.identity.keep(OTHER).await?, OWN, "its identity from then on");
        let Some(store) = fixture.reopen(store).await? else { continue };
        ensure_eq!(store.identity.get().await?, Some(OWN), "its identity after reopening");
    }
    Ok(())
}
