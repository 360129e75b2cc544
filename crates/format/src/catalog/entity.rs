//! One entity as JSON, for the admin API and for a store's rows.

use std::sync::Arc;

use domain::catalog::{Entity, EntityKind};
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;

use super::mirror::Mirror;
use super::{
    AdGroupDoc, AdvertiserDoc, AppDoc, LineItemDoc, MissionDoc, OrderDoc, PartnerDoc, PublisherDoc,
    SegmentDoc, UnitDoc,
};

/// What is said of a list or a text where an entity should be: fields have names here.
pub(super) const NO_OBJECT: &str = "expected an object with named fields";

/// What is wrong with a value, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{message}", if field.is_empty() { String::new() } else { format!("{field}: ") })]
pub struct FieldError {
    /// The field, such as `steps[1].payout`; empty if it is the whole.
    pub field: String,
    /// One sentence.
    pub message: String,
}

/// The entity as JSON, secrets included; see [`super::redacted`] for answers to people.
#[must_use]
pub fn entity_to_json(entity: &Entity) -> Value {
    match entity {
        Entity::Publisher(row) => json(PublisherDoc::of(row)),
        Entity::App(row) => json(AppDoc::of(row)),
        Entity::Unit(row) => json(UnitDoc::of(row)),
        Entity::Advertiser(row) => json(AdvertiserDoc::of(row)),
        Entity::Order(row) => json(OrderDoc::of(row)),
        Entity::Segment(row) => json(SegmentDoc::of(row)),
        Entity::LineItem(row) => json(LineItemDoc::of(row)),
        Entity::AdGroup(row) => json(AdGroupDoc::of(row)),
        Entity::Mission(row) => json(MissionDoc::of(row)),
        Entity::Partner(row) => json(PartnerDoc::of(row)),
    }
}

/// Writing a doc as JSON fails only for map keys that are no text and for numbers beyond 64 bits;
/// docs have neither, and nothing would be read back from `null`.
fn json(doc: impl Serialize) -> Value {
    serde_json::to_value(doc).unwrap_or(Value::Null)
}

/// The entity of that kind that the JSON says.
///
/// # Errors
/// The first field that is missing, unknown or not understood.
pub fn entity_from_json(kind: EntityKind, value: Value) -> Result<Entity, FieldError> {
    if !value.is_object() {
        return Err(FieldError { field: String::new(), message: NO_OBJECT.to_owned() });
    }
    read(kind, value).map_err(|error| FieldError {
        field: path_of(error.path()),
        message: explained(error.inner().to_string()),
    })
}

/// The entity of that kind that a text in JSON says.
///
/// # Errors
/// As [`entity_from_json`], or the text is no JSON.
pub fn entity_from_str(kind: EntityKind, text: &str) -> Result<Entity, FieldError> {
    // To keep track of the place costs more than reading, so it is done only once there is an error.
    if text.starts_with('{') {
        let mut from = serde_json::Deserializer::from_str(text);
        let read = read_untracked(kind, &mut from).and_then(|row| from.end().map(|()| row));
        if let Ok(row) = read {
            return Ok(row);
        }
    }
    let value = serde_json::from_str(text);
    let value = value.map_err(|why| FieldError { field: String::new(), message: why.to_string() });
    entity_from_json(kind, value?)
}

/// The message, with what serde cannot know: every `i64` of the catalogue is an amount.
pub(super) fn explained(mut message: String) -> String {
    if message.starts_with("invalid type: floating point") && message.ends_with("expected i64") {
        message.push_str(
            "; amounts are whole numbers: money in micro-units, so that 1.50 is 1500000, and points \
             in the app's minor unit",
        );
    }
    message
}

/// An error with the path of the field that it is about.
pub(super) type PathError<E> = serde_path_to_error::Error<E>;

/// Reads one entity of that kind from any format.
pub(super) fn read<'de, D: Deserializer<'de>>(
    kind: EntityKind,
    from: D,
) -> Result<Entity, PathError<D::Error>> {
    read_doc(kind, from, &Tracked)
}

/// The same without the place of an error.
fn read_untracked<'de, D: Deserializer<'de>>(
    kind: EntityKind,
    from: D,
) -> Result<Entity, D::Error> {
    read_doc(kind, from, &Untracked)
}

/// A way to read a doc.
trait ReadDoc<'de, D: Deserializer<'de>> {
    type Error;

    fn read<M: DeserializeOwned>(&self, from: D) -> Result<M, Self::Error>;
}

struct Tracked;

impl<'de, D: Deserializer<'de>> ReadDoc<'de, D> for Tracked {
    type Error = PathError<D::Error>;

    fn read<M: DeserializeOwned>(&self, from: D) -> Result<M, Self::Error> {
        serde_path_to_error::deserialize(from)
    }
}

struct Untracked;

impl<'de, D: Deserializer<'de>> ReadDoc<'de, D> for Untracked {
    type Error = D::Error;

    fn read<M: DeserializeOwned>(&self, from: D) -> Result<M, Self::Error> {
        M::deserialize(from)
    }
}

fn read_doc<'de, D: Deserializer<'de>, R: ReadDoc<'de, D>>(
    kind: EntityKind,
    from: D,
    by: &R,
) -> Result<Entity, R::Error> {
    Ok(match kind {
        EntityKind::Publisher => Entity::Publisher(by.read::<PublisherDoc>(from)?.into_domain()),
        EntityKind::App => Entity::App(by.read::<AppDoc>(from)?.into_domain()),
        EntityKind::Unit => Entity::Unit(by.read::<UnitDoc>(from)?.into_domain()),
        EntityKind::Advertiser => Entity::Advertiser(by.read::<AdvertiserDoc>(from)?.into_domain()),
        EntityKind::Order => Entity::Order(by.read::<OrderDoc>(from)?.into_domain()),
        EntityKind::Segment => Entity::Segment(by.read::<SegmentDoc>(from)?.into_domain()),
        EntityKind::LineItem => Entity::LineItem(by.read::<LineItemDoc>(from)?.into_domain()),
        EntityKind::AdGroup => Entity::AdGroup(by.read::<AdGroupDoc>(from)?.into_domain()),
        EntityKind::Mission => {
            Entity::Mission(Arc::new(by.read::<MissionDoc>(from)?.into_domain()))
        }
        EntityKind::Partner => Entity::Partner(by.read::<PartnerDoc>(from)?.into_domain()),
    })
}

/// The path of an error; the whole is the empty path, and a part that cannot be named ends it.
pub(super) fn path_of(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    let known = text.split(".?").next().unwrap_or_default();
    if known == "." || known == "?" { String::new() } else { known.to_owned() }
}

#[cfg(test)]
mod tests {
    use domain::catalog::sample;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary;
    use crate::catalog::{Syntax, parse, to_json, to_toml};

    #[test]
    fn the_form_of_a_mission_is_pinned() {
        let mission = sample::catalog().get(EntityKind::Mission, 1).unwrap();
        let value = entity_to_json(&mission);
        assert_eq!(value["window_seconds"], json!("14d"));
        assert_eq!(value["version"], json!(1));
        let bonus = json!({
            "id": 4,
            "role": "bonus",
            "payout": 100_000,
            "repeat": {"limit": 1, "per_day": 1},
            "rule": "check_in",
            "texts": [{"language": "en", "title": "Check in"}],
        });
        assert_eq!(value["steps"][3], bonus);
        assert_eq!(value["steps"][0]["rule"], json!({"event": {"name": "install"}}));
    }

    #[test]
    fn errors_name_the_field() {
        let cases = [
            (EntityKind::Unit, json!([]), "expected an object with named fields"),
            (EntityKind::Unit, json!({"id": 1}), "missing field `app_id`"),
            (EntityKind::Unit, json!({"id": 1, "app": 1}), "app: unknown field `app`, expected"),
            (
                EntityKind::Unit,
                json!({"id": 1, "app_id": 1, "name": null}),
                "name: invalid type: null",
            ),
            (
                EntityKind::Mission,
                json!({"steps": [{"rule": {"event": {"name": "a", "aim": {"count": -1}}}}]}),
                "steps[0].rule.event.aim.count: invalid value: integer `-1`",
            ),
            (
                EntityKind::App,
                json!({"postback": {"url": "", "dialect": "buzzvill"}}),
                "postback.dialect: there is no preset \"buzzvill\"; use one of standard_webhooks",
            ),
        ];
        for (kind, value, expected) in cases {
            for told in [entity_from_str(kind, &value.to_string()), entity_from_json(kind, value)] {
                let told = told.map(drop).map_err(|error| error.to_string()).unwrap_err();
                assert!(told.starts_with(expected), "{told}\nfor {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_entity_survives(entity in arbitrary::entity()) {
            let value = entity_to_json(&entity);
            prop_assert_eq!(entity_from_str(entity.kind(), &value.to_string()), Ok(entity.clone()));
            prop_assert_eq!(entity_from_json(entity.kind(), value).map_err(|e| e.to_string()), Ok(entity));
        }

        #[test]
        fn any_catalogue_survives(entities in prop::collection::vec(arbitrary::entity(), 0..8)) {
            let edits: Vec<_> = entities.into_iter().map(domain::catalog::Edit::Put).collect();
            let catalog = domain::catalog::Catalog::default().edited(&edits);
            for (syntax, text) in [
                (Syntax::Toml, to_toml(&catalog).unwrap()),
                (Syntax::Json, to_json(&catalog).unwrap()),
            ] {
                let file = parse(syntax, &text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
                let found = domain::catalog::diff(&catalog, &file.entities, true);
                prop_assert!(found.is_empty(), "{:?}\n{}", found, text);
            }
        }

        #[test]
        fn random_text_never_panics(text in "\\PC{0,60}|[\\[\\]{}\":,a-z0-9_= \n]{0,80}") {
            for syntax in [Syntax::Toml, Syntax::Json] {
                let _ = parse(syntax, &text);
            }
        }
    }
}
