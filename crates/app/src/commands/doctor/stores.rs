//! The stores, and what runs beside them.

use std::path::Path;
use std::time::Duration;

use cache::Shared;
use futures_util::future::BoxFuture;
use store_sqlite::SqliteStore;
use tokio::time::{Instant, sleep};

use super::{Examination, Line};
use crate::clock;
use crate::config::{Loaded, Mysql, State};
use crate::wiring::{broker_settings, cache_settings};

/// How long Redis may take to answer for the first time; a cluster has to tell its nodes first.
const REDIS_WITHIN: Duration = Duration::from_secs(5);
/// How often that is looked at.
const REDIS_LOOK: Duration = Duration::from_millis(20);

/// Every dependency that the configuration names, each with all its checks.
pub(super) fn examinations(loaded: &Loaded) -> Vec<Examination<'_>> {
    let config = &loaded.config;
    let mut examinations = Vec::new();
    let everything = State::from(config.store.clone());
    examinations.push(Examination::of("store", store(loaded, "store", everything)));
    for (section, state) in [("state", &config.state), ("next_state", &config.next_state)] {
        if let Some(state) = state {
            examinations.push(Examination::of(section, store(loaded, section, state.clone())));
        }
    }
    for (name, settings) in [("cache", cache_settings(loaded)), ("broker", broker_settings(loaded))]
    {
        if let Some(settings) = settings.transpose() {
            examinations.push(Examination::of(name, async move { vec![redis(settings).await] }));
        }
    }
    examinations
}

async fn store(loaded: &Loaded, section: &str, state: State) -> Vec<Line> {
    match &state {
        State::Sqlite(sqlite) => sqlite_file(&loaded.folder.join(&sqlite.path)),
        State::Mysql(mysql) => mysql_database(loaded, section, mysql).await,
        State::Dynamo(dynamo) => dynamo_table(dynamo.place()).await,
    }
}

/// The future is boxed, because those of the SDK are too deep to be part of others.
fn dynamo_table(place: store_dynamo::Place) -> BoxFuture<'static, Vec<Line>> {
    Box::pin(async move {
        let line = |check: store_dynamo::Check| {
            let remedy = (!check.passed).then_some(check.remedy);
            Line::new(check.code, check.passed, check.detail, remedy)
        };
        store_dynamo::checks(&place).await.into_iter().map(line).collect()
    })
}

async fn mysql_database(loaded: &Loaded, section: &str, mysql: &Mysql) -> Vec<Line> {
    let url = match loaded.mysql_url(section, mysql) {
        Ok(url) => url,
        Err(error) => return vec![unreadable(&error)],
    };
    let checks = store_mysql::checks(&url, mysql.options(), clock::now()).await;
    let line = |check: store_mysql::Check| {
        let remedy = (!check.passed).then_some(check.remedy);
        Line::new(check.code, check.passed, check.detail, remedy)
    };
    checks.into_iter().map(line).collect()
}

/// An address whose password cannot be found.
fn unreadable(error: &anyhow::Error) -> Line {
    let remedy = "set the variable, or put the file back, that holds the password";
    Line::wrong("password", format!("{error:#}"), remedy)
}

/// Connects as a node does, and waits until every part has answered.
async fn redis(settings: anyhow::Result<cache::RedisSettings>) -> Line {
    let shared = match settings.map(|settings| Shared::open(&settings)) {
        Ok(Ok(shared)) => shared,
        Ok(Err(error)) => return Line::wrong("address", error.to_string(), "mend the address"),
        Err(error) => return unreadable(&error),
    };
    let until = Instant::now() + REDIS_WITHIN;
    loop {
        match shared.problem() {
            None => return Line::well("answers", "Redis answers; nothing is lost without it"),
            Some(problem) if Instant::now() > until => {
                let remedy = "start it, or mend the address, the firewall or the password; until then \
                              nodes do without it";
                return Line::wrong("answers", problem, remedy);
            }
            Some(_) => sleep(REDIS_LOOK).await,
        }
    }
}

/// A file that is not there yet is made by the first start.
fn sqlite_file(path: &Path) -> Vec<Line> {
    let shown = path.display();
    if !path.exists() {
        let folder = path.parent().unwrap_or(path);
        return vec![match folder.is_dir() {
            true => Line::well("file", format!("{shown} is not there; the first start makes it")),
            false => Line::wrong(
                "file",
                format!("the folder {} is not there", folder.display()),
                "make the folder, on a local disk",
            ),
        }];
    }
    vec![match SqliteStore::open_read_only(path) {
        Ok(_) => Line::well("file", format!("{shown} opens, and is of this release")),
        Err(error) => Line::wrong(
            "file",
            error.to_string(),
            "run the release that made it, or put a backup in its place with `guerdon restore`",
        ),
    }]
}
