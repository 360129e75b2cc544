//! `guerdon verify`: the proof that the books are right.

use std::path::Path;

use engine::Ctx;
use serde::Serialize;

use crate::clock;
use crate::config::Loaded;
use crate::output::{Finding, Output, Progress};
use crate::wiring;

#[derive(Serialize)]
struct Checked {
    records: u64,
    entries: u64,
    users: u64,
    seconds: f64,
    findings: Vec<FindingLine>,
}

#[derive(Serialize)]
struct FindingLine {
    invariant: String,
    subject: String,
    detail: String,
}

pub(crate) async fn run(path: &Path, out: Output) -> anyhow::Result<()> {
    let loaded = Loaded::read(path)?;
    let node = wiring::open_read_only(&loaded).await?;
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
    let checked = Checked {
        records: report.records,
        entries: report.entries_checked,
        users: report.users,
        seconds: progress.end(),
        findings: findings.collect(),
    };
    out.answer(&checked, text)?;
    match checked.findings.len() {
        0 => Ok(()),
        count => Err(Finding(format!("{count} findings")).into()),
    }
}

fn text(checked: &Checked) -> String {
    let mut text = format!(
        "{} entries in {} records of {} users checked in {:.2} s",
        checked.entries, checked.records, checked.users, checked.seconds
    );
    if checked.findings.is_empty() {
        text.push_str(": M1 to M9, I7 and D1 hold.");
    }
    for finding in &checked.findings {
        text.push_str(&format!("\n{}  {}: {}", finding.invariant, finding.subject, finding.detail));
    }
    text
}
