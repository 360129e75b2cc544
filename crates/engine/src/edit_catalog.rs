//! `edit_catalog`: people's edits, checked as a whole before anything is saved.
//!
//! | step | store calls |
//! |---|---|
//! | set the limits of line items whose budget is lowered | 1 each |
//! | save the edits | 1 |
//! | read all budgets, and set the limits that are raised | 1, and 1 each |
//! | if somebody else's edit came first, or it is not known what became of this one: read the catalogue | 1 |
//!
//! What is lowered is set before the catalogue is saved, because only the state store can refuse a
//! budget below what is committed; what is raised is set after it. So whatever fails in between, no
//! budget is ever higher than the saved catalogue says (M2), and the next refresh sets it right.
//!
//! The catalogue that was checked is the one that is served afterwards: reading it back would give the
//! same, and takes as long as a start.

use domain::budget::Level;
use domain::catalog::{
    Catalog, Difference, Edit, Endpoint, Entity, Partner, Problem, diff, frozen, validate,
};
use domain::ids::{LineItemId, Mode};
use domain::secret::Secret;
use domain::snapshot::Snapshot;
use store::{LimitsOutcome, Saved, SavedRevision, Topic};

use crate::refresh_catalog::{LIMITS_AT_ONCE, Wanted, limits_of};
use crate::{Ctx, Engine, EngineError, SecretOwner};

/// What was saved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The catalogue's revision afterwards.
    pub revision: u64,
    /// What differs from before.
    pub difference: Difference,
}

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The catalogue would not hold together.
    #[error("the catalogue would have {} problems", .0.len())]
    Invalid(Vec<Problem>),
    /// A budget would be below what is booked and held.
    #[error("the budget of line item {0} would be below what is booked and held")]
    BelowCommitted(LineItemId, Level),
    /// Somebody else's edit came first.
    #[error("the catalogue has changed meanwhile; it is at revision {0}")]
    Conflict(u64),
    /// The store failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Engine {
    /// Why [`Engine::apply_difference`] would refuse these edits, as far as this node knows the
    /// budgets; only the state store knows them for certain.
    ///
    /// # Errors
    /// [`ApplyError::Invalid`] or [`ApplyError::BelowCommitted`].
    pub fn preview(&self, base: &Snapshot, difference: &Difference) -> Result<(), ApplyError> {
        self.checked(base, difference)?;
        let levels = self.board.read();
        for (line_item, limits) in limits_in(&difference.edits) {
            if let Some(level) = levels.get(line_item)
                && !limits.may_follow(Some(&level.limits), &level.total)
            {
                return Err(ApplyError::BelowCommitted(line_item, *level));
            }
        }
        Ok(())
    }

    /// The difference between a catalogue and these rows, their secrets sealed.
    #[must_use]
    pub fn difference(&self, base: &Snapshot, entities: &[Entity], prune: bool) -> Difference {
        diff(base.catalog(), &self.sealed(entities), prune)
    }

    /// Makes the catalogue hold these rows. Rows that are not named stay, unless `prune`.
    ///
    /// # Errors
    /// [`ApplyError`]; nothing was saved.
    pub async fn apply_entities(
        &self,
        ctx: &Ctx,
        entities: &[Entity],
        prune: bool,
        by: &str,
    ) -> Result<Applied, ApplyError> {
        let snapshot = self.snapshot();
        let difference = self.difference(&snapshot, entities, prune);
        self.apply_difference(ctx, &snapshot, difference, by).await
    }

    /// Saves edits that were made from `base`, if the catalogue is still the same.
    ///
    /// # Errors
    /// [`ApplyError`]; nothing was saved.
    pub async fn apply_difference(
        &self,
        ctx: &Ctx,
        base: &Snapshot,
        difference: Difference,
        by: &str,
    ) -> Result<Applied, ApplyError> {
        let next = self.checked(base, &difference)?;
        self.save(ctx, next, difference, by).await
    }

    /// Removes one row.
    ///
    /// # Errors
    /// [`ApplyError`]; nothing was saved.
    pub async fn delete_entity(
        &self,
        ctx: &Ctx,
        edit: Edit,
        by: &str,
    ) -> Result<Applied, ApplyError> {
        let Edit::Delete(kind, id) = edit else {
            return Err(EngineError::NotFound("row").into());
        };
        let snapshot = self.snapshot();
        if snapshot.catalog().get(kind, id).is_none() {
            return Err(EngineError::NotFound("row").into());
        }
        let difference =
            Difference { deleted: vec![(kind, id)], edits: vec![edit], ..Difference::default() };
        self.apply_difference(ctx, &snapshot, difference, by).await
    }

    /// Saved edits, newest first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn catalog_history(
        &self,
        ctx: &Ctx,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<SavedRevision>, EngineError> {
        Ok(ctx.metered("catalog.history", self.stores.catalog.history(before, limit)).await?)
    }

    async fn save(
        &self,
        ctx: &Ctx,
        next: Catalog,
        difference: Difference,
        by: &str,
    ) -> Result<Applied, ApplyError> {
        let base = next.revision - 1;
        if difference.edits.is_empty() {
            return Ok(Applied { revision: base, difference });
        }
        let mut turn = self.editing.lock().await;
        if let Err(refused) = self.lower_limits(ctx, &difference.edits).await {
            self.mend_limits(ctx, &mut turn).await?;
            return Err(refused);
        }
        let edits = difference.edits.clone();
        let save = self.stores.catalog.save(base, edits, by, ctx.now);
        let saved = ctx.metered("catalog.save", save).await.map_err(EngineError::from);
        if !matches!(saved, Ok(Saved::Conflict(_))) {
            self.ring(Topic::Catalog);
        }
        match saved {
            Ok(Saved::At(revision)) if revision == next.revision => self.serve(next).await,
            _ => drop(self.load_catalog(ctx).await?),
        }
        self.mend_limits(ctx, &mut turn).await?;
        match saved? {
            Saved::At(revision) => Ok(Applied { revision, difference }),
            Saved::Conflict(revision) => Err(ApplyError::Conflict(revision)),
        }
    }

    /// Sets what is lowered. What is raised waits until the catalogue is saved.
    async fn lower_limits(&self, ctx: &Ctx, edits: &[Edit]) -> Result<(), ApplyError> {
        for some in self.lower(edits).chunks(LIMITS_AT_ONCE) {
            for outcome in self.set_limits(ctx, some).await {
                match outcome.map_err(EngineError::from)? {
                    LimitsOutcome::Set(level) => self.take_levels(ctx, &[level]),
                    LimitsOutcome::BelowCommitted(level) => {
                        return Err(ApplyError::BelowCommitted(level.line_item, level));
                    }
                }
            }
        }
        Ok(())
    }

    /// What is lowered, and to what.
    fn lower(&self, edits: &[Edit]) -> Vec<Wanted> {
        let levels = self.board.read();
        let lower = limits_in(edits).filter_map(|(line_item, wanted)| {
            let known = levels.get(line_item)?.limits;
            let lower = known.and(&wanted);
            (known != lower).then_some((line_item, lower))
        });
        lower.collect()
    }

    /// The catalogue after the edits, if it holds together, what is booked keeps its meaning, and the
    /// edits' sealed secrets are their rows' own.
    fn checked(&self, base: &Snapshot, difference: &Difference) -> Result<Catalog, ApplyError> {
        let mut problems = frozen(base.catalog(), &difference.edits);
        let next = base.catalog().edited(&difference.edits);
        problems.extend(validate(&next));
        problems.extend(self.foreign_secrets(&difference.edits));
        if problems.is_empty() { Ok(next) } else { Err(ApplyError::Invalid(problems)) }
    }

    /// The rows with their plain secrets sealed. Sealing the same secret gives the same text, so
    /// applying a file twice changes nothing. A secret that could not be used stays plain: once it
    /// is sealed nobody sees what is wrong with it, and as it is the check of the catalogue does.
    fn sealed(&self, entities: &[Entity]) -> Vec<Entity> {
        let seal = |secret: &mut Secret, owner| *secret = self.vault.seal_secret(secret, owner);
        let seal_endpoint = |endpoint: &mut Option<Endpoint>, owner| {
            let Some(endpoint) = endpoint else { return };
            for at in 0..endpoint.secrets.len() {
                if endpoint.is_usable(at) {
                    seal(&mut endpoint.secrets[at], owner);
                }
            }
        };
        let mut sealed = entities.to_vec();
        for entity in &mut sealed {
            match entity {
                Entity::App(app) => {
                    seal_endpoint(&mut app.postback, SecretOwner::App(app.id, Mode::Live));
                    seal_endpoint(&mut app.test_postback, SecretOwner::App(app.id, Mode::Test));
                }
                Entity::Partner(Partner { id, secrets, .. }) => {
                    secrets.iter_mut().for_each(|secret| seal(secret, SecretOwner::Partner(*id)));
                }
                _ => {}
            }
        }
        sealed
    }
}

/// What the line items that are edited may spend afterwards.
fn limits_in(edits: &[Edit]) -> impl Iterator<Item = Wanted> {
    edits.iter().filter_map(|edit| match edit {
        Edit::Put(Entity::LineItem(line_item)) => Some((line_item.id, limits_of(line_item))),
        Edit::Put(_) | Edit::Delete(..) => None,
    })
}
