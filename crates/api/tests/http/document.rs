//! `/openapi.json`: that it is whole.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::server::Server;

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                found.insert(target);
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_served_and_whole() {
    let server = Server::start().await;
    let served = server.get("/openapi.json", "").await.expect(200);
    assert_eq!(&served.body, server.document());
    assert!(served.body["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut targets = BTreeSet::new();
    references(&served.body, &mut targets);
    assert!(targets.len() > 50);
    for target in targets {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(served.body.pointer(pointer).is_some(), "{target} leads nowhere");
    }
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let server = Server::start().await;
    let mut names = BTreeSet::new();
    for (method, path, operation) in server.operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} is given twice");
        let tag = operation["tags"][0].as_str().unwrap();
        let tags = server.document()["tags"].as_array().unwrap();
        assert!(tags.iter().any(|one| one["name"] == tag), "{method} {path}: {tag}");
        let summary = operation["summary"].as_str().unwrap();
        let is_plain = !summary.contains(['_', '`', '[']) && summary.len() <= 80;
        assert!(is_plain, "{method} {path}: {summary}");
        assert!(operation["responses"]["503"].is_object(), "{method} {path}");
    }
}

/// Every schema that stands for a row is the one that files use.
#[tokio::test]
async fn every_kind_has_its_own_schema() {
    let server = Server::start().await;
    for (kind, schema) in [
        ("publishers", "PublisherDoc"),
        ("apps", "AppDoc"),
        ("units", "UnitDoc"),
        ("advertisers", "AdvertiserDoc"),
        ("orders", "OrderDoc"),
        ("segments", "SegmentDoc"),
        ("line_items", "LineItemDoc"),
        ("ad_groups", "AdGroupDoc"),
        ("missions", "MissionDoc"),
        ("partners", "PartnerDoc"),
    ] {
        let of = |path: &str, method: &str, way: &str| {
            let operation = &server.document()["paths"][path][method];
            let target =
                operation.pointer(&format!("/{way}/content/application~1json/schema/$ref"));
            target.unwrap_or_else(|| panic!("{method} {path}")).clone()
        };
        let all = format!("/v1/admin/{kind}");
        let one = format!("{all}/{{id}}");
        let name = format!("#/components/schemas/catalog.{schema}");
        assert_eq!(of(&one, "get", "responses/200"), name.as_str());
        assert_eq!(of(&one, "patch", "responses/200"), name.as_str());
        assert_eq!(of(&all, "post", "requestBody"), format!("{name}.New").as_str());
        assert_eq!(of(&one, "patch", "requestBody"), format!("{name}.Patch").as_str());
    }
}
