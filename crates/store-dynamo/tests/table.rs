//! Making a table: half made, made twice, made by several, and what is not ours.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use aws_smithy_http_client::Builder;
use store::Journal as _;
use store::contract::all;
use store::contract::sample;
use store_dynamo::{Check, DynamoStore, OpenError, Place, SHARDS_MAX, are_one, checks, create};
use support::Tables;

/// The server itself, for what the store would not do.
fn raw(place: &Place) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(Builder::new().build_http())
        .endpoint_url(place.endpoint.clone().unwrap())
        .region(Region::new("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .build();
    Client::from_conf(config)
}

/// A table with these keys and without an index, as a `migrate` leaves it that was killed early.
async fn make_bare(place: &Place, keys: [&str; 2]) {
    let kinds = [KeyType::Hash, KeyType::Range];
    let schema = keys.into_iter().zip(kinds).map(|(name, kind)| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    });
    let definitions = keys.map(|name| {
        let definition = AttributeDefinition::builder().attribute_name(name);
        definition.attribute_type(ScalarAttributeType::S).build().unwrap()
    });
    let create = raw(place).create_table().table_name(&place.table);
    let create = create.billing_mode(BillingMode::PayPerRequest);
    let create = create.set_key_schema(Some(schema.collect()));
    create.set_attribute_definitions(Some(definitions.to_vec())).send().await.unwrap();
}

fn failed(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|check| !check.passed).map(|check| check.code).collect()
}

#[tokio::test]
async fn a_half_made_table_is_finished() {
    let tables = Tables::start();
    let place = tables.place();
    assert!(matches!(DynamoStore::open(&place).await, Err(OpenError::Missing(_))));
    assert_eq!(failed(&checks(&place).await), ["table"]);
    make_bare(&place, ["pk", "sk"]).await;
    assert!(matches!(DynamoStore::open(&place).await, Err(OpenError::Missing(_))));
    assert_eq!(failed(&checks(&place).await), ["index", "layout"]);
    create(&place, 4).await.unwrap();
    assert_eq!(failed(&checks(&place).await), [""; 0], "{:?}", checks(&place).await);
    let store = support::open(&place).await;
    store.append(sample::trace(None, "install")).await.unwrap();
    assert_eq!(store.head().await.unwrap(), 1);
}

#[tokio::test]
async fn making_a_table_again_leaves_it_as_it_is() {
    let tables = Tables::start();
    let place = tables.place();
    for made in all((0..4).map(|_| create(&place, 4))).await {
        made.unwrap();
    }
    let store = support::open(&place).await;
    store.append(sample::trace(None, "install")).await.unwrap();
    create(&place, 7).await.unwrap();
    let again = support::open(&place).await;
    assert_eq!(again.head().await.unwrap(), 1);
    let shards = |checks: Vec<Check>| checks.into_iter().find(|check| check.code == "layout");
    let layout = shards(checks(&place).await).unwrap().detail;
    assert!(layout.contains("4 shards"), "{layout}");
}

#[tokio::test]
async fn what_is_not_ours_is_left_alone() {
    let tables = Tables::start();
    let place = tables.place();
    for shards in [0, SHARDS_MAX + 1] {
        let made = create(&place, shards).await;
        assert!(matches!(made, Err(OpenError::Shards { .. })), "{shards} shards: {made:?}");
    }
    make_bare(&place, ["user", "item"]).await;
    assert!(matches!(create(&place, 4).await, Err(OpenError::NotOurs(_))));
    assert!(failed(&checks(&place).await).contains(&"keys"));
    let newer = tables.make(4).await;
    let item = [("pk", "META"), ("sk", "META")];
    let key = item.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
    let update = raw(&newer).update_item().table_name(&newer.table);
    let update = update.set_key(Some(key.into())).update_expression("SET layout = :next");
    let update = update.expression_attribute_values(":next", AttributeValue::N("2".to_owned()));
    update.send().await.unwrap();
    let opened = DynamoStore::open(&newer).await;
    assert!(matches!(opened, Err(OpenError::Newer { found: 2, known: 1 })), "{opened:?}");
    assert!(matches!(create(&newer, 4).await, Err(OpenError::Newer { .. })));
    assert_eq!(failed(&checks(&newer).await), ["layout"]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_said_to_be_out_of_reach() {
    let tables = Tables::start();
    let place = tables.make(1).await;
    tables.server.kill().unwrap();
    let found = checks(&place).await;
    assert_eq!(failed(&found), ["reachable"]);
    assert!(!found[0].remedy.is_empty());
    assert!(matches!(DynamoStore::open(&place).await, Err(OpenError::Server(_))));
}

#[tokio::test]
async fn one_table_is_known_under_two_names() {
    let (tables, others) = (Tables::start(), Tables::start());
    let place = tables.make(1).await;
    let endpoint = place.endpoint.clone().map(|address| address.replace("127.0.0.1", "localhost"));
    let named = Place { endpoint, ..place.clone() };
    let elsewhere = Place { endpoint: others.place().endpoint, ..place.clone() };
    create(&elsewhere, 1).await.unwrap();
    let absent = Place { table: "absent".to_owned(), ..place.clone() };
    let beside = tables.make(1).await;
    for (other, expected) in
        [(&place, true), (&named, true), (&beside, false), (&elsewhere, false), (&absent, false)]
    {
        assert_eq!(are_one(&place, other).await.unwrap(), expected, "{other:?}");
    }
    assert!(!are_one(&absent, &absent).await.unwrap(), "a table that is not there is no table");
    others.server.kill().unwrap();
    assert!(matches!(are_one(&place, &elsewhere).await, Err(OpenError::Server(_))));
}
