//! `guerdon verify`: the proof that the books are right.

use std::path::Path;

use engine::Ctx;
use serde::Serialize;

use crate::clock;
use crate::config::Loaded;
use crate::output::{Finding, Output, Progress};
use crate::wiring;

/// What was checked and found.
#[derive(Serialize)]
pub(crate) struct Checked {
    records: u64,
    entries: u64,
    users: u64,
    seconds: f64,
    findings: Vec<FindingLine>,
}

/// An invariant that does not hold, and for what.
#[derive(Serialize)]
struct FindingLine {
    invariant: String,
    subject: String,
    detail: String,
}

/// Verifies, prints, and ends with the exit code for findings if there are any.
pub(crate) async fn run(path: &Path, out: Output) -> anyhow::Result<()> {
    let checked = check(&Loaded::read(path)?).await?;
    out.answer(&checked, Checked::text)?;
    match checked.findings() {
        0 => Ok(()),
        count => Err(Finding(format!("{count} findings")).into()),
    }
}

/// Verifies the database of a configuration, beside a server that may be running.
pub(crate) async fn check(loaded: &Loaded) -> anyhow::Result<Checked> {
    let node = wiring::open_view(loaded).await?;
    let mut progress = Progress::new("verify");
    let report = node
        .engine
        .verify(&Ctx::at(clock::now()), |records, users| {
            progress.at(|| format!("{records} records, {users} users"));
        })
        .await?;
    let findings = report.findings.iter().map(|finding| FindingLine {
        invariant: finding.invariant.to_owned(),
        subject: finding.subject.clone(),
        detail: finding.detail.clone(),
    });
    Ok(Checked {
        records: report.records,
        entries: report.entries_checked,
        users: report.users,
        seconds: progress.end(),
        findings: findings.collect(),
    })
}

impl Checked {
    /// How many invariants do not hold.
    pub(crate) fn findings(&self) -> usize {
        self.findings.len()
    }

    /// The result for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{} entries in {} records of {} users checked in {:.2} s",
            self.entries, self.records, self.users, self.seconds
        );
        if self.findings.is_empty() {
            text.push_str(": M1 to M9, I7 and D1 hold.");
        }
        for FindingLine { invariant, subject, detail } in &self.findings {
            text.push_str(&format!("\n{invariant}  {subject}: {detail}"));
        }
        text
    }
}
