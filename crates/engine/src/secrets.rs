//! Whose the catalogue's secrets are, and which of them cannot be opened. No store calls.

use domain::catalog::{Edit, Endpoint, Entity, EntityKind, Problem};
use domain::ids::{AppId, Mode, PartnerId};
use domain::secret::Secret;

use crate::{Engine, SealError};

/// Whose a secret is. It is sealed for its owner and opens for nobody else, so the sealed text of
/// one row is of no use in another (X3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretOwner {
    /// An app's endpoint for rewards of that mode.
    App(AppId, Mode),
    /// A partner connection.
    Partner(PartnerId),
}

impl SecretOwner {
    /// What a secret of his is sealed for.
    pub(crate) fn purpose(self) -> String {
        match self {
            Self::App(app, Mode::Live) => format!("secret apps/{app} live"),
            Self::App(app, Mode::Test) => format!("secret apps/{app} test"),
            Self::Partner(partner) => format!("secret partners/{partner}"),
        }
    }
}

/// A secret of the catalogue that cannot be opened.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} {id} {field}: {why}", .kind.name())]
pub struct ClosedSecret {
    /// Kind of the row.
    pub kind: EntityKind,
    /// Its number.
    pub id: u32,
    /// The field, such as `postback.secrets[0]`.
    pub field: String,
    /// Why; a variable is named, a value never.
    pub why: SealError,
}

impl Engine {
    /// The secrets that cannot be opened now: their variable is not set, or they were sealed with a
    /// master key that is not here. Nothing that needs them works until that is mended.
    #[must_use]
    pub fn closed_secrets(&self) -> Vec<ClosedSecret> {
        let snapshot = self.snapshot();
        let catalog = snapshot.catalog();
        let apps = catalog.apps.values().cloned().map(Entity::App);
        let partners = catalog.partners.values().cloned().map(Entity::Partner);
        apps.chain(partners).flat_map(|row| self.closed_in(&row)).collect()
    }

    /// Sealed texts among the edits that are not their row's own. An unset variable is no problem
    /// here: another node may have it.
    pub(crate) fn foreign_secrets(&self, edits: &[Edit]) -> Vec<Problem> {
        let rows = edits.iter().filter_map(|edit| match edit {
            Edit::Put(row) => Some(row),
            Edit::Delete(..) => None,
        });
        let closed = rows.flat_map(|row| self.closed_in(row));
        let foreign = closed.filter(|closed| closed.why == SealError::ForeignSecret);
        let problem = |ClosedSecret { kind, id, field, why }| {
            let message = why.to_string();
            Problem { kind, id, field, message }
        };
        foreign.map(problem).collect()
    }

    fn closed_in(&self, row: &Entity) -> Vec<ClosedSecret> {
        let held = held_by(row).into_iter().flat_map(|(owner, list, secrets)| {
            secrets.iter().enumerate().map(move |(at, secret)| (owner, list, at, secret))
        });
        let closed = held.filter_map(|(owner, list, at, secret)| {
            let why = self.vault.open_secret(secret, owner).err()?;
            Some(ClosedSecret {
                kind: row.kind(),
                id: row.id(),
                field: format!("{list}[{at}]"),
                why,
            })
        });
        closed.collect()
    }
}

/// The lists of secrets in a row: whose they are, their field, and the secrets.
fn held_by(row: &Entity) -> Vec<(SecretOwner, &'static str, &[Secret])> {
    match row {
        Entity::App(app) => {
            let owner = |mode| SecretOwner::App(app.id, mode);
            vec![
                (owner(Mode::Live), "postback.secrets", in_endpoint(&app.postback)),
                (owner(Mode::Test), "test_postback.secrets", in_endpoint(&app.test_postback)),
            ]
        }
        Entity::Partner(partner) => {
            vec![(SecretOwner::Partner(partner.id), "secrets", &partner.secrets)]
        }
        _ => Vec::new(),
    }
}

fn in_endpoint(endpoint: &Option<Endpoint>) -> &[Secret] {
    endpoint.as_ref().map_or(&[], |endpoint| &endpoint.secrets)
}
