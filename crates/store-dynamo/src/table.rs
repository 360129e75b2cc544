//! Making the table, and opening it.
//!
//! Making it can be broken off anywhere and begun again: what is there is left as it is, what is
//! missing is added, and the last step, one transaction, writes the items that everything else stands
//! on. A table without them is not opened.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableDescription, TableStatus,
};
use store::Phase;
use tokio::time::{Instant, sleep};

use crate::base::Base;
use crate::client::{Db, Place};
use crate::error::{Failed, OpenError};
use crate::keys::{self, GROUP, INDEX, INDEX_PK, INDEX_SK, PK, POSITION, QUEUED, RUN, SK};
use crate::merge::MergeHead;
use crate::phase;
use crate::requests::Request;
use crate::value::{Item, Read as _, item, number};
use crate::write::Write;

/// The layout that this release reads and writes.
const LAYOUT: u64 = 1;
/// Shards unless told otherwise. By DynamoDB's limit of 1,000 write units a second on a partition each
/// takes 500 groups of commits and 250 deliveries a second.
pub const SHARDS_DEFAULT: u32 = 16;
/// Most shards: the heads and queues of all are written in one transaction, with two more items.
pub const SHARDS_MAX: u32 = 32;

/// How long a new table or index is waited for; AWS needs some ten seconds for either.
const ACTIVE_TIMEOUT: Duration = Duration::from_secs(300);
/// How often it is looked at.
const ACTIVE_POLL: Duration = Duration::from_millis(500);

/// Attributes of the meta item.
const LAYOUT_ATTRIBUTE: &str = "layout";
const SHARDS_ATTRIBUTE: &str = "shards";

/// Makes the table with so many shards, or what is missing of it. The shards of a table that is there
/// stay as they are.
///
/// # Errors
/// It is the table of something else or of a newer release, or DynamoDB refuses.
pub async fn create(place: &Place, shards: u32) -> Result<(), OpenError> {
    if !(1..=SHARDS_MAX).contains(&shards) {
        return Err(OpenError::Shards { asked: shards, most: SHARDS_MAX });
    }
    let db = Db::connect(place).await;
    if describe(&db).await?.is_none() {
        create_table(&db).await?;
    }
    let table = active(&db).await?;
    check_keys(&db, &table)?;
    if index_of(&table).is_none() {
        add_index(&db).await?;
        active(&db).await?;
    }
    write_meta(&db, shards).await
}

/// Opens the table.
///
/// # Errors
/// It is not there or not complete, of a newer release, or DynamoDB refuses.
pub(crate) async fn open(place: &Place) -> Result<Base, OpenError> {
    let db = Db::connect(place).await;
    let meta = db.get(Request::ReadMeta, &keys::meta()).await;
    let Some(meta) = meta.map_err(|failed| server(failed, &db))? else {
        return Err(OpenError::Missing(place.table.clone()));
    };
    let shards = shards_of(&meta)?;
    Ok(Base::new(db, shards))
}

/// The shards of a table of this layout.
pub(crate) fn shards_of(meta: &Item) -> Result<u32, OpenError> {
    let read = |failed: Failed| OpenError::Server(failed.words());
    let found = meta.get_number(LAYOUT_ATTRIBUTE).map_err(read)?;
    if found != LAYOUT {
        return Err(OpenError::Newer { found, known: LAYOUT });
    }
    meta.get_number(SHARDS_ATTRIBUTE).map_err(read)
}

fn server(failed: Failed, db: &Db) -> OpenError {
    let words = failed.words();
    match words.contains("ResourceNotFoundException") {
        true => OpenError::Missing(db.table().to_owned()),
        false => OpenError::Server(words),
    }
}

/// The table as DynamoDB describes it; `None` if there is none.
pub(crate) async fn describe(db: &Db) -> Result<Option<TableDescription>, OpenError> {
    let answer = db.sdk().describe_table().table_name(db.table()).send().await;
    match answer {
        Ok(found) => Ok(found.table),
        Err(error)
            if error.as_service_error().is_some_and(|it| it.is_resource_not_found_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(refused(&error)),
    }
}

async fn create_table(db: &Db) -> Result<(), OpenError> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(INDEX)
        .set_key_schema(Some(keys_of(INDEX_PK, INDEX_SK)?))
        .projection(keys_only())
        .build()
        .map_err(built)?;
    let asked = db
        .sdk()
        .create_table()
        .table_name(db.table())
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys_of(PK, SK)?))
        .set_attribute_definitions(Some(definitions()?))
        .global_secondary_indexes(index)
        .send()
        .await;
    match asked {
        Ok(_) => Ok(()),
        // Another node is making it at this moment.
        Err(error)
            if error.as_service_error().is_some_and(|it| it.is_resource_in_use_exception()) =>
        {
            Ok(())
        }
        Err(error) => Err(refused(&error)),
    }
}

async fn add_index(db: &Db) -> Result<(), OpenError> {
    let action = CreateGlobalSecondaryIndexAction::builder()
        .index_name(INDEX)
        .set_key_schema(Some(keys_of(INDEX_PK, INDEX_SK)?))
        .projection(keys_only())
        .build()
        .map_err(built)?;
    let update = GlobalSecondaryIndexUpdate::builder().create(action).build();
    let asked = db.sdk().update_table().table_name(db.table());
    let asked = asked.set_attribute_definitions(Some(definitions()?));
    asked.global_secondary_index_updates(update).send().await.map_err(|error| refused(&error))?;
    Ok(())
}

/// Waits until the table and its index can be used.
async fn active(db: &Db) -> Result<TableDescription, OpenError> {
    let until = Instant::now() + ACTIVE_TIMEOUT;
    while Instant::now() < until {
        if let Some(table) = describe(db).await?
            && is_active(&table)
        {
            return Ok(table);
        }
        sleep(ACTIVE_POLL).await;
    }
    Err(OpenError::Server(format!("the table {} is still not active", db.table())))
}

fn is_active(table: &TableDescription) -> bool {
    let index = index_of(table);
    table.table_status() == Some(&TableStatus::Active)
        && index.is_none_or(|status| status == &IndexStatus::Active)
}

/// The status of the index, if there is one.
pub(crate) fn index_of(table: &TableDescription) -> Option<&IndexStatus> {
    let mut indexes = table.global_secondary_indexes().iter();
    indexes.find(|index| index.index_name() == Some(INDEX)).and_then(|index| index.index_status())
}

pub(crate) fn check_keys(db: &Db, table: &TableDescription) -> Result<(), OpenError> {
    let names: HashSet<_> =
        table.key_schema().iter().map(KeySchemaElement::attribute_name).collect();
    match names == HashSet::from([PK, SK]) {
        true => Ok(()),
        false => Err(OpenError::NotOurs(db.table().to_owned())),
    }
}

/// Writes what everything else stands on, unless it is there.
async fn write_meta(db: &Db, shards: u32) -> Result<(), OpenError> {
    let meta = [(LAYOUT_ATTRIBUTE, number(LAYOUT)), (SHARDS_ATTRIBUTE, number(shards))];
    let mut items = vec![with_phase(item(&keys::meta(), meta))];
    items.push(MergeHead::empty(shards).to_item());
    for shard in 0..shards {
        let head = [(GROUP, number(0)), (POSITION, number(0)), (QUEUED, number(0))];
        items.push(with_phase(item(&keys::head(shard), head)));
        items.push(with_phase(item(&keys::queue(shard), [])));
    }
    let writes = items.into_iter().map(Write::put_new).collect();
    match db.transact(Request::WriteMeta, writes).await {
        Ok(()) => Ok(()),
        // It is there, or was made by an attempt whose answer was lost.
        Err(Failed::Refused(_) | Failed::Unknown(_)) => check_meta(db).await,
        Err(failed) => Err(server(failed, db)),
    }
}

async fn check_meta(db: &Db) -> Result<(), OpenError> {
    let meta =
        db.get(Request::ReadMeta, &keys::meta()).await.map_err(|failed| server(failed, db))?;
    let meta = meta.ok_or_else(|| OpenError::Missing(db.table().to_owned()))?;
    shards_of(&meta).map(|_| ())
}

fn with_phase(mut item: Item) -> Item {
    item.extend(phase::to_attributes(&Phase::Live));
    item.insert(RUN.to_owned(), number(0));
    item
}

fn keys_of(pk: &str, sk: &str) -> Result<Vec<KeySchemaElement>, OpenError> {
    let keys = [(pk, KeyType::Hash), (sk, KeyType::Range)];
    let element = |(name, kind): (&str, KeyType)| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(built)
    };
    keys.into_iter().map(element).collect()
}

fn definitions() -> Result<Vec<AttributeDefinition>, OpenError> {
    let definition = |name: &str| {
        let text = ScalarAttributeType::S;
        let definition = AttributeDefinition::builder().attribute_name(name).attribute_type(text);
        definition.build().map_err(built)
    };
    [PK, SK, INDEX_PK, INDEX_SK].into_iter().map(definition).collect()
}

fn keys_only() -> Projection {
    Projection::builder().projection_type(ProjectionType::KeysOnly).build()
}

fn built(error: BuildError) -> OpenError {
    OpenError::Server(error.to_string())
}

fn refused<E>(error: &SdkError<E>) -> OpenError
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    OpenError::Server(crate::error::words(error))
}
