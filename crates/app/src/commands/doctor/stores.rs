//! The stores, and what runs beside them.

use std::path::Path;
use std::time::Duration;

use cache::{BadUrl, Hints, RedisSettings, Shared};
use futures_util::future::BoxFuture;
use store_sqlite::SqliteStore;
use tokio::time::{Instant, sleep};

use super::{Examination, Line, identity, phases};
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
    examinations.push(Examination::of("catalog", identity::examine(loaded)));
    if let Some(settings) = cache_settings(loaded).transpose() {
        examinations.push(Examination::of("cache", async move {
            vec![redis(settings, Shared::open, Shared::problem).await]
        }));
    }
    if let Some(settings) = broker_settings(loaded).transpose() {
        examinations.push(Examination::of("broker", async move {
            vec![redis(settings, Hints::open, Hints::problem).await]
        }));
    }
    examinations
}

async fn store(loaded: &Loaded, section: &str, state: State) -> Vec<Line> {
    let mut lines = match &state {
        State::Sqlite(sqlite) => sqlite_file(&loaded.folder.join(&sqlite.path)),
        State::Mysql(mysql) => mysql_database(loaded, section, mysql).await,
        State::Dynamo(dynamo) => dynamo_table(dynamo.place()).await,
    };
    // A store that is not well has nothing more to tell.
    if state.is_same(&loaded.state()) && lines.iter().all(|line| line.passed) {
        lines.extend(phases::examine(loaded, section, &state).await);
    }
    lines
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

/// Connects as a node does, and waits until nothing is wrong with it.
async fn redis<T>(
    settings: anyhow::Result<RedisSettings>,
    open: fn(&RedisSettings) -> Result<T, BadUrl>,
    problem: fn(&T) -> Option<String>,
) -> Line {
    let opened = match settings.map(|settings| open(&settings)) {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return Line::wrong("address", error.to_string(), "mend the address"),
        Err(error) => return unreadable(&error),
    };
    let until = Instant::now() + REDIS_WITHIN;
    loop {
        match problem(&opened) {
            None => return Line::well("answers", "Redis answers; nothing is lost without it"),
            Some(problem) if Instant::now() > until => {
                let remedy = format!("{}; until then nodes do without it", redis_remedy(&problem));
                return Line::wrong("answers", problem, remedy);
            }
            Some(_) => sleep(REDIS_LOOK).await,
        }
    }
}

/// What the words of a failure of Redis hold, and how to mend that. The first that fits counts.
const REDIS_REMEDIES: [(&[&str], &str); 6] = [
    (
        &["NOAUTH"],
        "it wants a password; name the variable or the file that holds it with password_env or \
         password_file",
    ),
    (
        &["AuthenticationFailed", "WRONGPASS"],
        "mend the user in the address, or the password in the variable or the file that password_env \
         or password_file names; a server without passwords takes none",
    ),
    (
        &["NOPERM"],
        "let the user of the address run commands and scripts on every key of the prefix",
    ),
    (
        &["cluster support disabled"],
        "it is one server and no cluster; let the section say kind = \"redis\", and url instead of \
         urls",
    ),
    (
        &["node of a cluster", "ClusterDown", "CLUSTERDOWN"],
        "it is of a cluster: a cache says kind = \"redis_cluster\" with urls, and every slot of the \
         cluster has to be served; a broker is one server",
    ),
    (
        &["certificate"],
        "let this machine trust whoever has signed its certificate, and write the name that it is for \
         into the address",
    ),
];

fn redis_remedy(problem: &str) -> &'static str {
    let has = |parts: &[&str]| parts.iter().any(|part| problem.contains(part));
    let known = REDIS_REMEDIES.iter().find(|(parts, _)| has(parts));
    known.map_or(
        "start it, or mend the address, the firewall, or TLS: rediss:// where it wants TLS, and \
         redis:// where not",
        |(_, remedy)| remedy,
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The words are those of real servers.
    #[test]
    fn failures_of_redis_are_told_apart() {
        for (problem, remedy) in [
            ("\"NOAUTH\": Authentication required.", "it wants a password"),
            ("Password authentication failed - AuthenticationFailed", "mend the user"),
            (
                "Failed to create initial connections - Io: Password authentication failed - \
                 AuthenticationFailed",
                "mend the user",
            ),
            ("ResponseError: This instance has cluster support disabled", "kind = \"redis\""),
            (
                "it is a node of a cluster and has not all keys; use the cluster (ClusterDown: Hash \
                 slot not served)",
                "kind = \"redis_cluster\"",
            ),
            ("invalid peer certificate: UnknownIssuer", "trust whoever has signed"),
            ("Connection reset by peer (os error 104)", "rediss:// where it wants TLS"),
            ("Connection refused (os error 111)", "start it"),
            ("timed out", "start it"),
        ] {
            assert!(redis_remedy(problem).contains(remedy), "{problem}: {}", redis_remedy(problem));
        }
    }
}
