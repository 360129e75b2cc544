//! What `guerdon doctor` looks at: one check a line, each with what was found and how to mend it.

use aws_sdk_dynamodb::types::{BillingMode, TableDescription, TableStatus};

use crate::client::{Db, Place};
use crate::error::OpenError;
use crate::keys;
use crate::requests::Request;
use crate::table;
use crate::value::Item;

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Its name, which does not change.
    pub code: &'static str,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was found.
    pub detail: String,
    /// How to mend it; empty if it passed.
    pub remedy: String,
}

impl Check {
    fn new(code: &'static str, passed: bool, detail: impl Into<String>, remedy: &str) -> Self {
        let remedy = if passed { String::new() } else { remedy.to_owned() };
        Self { code, passed, detail: detail.into(), remedy }
    }

    fn passed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(code, true, detail, "")
    }
}

/// Looks at the table. If nobody answers there, or nobody is let in, that is the only check.
pub async fn checks(place: &Place) -> Vec<Check> {
    let db = Db::connect(place).await;
    let table = match table::describe(&db).await {
        Ok(Some(table)) => table,
        Ok(None) => return vec![reachable(place), missing(place)],
        Err(error) => return vec![unreachable(&error)],
    };
    let mut checks = vec![reachable(place), status(&table), layout_of_keys(&db, &table)];
    checks.extend([index(&table), billing(&table)]);
    checks.extend(meta(&db).await);
    checks
}

/// Whether both places are one table, by the number that DynamoDB gives to each.
///
/// # Errors
/// DynamoDB refuses, or does not answer.
pub async fn are_one(place: &Place, other: &Place) -> Result<bool, OpenError> {
    let number = async |place| {
        let table = table::describe(&Db::connect(place).await).await?;
        Ok::<_, OpenError>(table.and_then(|table| table.table_id))
    };
    let (one, other) = (number(place).await?, number(other).await?);
    Ok(one.is_some() && one == other)
}

fn reachable(place: &Place) -> Check {
    let server = place.endpoint.clone().unwrap_or_else(|| "DynamoDB".to_owned());
    Check::passed("reachable", format!("{server} answers"))
}

fn missing(place: &Place) -> Check {
    let detail = format!("there is no table {}", place.table);
    Check::new("table", false, detail, "run `guerdon migrate`, or mend its name or the region")
}

fn unreachable(error: &OpenError) -> Check {
    let words = error.to_string();
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    let (code, remedy) = if has(&["AccessDenied", "not authorized"]) {
        ("permissions", "allow what docs/dynamodb.md lists for the table and its index")
    } else if has(&["credentials", "UnrecognizedClient", "InvalidSignature", "ExpiredToken"]) {
        (
            "credentials",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a \
             role, as for the AWS tools",
        )
    } else if has(&["region", "Region"]) {
        ("region", "set `region` in the configuration, or AWS_REGION")
    } else {
        ("reachable", "mend the endpoint, the region, the firewall or TLS")
    };
    Check::new(code, false, words, remedy)
}

fn status(table: &TableDescription) -> Check {
    let status = table.table_status().map_or("unknown", TableStatus::as_str);
    let remedy = "wait; if it stays so, look at the table in the console of AWS";
    Check::new("table", status == "ACTIVE", format!("it is {status}"), remedy)
}

fn layout_of_keys(db: &Db, table: &TableDescription) -> Check {
    match table::check_keys(db, table) {
        Ok(()) => Check::passed("keys", "they are Guerdon's"),
        Err(error) => Check::new("keys", false, error.to_string(), "name another table"),
    }
}

fn index(table: &TableDescription) -> Check {
    let name = keys::INDEX;
    let (passed, detail) = match table::index_of(table) {
        Some(status) => (status.as_str() == "ACTIVE", format!("`{name}` is {status}")),
        None => (false, format!("there is no index `{name}`")),
    };
    Check::new("index", passed, detail, "run `guerdon migrate`; a new index takes a while to fill")
}

/// A table with provisioned capacity works, but is throttled in bursts that it has not paid for.
fn billing(table: &TableDescription) -> Check {
    let mode = table.billing_mode_summary().and_then(|summary| summary.billing_mode());
    let is_on_demand = mode == Some(&BillingMode::PayPerRequest);
    let detail = if is_on_demand { "on demand" } else { "provisioned capacity" };
    Check::new("billing", is_on_demand, detail, "switch the table to on-demand capacity")
}

async fn meta(db: &Db) -> Vec<Check> {
    let remedy = "run `guerdon migrate`";
    match db.get(Request::ReadMeta, &keys::meta()).await {
        Ok(Some(meta)) => vec![layout(&meta)],
        Ok(None) => vec![Check::new("layout", false, "the table was left half made", remedy)],
        Err(failed) => {
            vec![Check::new("layout", false, failed.words(), "allow what docs/dynamodb.md lists")]
        }
    }
}

fn layout(meta: &Item) -> Check {
    match table::shards_of(meta) {
        Ok(shards) => Check::passed("layout", format!("of this release, with {shards} shards")),
        Err(error) => Check::new("layout", false, error.to_string(), "run the release it is of"),
    }
}
