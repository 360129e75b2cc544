//! `guerdon doctor`: examines everything that the configuration names, and says how to mend what is
//! wrong.
//!
//! Nothing is changed. What does not answer is a finding and not a failure of the command, so it works
//! best when everything else does not; each examination ends in time, and all run at once.

mod here;
mod identity;
mod phases;
mod stores;

use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::timeout;

use crate::config::Loaded;
use crate::output::{Finding, Output, counted};

/// How long one dependency may be examined.
const WITHIN: Duration = Duration::from_secs(10);

/// What one check has found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    /// What was examined, such as `state`.
    pub(super) dependency: String,
    /// What was checked.
    pub(super) check: String,
    /// Whether all is well.
    pub(super) passed: bool,
    /// What was found.
    pub(super) detail: String,
    /// How to mend it, if something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Line {
    fn well(check: &str, detail: impl Into<String>) -> Self {
        Self::new(check, true, detail.into(), None)
    }

    fn wrong(check: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(check, false, detail.into(), Some(remedy.into()))
    }

    fn new(check: &str, passed: bool, detail: String, remedy: Option<String>) -> Self {
        Self { dependency: String::new(), check: check.to_owned(), passed, detail, remedy }
    }
}

/// Everything that was found.
#[derive(Serialize)]
struct Diagnosis {
    healthy: bool,
    seconds: f64,
    checks: Vec<Line>,
}

/// One dependency and how it is examined.
struct Examination<'a> {
    dependency: &'a str,
    findings: Pin<Box<dyn Future<Output = Vec<Line>> + 'a>>,
}

impl<'a> Examination<'a> {
    fn of(dependency: &'a str, findings: impl Future<Output = Vec<Line>> + 'a) -> Self {
        Self { dependency, findings: Box::pin(findings) }
    }

    async fn carry_out(self) -> Vec<Line> {
        let mut lines = timeout(WITHIN, self.findings).await.unwrap_or_else(|_| {
            let detail = format!("no answer within {} s", WITHIN.as_secs());
            vec![Line::wrong(
                "answers",
                detail,
                "see that it runs and that this machine reaches it",
            )]
        });
        for line in &mut lines {
            self.dependency.clone_into(&mut line.dependency);
        }
        lines
    }
}

/// Examines, prints, and ends with the exit code for findings if there are any.
pub(crate) async fn run(path: &Path, out: Output) -> anyhow::Result<()> {
    let begun = Instant::now();
    let checks = match Loaded::read(path) {
        Ok(loaded) => examine(&loaded).await,
        Err(error) => {
            let remedy = "mend the file; `guerdon config print` says when it can be read";
            let mut line = Line::wrong("can be read", format!("{error:#}"), remedy);
            "configuration".clone_into(&mut line.dependency);
            vec![line]
        }
    };
    let findings = checks.iter().filter(|line| !line.passed).count() as u64;
    let seconds = begun.elapsed().as_secs_f64();
    let diagnosis = Diagnosis { healthy: findings == 0, seconds, checks };
    out.answer(&diagnosis, Diagnosis::text)?;
    match findings {
        0 => Ok(()),
        count => Err(Finding(counted(count, "finding", "findings")).into()),
    }
}

async fn examine(loaded: &Loaded) -> Vec<Line> {
    let mut examinations = vec![
        Examination::of("configuration", async { vec![here::configuration(loaded)] }),
        Examination::of("master key", async { vec![here::master_key(loaded)] }),
        Examination::of("http", here::http(loaded)),
    ];
    examinations.extend(stores::examinations(loaded));
    join_all(examinations.into_iter().map(Examination::carry_out)).await.concat()
}

impl Diagnosis {
    /// A table for people: what is wrong is followed by how to mend it.
    fn text(&self) -> String {
        let width = |field: fn(&Line) -> &str| {
            self.checks.iter().map(|line| field(line).chars().count()).max().unwrap_or(0)
        };
        let (first, second) = (width(|line| &line.dependency), width(|line| &line.check));
        let mut text = String::new();
        for Line { dependency, check, passed, detail, remedy } in &self.checks {
            let verdict = if *passed { "ok   " } else { "WRONG" };
            let line = format!("{dependency:first$}  {check:second$}  {verdict}  {detail}");
            text.push_str(line.trim_end());
            text.push('\n');
            if let Some(remedy) = remedy {
                text.push_str(&format!("{:1$}-> {remedy}\n", "", first + 2));
            }
        }
        match self.healthy {
            true => text + "Everything is well.",
            false => text.trim_end().to_owned(),
        }
    }
}
