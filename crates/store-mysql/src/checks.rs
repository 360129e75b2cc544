//! What `guerdon doctor` looks at: one check a line, each with what was found and how to mend it.

use domain::time::Timestamp;
use sqlx::Row;
use store::StoreError;

use crate::ask::Ask;
use crate::connect::{Connector, Role, Session};
use crate::error::{Failure, OpenError};
use crate::grants::missing_grants;
use crate::migrate::{SCHEMA_VERSION, is_foreign, missing, version_of};
use crate::options::{Options, POINT_MAX};
use crate::server::Settings;
use crate::sql;

/// Most difference between the server's clock and ours. Nothing is decided by the server's clock,
/// but log files that disagree by more cannot be read side by side.
const CLOCK_MS_MAX: i64 = 2_000;

/// Connections that a node has beside those for reads: its writer, that one's successor while a lost
/// answer is looked up, and a command of an operator.
const CONNECTIONS_BESIDE: u64 = 3;

/// Least `max_allowed_packet`. A group of commits is written with one statement a table, and a user's
/// state may have 256 KiB.
const PACKET_MIN: u64 = 16 << 20;

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
    fn new(code: &'static str, passed: bool, detail: String, remedy: &str) -> Self {
        let remedy = if passed { String::new() } else { remedy.to_owned() };
        Self { code, passed, detail, remedy }
    }
}

/// Looks at the database at `url`. If nobody answers there, or nobody is let in, that is the only
/// check; `now` is compared with the server's clock.
pub async fn checks(url: &str, options: Options, now: Timestamp) -> Vec<Check> {
    let (mut session, mut checks) = match come_in(url).await {
        Ok((session, check)) => (session, vec![check]),
        Err(check) => return vec![check],
    };
    match look(&mut session, &options, now).await {
        Ok(found) => checks.extend(found),
        Err(failure) => {
            let why = StoreError::from(failure).to_string();
            let remedy = "look at the server's error log; it stopped answering in between";
            checks.push(Check::new("reachable", false, why, remedy));
        }
    }
    checks
}

async fn come_in(url: &str) -> Result<(Session, Check), Check> {
    let opened = match Connector::parse(url) {
        Ok(connector) => connector.open_first(Role::Migrator).await.map(|session| {
            let detail = format!("{} answers", connector.shown());
            (session, Check::new("reachable", true, detail, ""))
        }),
        Err(error) => Err(error),
    };
    opened.map_err(|error| {
        let (code, remedy) = match &error {
            OpenError::Url(_) => (
                "address",
                "write mysql://USER@HOST:PORT/DATABASE, and name the variable or the file with the \
                 password beside it, with password_env or password_file",
            ),
            OpenError::Unknown(..) => (
                "credentials",
                "mend the user in the address, or the password in the variable or the file that \
                 password_env or password_file names; docs/mysql.md says how to create the user",
            ),
            OpenError::Denied(..) => (
                "credentials",
                "create the database, or mend its name, and grant the user what docs/mysql.md lists",
            ),
            _ => ("reachable", "start the server, or mend the address, the firewall or TLS"),
        };
        Check::new(code, false, error.to_string(), remedy)
    })
}

async fn look(
    session: &mut Session,
    options: &Options,
    now: Timestamp,
) -> Result<Vec<Check>, Failure> {
    let clock = clock(session, now).await?;
    let settings = Settings::read(session).await?;
    Ok(vec![
        version(&settings),
        grants(session).await?,
        durability(&settings, options),
        replication(&settings),
        writable(&settings),
        packet(&settings),
        connections(session, &settings, options).await?,
        encryption(session).await?,
        schema(session).await?,
        tables(session).await?,
        collation(session).await?,
        clock,
    ])
}

fn version(settings: &Settings) -> Check {
    let detail = format!("{} ({})", settings.version(), settings.get("version_comment"));
    let remedy = "move to MySQL 8.0 or MariaDB 10.6, or later";
    Check::new("version", settings.is_known(), detail, remedy)
}

async fn grants(session: &mut Session) -> Result<Check, Failure> {
    let database: String = text(session, sql::DATABASE, 0).await?;
    let rows = session.rows(&Ask::new(sql::GRANTS), POINT_MAX).await?;
    let lines = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let missing = missing_grants(&lines, &database);
    let detail = match missing.is_empty() {
        true => "everything that serving and migrating need".to_owned(),
        false => format!("missing on {database}: {}", missing.join(", ")),
    };
    let remedy = format!("GRANT {} ON `{database}`.* TO this user", missing.join(", "));
    Ok(Check::new("grants", missing.is_empty(), detail, &remedy))
}

fn durability(settings: &Settings, options: &Options) -> Check {
    let words = settings.unsafe_words();
    let (mut detail, is_safe) = match words.is_empty() {
        true => ("an acknowledged commit is on the disk".to_owned(), true),
        false => (words.join("; "), false),
    };
    if !is_safe && options.allow_unsafe_durability {
        detail.push_str("; the server starts all the same, as `allow_unsafe_durability` says");
    }
    let remedy = "SET GLOBAL innodb_flush_log_at_trx_commit = 1, sync_binlog = 1, and in the \
                  server's file";
    Check::new("durability", is_safe, detail, remedy)
}

fn replication(settings: &Settings) -> Check {
    let (is_galera, is_text) = (settings.is_on("wsrep_on"), settings.logs_statements_only());
    let detail = match (is_galera, is_text) {
        (true, _) => "Galera is on: row locks do not reach its other nodes".to_owned(),
        (_, true) => "binlog_format is STATEMENT, which refuses every write here".to_owned(),
        _ => format!("log_bin is {}, no Galera", settings.get("log_bin")),
    };
    let remedy = "use one primary with replicas instead of Galera, and binlog_format = ROW";
    Check::new("replication", !is_galera && !is_text, detail, remedy)
}

fn writable(settings: &Settings) -> Check {
    let is_writable = !settings.is_on("read_only");
    let detail = format!("read_only is {}", settings.get("read_only"));
    Check::new("writable", is_writable, detail, "point the address at the primary, not a replica")
}

fn packet(settings: &Settings) -> Check {
    let packet = settings.number("max_allowed_packet");
    let detail = format!("max_allowed_packet is {packet} bytes");
    let remedy = format!("SET GLOBAL max_allowed_packet = {PACKET_MIN}, and in the server's file");
    Check::new("packet", packet >= PACKET_MIN, detail, &remedy)
}

async fn connections(
    session: &mut Session,
    settings: &Settings,
    options: &Options,
) -> Result<Check, Failure> {
    let most = settings.number("max_connections");
    let of_user = match settings.number("max_user_connections") {
        0 => most,
        limited => limited.min(most),
    };
    let in_use: u64 = text(session, sql::SESSIONS, 1).await?.parse().unwrap_or_default();
    let needed = options.readers as u64 + CONNECTIONS_BESIDE;
    let detail = format!(
        "a node needs up to {needed}; the server allows {most}, this user {of_user}, and {in_use} \
         are in use, by whomever"
    );
    let remedy = "raise max_connections to the sum over all nodes, or lower `readers`";
    Ok(Check::new("connections", needed <= of_user, detail, remedy))
}

/// Not a fault by itself: on one machine, or in a network of one's own, it is a matter of taste.
async fn encryption(session: &mut Session) -> Result<Check, Failure> {
    let cipher = text(session, sql::CIPHER, 1).await?;
    let detail = match cipher.is_empty() {
        true => "not encrypted; `ssl-mode=VERIFY_IDENTITY` in the address demands it".to_owned(),
        false => format!("encrypted with {cipher}"),
    };
    Ok(Check::new("encryption", true, detail, ""))
}

async fn schema(session: &mut Session) -> Result<Check, Failure> {
    if is_foreign(session).await? {
        let detail = "the database holds tables that are not Guerdon's".to_owned();
        return Ok(Check::new("schema", false, detail, "give Guerdon a database of its own"));
    }
    let found = version_of(session).await?;
    let detail = format!("schema {found}; this release needs {SCHEMA_VERSION}");
    let remedy = match found < SCHEMA_VERSION {
        true => "run `guerdon migrate`",
        false => "run the release that migrated it, or a newer one",
    };
    Ok(Check::new("schema", found == SCHEMA_VERSION, detail, remedy))
}

/// What was made is made once: a table that was lost has lost what was in it, and that is not hidden
/// by an empty one.
async fn tables(session: &mut Session) -> Result<Check, Failure> {
    let missing = missing(session).await?;
    let detail = match missing.is_empty() {
        true => "what was made is there".to_owned(),
        false => format!("made once, and gone: {}", missing.join(", ")),
    };
    let remedy = "put a backup of the database in its place; `guerdon migrate` makes nothing twice";
    Ok(Check::new("tables", missing.is_empty(), detail, remedy))
}

async fn collation(session: &mut Session) -> Result<Check, Failure> {
    let rows = session.rows(&Ask::new(sql::LOOSE_COLUMNS), POINT_MAX).await?;
    let columns = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let detail = match columns.is_empty() {
        true => "text is compared byte by byte".to_owned(),
        false => format!("not utf8mb4_bin: {}", columns.join(", ")),
    };
    let remedy = "ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    Ok(Check::new("collation", columns.is_empty(), detail, remedy))
}

/// Whether two addresses lead to one database: what is locked through one is locked through the other.
///
/// # Errors
/// One of them cannot be reached, or nobody is let in.
pub async fn are_one(url: &str, other: &str) -> Result<bool, OpenError> {
    let [one, other] = [Connector::parse(url)?, Connector::parse(other)?];
    let mut session = one.open_first(Role::Migrator).await?;
    let mut beside = other.open_first(Role::Migrator).await?;
    let found = async {
        let mark = text(&mut session, sql::MARK, 0).await?;
        let ask = Ask::new(sql::MARK_SEEN).bind(mark.as_str()).bind(mark.as_str());
        let row = beside.row(&ask, POINT_MAX).await?;
        let seen: Option<Option<i64>> = row.map(|row| row.try_get(0)).transpose()?;
        Ok::<_, Failure>(seen.flatten() == Some(1))
    };
    found.await.map_err(|failure| one.refusal(failure))
}

async fn clock(session: &mut Session, now: Timestamp) -> Result<Check, Failure> {
    let row = session.row(&Ask::new(sql::CLOCK), POINT_MAX).await?;
    let micros: i64 = row.ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    let ahead = micros / 1_000 - now.0;
    let detail = format!("the server's clock differs from ours by {ahead} ms");
    let remedy = "let both machines follow the same time servers";
    Ok(Check::new("clock", ahead.abs() <= CLOCK_MS_MAX, detail, remedy))
}

/// A column of a statement's first row; empty if there is none.
async fn text(
    session: &mut Session,
    statement: &'static str,
    column: usize,
) -> Result<String, Failure> {
    let row = session.row(&Ask::new(statement), POINT_MAX).await?;
    let text: Option<Option<String>> = row.map(|row| row.try_get(column)).transpose()?;
    Ok(text.flatten().unwrap_or_default())
}
