//! What is wrong with a catalogue, all of it at once.
//!
//! Nothing is saved that has a problem, so the rest of the domain may rely on what is checked here:
//! references lead somewhere, sums of amounts do not overflow, steps do not wait for each other in
//! a circle, and no text or address can do harm on a user's page. A problem names its field as
//! files and answers spell it, such as `steps[1].payout`.

mod demand;
mod findings;
mod graph;
mod mission;
mod supply;
mod text;

use std::collections::BTreeMap;

use super::{Catalog, EntityKind};
use crate::catalog::limits::{SECRET_BYTES_MAX, SECRETS_MAX};
use crate::secret::{Secret, VARIABLE_PREFIX};
use findings::Findings;

/// One thing wrong with one row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Kind of the row.
    pub kind: EntityKind,
    /// Its number.
    pub id: u32,
    /// The field, such as `steps[1].payout`; empty if it is the whole row.
    pub field: String,
    /// One sentence: what is wrong and what would be right.
    pub message: String,
}

/// Everything wrong with the catalogue, by kind and number; empty when it can be used.
#[must_use]
pub fn validate(catalog: &Catalog) -> Vec<Problem> {
    let mut found = Findings::default();
    check_numbers(catalog, &mut found);
    supply::check(catalog, &mut found);
    demand::check(catalog, &mut found);
    mission::check(catalog, &mut found);
    check_keys(catalog, &mut found);
    found.into_problems()
}

/// Numbers begin with 1: a partner's macro that is 0 means that there is none.
fn check_numbers(catalog: &Catalog, found: &mut Findings) {
    for kind in EntityKind::ALL {
        if catalog.ids(kind).first() == Some(&0) {
            found.on(kind, 0);
            found.add("id", "numbers begin with 1");
        }
    }
}

/// A key or token proves who calls, so no two may be the same anywhere.
fn check_keys(catalog: &Catalog, found: &mut Findings) {
    let mut seen = BTreeMap::new();
    for app in catalog.apps.values() {
        found.on(EntityKind::App, app.id.0);
        for (at, key) in app.keys.iter().enumerate() {
            let first = seen.insert(key.digest, format!("app {}", app.id));
            if let Some(first) = first {
                found.add(
                    format_args!("keys[{at}].digest"),
                    format_args!("the same key belongs to {first}; make a new one"),
                );
            }
        }
    }
    for partner in catalog.partners.values() {
        found.on(EntityKind::Partner, partner.id.0);
        if let Some(first) = seen.insert(partner.token_digest, format!("partner {}", partner.id)) {
            let message = format_args!("the same token belongs to {first}; make a new one");
            found.add("token_digest", message);
        }
    }
}

fn check_secrets(secrets: &[Secret], field: &str, found: &mut Findings) {
    found.check(
        secrets.len() <= SECRETS_MAX,
        field,
        format_args!("at most {SECRETS_MAX} secrets can be live"),
    );
    for (at, secret) in secrets.iter().enumerate() {
        let fits = (1..=SECRET_BYTES_MAX).contains(&secret.expose().len());
        found.check(
            fits,
            format_args!("{field}[{at}]"),
            format_args!("a secret has 1 to {SECRET_BYTES_MAX} bytes"),
        );
        found.check(
            secret.variable().is_none_or(|name| name.starts_with(VARIABLE_PREFIX)),
            format_args!("{field}[{at}]"),
            format_args!("the name of a secret's variable must begin with {VARIABLE_PREFIX}"),
        );
    }
}

#[cfg(test)]
mod tests;
