//! Differences of two entities, patches, and what people may see of one.

use domain::catalog::Entity;
use serde_json::{Map, Value};

use super::entity_to_json;

/// What stands for a secret wherever people look.
pub const HIDDEN: &str = "(secret)";
/// How a reference to a secret begins; the reference itself is no secret.
const REFERENCE: &str = "env:";

/// One field that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldChange {
    /// The field, such as `steps[1].payout`.
    pub path: String,
    /// The value before, as JSON; `None` if there was none. Secrets are hidden.
    pub old: Option<String>,
    /// The value afterwards, likewise.
    pub new: Option<String>,
}

/// The fields in which `new` differs from `old`, in order of their names; everything in `new` if
/// there is no `old`. The version of a mission does not count.
#[must_use]
pub fn field_changes(old: Option<&Entity>, new: &Entity) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let old = old.map_or(Value::Object(Map::new()), entity_to_json);
    compare("", Some(&old), Some(&entity_to_json(new)), &mut changes);
    changes.retain(|change| change.path != "version");
    changes
}

fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<FieldChange>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for at in 0..old.len().max(new.len()) {
                compare(&format!("{path}[{at}]"), old.get(at), new.get(at), changes);
            }
        }
        (old, new) => {
            let shown = |value: &Value| shown(path, value);
            changes.push(FieldChange {
                path: path.to_owned(),
                old: old.map(shown),
                new: new.map(shown),
            });
        }
    }
}

/// The value as people may see it at that path.
fn shown(path: &str, value: &Value) -> String {
    let mut value = value.clone();
    let name = path.rsplit('.').next().unwrap_or_default();
    redact(&mut value, name.starts_with("secrets"));
    value.to_string()
}

/// The JSON of an entity with its secrets hidden: references stay, everything else is replaced.
#[must_use]
pub fn redacted(mut value: Value) -> Value {
    redact(&mut value, false);
    value
}

fn redact(value: &mut Value, secret: bool) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                redact(value, secret || name == "secrets");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secret)),
        Value::String(text) if secret && !text.starts_with(REFERENCE) => {
            HIDDEN.clone_into(text);
        }
        _ => {}
    }
}

/// `target` after a merge patch (RFC 7396): `null` takes a field away, which gives it its default;
/// lists are replaced whole.
#[must_use]
pub fn patch_json(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch;
    };
    let mut fields = match target {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            let old = fields.remove(&name).unwrap_or(Value::Null);
            fields.insert(name, patch_json(old, value));
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use domain::catalog::{EntityKind, sample};
    use serde_json::json;

    use super::*;
    use crate::catalog::entity_from_json;

    fn app(patch: Value) -> Entity {
        let app = sample::catalog().get(EntityKind::App, 1).unwrap();
        let value = patch_json(entity_to_json(&app), patch);
        entity_from_json(EntityKind::App, value).unwrap()
    }

    #[test]
    fn a_patch_merges() {
        let cases = [
            (json!({"a": 1}), json!({"a": 2}), json!({"a": 2})),
            (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
            (json!({"a": 1}), json!({"a": null}), json!({})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": null}}), json!({"a": {"c": 2}})),
            (json!({"a": 1}), json!({"a": {"b": {"c": null}}}), json!({"a": {"b": {}}})),
            (json!({"a": 1}), json!([1]), json!([1])),
            (json!([1]), json!({"a": 1}), json!({"a": 1})),
        ];
        for (target, patch, expected) in cases {
            assert_eq!(patch_json(target, patch), expected);
        }
    }

    #[test]
    fn changes_name_fields_and_hide_secrets() {
        let plain = json!({"postback": {"url": "https://p.example", "secrets": ["hush"]}});
        let changed = json!({"user_share": "50%", "postback": {"url": "https://p.example", "secrets": ["env:KEY", "sealed:x"]}});
        let told: Vec<_> = field_changes(Some(&app(plain.clone())), &app(changed))
            .into_iter()
            .map(|change| (change.path, change.old, change.new))
            .collect();
        let text = |text: &str| Some(format!("{text:?}"));
        let expected = [
            ("postback.secrets[0]".to_owned(), text(HIDDEN), text("env:KEY")),
            ("postback.secrets[1]".to_owned(), None, text(HIDDEN)),
            ("user_share".to_owned(), text("60%"), text("50%")),
        ];
        assert_eq!(told, expected);
        let created = field_changes(Some(&app(json!({}))), &app(plain.clone()));
        assert_eq!(created.len(), 1);
        assert!(created.iter().all(|change| !format!("{change:?}").contains("hush")));
        assert!(field_changes(None, &app(plain)).iter().any(|change| change.path == "name"));
    }

    #[test]
    fn a_missions_version_is_no_change() {
        let value = sample::catalog().get(EntityKind::Mission, 1).map(|one| entity_to_json(&one));
        let newer = patch_json(value.clone().unwrap(), json!({"version": 7}));
        let [old, new] = [value.unwrap(), newer]
            .map(|value| entity_from_json(EntityKind::Mission, value).unwrap());
        assert_eq!(field_changes(Some(&old), &new), []);
    }

    #[test]
    fn answers_hide_secrets() {
        let value = entity_to_json(&app(
            json!({"postback": {"url": "https://p.example", "secrets": ["hush", "env:KEY"]}}),
        ));
        let hidden = redacted(value);
        assert_eq!(hidden["postback"]["secrets"], json!([HIDDEN, "env:KEY"]));
        assert_eq!(hidden["name"], json!("Sample app"));
    }
}
