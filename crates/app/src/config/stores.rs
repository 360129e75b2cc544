//! Which stores there are, and where they are.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::ensure;
use serde::{Deserialize, Serialize};
use url::Url;

use super::address::Address;

/// The store that keeps everything that no other section claims.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Store {
    /// One SQLite file.
    Sqlite(Sqlite),
    /// A database of MySQL or MariaDB.
    Mysql(Mysql),
}

/// A store for users, budgets, outbox and journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum State {
    /// One SQLite file.
    Sqlite(Sqlite),
    /// A database of MySQL or MariaDB.
    Mysql(Mysql),
    /// A table of DynamoDB.
    Dynamo(Dynamo),
}

/// A SQLite file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sqlite {
    /// The file, relative to the configuration file.
    pub(crate) path: PathBuf,
    /// Connections that read beside the writer.
    pub(crate) readers: usize,
}

/// A database of MySQL or MariaDB.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mysql {
    /// `mysql://user@host:port/database`.
    pub(crate) url: String,
    /// The variable with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_env: Option<String>,
    /// The file with the password, relative to the configuration file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_file: Option<PathBuf>,
    /// Most connections that read beside the writer.
    #[serde(default = "mysql_readers")]
    pub(crate) readers: usize,
    /// Start although the server may lose what it has acknowledged.
    #[serde(default)]
    pub(crate) allow_unsafe_durability: bool,
}

/// A table of DynamoDB; credentials come from where the AWS tools look for them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Dynamo {
    /// Name of the table.
    pub(crate) table: String,
    /// The region; where the AWS tools look for it unless it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// Address of a server that is not AWS's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint: Option<String>,
    /// Parts of a table that is created; a table keeps those it has.
    pub(crate) shards: u32,
}

impl Default for Sqlite {
    fn default() -> Self {
        Self { path: PathBuf::from("guerdon.db"), readers: store_sqlite::READERS_DEFAULT }
    }
}

impl Default for Dynamo {
    fn default() -> Self {
        Self {
            table: "guerdon".to_owned(),
            region: None,
            endpoint: None,
            shards: store_dynamo::SHARDS_DEFAULT,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::Sqlite(Sqlite::default())
    }
}

impl From<Store> for State {
    fn from(store: Store) -> Self {
        match store {
            Store::Sqlite(sqlite) => Self::Sqlite(sqlite),
            Store::Mysql(mysql) => Self::Mysql(mysql),
        }
    }
}

impl State {
    /// Whether both name one place.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => one.path == other.path,
            (Self::Mysql(one), Self::Mysql(other)) => one.url == other.url,
            (Self::Dynamo(one), Self::Dynamo(other)) => {
                (&one.table, &one.region, &one.endpoint)
                    == (&other.table, &other.region, &other.endpoint)
            }
            _ => false,
        }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Sqlite(sqlite) => format!("the SQLite file {}", sqlite.path.display()),
            Self::Mysql(mysql) => format!("the database {}", mysql.url),
            Self::Dynamo(dynamo) => format!("the DynamoDB table {}", dynamo.table),
        }
    }
}

impl Sqlite {
    /// How it is opened.
    pub(crate) fn options(&self) -> store_sqlite::Options {
        store_sqlite::Options { readers: self.readers, ..Default::default() }
    }
}

/// Characters of a table's name, least and most, as DynamoDB has it.
const TABLE_NAME: RangeInclusive<usize> = 3..=255;

impl Dynamo {
    /// Checks what can be checked without asking; `section` is where it is written.
    pub(crate) fn check(&self, section: &str) -> anyhow::Result<()> {
        let Self { table, endpoint, .. } = self;
        let is_known = |one: char| one.is_ascii_alphanumeric() || "_-.".contains(one);
        ensure!(
            TABLE_NAME.contains(&table.len()) && table.chars().all(is_known),
            "{section}.table must have {} to {} letters, digits, `_`, `-` or `.`, not {table:?}",
            TABLE_NAME.start(),
            TABLE_NAME.end()
        );
        if let Some(endpoint) = endpoint {
            let url = Url::parse(endpoint);
            let is_server =
                url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            ensure!(
                is_server,
                "{section}.endpoint must begin with http:// or https:// and name a host"
            );
        }
        Ok(())
    }

    /// Where it is; credentials come from where the AWS tools look for them.
    pub(crate) fn place(&self) -> store_dynamo::Place {
        store_dynamo::Place {
            table: self.table.clone(),
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            has_credentials: true,
        }
    }
}

impl Mysql {
    /// How it is opened.
    pub(crate) fn options(&self) -> store_mysql::Options {
        store_mysql::Options {
            readers: self.readers,
            allow_unsafe_durability: self.allow_unsafe_durability,
            ..Default::default()
        }
    }

    /// Its address; `field` is where that is written.
    pub(crate) fn address<'a>(&'a self, field: &'a str) -> Address<'a> {
        Address {
            field,
            url: &self.url,
            schemes: &["mysql"],
            password_env: self.password_env.as_deref(),
            password_file: self.password_file.as_ref(),
        }
    }
}

fn mysql_readers() -> usize {
    store_mysql::READERS_DEFAULT
}
