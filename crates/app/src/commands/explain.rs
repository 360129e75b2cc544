//! `guerdon explain`: how the databases carry out every statement and request, and what is wrong with
//! it.
//!
//! What the program owns is listed by each adapter in one place. It is planned, and reads are carried
//! out, on the configured databases with keys that are in them; nothing is written.

mod table;

use std::path::Path;

use anyhow::{Context, bail};
use futures_util::future::BoxFuture;
use serde::Serialize;
use store::explain::{Cost, Explained, Kind, Unit, Verdict};
use store_sqlite::SqliteStore;

use crate::cli::ExplainArgs;
use crate::clock;
use crate::config::{Dynamo, Loaded, Mysql, Sqlite, State};
use crate::output::{Finding, Output, counted};
use crate::wiring;

/// Everything that was explained.
#[derive(Serialize)]
struct Explanation {
    bad: usize,
    notes: usize,
    fine: usize,
    stores: Vec<StoreLines>,
    #[serde(skip)]
    shown: Shown,
}

/// What is printed for people.
#[derive(Clone, Copy, Default)]
enum Shown {
    /// What is not fine.
    #[default]
    Remarkable,
    /// Everything.
    All,
    /// One, with all that is known.
    One,
}

/// The statements of one store.
#[derive(Serialize)]
struct StoreLines {
    /// The section of the configuration.
    section: &'static str,
    /// What the store is.
    store: String,
    statements: Vec<Line>,
}

/// One statement or request.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    purpose: String,
    kind: &'static str,
    verdict: &'static str,
    text: String,
    plan: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostLine>,
    findings: Vec<FindingLine>,
}

/// What it took.
#[derive(Serialize)]
struct CostLine {
    /// `rows`, or `steps` of SQLite's machine.
    unit: &'static str,
    examined: f64,
    returned: f64,
    /// Units of capacity, of DynamoDB.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<f64>,
}

/// Something that was noticed.
#[derive(Serialize)]
struct FindingLine {
    verdict: &'static str,
    code: &'static str,
    detail: String,
}

/// Explains, prints, and ends with the exit code for findings if anything is bad.
pub(crate) async fn run(path: &Path, args: &ExplainArgs, out: Output) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let mut stores = Vec::new();
    for (section, state) in sections(&loaded) {
        let all = of_store(&loaded, section, &state).await?;
        let is_named = |one: &Explained, name: &String| one.name.eq_ignore_ascii_case(name);
        let wanted =
            |one: &Explained| args.statement.as_ref().is_none_or(|name| is_named(one, name));
        let statements: Vec<Line> = all.into_iter().filter(wanted).map(Line::from).collect();
        stores.push(StoreLines { section, store: state.name(), statements });
    }
    let lines = || stores.iter().flat_map(|store| &store.statements);
    if let (Some(name), None) = (&args.statement, lines().next()) {
        bail!("there is no statement or request {name}; `guerdon explain --all` lists all");
    }
    let count = |verdict| lines().filter(|line| line.verdict == word(verdict)).count();
    let (bad, notes) = (count(Verdict::Bad), count(Verdict::Note));
    let shown = match (&args.statement, args.all) {
        (Some(_), _) => Shown::One,
        (None, true) => Shown::All,
        (None, false) => Shown::Remarkable,
    };
    let explanation = Explanation { bad, notes, fine: count(Verdict::Fine), stores, shown };
    out.answer(&explanation, Explanation::text)?;
    match bad {
        0 => Ok(()),
        bad => Err(Finding(counted(bad as u64, "bad statement", "bad statements")).into()),
    }
}

/// The stores of a configuration, each once.
fn sections(loaded: &Loaded) -> Vec<(&'static str, State)> {
    let mut sections = vec![("store", State::from(loaded.config.store.clone()))];
    sections.extend(loaded.config.state.clone().map(|state| ("state", state)));
    sections
}

async fn of_store(
    loaded: &Loaded,
    section: &'static str,
    state: &State,
) -> anyhow::Result<Vec<Explained>> {
    match state {
        State::Sqlite(sqlite) => of_sqlite(loaded, sqlite).await,
        State::Mysql(mysql) => of_mysql(loaded, section, mysql).await,
        State::Dynamo(dynamo) => of_dynamo(section, dynamo).await,
    }
}

async fn of_sqlite(loaded: &Loaded, sqlite: &Sqlite) -> anyhow::Result<Vec<Explained>> {
    let path = loaded.folder.join(&sqlite.path);
    let opened = SqliteStore::open_read_only(&path);
    let store = opened.with_context(|| format!("cannot open the database {}", path.display()))?;
    Ok(store.explain(clock::now()).await?)
}

async fn of_mysql(
    loaded: &Loaded,
    section: &'static str,
    mysql: &Mysql,
) -> anyhow::Result<Vec<Explained>> {
    let url = loaded.mysql_url(section, mysql)?;
    let explained = store_mysql::explain(&url, clock::now()).await;
    explained.with_context(|| format!("cannot use the database of [{section}]"))
}

/// The future is boxed, because those of the SDK are too deep to be part of others.
fn of_dynamo<'a>(
    section: &'static str,
    dynamo: &'a Dynamo,
) -> BoxFuture<'a, anyhow::Result<Vec<Explained>>> {
    Box::pin(async move {
        let store = wiring::open_dynamo(section, dynamo).await?;
        Ok(store.explain(clock::now()).await?)
    })
}

impl From<Explained> for Line {
    fn from(one: Explained) -> Self {
        let findings = one.judge();
        let worst = findings.iter().map(|found| found.verdict).max().unwrap_or(Verdict::Fine);
        let finding = |found: store::explain::Finding| FindingLine {
            verdict: word(found.verdict),
            code: found.code,
            detail: found.words,
        };
        Self {
            name: one.name,
            purpose: one.purpose,
            kind: match one.kind {
                Kind::Read => "read",
                Kind::Write => "write",
                Kind::Control => "control",
            },
            verdict: word(worst),
            text: one.text,
            plan: one.facts.steps.into_iter().map(|step| step.words).collect(),
            cost: one.facts.cost.map(CostLine::from),
            findings: findings.into_iter().map(finding).collect(),
        }
    }
}

impl From<Cost> for CostLine {
    fn from(cost: Cost) -> Self {
        let unit = match cost.unit {
            Unit::Rows => "rows",
            Unit::Steps => "steps",
        };
        let Cost { examined, returned, units, .. } = cost;
        Self { unit, examined, returned, units }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fine => "fine",
        Verdict::Note => "note",
        Verdict::Bad => "bad",
    }
}
