//! The whole catalogue as one document.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::catalog::{Catalog, Mission};

use super::mirror::{Mirror, is_default};
use super::{
    AdGroupDoc, AdvertiserDoc, AppDoc, LineItemDoc, MissionDoc, OrderDoc, PartnerDoc, PublisherDoc,
    SegmentDoc, UnitDoc,
};

/// A whole catalogue, or the part of one that a file declares.
#[derive(
    Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CatalogDoc {
    /// Whether entities that the document does not name are deleted. By default they are left alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub prune: bool,
    /// Publishers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub publishers: Vec<PublisherDoc>,
    /// Apps.
    #[serde(default, skip_serializing_if = "is_default")]
    pub apps: Vec<AppDoc>,
    /// Units.
    #[serde(default, skip_serializing_if = "is_default")]
    pub units: Vec<UnitDoc>,
    /// Advertisers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub advertisers: Vec<AdvertiserDoc>,
    /// Orders.
    #[serde(default, skip_serializing_if = "is_default")]
    pub orders: Vec<OrderDoc>,
    /// Segments.
    #[serde(default, skip_serializing_if = "is_default")]
    pub segments: Vec<SegmentDoc>,
    /// Line items.
    #[serde(default, skip_serializing_if = "is_default")]
    pub line_items: Vec<LineItemDoc>,
    /// Ad groups.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ad_groups: Vec<AdGroupDoc>,
    /// Missions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missions: Vec<MissionDoc>,
    /// Partner connections.
    #[serde(default, skip_serializing_if = "is_default")]
    pub partners: Vec<PartnerDoc>,
}

impl CatalogDoc {
    /// Everything that people edit, by kind and number. Versions of missions are left out: the
    /// catalogue that the document is applied to gives its own.
    #[must_use]
    pub fn of(catalog: &Catalog) -> Self {
        Self {
            prune: false,
            publishers: docs(&catalog.publishers),
            apps: docs(&catalog.apps),
            units: docs(&catalog.units),
            advertisers: docs(&catalog.advertisers),
            orders: docs(&catalog.orders),
            segments: docs(&catalog.segments),
            line_items: docs(&catalog.line_items),
            ad_groups: docs(&catalog.ad_groups),
            missions: catalog.missions.values().map(unversioned).collect(),
            partners: docs(&catalog.partners),
        }
    }
}

fn docs<K, V, M: Mirror<V>>(rows: &BTreeMap<K, V>) -> Vec<M> {
    rows.values().map(M::of).collect()
}

fn unversioned(mission: &Arc<Mission>) -> MissionDoc {
    MissionDoc { version: 0, ..MissionDoc::of(mission) }
}

/// A catalogue that cannot be written, which would be a fault of this program.
#[derive(Debug, thiserror::Error)]
#[error("the catalogue cannot be written: {0}")]
pub struct ExportError(String);

/// The catalogue as TOML, always in the same order; [`super::parse_toml`] reads it.
///
/// # Errors
/// None that a catalogue could cause.
pub fn to_toml(catalog: &Catalog) -> Result<String, ExportError> {
    toml::to_string(&CatalogDoc::of(catalog)).map_err(|error| ExportError(error.to_string()))
}

/// The catalogue as JSON, always in the same order; [`super::parse_json`] reads it.
///
/// # Errors
/// None that a catalogue could cause.
pub fn to_json(catalog: &Catalog) -> Result<String, ExportError> {
    let text = serde_json::to_string_pretty(&CatalogDoc::of(catalog));
    text.map_err(|error| ExportError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use utoipa::OpenApi as _;

    use super::*;

    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(CatalogDoc)))]
    struct Description;

    #[test]
    fn every_doc_is_described() {
        let text = Description::openapi().to_json().unwrap();
        for name in
            ["catalog.MissionDoc", "catalog.JsonDoc", "DialectChoice", "MemberDoc", "HoldDoc"]
        {
            assert!(text.contains(&format!("\"{name}\":")), "{name} in {text}");
        }
        assert!(text.contains("All that may ever be booked or held, in micro-units."));
    }
}
