//! What is sent in place of a secret that was not shown.
//!
//! Answers show `(secret)` where a secret stands. Whoever sends back a list of secrets just as it was
//! shown has changed nothing in it; any other list must spell its secrets out, because it could not
//! be told which one a placeholder means, and a placeholder must never become the secret itself.

use domain::catalog::{Endpoint, Entity};
use domain::secret::Secret;
use format::catalog::HIDDEN;
use serde_json::Value;

use crate::problem::FieldProblem;

/// Takes lists of secrets that are as they were shown out of a patch, so that they stay.
pub(super) fn keep_unchanged(shown: &Value, patch: &mut Value) {
    let (Some(shown), Some(patch)) = (shown.as_object(), patch.as_object_mut()) else {
        return;
    };
    patch.retain(|name, new| name != "secrets" || shown.get(name) != Some(new));
    for (name, new) in patch.iter_mut() {
        if let Some(old) = shown.get(name) {
            keep_unchanged(old, new);
        }
    }
}

/// Refuses a row in which a placeholder would become a secret; `place` is where the row stands.
pub(in crate::admin) fn refuse_placeholders(place: &str, row: &Entity) -> Result<(), FieldProblem> {
    let dot = if place.is_empty() { "" } else { "." };
    let of_endpoint =
        |endpoint: &Option<Endpoint>| endpoint.as_ref().and_then(|one| hidden(&one.secrets));
    let found = match row {
        Entity::App(app) => {
            let live = of_endpoint(&app.postback).map(|at| ("postback.secrets", at));
            live.or_else(|| Some(("test_postback.secrets", of_endpoint(&app.test_postback)?)))
        }
        Entity::Partner(partner) => hidden(&partner.secrets).map(|at| ("secrets", at)),
        _ => None,
    };
    found.map_or(Ok(()), |(list, at)| {
        let message = format!("{HIDDEN:?} is shown in place of a secret; send the secret itself");
        Err(FieldProblem::new(format!("{place}{dot}{list}[{at}]"), message))
    })
}

fn hidden(secrets: &[Secret]) -> Option<usize> {
    secrets.iter().position(|secret| secret.expose() == HIDDEN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_that_are_as_shown_are_kept() {
        let shown =
            json!({"name": "A", "postback": {"url": "u", "secrets": ["(secret)", "env:K"]}});
        let cases = [
            (json!({"postback": {"secrets": ["(secret)", "env:K"]}}), json!({"postback": {}})),
            (shown.clone(), json!({"name": "A", "postback": {"url": "u"}})),
            (
                json!({"postback": {"secrets": ["new", "(secret)"]}}),
                json!({"postback": {"secrets": ["new", "(secret)"]}}),
            ),
            (json!({"postback": null}), json!({"postback": null})),
            (json!({"secrets": ["(secret)"]}), json!({"secrets": ["(secret)"]})),
            (json!([1]), json!([1])),
        ];
        for (mut patch, expected) in cases {
            keep_unchanged(&shown, &mut patch);
            assert_eq!(patch, expected);
        }
    }
}
