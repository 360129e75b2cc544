//! A node serves a catalogue only with the state that belongs to it.
//!
//! A node whose `[state]` was forgotten would begin on the empty state of `[store]`, and pay users a
//! second time. So the first node that serves a catalogue writes down which state belongs to it, and
//! every later one compares (ADR 0015). The state is given its identity first, and what stands
//! somewhere is never replaced: a node that dies in between, or starts at the same time, finds what it
//! would have written.

use anyhow::ensure;
use store::{CatalogStore, Movable, Phase, StateId, StoreError};
use store_sqlite::OpenError;

use super::{Access, open_catalog};
use crate::clock;
use crate::config::Loaded;

/// What is said of a state that belongs to another catalogue.
pub(crate) const ELSEWHERE: &str = "the users' state that belongs to this catalogue is elsewhere, and the store that this \
     configuration names for it has another one";

/// What helps against it.
pub(crate) const REMEDY: &str = "[state] probably is missing or wrong in this configuration: let it describe the store that \
     has the users' state, as it does on the other nodes; whoever wants another state on purpose \
     finds in docs/shapes.md how to begin one";

/// Sees to it that the state belongs to the catalogue, and says which one it is; `None` if it has
/// moved before anybody could give it an identity.
///
/// # Errors
/// Another one does, or a store fails.
pub(super) async fn settle(
    catalog: &dyn CatalogStore,
    current: &Movable,
) -> anyhow::Result<Option<StateId>> {
    let own = match current.transfer.phase().await? {
        Phase::Live | Phase::Watched => {
            Some(current.identity.keep(StateId(clock::random())).await?)
        }
        Phase::Moved(_) | Phase::Filling => current.identity.get().await?,
    };
    if let Some(own) = own {
        ensure!(catalog.adopt(own).await? == own, "{ELSEWHERE}. {REMEDY}");
    }
    Ok(own)
}

/// Whether the state belongs to the catalogue, as far as anybody has said. Changes nothing.
pub(crate) async fn belongs(
    catalog: &dyn CatalogStore,
    state: &Movable,
) -> Result<bool, StoreError> {
    let Some(named) = catalog.state().await? else { return Ok(true) };
    Ok(match state.identity.get().await? {
        Some(own) => own == named,
        // It had gone before anybody gave it one, and has been given one where it is now.
        None => matches!(state.transfer.phase().await?, Phase::Moved(_)),
    })
}

/// Refuses a state that does not belong to the catalogue.
pub(super) async fn check(catalog: &dyn CatalogStore, state: &Movable) -> anyhow::Result<()> {
    ensure!(belongs(catalog, state).await?, "{ELSEWHERE}. {REMEDY}");
    Ok(())
}

/// Refuses a state that does not belong to the catalogue of a configuration.
pub(crate) async fn check_of(loaded: &Loaded, state: &Movable) -> anyhow::Result<()> {
    match open_catalog(loaded, Access::Beside).await {
        // Nobody has ever served it.
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::Missing(_))) => Ok(()),
        opened => check(&*opened?, state).await,
    }
}

/// Fails unless the store that the state has moved to has that state.
pub(super) async fn check_next(next: &Movable, own: Option<StateId>) -> Result<(), StoreError> {
    if own.is_none() || next.identity.get().await? == own {
        return Ok(());
    }
    Err(StoreError::Corrupt(
        "[next_state] describes a store with another state than the one that has moved; correct the \
         configuration"
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::Transfer as _;
    use store::memory::{MemoryCatalog, MemoryState};

    use super::*;

    fn state() -> Movable {
        Movable::of(&Arc::new(MemoryState::new()))
    }

    #[tokio::test]
    async fn the_first_state_belongs_to_a_catalogue_and_another_is_refused() {
        let (catalog, first, second) = (MemoryCatalog::new(), state(), state());
        assert!(belongs(&catalog, &second).await.unwrap(), "nobody has said anything yet");
        let own = settle(&catalog, &first).await.unwrap();
        assert!(own.is_some());
        assert_eq!(settle(&catalog, &first).await.unwrap(), own);
        assert!(belongs(&catalog, &first).await.unwrap());
        for _ in 0..2 {
            assert!(!belongs(&catalog, &second).await.unwrap());
            let refused = settle(&catalog, &second).await.unwrap_err().to_string();
            assert!(refused.contains("elsewhere") && refused.contains("[state]"), "{refused}");
            assert!(check(&catalog, &second).await.is_err());
        }
        assert_eq!(settle(&catalog, &first).await.unwrap(), own);
    }

    #[tokio::test]
    async fn a_node_that_died_in_between_goes_on_with_what_it_wrote() {
        let (catalog, current) = (MemoryCatalog::new(), state());
        let own = current.identity.keep(StateId([7; 16])).await.unwrap();
        assert_eq!(settle(&catalog, &current).await.unwrap(), Some(own));
        assert_eq!(catalog.state().await.unwrap(), Some(own));
    }

    #[tokio::test]
    async fn a_state_that_has_moved_is_given_nothing_and_compared_all_the_same() {
        let (catalog, own) = (MemoryCatalog::new(), StateId([7; 16]));
        let store = Arc::new(MemoryState::new());
        let (run, _) = store.take_over().await.unwrap();
        store.set_phase(run, Phase::Moved("the moon".to_owned())).await.unwrap();
        let gone = Movable::of(&store);
        assert_eq!(settle(&catalog, &gone).await.unwrap(), None);
        catalog.adopt(own).await.unwrap();
        assert!(belongs(&catalog, &gone).await.unwrap());
        assert_eq!(settle(&catalog, &gone).await.unwrap(), None);
        let next = state();
        check_next(&next, None).await.unwrap();
        assert!(matches!(check_next(&next, Some(own)).await, Err(StoreError::Corrupt(_))));
        next.identity.keep(own).await.unwrap();
        check_next(&next, Some(own)).await.unwrap();
    }
}
